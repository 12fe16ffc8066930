"""``marin-research``: the table of its commands."""

from __future__ import annotations

import sys

import click

from marin_research.cli.lazy import LazyGroup, run

_HOMES = {
    "init": ("marin_research.cli.init", "Declare a thread and start its logbook."),
    "run": ("marin_research.cli.run", "Record any command."),
    "runs": ("marin_research.cli.runs", "List recorded runs."),
    "show": ("marin_research.cli.show", "Show everything that is known of a run."),
    "logs": ("marin_research.cli.logs", "Print what a run printed."),
    "digest": ("marin_research.cli.digest", "Condense a log, or what a run printed."),
    "compare": ("marin_research.cli.compare", "Compare runs: deltas, and what else differs."),
    "check": ("marin_research.cli.check", "Check whether a result is ready to be posted."),
    "sync": ("marin_research.cli.sync", "Send the records that wait on this machine."),
    "snapshot": ("marin_research.cli.snapshot", "Seal results: a tag, its commit and a repro bundle."),
    "reproduce": ("marin_research.cli.reproduce", "Run a recorded run again as it was, and compare."),
    "logbook": ("marin_research.cli.logbook", "List a logbook's entries, or append one."),
    "redact": ("marin_research.cli.redact", "Remove secrets from a text."),
    "schema": ("marin_research.cli.schema", "Print the JSON Schema of what --json prints."),
    "completion": ("marin_research.cli.completion", "Print the shell completion script."),
}

group = LazyGroup(
    homes=_HOMES,
    help="Look at what Marin Research recorded.\n\n"
    "Records are made by experiment scripts (see `recorded` and `research_main`); `curator` drafts the write-up.\n\n"
    "\b\nExamples:\n"
    "  marin-research init lr-sweep --prefix LR --metric eval/loss:lower:nats/byte\n"
    "  marin-research runs --thread lr-sweep --where 'eval/loss<2.5' --sort eval/loss\n"
    "  marin-research show LR-003\n"
    "  marin-research compare LR-001 LR-003\n",
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(package_name="marin-research")(group)


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run("marin-research", group))


if __name__ == "__main__":
    main()

"""``curator``: the table of its commands."""

from __future__ import annotations

import sys

import click

from marin_research.cli.lazy import LazyGroup, run

_HOMES = {
    "kickoff": ("curator.cli.kickoff", "Open a thread's experiment issue."),
    "draft": ("curator.cli.draft", "Write up recorded runs."),
    "watch": ("curator.cli.watch", "Write up what ends, and say when an update is due."),
    "drafts": ("curator.cli.drafts", "List drafts and how they stand."),
    "show": ("curator.cli.show", "Show a draft with the evidence behind it."),
    "verify": ("curator.cli.verify", "Check a text against the record."),
    "proofread": ("curator.cli.proofread", "Have Claude read a text beside the record."),
    "edit": ("curator.cli.edit", "Edit a draft in your editor."),
    "review": ("curator.cli.review", "Read the open drafts and decide on them."),
    "serve": ("curator.cli.serve", "Review the drafts in a browser."),
    "approve": ("curator.cli.approve", "Approve drafts, without a terminal."),
    "reject": ("curator.cli.reject", "Reject a draft and say why."),
    "publish": ("curator.cli.publish", "Publish what was approved."),
    "fix": ("curator.cli.fix", "Correct a comment that is out."),
    "log": ("curator.cli.log", "Show and check the log of decisions."),
    "note": ("curator.cli.note", "Remember what was just learned."),
    "notes": ("curator.cli.notes", "Read what was noted; propose notes from records."),
    "skillevolve": ("curator.cli.skillevolve.main", "Read SkillEvolve, and draft what should go there."),
    "schema": ("curator.cli.schema", "Print the JSON Schema of what --json prints."),
}

group = LazyGroup(
    homes=_HOMES,
    help="Draft the write-up of recorded runs, check it against the record, approve it, publish it.\n\n"
    "Nothing leaves this machine before a person approved exactly that text.\n\n"
    "\b\nExamples:\n"
    "  curator draft lr-sweep\n"
    "  curator review lr-sweep\n"
    "  curator publish --approved --dry-run\n"
    "  curator publish --approved\n",
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(package_name="marin-research")(group)


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run("curator", group))


if __name__ == "__main__":
    main()

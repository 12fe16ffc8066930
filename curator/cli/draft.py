"""``curator draft``: write up recorded runs."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from curator.after_launch import report
from curator.cadence import due
from curator.cli.asking import asking
from curator.draft import DraftKind
from curator.drafters.template import KINDS
from curator.drafting import CLAUDE, DRAFTERS, make_drafts
from curator.queue import DraftQueue
from curator.watching import due_line
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.errors import UsageError
from marin_research.store import RecordStore
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from marin_research.thread import Thread

KIND_NAMES = [
    kind.value
    for kind in (
        DraftKind.LOGBOOK,
        DraftKind.INDEX,
        DraftKind.ISSUE,
        DraftKind.ISSUE_BODY,
        DraftKind.CLOSING,
        DraftKind.POST,
        DraftKind.SESSION,
    )
]
"""What can be written about runs."""


@click.command(
    help="Draft the write-up of a thread's runs; by default of its newest launch. Exits with 1 if nothing could be "
    "drafted, as the place that it would change could not be read.\n\n\b\nExamples:\n"
    "  curator draft lr-sweep\n"
    "  curator draft lr-sweep --runs LR-003 LR-004 --kind logbook\n"
    "  curator draft lr-sweep --each\n"
    "  curator draft lr-sweep --kind issue-body --section TL;DR\n"
    "  curator draft lr-sweep --kind closing\n"
    "  curator draft lr-sweep --snapshot lr-sweep-snapshot-001\n"
    "  curator draft lr-sweep --drafter claude --model claude-sonnet-5-5"
)
@click.argument("thread")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KIND_NAMES), help="What to write; repeatable.")
@click.option("--runs", "first_run", metavar="ID...", help="Which runs, by experiment ID.")
@click.argument("more_runs", nargs=-1, metavar="")
@click.option(
    "--section", "sections", multiple=True, metavar="NAME", help="Of the sections kept current, only this; repeatable."
)
@click.option("--snapshot", metavar="TAG", help="Instead, the comment about this snapshot of the thread.")
@click.option("--each", is_flag=True, help="One write-up per run even where the runs are a sweep.")
@click.option(
    "--drafter",
    type=click.Choice(DRAFTERS),
    default="template",
    show_default=True,
    help="What writes the text; the template needs no key and no network, claude needs ANTHROPIC_API_KEY.",
)
@click.option(
    "--model", default="", help="Which model drafts (MARIN_RESEARCH_MODEL, or the thread's; claude-opus-5-5)."
)
@click.option(
    "--budget",
    type=click.IntRange(min=10_000),
    default=90_000,
    show_default=True,
    help="Tokens that one write-up may take, answers that had to be mended included.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    help="Seconds after which the template writes instead.",
)
@root_option
@json_option
def command(
    *, thread: str, kinds: tuple[str, ...], first_run: str | None, more_runs: tuple[str, ...],
    sections: tuple[str, ...], snapshot: str | None, each: bool,
    drafter: str, model: str, budget: int, deadline: float, root: str | None, as_json: bool,
) -> int:  # fmt: skip
    if more_runs and first_run is None:
        raise UsageError(f"unexpected {' '.join(more_runs)}; name runs as --runs {' '.join(more_runs)}")
    store = RecordStore(root)
    declared = find_thread(thread, store)
    if snapshot is not None:
        if kinds or first_run or sections or each or drafter == CLAUDE:
            raise UsageError("--snapshot says what is drafted and how; leave the other options out")
        from curator.snapshots import draft_of_snapshot

        sealed = [draft_of_snapshot(snapshot, declared, store)]
        print_json(sealed) if as_json else click.echo(report(sealed, declared.topic))
        return 0
    for option in ("model", "budget", "deadline"):
        if (
            drafter != CLAUDE
            and click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE
        ):
            raise UsageError(f"--{option} is for a model, and the template asks none; add --drafter {CLAUDE}")
    wanted = [DraftKind(kind) for kind in kinds] or list(KINDS)
    if each and DraftKind.CLOSING in wanted:
        raise UsageError("--each does not go with --kind closing, which is one text about all runs; draft them apart")
    if first_run:
        run_ids = [first_run, *more_runs]
    elif wanted == [DraftKind.CLOSING]:
        run_ids = [run.id for run in store.runs(declared.prefix) if run.thread == declared.topic and run.attempts]
    else:
        run_ids = newest_launch(store, declared.topic, declared.prefix)
    with (
        asking(model=model, budget_tokens=budget, deadline_s=deadline)
        if drafter == CLAUDE
        else nullcontext() as options
    ):
        outcomes = make_drafts(
            run_ids, declared, store, kinds=wanted, drafter=drafter, options=options, each=each, sections=sections
        )
    nothing = all(outcome.draft is None for outcome in outcomes) and any(outcome.failed for outcome in outcomes)
    if as_json:
        print_json(outcomes)
    else:
        click.echo(report(outcomes, declared.topic), err=nothing)
        _say_what_is_missing(declared)
        _say_what_is_due(declared, store)
    return 1 if nothing else 0


def _say_what_is_missing(thread: Thread) -> None:
    if not thread.metrics:
        click.echo(
            f"{thread.topic} declares no metric, so nothing is called better or best; say which way is better in its "
            "file, as in `metrics: [{name: eval/loss, direction: lower, unit: nats}]`, and draft again",
            err=True,
        )


def _say_what_is_due(thread: Thread, store: RecordStore) -> None:
    queue = DraftQueue(store)
    runs = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
    late = due(runs, queue.all(thread.topic), queue.log.entries(), datetime.now(UTC))
    if late is not None:
        click.echo(due_line(late, thread), err=True)


def newest_launch(store: RecordStore, topic: str, prefix: str) -> list[str]:
    """The runs of the thread's newest launch.

    Raises:
        UsageError: the thread has no runs.
    """
    runs = [run for run in store.runs(prefix) if run.thread == topic]
    if not runs:
        raise UsageError(f"thread {topic!r} has no runs in {store.root}; run an experiment that records some")
    newest = max(runs, key=lambda run: run.declared).launch
    return [run.id for run in runs if run.launch == newest]

"""``marin-research check``: whether a result is ready to be posted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from marin_research.check import Checklist, check, newest_launch
from marin_research.cli.lazy import EXIT_REFUSED, json_option, print_json, root_option
from marin_research.cli.show import find_run
from marin_research.errors import RunNotFoundError
from marin_research.store import RUN_ID, RecordStore
from marin_research.summary import table
from marin_research.thread import Thread, find_thread

if TYPE_CHECKING:
    from marin_research.record import Run


@click.command(
    help="Go through the checklist for a run, or for every run of a thread's newest launch. Exits with 1 when an item "
    "is not as it should be.\n\n"
    "\b\nExamples:\n"
    "  marin-research check LR-003\n"
    "  marin-research check lr-sweep --json | jq '.[] | select(.ok | not)'"
)
@click.argument("name", metavar="RUN|THREAD")
@root_option
@json_option
def command(*, name: str, root: str | None, as_json: bool) -> int:
    store = RecordStore(root)
    runs, thread = _named(name, store)
    found = check(runs, thread, store)
    if as_json:
        print_json(found)
    else:
        click.echo("\n\n".join(_text(each) for each in found))
    return 0 if all(each.ok for each in found) else EXIT_REFUSED


def _named(name: str, store: RecordStore) -> tuple[list[Run], Thread]:
    try:
        run = find_run(store, name)
    except RunNotFoundError:
        if RUN_ID.fullmatch(name):
            raise
        thread = find_thread(name, store)
        runs = newest_launch([run for run in store.runs(thread.prefix) if run.thread == thread.topic])
        if not runs:
            raise RunNotFoundError(name, store.root) from None
        return runs, thread
    return [run], find_thread(run.thread, store)


def _text(checklist: Checklist) -> str:
    rows = [["ok" if item.ok else "!!", item.name, item.why] for item in checklist.checks]
    return "\n".join([checklist.run, *table(rows)])

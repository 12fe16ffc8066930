"""``marin-research check``: whether a result is ready to be posted."""

from __future__ import annotations

import click

from marin_research.check import Checklist, check
from marin_research.cli.lazy import EXIT_REFUSED, json_option, print_json, root_option
from marin_research.cli.named import runs_or_thread
from marin_research.store import RecordStore
from marin_research.summary import table


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
    runs, thread = runs_or_thread([name], store, newest=True)
    found = check(runs, thread, store)
    if as_json:
        print_json(found)
    else:
        click.echo("\n\n".join(_text(each) for each in found))
    return 0 if all(each.ok for each in found) else EXIT_REFUSED


def _text(checklist: Checklist) -> str:
    rows = [["ok" if item.ok else "!!", item.name, item.why] for item in checklist.checks]
    return "\n".join([checklist.run, *table(rows)])

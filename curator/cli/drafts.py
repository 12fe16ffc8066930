"""``curator drafts``: which drafts there are and how they stand."""

from __future__ import annotations

import click

from curator.cli.queue import open_queue
from curator.draft import Draft, DraftKind, DraftStatus
from curator.drafters.wording import id_range
from curator.plain import one_line, when
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.summary import table


@click.command(
    help="List drafts, oldest first.\n\n\b\nExamples:\n"
    "  curator drafts --thread lr-sweep\n"
    "  curator drafts --status approved --json | jq -r '.[].id'"
)
@click.option("--thread", "topic", help="Only this thread's drafts.")
@click.option("--status", type=click.Choice([status.value for status in DraftStatus]), help="Only those that stand so.")
@click.option("--kind", type=click.Choice([kind.value for kind in DraftKind]), help="Only this kind.")
@root_option
@json_option
def command(*, topic: str | None, status: str | None, kind: str | None, root: str | None, as_json: bool) -> None:
    queue = open_queue(root)
    found = [draft for draft in queue.all(topic) if status in (None, draft.status) and kind in (None, draft.kind)]
    if as_json:
        print_json(found)
    elif found:
        click.echo("\n".join(table([_row(draft) for draft in found])))
    else:
        click.echo(f"no drafts in {queue.store.root} fit; `curator draft THREAD` makes some", err=True)


def _row(draft: Draft) -> list[str]:
    last = draft.link or draft.why or draft.title
    return [draft.id, draft.status, draft.kind, when(draft.changed), draft.thread, id_range(draft.runs), one_line(last)]

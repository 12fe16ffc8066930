"""``curator reject``: a person's no."""

from __future__ import annotations

import click

from curator.cli.queue import by_option, open_to_decide
from curator.person import person
from curator.review import reject
from marin_research.cli.lazy import root_option


@click.command(
    help="Reject a draft. The reason is kept in the log.\n\n"
    "\b\nExample:\n  curator reject LR-D004 --why 'the baseline is the wrong one'"
)
@click.argument("draft")
@click.option("--why", required=True, help="The reason.")
@by_option
@root_option
def command(*, draft: str, why: str, by: str | None, root: str | None) -> None:
    queue = open_to_decide(root)
    found = queue.get(draft)
    entry = reject(found, by=person(by), why=why)
    queue.require_changeable(found)
    queue.log.append(entry)
    click.echo(f"rejected {found.id} as {entry.by}")

"""``curator fix``: correct a comment that is out."""

from __future__ import annotations

import click

from curator.cli.queue import by_option, open_to_decide
from curator.cli.verify import lines
from curator.editor import edited
from curator.fixing import draft_fix, read_posted
from curator.person import person
from marin_research.cli.lazy import root_option


@click.command(
    help="Correct a comment that the curator posted, in $VISUAL or $EDITOR: formatting, escaping, a mistake. What you "
    "save is a draft that waits for approval; the comment changes when that is published.\n\n"
    "\b\nExample:\n  curator fix LR-D004"
)
@click.argument("draft")
@by_option
@root_option
def command(*, draft: str, by: str | None, root: str | None) -> None:
    from curator.check import check

    queue, name = open_to_decide(root), person(by)
    posted = queue.get(draft)
    text = read_posted(posted, queue)
    with edited(text, name=posted.id, say=lambda line: click.echo(line, err=True)) as changed:
        made = None if changed is None else draft_fix(posted, text, changed, queue, by=name)
    if made is None:
        click.echo(f"{draft} is as it was", err=True)
        return
    click.echo(f"drafted {made.id}  {made.kind}: {made.title}")
    click.echo("\n".join(lines(made.id, made.text, check(made, queue.store))))
    click.echo(f"read and approve: curator review {made.thread}", err=True)

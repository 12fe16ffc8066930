"""``curator edit``: change a draft's text in an editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curator.check import check
from curator.cli.queue import by_option, open_to_decide
from curator.cli.verify import lines
from curator.editor import edited
from curator.model.messages import has_access
from curator.person import person
from marin_research.cli.lazy import root_option

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.queue import DraftQueue


@click.command(
    help="Edit a draft in $VISUAL or $EDITOR and check it again. An approval does not cover the new text.\n\n"
    "\b\nExamples:\n"
    "  curator edit LR-D004\n"
    "  EDITOR='code --wait' curator edit LR-D004"
)
@click.argument("draft")
@by_option
@root_option
def command(*, draft: str, by: str | None, root: str | None) -> None:
    queue = open_to_decide(root)
    changed = edit_draft(queue.get(draft), queue, by=person(by))
    if changed is None:
        click.echo(f"{draft} is as it was", err=True)
    else:
        click.echo("\n".join(lines(changed.id, changed.text, check(changed, queue.store))))
        if has_access():
            click.echo(f"have Claude proofread it: curator proofread {changed.id}", err=True)
        click.echo(f"read and approve: curator review {changed.thread}".rstrip(), err=True)


def edit_draft(draft: Draft, queue: DraftQueue, *, by: str) -> Draft | None:
    """Have a person edit a draft and keep what they saved; None when that is what it was.

    Raises:
        RefusedError: it is published, or its publication was begun.
        EditorError: the editor failed, or what it left cannot be kept; says where it is.
    """
    queue.require_changeable(draft)
    with edited(draft.text, name=draft.id, say=lambda line: click.echo(line, err=True)) as text:
        return None if text is None else queue.edit(draft, text, by=by)

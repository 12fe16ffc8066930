"""``curator review``: read the open drafts one after the other and decide."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from curator.cli.asking import asking
from curator.cli.edit import edit_draft
from curator.cli.queue import by_option, open_to_decide
from curator.draft import OPEN
from curator.errors import CuratorError, RefusedError
from curator.person import person
from marin_research.cli.lazy import root_option

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.queue import DraftQueue


@click.command(
    help="Read the open drafts, of one thread or of all, and approve, edit, reject or skip each.\n\n"
    "\b\nExamples:\n"
    "  curator review\n"
    "  curator review lr-sweep --by 'Ada Lovelace'"
)
@click.argument("thread", required=False)
@by_option
@root_option
def command(*, thread: str | None, by: str | None, root: str | None) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise RefusedError("a review needs a terminal; without one use `curator show` and `curator approve DRAFT`")
    # What only a terminal needs is loaded here.
    from rich.console import Console

    from curator.keyboard import Keyboard
    from curator.terminal import Desk, review

    queue, name = open_to_decide(root), person(by)
    drafts = queue.all()
    topics = sorted({draft.thread for draft in drafts})
    if thread is not None and thread not in topics:
        hint = f"there are drafts of {', '.join(topics)}" if topics else f"`curator draft {thread}` makes some"
        raise CuratorError(f"no drafts of thread {thread!r}; {hint}")
    ids = [draft.id for draft in drafts if draft.status in OPEN and thread in (None, draft.thread)]
    if not ids:
        click.echo("nothing waits for review; `curator drafts` lists what there is", err=True)
        return
    console = Console(highlight=False, markup=False, emoji=False)
    with Keyboard() as keys:
        desk = Desk(
            queue=queue, by=name, keys=keys, console=console,
            edit=lambda draft: edit_draft(draft, queue, by=name), proofread=lambda draft: _proofread(draft, queue),
        )  # fmt: skip
        review(ids, desk)


def _proofread(draft: Draft, queue: DraftQueue) -> None:
    with asking() as options:
        from curator.proofreading.drafts import proofread_draft  # with pydantic

        proofread_draft(draft, queue, options)

"""What the commands that read or decide have in common: the queue, and a log that may be added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from curator.errors import RefusedError
from curator.log import Decision
from curator.queue import DraftQueue
from marin_research.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable


def open_queue(root: str | None) -> DraftQueue:
    """The drafts of a store, for looking at."""
    return DraftQueue(RecordStore(root))


def open_to_decide(root: str | None) -> DraftQueue:
    """The drafts of a store, for deciding on.

    Raises:
        RefusedError: the log of decisions is broken; what is added to it would be worth nothing.
    """
    queue = open_queue(root)
    problems = queue.log.problems()
    if problems:
        raise RefusedError(f"the log of decisions is broken ({problems[0]}); nothing is decided, see `curator log`")
    return queue


def require_finished(queue: DraftQueue, draft_id: str) -> None:
    """Refuse to touch a draft whose publication was begun: its text may be out.

    Raises:
        RefusedError: the last that is known of it is that its publication began.
    """
    decisions = [entry.decision for entry in queue.log.entries() if entry.draft == draft_id]
    if decisions and decisions[-1] is Decision.PUBLISHING:
        raise RefusedError(f"the publication of {draft_id} was begun and not ended; end it: curator publish {draft_id}")


def by_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--by", metavar="NAME", help="Who decides (default: git's user.name, else $USER).")(function)

"""What the commands that read or decide have in common: the queue, and a log that may be added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

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
    queue.log.require_whole()
    return queue


def by_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--by", metavar="NAME", help="Who decides (default: git's user.name, else $USER).")(function)

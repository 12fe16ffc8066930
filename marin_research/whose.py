"""Tells which step the code that runs here belongs to. Knows steps by name only.

Marin runs several steps in threads of one process. A thread inherits its step where the context is copied for it, as
Marin and Fray do; a raw thread inherits nothing, and belongs to the step only where there is but one.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODYS = ""
"""The mark of all steps that are not recorded."""

_mark: contextvars.ContextVar[str | None] = contextvars.ContextVar("marin_research_step", default=None)


class _Process:
    def __init__(self) -> None:
        self.running: Counter[str] = Counter()
        self.lock = threading.Lock()


_process = _Process()


def _renew_lock() -> None:
    """Another thread may have held the lock when a child was forked, and it is not there to release it."""
    _process.lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


class Owners(NamedTuple):
    steps: frozenset[str]
    """The recorded steps that the code here may belong to."""
    sure: bool
    """Whether that is beyond doubt."""


@contextlib.contextmanager
def belongs_to(step: str | None) -> Iterator[None]:
    """Mark what runs inside, and what inherits its context, as ``step``'s; None for a step that nobody records."""
    mark = _NOBODYS if step is None else step
    token = _mark.set(mark)
    with _process.lock:
        _process.running[mark] += 1
    try:
        yield
    finally:
        with _process.lock:
            _process.running[mark] -= 1
            _process.running += Counter()  # forgets what has ended
        _mark.reset(token)


def owners() -> Owners:
    """Whose the code is that asks."""
    mark = _mark.get()
    if mark is not None:
        return Owners(frozenset({mark} - {_NOBODYS}), sure=True)
    with _process.lock:
        running = frozenset(_process.running)
    return Owners(running - {_NOBODYS}, sure=len(running) <= 1)

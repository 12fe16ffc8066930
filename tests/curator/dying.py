"""Runs something in a process of its own that is killed on the way: what a crash leaves behind is what is looked at."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Container


def in_child(work: Callable[[], int]) -> int | None:
    """What ``work`` gives, or None if it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(work()).encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    said = os.read(reader, 20)
    os.close(reader)
    assert os.WIFSIGNALED(status) or said
    return int(said) if said else None


def killed_before(point: int, names: Container[str], work: Callable[[], object]) -> int | None:
    """Do ``work`` up to its ``point``-th call of a built-in function of these names.

    Returns:
        How many such calls it made; None if it was killed.
    """

    def until_then() -> int:
        seen = 0

        def watch(_frame: object, event: str, function: Any) -> None:
            nonlocal seen
            if event == "c_call" and function.__name__ in names:
                if seen == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                seen += 1

        sys.setprofile(watch)
        work()
        sys.setprofile(None)
        return seen

    return in_child(until_then)

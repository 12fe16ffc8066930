"""Shows what was printed where it would have been shown without the sidecar. Keeps nothing."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Echo(threading.Thread):
    """Writes to one terminal, file or pipe. A thread of its own, because a paused terminal blocks who writes to it."""

    def __init__(self, fd: int, on_progress: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.fd = fd
        self.queued = 0
        """Bytes handed over so far."""
        self.written = 0
        """Bytes written, or given up because nobody is there to read them."""
        self.watched = False
        """Whether ``on_progress`` is to be called."""
        self._on_progress = on_progress
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self.start()

    @property
    def waiting(self) -> int:
        """Bytes not written yet."""
        return self.queued - self.written

    def put(self, data: bytes) -> None:
        """Show ``data``: at once where that cannot block, else as soon as the thread gets to it.

        At once, because what was read is nowhere but in this process until it is shown, and this process may be killed.
        """
        rest = data
        if len(data) <= select.PIPE_BUF and not self.waiting and self._takes_some():
            with contextlib.suppress(OSError):  # the thread will meet it, too
                rest = data[os.write(self.fd, data) :]
        self.queued += len(data)
        self.written += len(data) - len(rest)
        if rest:
            self._queue.put(rest)

    def _takes_some(self) -> bool:
        """Whether a small write would not block."""
        writable = select.poll()
        writable.register(self.fd, select.POLLOUT)
        return any(event & select.POLLOUT for _, event in writable.poll(0))

    def close(self) -> None:
        """Close the descriptor once everything is written."""
        self._queue.put(None)

    def run(self) -> None:
        there = True
        while (data := self._queue.get()) is not None:
            there = there and self._write(data)
            self.written += len(data)
            if self.watched:
                self._on_progress()
        os.close(self.fd)

    def _write(self, data: bytes) -> bool:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self.fd, rest) :]
            except BlockingIOError:  # somebody who shares the terminal made it so
                writable = select.poll()
                writable.register(self.fd, select.POLLOUT)
                writable.poll(1000)
            except OSError:  # the terminal is gone
                return False
        return True

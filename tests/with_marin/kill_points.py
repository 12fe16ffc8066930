"""Counts what a process does to the files of a record store, and kills it at one of these points. For tests alone.

Needs little more than Python itself: the sidecar of a step is a bare interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_MOVES = {"os.link", "os.rename", "os.remove", "os.mkdir"}


class KillPoints:
    """The points of one process and its forks, each of which counts for itself."""

    def __init__(self, store: str, journal: str, victim: str, at: int, *, is_sidecar: bool) -> None:
        """Kill the ``victim`` (``recorder`` or ``sidecar``) at its point number ``at``, once; 0 for never."""
        self._store = store
        self._journal = journal
        self._victim = victim
        self._at = at
        self._recorder = None if is_sidecar else os.getpid()
        self._counts: dict[int, int] = {}
        self._write, self._fsync = os.write, os.fsync

    def arm(self) -> None:
        sys.addaudithook(self._audit)

        def write(fd: int, data: Any) -> int:
            if self._is_ours(f"/proc/self/fd/{fd}"):
                self._reach(f"write {len(data)}")
            return self._write(fd, data)

        def fsync(fd: Any) -> None:
            self._reach("fsync")
            self._fsync(fd)

        os.write, os.fsync = write, fsync

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _MOVES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES):
            path = arguments[1] if event in ("os.link", "os.rename") else arguments[0]
            if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self._store):
                self._reach(f"{event} {os.fsdecode(path).removeprefix(self._store)}")

    def _is_ours(self, link: str) -> bool:
        try:
            return os.readlink(link).startswith(self._store)  # noqa: PTH115 - see above
        except OSError:
            return False

    def _reach(self, what: str) -> None:
        pid = os.getpid()
        role = "recorder" if pid == self._recorder else "sidecar"
        number = self._counts[pid] = self._counts.get(pid, 0) + 1
        if role != self._victim:
            return
        self._note(f"points-{pid}", f"{number} {what}\n")
        if number == self._at and not os.path.exists(f"{self._journal}/killed"):  # noqa: PTH110 - see above
            self._note("killed", f"{number} {what}\n")
            os.kill(pid, signal.SIGKILL)

    def _note(self, name: str, line: str) -> None:
        file = os.open(f"{self._journal}/{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._write(file, line.encode())
        os.close(file)

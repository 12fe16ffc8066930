"""Finds out which runs of a store on this machine's disks changed since they were indexed, without reading them.

Objects are only ever added, so a folder's modification time tells whether it has new ones. To look at the folders of
ten thousand runs takes some 20 ms; a look at two others, the store's stamp, often tells that it can be spared.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.index.changes import Changes, Unread
from marin_research.objects import ARRIVALS
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.index.tables import Tables
    from marin_research.objects import LocalObjects

_OPEN = (Status.RUNNING, Status.LOST)
_OCTAL = re.compile(r"\\([0-7]{3})")
_SETTLED_S = 2.0
"""A folder whose modification time is younger may be changed once more without showing a new one."""
_ARRIVAL_S = 600.0
"""How long an object may take to be written. What is older in the folder of arrivals was left by a crash."""
_HEARTBEAT_S = 5.0
"""How long what is known of a running run counts as new: it may become lost without any change."""


class LocalWatch:
    """Looks at the folders of one store."""

    reads_at_once = 1

    def __init__(self, objects: LocalObjects, *, mounts: str | None = None) -> None:
        """``mounts`` is the kernel's table of mounted file systems, where it is not to be asked for it."""
        self._objects = objects
        self._root = objects.url
        self._keeps_time = not _is_fuse(self._root, mounts if mounts is not None else _mounts())

    def changes(self, tables: Tables, stamp: str) -> Changes:
        before = self._stamp()
        if before and before == stamp:
            return Changes(list(self._open_runs(tables)), [], before)
        known = {name: (state, status) for name, state, status in tables.folders()}
        unread: dict[str, Unread] = {}
        for name in self._objects.names("runs"):
            known_state, status = known.pop(name, ("", ""))
            state = self._state(name, status)
            if state != known_state or not state:
                unread[name] = Unread(name, state)
        for run in self._open_runs(tables):
            if run.name not in known:
                unread.setdefault(run.name, run)
        return Changes(list(unread.values()), list(known), before)

    def _open_runs(self, tables: Tables) -> Iterator[Unread]:
        """Those that change without new events: a heartbeat comes, or comes no more."""
        now = time.time()
        for name, known_state, status, read_at in tables.open_folders():
            state = self._state(name, status)
            if state != known_state or not state or (status == Status.RUNNING and abs(now - read_at) > _HEARTBEAT_S):
                yield Unread(name, state)

    def _state(self, name: str, status: str) -> str:
        """What tells whether a run has changed; empty if that cannot be told now."""
        folder = f"runs/{name}/events"
        if not self._keeps_time:
            return "" if status in _OPEN else hashlib.sha256("/".join(self._objects.names(folder)).encode()).hexdigest()
        times = [_modified(f"{self._root}/{folder}")]
        if status in _OPEN:
            times.append(_modified(f"{self._root}/runs/{name}/heartbeats"))
        return "" if _is_young(max(times)) else " ".join(map(str, times))

    def _stamp(self) -> str:
        """What changes whenever a run gets a new event; empty while events may be on their way, or have just come."""
        if not self._keeps_time:
            return ""
        now = time.time()
        arrivals = f"{self._root}/{ARRIVALS}"
        try:
            arriving = [entry for entry in os.scandir(arrivals) if now - entry.stat().st_mtime < _ARRIVAL_S]
            places = [os.stat(folder) for folder in (arrivals, f"{self._root}/runs")]  # noqa: PTH116
        except OSError:
            return ""
        if arriving or any(_is_young(place.st_mtime_ns) for place in places):
            return ""
        return " ".join(f"{place.st_dev} {place.st_ino} {place.st_mtime_ns}" for place in places)


def _mounts() -> str:
    with suppress(OSError):
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    return ""


def _is_fuse(root: str, mounts: str) -> bool:
    """Whether a program makes the file system up, such as one that mounts buckets: folders may have no times there."""
    kinds = {"/": ""}
    for _, place, kind, *_ in (line.split(" ") for line in mounts.splitlines() if line.count(" ") > 2):
        kinds[_OCTAL.sub(lambda found: chr(int(found[1], 8)), place)] = kind
    real = Path(root).resolve()
    return next(kinds[str(above)] for above in (real, *real.parents) if str(above) in kinds).startswith("fuse")


def _modified(folder: str) -> int:
    """Nanoseconds since 1970; 0 for a folder that does not exist."""
    with suppress(OSError):
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - ten thousand folders need no Path each
    return 0


def _is_young(modified_ns: int) -> bool:
    # Also what seems to be from the future: clocks jump back.
    return modified_ns > time.time_ns() - _SETTLED_S * 1e9

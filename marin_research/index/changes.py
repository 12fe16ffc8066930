"""Finds out which runs of a store on this machine's disks changed since they were indexed, without reading them.

Objects are only ever added, so a folder's modification time tells whether it has new ones. To look at the folders of
ten thousand runs takes some 20 ms; a look at two others, the store's stamp, often tells that it can be spared.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from marin_research.objects import ARRIVALS
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.index.tables import Tables
    from marin_research.objects import LocalObjects

_SETTLED_S = 2.0
"""A folder whose modification time is younger may be changed once more without showing a new one."""
_ARRIVAL_S = 600.0
"""How long an object may take to be written. What is older in the folder of arrivals was left by a crash."""
_HEARTBEAT_S = 5.0
"""How long what is known of a running run counts as new: it may become lost without any change."""


class Unread(NamedTuple):
    """A run that has to be read."""

    name: str
    state: str
    """What its folders looked like before."""


@dataclass(frozen=True, slots=True)
class Changes:
    unread: list[Unread]
    gone: list[str]
    stamp: str
    """To be noted once everything was read; empty while the store is being written to."""


def changes(objects: LocalObjects, tables: Tables, stamp: str) -> Changes:
    """What is to be read so that ``tables`` are as the store is now.

    Args:
        objects: the store.
        tables: the index.
        stamp: what the last ``Changes`` said.
    """
    root = objects.url
    before = _stamp(root)
    if before and before == stamp:
        unread = [Unread(name, state) for name, state in _open_runs(root, tables)]
        return Changes(unread, [], before)
    known = {name: (state, status) for name, state, status in tables.folders()}
    names = objects.names("runs")
    unread = []
    for name in names:
        known_state, status = known.pop(name, ("", ""))
        state = _state(root, name, status)
        if state != known_state or not state:
            unread.append(Unread(name, state))
    seen = {run.name for run in unread}
    unread += [Unread(name, state) for name, state in _open_runs(root, tables) if name not in seen | known.keys()]
    return Changes(unread, list(known), before)


def _open_runs(root: str, tables: Tables) -> Iterator[tuple[str, str]]:
    """Those that change without new events: a heartbeat comes, or comes no more."""
    now = time.time()
    for name, known_state, status, read_at in tables.open_folders():
        state = _state(root, name, status)
        if state != known_state or not state or (status == Status.RUNNING and abs(now - read_at) > _HEARTBEAT_S):
            yield name, state


def _state(root: str, name: str, status: str) -> str:
    """What tells whether a run has changed; empty if that cannot be told now."""
    folders = ["events", "heartbeats"] if status in (Status.RUNNING, Status.LOST) else ["events"]
    times = [_modified(f"{root}/runs/{name}/{folder}") for folder in folders]
    return "" if _is_young(max(times)) else " ".join(map(str, times))


def _stamp(root: str) -> str:
    """What changes whenever a run gets a new event; empty while events may be on their way, or have just come."""
    now = time.time()
    try:
        arriving = [entry for entry in os.scandir(f"{root}/{ARRIVALS}") if now - entry.stat().st_mtime < _ARRIVAL_S]
        places = [os.stat(f"{root}/{folder}") for folder in (ARRIVALS, "runs")]  # noqa: PTH116
    except OSError:
        return ""
    if arriving or any(_is_young(place.st_mtime_ns) for place in places):
        return ""
    return " ".join(f"{place.st_dev} {place.st_ino} {place.st_mtime_ns}" for place in places)


def _modified(folder: str) -> int:
    """Nanoseconds since 1970; 0 for a folder that does not exist."""
    with suppress(OSError):
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - ten thousand folders need no Path each
    return 0


def _is_young(modified_ns: int) -> bool:
    # Also what seems to be from the future: clocks jump back.
    return modified_ns > time.time_ns() - _SETTLED_S * 1e9

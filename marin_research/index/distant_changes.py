"""Finds out which runs of a store that is far away changed since they were indexed, in a few requests.

Whoever sends events leaves a mark in the folder of the hour (``RecordStore.mark_changed``). Clocks differ, so the hours
around the last look are looked at again; and every few minutes those of two days, and the names of all runs.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from marin_research.index.changes import Changes, Mark, Unread
from marin_research.record import Status
from marin_research.store import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.index.tables import Tables
    from marin_research.objects import Objects

_AT_ONCE = 16
_FRESH_S = 5.0
"""How long what is known of a running run counts as new."""
_BACK, _AHEAD = timedelta(hours=1), timedelta(hours=1)
"""How wrong clocks may be without a change being seen late."""
_FAR_BACK = timedelta(hours=48)
_THOROUGH_S = 600.0
_FEW = 6
"""Hours whose folders are looked into without asking first which there are."""
_READ = "read"


class EverythingChanges:
    """For stores in memory, which only this process sees."""

    reads_at_once = 1

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def changes(self, tables: Tables, stamp: str) -> Changes:  # noqa: ARG002 - whatever it was
        names = self._objects.names("runs")
        gone = {name for name, *_ in tables.folders()} - set(names)
        return Changes([Unread(name, "") for name in names], sorted(gone), "")


class DistantWatch:
    """Looks at the marks of a store that is far away, and at what waits on this machine to be sent there."""

    reads_at_once = _AT_ONCE

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def changes(self, tables: Tables, stamp: str) -> Changes:
        looked, thorough = _parsed(stamp)
        now = time.time()
        is_thorough = abs(now - thorough) > _THOROUGH_S
        since = datetime.fromtimestamp(min(looked or now, now), UTC) - (_FAR_BACK if is_thorough else _BACK)
        marks = tuple(mark for mark in self._marks(since) if not tables.is_noted(mark))
        marked = {mark.name.rpartition(".")[0] for mark in marks}
        gone: list[str] = []
        if is_thorough:
            thorough = now
            names, known = set(self._objects.names("runs")), {name for name, *_ in tables.folders()}
            marked |= names - known
            gone = sorted(known - names)
        open_runs = {
            name
            for name, _, status, read_at in tables.open_folders()
            if status == Status.RUNNING and abs(now - read_at) > _FRESH_S
        }
        waiting = set(self._objects.here.names("runs"))
        unread = [Unread(name, "" if name in waiting else _READ) for name in marked | open_runs | waiting - set(gone)]
        return Changes(sorted(unread), gone, json.dumps([now, thorough]), marks)

    def _marks(self, since: datetime) -> list[Mark]:
        hours = list(_hours(since, datetime.now(UTC) + _AHEAD))
        if len(hours) > _FEW:
            there = set(self._objects.names("changes"))
            hours = [hour for hour in hours if hour in there]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(self._objects.names, [f"changes/{hour}" for hour in hours])
            return [Mark(hour, name) for hour, names in zip(hours, found, strict=True) for name in names]


def _hours(start: datetime, end: datetime) -> Iterator[str]:
    while start <= end:
        yield f"{start:{HOUR}}"
        start += timedelta(hours=1)


def _parsed(stamp: str) -> tuple[float, float]:
    """When the store was last looked at, and when thoroughly; 0 for never."""
    try:
        looked, thorough = json.loads(stamp)
        return float(looked), float(thorough)
    except (ValueError, TypeError):
        return 0.0, 0.0

"""The index of one store: brought up to date before every answer. Knows how to read no run by itself."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from marin_research import __version__
from marin_research.errors import RunNotFoundError
from marin_research.index import query, snapshot
from marin_research.index.changes import Unread, watch
from marin_research.index.handles import candidates, is_path
from marin_research.index.tables import VERSION, Tables
from marin_research.places import cache_folder
from marin_research.record import Run, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from marin_research.index.query import Found, Measured, Query
    from marin_research.store import RecordStore

_STAMP = "stamp"
_MANY = 200
"""Runs whose reading takes long enough to say so."""


class Index:
    """Answers what ``RecordStore`` would have to read every run for, as the store was a moment ago."""

    def __init__(self, store: RecordStore) -> None:
        self.on_progress: Callable[[int, int], None] | None = None
        """Told how many runs of how many have been read, where there are many."""
        self._store = store
        self._path = index_path(store.objects.url)
        self._watch = watch(store.objects)
        self._lock = threading.Lock()
        self._tables = self._load()

    def find(self, wanted: Query) -> list[Found]:
        """The runs that fit."""
        with self._lock:
            self._refresh()
            return query.find(self._tables, wanted)

    def unknown_names(self, wanted: Query) -> list[str]:
        """What the query that was just answered asks for and no run has."""
        with self._lock:
            return query.unknown_names(self._tables, wanted)

    def names(self) -> list[str]:
        """What a query may ask for, as of the last answer."""
        with self._lock:
            return query.names(self._tables)

    def measured(self, name: str, runs: Sequence[Found]) -> dict[int, Measured]:
        """What the runs that were just found measured under ``name``, by key."""
        with self._lock:
            return query.measured(self._tables, name, runs)

    def named(self, handle: str) -> list[str]:
        """The IDs of the runs that an output path, a W&B run or a job belongs to: of a path who wrote it last."""
        with self._lock:
            self._refresh()
            for each in candidates(handle):
                if owners := self._tables.owners(each):
                    return owners[-1:] if is_path(each) else owners
            return []

    def _load(self) -> Tables:
        data = snapshot.load(self._path)
        if data is not None:
            with suppress(sqlite3.Error):
                return Tables(data)
        return Tables()

    def _refresh(self) -> None:
        """Read what has changed. What was read before an error, or before Ctrl-C, need not be read again."""
        found = self._watch.changes(self._tables, self._tables.note(_STAMP))
        news = bool(found.gone)
        for name in found.gone:
            self._tables.remove(name)
        try:
            for count, (unread, run) in enumerate(self._read(found.unread), 1):
                self._tables.put(unread.name, run, state=unread.state, read_at=time.time())
                # What changes again soon is not worth a new snapshot.
                news = news or bool(unread.state and (run is None or run.status is not Status.RUNNING))
                if self.on_progress and len(found.unread) >= _MANY:
                    self.on_progress(count, len(found.unread))
            news = news or found.stamp not in ("", self._tables.note(_STAMP))
            self._tables.set_note(_STAMP, found.stamp)
            self._tables.note_marks(found.marks)
        finally:
            if news:
                snapshot.save(self._path, self._tables.snapshot())

    def _read(self, unread: Sequence[Unread]) -> Iterator[tuple[Unread, Run | None]]:
        """The records of runs; None for what is none, such as a number that was taken and never used."""
        if self._watch.reads_at_once == 1:
            yield from ((each, self._run(each)) for each in unread)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self._watch.reads_at_once) as readers:
            yield from zip(unread, readers.map(self._run, unread), strict=True)

    def _run(self, unread: Unread) -> Run | None:
        try:
            return self._store.run(unread.name)
        except RunNotFoundError:
            return None


def index_path(url: str) -> Path:
    """The file of a store's index."""
    name = hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return cache_folder() / "index" / f"{name}-{__version__}-{VERSION}.sqlite"

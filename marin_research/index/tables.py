"""What of a run can be searched for, as tables in memory. Knows no file and no store."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from marin_research.codec import Unknown, encode
from marin_research.compare import flat_config
from marin_research.index.handles import handles_of
from marin_research.record import Devices, Run, Status
from marin_research.sparkline import sparkline
from marin_research.store import HOUR, run_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from marin_research.index.changes import Mark

_SCHEMA = """
CREATE TABLE run(
    key INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, prefix TEXT, number INTEGER, thread TEXT, status TEXT, label TEXT,
    launch TEXT, commit_hash TEXT, device TEXT, devices INTEGER, attempts INTEGER, declared REAL, wall_s REAL);
CREATE INDEX run_declared ON run(declared);
CREATE TABLE metric(run INTEGER, name INTEGER, value REAL, unit TEXT, trend TEXT, PRIMARY KEY(run, name)) WITHOUT ROWID;
CREATE INDEX metric_value ON metric(name, value);
CREATE TABLE config(run INTEGER PRIMARY KEY, settings TEXT);
CREATE TABLE handle(handle TEXT, run INTEGER, PRIMARY KEY(handle, run)) WITHOUT ROWID;
CREATE INDEX handle_run ON handle(run);
CREATE TABLE word(key INTEGER PRIMARY KEY, text TEXT UNIQUE NOT NULL);
CREATE TABLE folder(name TEXT PRIMARY KEY, state TEXT, status TEXT, read_at REAL) WITHOUT ROWID;
CREATE TABLE mark(hour TEXT, name TEXT, PRIMARY KEY(hour, name)) WITHOUT ROWID;
CREATE TABLE note(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
VERSION = f"2-{zlib.crc32(_SCHEMA.encode()):08x}"
"""Its first number is to be raised with every change of what is put into the tables, and of how runs are folded."""

_MARKS_KEPT = timedelta(days=7)
_INSERT_RUN = "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OPEN = (Status.RUNNING.value, Status.LOST.value)
_NOT_IN_PATHS = re.compile(r'["\\\x00-\x1f]')
_LONGEST_SETTING = 200
"""Characters. What is longer is text, not a setting that somebody would type to find it."""


class Tables:
    """An SQLite database in memory."""

    def __init__(self, snapshot: bytes | memoryview | None = None) -> None:
        """``snapshot`` is what ``snapshot()`` of the same version gave."""
        # Commands have one thread; a curator with several takes turns.
        self.database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if snapshot is not None:
            self.database.deserialize(snapshot)
        else:
            self.database.executescript(_SCHEMA)
        self._words: dict[str, int] = dict(self.database.execute("SELECT text, key FROM word"))

    def snapshot(self) -> bytes:
        return self.database.serialize()

    # Runs

    def put(self, name: str, run: Run | None, *, state: str, read_at: float) -> None:
        """Take in what a run has become.

        Args:
            name: of its folder, which is its experiment ID.
            run: None for a folder without a record.
            state: what its folder looked like before it was read.
            read_at: when, in seconds since 1970.
        """
        key = self._forget(name)
        status = run.status.value if run else ""
        self.database.execute("INSERT INTO folder VALUES (?, ?, ?, ?)", (text_of(name), state, status, read_at))
        if run is None:
            return
        key = self.database.execute(_INSERT_RUN, (key, text_of(name), *_columns(name, run))).lastrowid or 0
        self.database.executemany("INSERT INTO metric VALUES (?, ?, ?, ?, ?)", self._metrics(key, run))
        settings = json.dumps(dict(_settings(run)), ensure_ascii=False)
        self.database.execute("INSERT INTO config VALUES (?, ?)", (key, settings))
        handles = ((text_of(handle), key) for handle in handles_of(run))
        self.database.executemany("INSERT OR IGNORE INTO handle VALUES (?, ?)", handles)

    def remove(self, name: str) -> None:
        """Forget a run whose folder is gone."""
        self._forget(name)

    def owners(self, handle: str) -> list[str]:
        """The IDs of the runs that have a handle, oldest first."""
        rows = self.database.execute(
            "SELECT id FROM handle JOIN run ON run = key WHERE handle = ? ORDER BY prefix, number", (text_of(handle),)
        )
        return [run_id for (run_id,) in rows]

    def _forget(self, name: str) -> int | None:
        """Remove a run; the key it had."""
        self.database.execute("DELETE FROM folder WHERE name = ?", (text_of(name),))
        found = self.database.execute("SELECT key FROM run WHERE id = ?", (text_of(name),)).fetchone()
        if found is None:
            return None
        self.database.execute("DELETE FROM run WHERE key = ?", found)
        for table in ("metric", "config", "handle"):
            self.database.execute(f"DELETE FROM {table} WHERE run = ?", found)  # noqa: S608 - our own names
        key: int = found[0]
        return key

    def _metrics(self, key: int, run: Run) -> Iterator[tuple[object, ...]]:
        for name, metric in run.metrics.items():
            trend = sparkline([pair[-1] for pair in metric.series])
            yield key, self.word(text_of(name)), metric.value, text_of(metric.unit), trend

    def word(self, text: str) -> int:
        """The number that stands for a name which many runs have."""
        if text not in self._words:
            cursor = self.database.execute("INSERT INTO word(text) VALUES (?)", (text,))
            self._words[text] = cursor.lastrowid or 0
        return self._words[text]

    def known_word(self, text: str) -> int:
        """Likewise, for a name that somebody asks for: no run has one that was never seen."""
        return self._words.get(text, -1)

    # What the store looked like

    def folders(self) -> Iterator[tuple[str, str, str]]:
        """Of every folder of a run that was looked into: its name, its state then, and the run's status."""
        yield from self.database.execute("SELECT name, state, status FROM folder")

    def open_folders(self) -> list[tuple[str, str, str, float]]:
        """Likewise for the runs whose status may change by itself, with the time when they were read."""
        rows = self.database.execute(f"SELECT name, state, status, read_at FROM folder WHERE status IN {_OPEN}")  # noqa: S608
        return rows.fetchall()

    def is_noted(self, mark: Mark) -> bool:
        found = self.database.execute("SELECT 1 FROM mark WHERE hour = ? AND name = ?", mark)
        return found.fetchone() is not None

    def note_marks(self, marks: Iterable[Mark]) -> None:
        """Remember which changes were seen; those of hours that nobody looks at any more are forgotten."""
        self.database.executemany("INSERT OR IGNORE INTO mark VALUES (?, ?)", marks)
        newest = self.database.execute("SELECT max(hour) FROM mark").fetchone()[0]
        if newest is not None:
            forgotten = datetime.strptime(newest, HOUR).replace(tzinfo=UTC) - _MARKS_KEPT
            self.database.execute("DELETE FROM mark WHERE hour < ?", (f"{forgotten:{HOUR}}",))

    def note(self, name: str) -> str:
        """What was noted under ``name``; empty if nothing was."""
        found = self.database.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def set_note(self, name: str, value: str) -> None:
        self.database.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))


def text_of(value: str) -> str:
    """``value`` without the halves of characters that a database refuses."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def _known[T](value: T | Unknown | None) -> T | None:
    return None if isinstance(value, Unknown) else value


def _columns(name: str, run: Run) -> tuple[object, ...]:
    attempt = run.attempt
    devices = attempt.devices if attempt else None
    texts = (run.thread, run.status.value, run.label, run.launch)
    return (
        *run_order(text_of(name)),
        *map(text_of, texts),
        _known(attempt.git.commit) if attempt else None,
        devices.kind if isinstance(devices, Devices) else None,
        devices.count if isinstance(devices, Devices) else None,
        len(run.attempts),
        run.declared.timestamp(),
        _known(attempt.wall_s) if attempt else None,
    )


def _settings(run: Run) -> Iterator[tuple[str, float | str]]:
    """The config as numbers and texts under dotted names."""
    for name, value in flat_config(run).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield setting_name(name), value
        else:
            shown = value if isinstance(value, str) else json.dumps(encode(value), ensure_ascii=False)
            if len(shown) <= _LONGEST_SETTING:
                yield setting_name(name), text_of(shown)


@lru_cache(maxsize=4096)  # thousands of runs have the same few names
def setting_name(name: str) -> str:
    """A config key as the index has it: without what SQLite's JSON paths cannot name."""
    return _NOT_IN_PATHS.sub("'", text_of(name.removeprefix("config.")))

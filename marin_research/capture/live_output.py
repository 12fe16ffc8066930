"""The part of a host's output that still grows, and how it becomes a finished chunk. Knows no process and no pipe.

::

    runs/LR-001/output/001-h0-3fa2c1/
        000000000000-000008388608.gz      a finished stretch, named by its first byte and the byte after its last
        live-000008388608-000000012345    the stretch that still grows: its first byte, the lines before it
        times-000008388608                when that was printed (marin_research.capture.chunk)

A live file is removed only after its chunk is stored, so a crash at any moment leaves every byte in one of the two. A
store that is not on this machine has them in the folder where everything waits that is to be sent to it.
"""

from __future__ import annotations

import fcntl
import math
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from marin_research.capture.chunk import format_mark, pack, parse_marks
from marin_research.objects import is_local

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.capture.chunk import Marks
    from marin_research.objects import Objects

CHUNK_SIZE = 8 * 1024 * 1024
"""Bytes, before compression, that a chunk holds at most."""

_LIVE = re.compile(r"live-(\d{12,})-(\d{12,})")
_MARK_S = 0.25
"""Between two notes of the time, so that a host that prints without end does not note it without end."""

_ABANDONED_S = 60.0


class Stretch(NamedTuple):
    """Consecutive bytes of one host's output, in a live file."""

    start: int
    end: int
    path: Path
    """The live file that holds them."""


def live_folder(root: str, folder: str) -> Path:
    """Where the live files of a store's ``folder`` are on this machine."""
    if is_local(root):
        return Path(root.removeprefix("file://")).expanduser().absolute() / folder
    from marin_research.spool.folder import SpoolFolder

    return SpoolFolder(root).live / folder


def note(text: str) -> bytes:
    """How this program speaks inside an output: on a line of its own."""
    return f"\n[marin-research: {text}]\n".encode()


class LiveOutput:
    """Appends what a host prints to its live files. A place that cannot be written is a ``problem``, never an error."""

    def __init__(self, root: str, folder: str) -> None:
        self.size = 0
        """Bytes kept, finished chunks included."""
        self.lines = 0
        self.problem: str | None = None
        self.clock: Callable[[], float] = time.time
        """Seconds since the epoch at which what is appended was printed."""
        self._folder = live_folder(root, folder)
        self._marked = -math.inf
        self._fd = -1
        self._path: Path | None = None
        self._start = 0
        self._lost = 0

    @property
    def growing(self) -> int:
        """Bytes in the live file that is being written."""
        return self.size - self._start

    def open(self) -> list[Stretch]:
        """Begin, or go on where a process that was killed left off.

        Returns:
            What that process left to be shipped.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            left = live_stretches(self._folder)
            if left:
                newest, lines = left[-1]
                self.size, self.lines = newest.end, lines + newest.path.read_bytes().count(b"\n")
            self._begin()
        except OSError as error:
            self._fail(error)
            return []
        return [stretch for stretch, _ in left if stretch.end > stretch.start]

    def append(self, data: bytes) -> None:
        rest = memoryview((note(f"{self._lost} bytes could not be stored here") if self._lost else b"") + data)
        try:
            if self._fd < 0:
                self._begin()
            if rest:
                self._mark_time()
            while rest:
                written = os.write(self._fd, rest)
                self.size += written
                self.lines += bytes(rest[:written]).count(b"\n")
                rest = rest[written:]
            self._lost = 0
        except OSError as error:
            self._lost += min(len(rest), len(data))
            self._fail(error)

    def cut(self, *, last: bool = False) -> Stretch | None:
        """End the live file and, unless it was the ``last``, begin the next one.

        Returns:
            What is to be shipped now, if anything.
        """
        if last and self._lost:
            self.append(b"")  # the last chance to say that something is missing
        if self._fd < 0 or self._path is None or (self.growing == 0 and not last):
            return None
        os.close(self._fd)
        self._fd = -1
        done = Stretch(self._start, self.size, self._path)
        if not last:
            # At once, because its name is what says how far the output has come.
            try:
                self._begin()
            except OSError as error:
                self._fail(error)
        elif done.start == done.end:
            self._path.unlink(missing_ok=True)
            return None
        return done

    def _mark_time(self) -> None:
        now = self.clock()
        # A clock that was set back is noted at once.
        if not 0 <= now - self._marked < _MARK_S:
            with times_file(self._folder, self._start).open("a", encoding="ascii") as file:
                file.write(format_mark(self.size, now))
            self._marked = now

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._marked = -math.inf
        self._path = self._folder / f"live-{self.size:012d}-{self.lines:012d}"
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # a file that nobody holds was left by somebody who was killed
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self._start = self.size

    def _fail(self, error: OSError) -> None:
        self.problem = f"output could not be stored in {self._folder}: {error.strerror or error}"


def live_stretches(folder: Path) -> list[tuple[Stretch, int]]:
    """The live files of a folder in order, each with the number of lines before it."""
    found = []
    with suppress(FileNotFoundError):
        for name in os.listdir(folder):  # noqa: PTH208 - names suffice
            if match := _LIVE.fullmatch(name):
                start = int(match[1])
                with suppress(FileNotFoundError):  # it has just been shipped
                    found.append((Stretch(start, start + (folder / name).stat().st_size, folder / name), int(match[2])))
    return sorted(found)


def abandoned(folder: Path) -> list[Stretch]:
    """The live files of a folder that nobody writes any more."""
    return [stretch for stretch, _ in live_stretches(folder) if _is_old(stretch.path) and not _is_held(stretch.path)]


def _is_old(path: Path) -> bool:
    """Whether it is not only just being made, and about to be held."""
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > _ABANDONED_S
    return False


def _is_held(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    return True


def ship(objects: Objects, folder: str, stretch: Stretch) -> None:
    """Turn a closed live file into a chunk, then remove it.

    Raises:
        StoreError: the store cannot be written; the live file is still there.
    """
    import gzip

    raw, times = stretch.path.read_bytes(), times_file(stretch.path.parent, stretch.start)
    key = f"{folder}/{stretch.start:012d}-{stretch.end:012d}.gz"
    try:
        objects.put_new(key, pack(raw, marks_in(times)))
    except FileExistsError:
        # An earlier try: complete, with its answer lost, or cut off. Only the first is as good as the live file.
        if gzip.decompress(objects.get(key)) != raw:
            return
    drop(stretch)


def drop(stretch: Stretch) -> None:
    """Remove a live file, and what was noted of its times."""
    stretch.path.unlink(missing_ok=True)
    times_file(stretch.path.parent, stretch.start).unlink(missing_ok=True)


def times_file(folder: Path, start: int) -> Path:
    """Where the times of the stretch that begins at byte ``start`` are noted while it grows."""
    return folder / f"times-{start:012d}"


def marks_in(times: Path) -> Marks:
    with suppress(OSError):  # the text counts without them
        return parse_marks(times.read_bytes())
    return []

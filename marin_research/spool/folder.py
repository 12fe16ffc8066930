"""The folder of this machine where records wait to be sent to one store.

::

    .url                  which store
    .lock                 held by the process that sends, with its number in it
    .problem              why sending does not work at the moment
    .known/<key>          what the store answered once and for all: whose prefix it is, its format
    .asked/<key>          a claim of which nobody knows whether the store has it
    .offline/LR/000001    an experiment ID that was given out without asking
    .live/<folder>/       output that still grows (marin_research.capture.live_output)
    .latest/<key>         an object that may replace what the store has
    .sent/<key>           a stretch of output that the store has had for a short while, or that there is no room for
    .refused/<key>        an object whose key holds something else in the store
    <key>                 an object that is new

Sending goes by the time of writing: a reader of the store sees no end before the beginning.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from marin_research.errors import StoreError
from marin_research.objects import LocalObjects, ReadableObjects
from marin_research.places import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATEST = ".latest"
_REFUSED = ".refused"
_SENT = ".sent"
_KNOWN = ".known"
_ASKED = ".asked"
SENT_KEPT_S = 300.0
"""Whoever records a command looks for metrics in what it has printed every half a minute, and waits for no store."""
_UNUSED_S = 3600.0
"""A folder of live output that is empty for so long has no writer that is about to use it."""
_LIMIT_BYTES = 8_000_000_000
_RESERVE_BYTES = 100_000_000
"""What is kept free for all else when output has used up the limit; and on the disk for everybody."""
_GLANCE_BYTES = 32_000_000
"""How much output that there is no room for may stay for a short while, compressed."""
_MEASURED_EVERY_S = 10.0


class SpoolFullError(StoreError):
    """There is no room on this machine for more that waits."""


class Entry(NamedTuple):
    """An object that waits."""

    written_ns: int
    key: str
    path: Path
    replaces: bool
    """It may take the place of what the store has under its key."""
    inode: int


class SpoolFolder(ReadableObjects):
    """What waits for one store."""

    def __init__(self, url: str) -> None:
        scheme, separator, path = url.partition("://")
        self.url = f"{scheme}{separator}{path.rstrip('/')}"
        self.path = spools_folder() / hashlib.sha256(self.url.encode()).hexdigest()[:16]
        self.live = self.path / ".live"
        self.new = LocalObjects(self.path)
        self.latest = LocalObjects(self.path / _LATEST)
        self.sent = LocalObjects(self.path / _SENT)
        self._size = 0
        self._measure_again = 0.0

    def put_new(self, key: str, data: bytes, *, synced: bool = True) -> None:
        """Keep an object until it is sent.

        Raises:
            SpoolFullError: too much waits already. Output stays for a short while: there may be metrics in it.
        """
        try:
            self._make_room(len(data), is_output=_is_output(key))
        except SpoolFullError:
            if _is_output(key):
                self._keep_for_a_glance(key, data)
            raise
        self.new.put_new(key, data, synced=synced)

    def put(self, key: str, data: bytes) -> None:
        """Keep an object until it is sent, or until a newer one takes its place."""
        self._make_room(len(data), is_output=False)
        self.latest.put(key, data)

    def prepare(self) -> None:
        """Say whose folder it is."""
        with suppress(FileExistsError):
            self.new.claim(".url", self.url.encode())

    def get(self, key: str) -> bytes:
        # In the order in which it may go from one place to the other.
        for place in (self.latest, self.new):
            with suppress(FileNotFoundError):
                return place.get(key)
        return self.sent.get(key)

    def names(self, folder: str) -> list[str]:
        return sorted({name for place in (self.latest, self.new, self.sent) for name in place.names(folder)})

    def entries(self) -> list[Entry]:
        """Everything that waits, in the order in which it was written."""
        return sorted((*self._walk(self.path, replaces=False), *self._walk(self.path / _LATEST, replaces=True)))

    def is_empty(self) -> bool:
        """Whether nothing new waits; of what is replaced again and again the newest may."""
        return next(self._walk(self.path, replaces=False), None) is None

    def _walk(self, root: Path, *, replaces: bool) -> Iterator[Entry]:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if not name.startswith("."):
                    path = Path(folder, name)
                    with suppress(FileNotFoundError):  # it has just been sent
                        status = path.stat()
                        key = str(path.relative_to(root))
                        yield Entry(status.st_mtime_ns, key, path, replaces, status.st_ino)

    def remove(self, entry: Entry) -> None:
        """Forget what was sent, unless something newer has taken its place meanwhile."""
        with suppress(FileNotFoundError):
            if _is_output(entry.key):
                kept = self.path / _SENT / entry.key
                kept.parent.mkdir(parents=True, exist_ok=True)
                entry.path.replace(kept)
            elif entry.path.stat().st_ino == entry.inode:
                entry.path.unlink()

    def prune(self, *, sent_before_s: float = SENT_KEPT_S) -> None:
        """Remove the folders that are empty, and the output that was sent longer ago."""
        for folder, _, names in os.walk(self.path / _SENT):
            for path in (Path(folder, name) for name in names):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_ctime > sent_before_s:
                        path.unlink()
        for folder, _, _ in os.walk(self.live, topdown=False):
            with suppress(OSError):  # something is in it
                if time.time() - Path(folder).stat().st_mtime > _UNUSED_S:
                    Path(folder).rmdir()
        for root in (self.path, self.path / _LATEST, self.path / _SENT):
            for folder, _, _ in os.walk(root, topdown=False):
                if not any(part.startswith(".") for part in Path(folder).relative_to(root).parts):
                    with suppress(OSError):  # something waits in it
                        Path(folder).rmdir()

    def refuse(self, entry: Entry) -> None:
        """Put aside what the store cannot take, where nothing is in its way and somebody may look at it."""
        aside = self.path / _REFUSED / entry.key
        aside.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # somebody else was first
            entry.path.replace(aside)

    def refused(self) -> list[Path]:
        """What was put aside."""
        return sorted(path for path in (self.path / _REFUSED).rglob("*") if path.is_file())

    # What the store has said

    def known(self, key: str) -> bytes | None:
        """What the store holds under a key that never changes, as far as it was asked."""
        with suppress(OSError):
            return (self.path / _KNOWN / key).read_bytes()
        return None

    def remember(self, key: str, data: bytes) -> None:
        with suppress(StoreError, OSError):  # then it is asked again
            self.new.put(f"{_KNOWN}/{key}", data)

    def settle(self, key: str, data: bytes) -> bytes:
        """What this machine holds under a key of its own: ``data``, unless it held something before."""
        with suppress(FileExistsError):
            self.new.put_new(f"{_KNOWN}/{key}", data)
        return self.new.get(f"{_KNOWN}/{key}")

    def leave_asked(self, key: str, claim: bytes) -> None:
        """Remember a claim that nobody answered."""
        self.new.put(f"{_ASKED}/{key}", claim)

    def take_asked(self, folder: str) -> tuple[str, bytes] | None:
        """A claim in ``folder`` that nobody answered, for whoever asks first."""
        for name in self.new.names(f"{_ASKED}/{folder}"):
            asked = self.path / _ASKED / folder / name
            mine = asked.with_name(f".{name}-{os.getpid()}-{time.monotonic_ns()}")
            with suppress(FileNotFoundError):  # somebody else was first
                asked.rename(mine)
                claim = mine.read_bytes()
                mine.unlink()
                return f"{folder}/{name}", claim
        return None

    def _make_room(self, size: int, *, is_output: bool) -> None:
        """Refuse what does not fit; output first, so that all else is kept when it no longer is."""
        if time.monotonic() > self._measure_again:
            began = time.monotonic()
            self._size = _size(self.path)
            took_s = time.monotonic() - began
            self._measure_again = began + max(_MEASURED_EVERY_S, 100 * took_s)
        self._size += size
        reserve = _RESERVE_BYTES if is_output else 0
        if self._size > limit_bytes() + _RESERVE_BYTES - reserve or _free(self.path) < size + reserve:
            self._size -= size
            raise SpoolFullError(
                f"{self.path} is full of records that could not be sent to {self.url}; make room there, "
                "or set MARIN_RESEARCH_SPOOL_BYTES"
            )

    def _keep_for_a_glance(self, key: str, data: bytes) -> None:
        """Keep output with what was sent of it, in place of the oldest there."""
        with suppress(OSError, StoreError):
            kept = [(path.stat(), path) for path in (self.path / _SENT).rglob("*.gz")]
            room = _GLANCE_BYTES - len(data) - sum(status.st_size for status, _ in kept)
            for status, path in sorted(kept, key=lambda each: each[0].st_mtime_ns):
                if room >= 0:
                    break
                path.unlink(missing_ok=True)
                room += status.st_size
            self.sent.put_new(key, data, synced=False)

    # Who sends

    def is_being_sent(self) -> bool:
        """Whether a process sends what waits."""
        try:
            fd = os.open(self.path / ".lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(fd)
        return False

    def lock(self) -> int | None:
        """Become the one that sends: a descriptor to be closed in the end; None if another one is."""
        self.path.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        for _ in range(10):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)  # somebody may only be looking
                continue
            os.truncate(fd, 0)
            os.write(fd, f"{os.getpid()}\n".encode())
            return fd
        os.close(fd)
        return None

    @property
    def problem(self) -> str:
        """Why sending does not work at the moment; empty if it does, as far as is known."""
        with suppress(OSError):
            return (self.path / ".problem").read_text(encoding="utf-8", errors="replace")
        return ""

    @problem.setter
    def problem(self, why: str) -> None:
        with suppress(OSError):
            if why:
                (self.path / ".problem").write_text(why, encoding="utf-8", errors="replace")
            else:
                (self.path / ".problem").unlink(missing_ok=True)


def _is_output(key: str) -> bool:
    return key.startswith("runs/") and key.split("/")[2:3] == ["output"]


def spools_folder() -> Path:
    return state_folder() / "spool"


def all_spools() -> Iterator[SpoolFolder]:
    """The folders of every store that this machine has recorded for."""
    for path in sorted(spools_folder().glob("*/.url")):
        with suppress(OSError, UnicodeDecodeError):
            found = SpoolFolder(path.read_text(encoding="utf-8"))
            if found.path == path.parent:
                yield found


def limit_bytes() -> int:
    """``MARIN_RESEARCH_SPOOL_BYTES``, else 8 GB."""
    given = os.environ.get("MARIN_RESEARCH_SPOOL_BYTES", "")
    return int(given) if given.isdecimal() else _LIMIT_BYTES


def _size(folder: Path) -> int:
    found = 0
    for above, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                found += os.stat(f"{above}/{name}").st_size  # noqa: PTH116
    return found


def _free(folder: Path) -> int:
    """Bytes that the disk has room for."""
    there = next(above for above in (folder, *folder.parents) if above.is_dir())
    status = os.statvfs(there)
    return status.f_bavail * status.f_frsize

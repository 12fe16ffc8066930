"""Replaces a text file as a whole: one writer at a time, the old file or the new one, no edit lost. Knows no Markdown.

Writers lock the file itself (``flock``; it also works over NFS, where folders cannot be locked), so that no lock file
is left in a repository. A killed writer may leave its half-written copy beside the file; the next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from marin_research.errors import LogbookError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SUFFIX = ".part"
_ATTEMPTS = 100
"""Each is lost only to someone else's edit in the few milliseconds that one takes."""


class Replacement(Protocol):
    @property
    def data(self) -> bytes: ...


def rewrite[R: Replacement](path: Path, change: Callable[[bytes], R | None]) -> tuple[Path, bytes, R | None]:
    """Replace what stands in ``path`` by what ``change`` makes of it; None leaves the file as it is.

    ``change`` is asked again if the file changes meanwhile. Symbolic links are followed; mode and owner are kept.

    Returns:
        The file, symbolic links followed, what stood in it, and what ``change`` answered.

    Raises:
        OSError: the file cannot be read, locked or written.
        LogbookError: the file changes all the time.
    """
    target = Path(os.path.realpath(path, strict=True))
    for _ in range(_ATTEMPTS):
        with _locked(target) as fd:
            before = target.read_bytes()
            replacement = change(before)
            if replacement is None or _replaced(target, fd, before, replacement.data):
                return target, before, replacement
    raise LogbookError(f"{path} keeps changing; nothing was written, try again when nothing else writes to it")


@contextmanager
def _locked(target: Path) -> Iterator[int]:
    """Holds the lock of the file that ``target`` names once the lock is had: waiting may have made it another file."""
    while True:
        fd = os.open(target, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if _is_same_file(fd, target):
                yield fd
                return
        finally:
            os.close(fd)


def _is_same_file(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _replaced(target: Path, fd: int, before: bytes, after: bytes) -> bool:
    """Whether the replacement took place; it does not if the file is no longer what was read."""
    prefix = f".{target.name}."
    _remove_leftovers(target.parent, prefix)
    part, name = tempfile.mkstemp(prefix=prefix, suffix=_SUFFIX, dir=target.parent)
    try:
        fcntl.flock(part, fcntl.LOCK_EX)
        kept = os.fstat(fd)
        with suppress(PermissionError):  # only the owner's group and root may
            os.fchown(part, kept.st_uid, kept.st_gid)
        os.fchmod(part, stat.S_IMODE(kept.st_mode))
        rest = memoryview(after)
        while rest:
            rest = rest[os.write(part, rest) :]
        os.fsync(part)
        if not _is_same_file(fd, target) or target.read_bytes() != before:
            return False
        Path(name).replace(target)
    finally:
        os.close(part)
        Path(name).unlink(missing_ok=True)
    _sync_folder(target.parent)
    return True


def _remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove the copies of writers that were killed: those that nobody has locked."""
    for part in folder.iterdir():
        if part.name.startswith(prefix) and part.suffix == _SUFFIX:
            with suppress(OSError):
                fd = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    part.unlink()
                finally:
                    os.close(fd)


def _sync_folder(folder: Path) -> None:
    """Make the replacement itself last; some file systems cannot, and then it lasts a little later."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

"""Immutable named bytes, on a local disk or behind any fsspec URL. Knows nothing of runs or records.

Two operations carry every promise of the store: ``put_new`` writes an object whole or not at all and never over another
one, and ``names`` lists what is there. Neither appends nor renames, so object storage can do both.
"""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from marin_research.errors import StoreError
from marin_research.places import make_ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STORE_FOLDER = ".marin-research"
"""The default store, at the top of a checkout."""
ARRIVALS = ".new"
"""The folder where new local objects are written before they get their names. Its modification time changes before and
after every new object, and it is empty while none is on its way: a reader that knows both knows that nothing is new."""


_TEMPORARY = ".part-"


class ReadableObjects(Protocol):
    """Where objects are found. Keys are relative paths with ``/``."""

    def get(self, key: str) -> bytes:
        """The bytes under ``key``.

        Raises:
            FileNotFoundError: there is no such key.
            StoreError: the place cannot be read.
        """

    def get_each(self, keys: Sequence[str]) -> list[bytes | StoreError | FileNotFoundError]:
        """What ``get`` gives or raises for each key; where one read takes long, many at once."""
        found: list[bytes | StoreError | FileNotFoundError] = []
        for key in keys:
            try:
                found.append(self.get(key))
            except (StoreError, FileNotFoundError) as error:
                found.append(error)
        return found

    def names(self, folder: str) -> list[str]:
        """The names directly under ``folder``, sorted; none when the folder does not exist."""


class Objects(ReadableObjects, Protocol):
    """Where objects live. Keys are relative paths with ``/``.

    Writing the same bytes under a key again is no error: of an answer that got lost nobody knows whether it was a yes.
    """

    url: str

    def put_new(self, key: str, data: bytes, *, synced: bool = True) -> None:
        """Write ``data`` under a key that holds nothing else.

        Args:
            key: where.
            data: what.
            synced: also a machine that loses its power at once must not lose it. The end of a process never does.

        Raises:
            FileExistsError: the key holds something else, which stays as it is.
            StoreError: the place cannot be written.
        """

    def claim(self, key: str, data: bytes, *, whole: bool = False) -> None:
        """Take a key nobody else has, here or on any other machine.

        Args:
            key: what is claimed; usually all that matters is its name.
            data: what no other claim has in it.
            whole: others will read ``data``, which a crash may cut short otherwise.

        Raises:
            FileExistsError: somebody else has it.
            StoreError: the place cannot be written.
        """

    def put(self, key: str, data: bytes) -> None:
        """Write ``data``, replacing what the key held, if anything, in one step."""

    @property
    def here(self) -> ReadableObjects:
        """Those that can be read whether or not any other machine answers: as a rule, all of them."""
        return self


def is_local(url: str) -> bool:
    return "://" not in url or url.startswith("file://")


def local_folder(url: str) -> Path | None:
    """The folder of a store on this machine."""
    return Path(url.removeprefix("file://")).expanduser().absolute() if is_local(url) else None


def is_distant(url: str) -> bool:
    """Whether a store there may not answer for a while, or be seen by others only once it has been sent something."""
    return not is_local(url) and not url.startswith("memory://")


def open_objects(url: str) -> Objects:
    """Objects at a local path or any fsspec URL (``s3://``, ``gs://``, ``memory://``)."""
    if is_local(url):
        return LocalObjects(Path(url.removeprefix("file://")))
    if is_distant(url):
        from marin_research.spool.objects import DistantObjects

        return DistantObjects(url)
    from marin_research.object_storage import FsspecObjects

    return FsspecObjects(url)


class LocalObjects(Objects):
    """Objects as files. A write is a synced temporary file that is then linked to its name."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.url = str(self.root)
        self._count = itertools.count()

    def put_new(self, key: str, data: bytes, *, synced: bool = True) -> None:
        target = self.root / key
        part = self._write_part(self.root / ARRIVALS, key, data, synced=synced)
        try:
            self._in_folder(target, lambda: os.link(part, target))
        except FileExistsError:
            self._require_same(target, data)
        except OSError as error:
            self._create_exclusively(target, data, error)
        finally:
            _remove(part)

    def claim(self, key: str, data: bytes, *, whole: bool = False) -> None:
        if whole:
            self.put_new(key, data)
            return
        # Not synced: journalling file systems keep the order of changes to folders, so a name that was taken is there
        # whenever an event that was written after it is.
        target = self.root / key
        try:
            with self._in_folder(target, lambda: target.open("xb")) as file:
                file.write(data)
        except FileExistsError:
            self._require_same(target, data)
        except OSError as error:
            raise self._cannot("write", key, error) from error

    def put(self, key: str, data: bytes) -> None:
        target = self.root / key
        part = self._write_part(target.parent, key, data)
        try:
            part.replace(target)
        except OSError as error:
            _remove(part)
            raise self._cannot("write", key, error) from error

    def get(self, key: str) -> bytes:
        try:
            with open(f"{self.url}/{key}", "rb") as file:  # noqa: PTH123 - here and below, a Path each would cost more
                return file.read()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._cannot("read", key, error) from error

    def names(self, folder: str) -> list[str]:
        try:
            names = os.listdir(f"{self.url}/{folder}")  # noqa: PTH208
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._cannot("list", folder, error) from error
        return sorted(name for name in names if not name.startswith("."))

    def path(self, key: str) -> Path:
        """The file of a key, for writers that must append (live output)."""
        return self.root / key

    def _write_part(self, folder: Path, key: str, data: bytes, *, synced: bool = True) -> Path:
        part = folder / f"{_TEMPORARY}{os.getpid()}-{next(self._count)}-{os.urandom(4).hex()}"
        try:
            with self._in_folder(part, lambda: part.open("xb")) as file:
                file.write(data)
                if synced:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            _remove(part)
            raise self._cannot("write", key, error) from error
        return part

    def _in_folder[T](self, target: Path, create: Callable[[], T]) -> T:
        """Do what makes ``target``; its folder is made where that turns out to be missing."""
        try:
            return create()
        except FileNotFoundError:
            try:
                if self.root.name == STORE_FOLDER:  # a store inside a checkout must not make the checkout dirty
                    make_ignored(self.root)
                target.parent.mkdir(parents=True, exist_ok=True)
            except FileExistsError as error:  # a file stands where a folder should be: that key is not "taken"
                raise NotADirectoryError(error.errno, error.strerror) from error
            return create()

    def _require_same(self, target: Path, data: bytes) -> None:
        """Let an object pass that holds ``data`` already: over a network, a link may be made and its answer lost."""
        if not target.is_file() or target.read_bytes() != data:
            raise FileExistsError(target)

    def _create_exclusively(self, target: Path, data: bytes, link_error: OSError) -> None:
        # Some file systems have no hard links (FUSE mounts of buckets). The exclusive create still keeps two writers
        # apart; a crash in the middle leaves a short file, which readers report as a gap.
        try:
            with self._in_folder(target, lambda: target.open("xb")) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            self._require_same(target, data)
        except OSError:
            _remove(target)  # it is ours, and not whole
            raise self._cannot("write", str(target.relative_to(self.root)), link_error) from link_error

    def _cannot(self, verb: str, key: str, error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(
            f"cannot {verb} {self.root / key}: {reason}; mend that, "
            "or name another place with --root or MARIN_RESEARCH_ROOT"
        )


def _remove(path: Path) -> None:
    with suppress(OSError):  # it may not even be there
        path.unlink()

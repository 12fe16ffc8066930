"""Immutable named bytes, on a local disk or behind any fsspec URL. Knows nothing of runs or records.

Two operations carry every promise of the store: ``put_new`` writes an object whole or not at all and never over another
one, and ``names`` lists what is there. Neither appends nor renames, so object storage can do both.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from marin_research.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

_TEMPORARY = ".part-"


class Objects(Protocol):
    """Where objects live. Keys are relative paths with ``/``."""

    url: str

    def put_new(self, key: str, data: bytes) -> None:
        """Write ``data`` under a key nobody has used.

        Raises:
            FileExistsError: the key is taken; what it holds stays as it is.
            StoreError: the place cannot be written.
        """

    def claim(self, key: str, data: bytes) -> None:
        """Take a key nobody has used, where what matters is its name: a crash may cut ``data`` short.

        Raises:
            FileExistsError: somebody else has it.
            StoreError: the place cannot be written.
        """

    def put(self, key: str, data: bytes) -> None:
        """Write ``data``, replacing what the key held, if anything, in one step."""

    def get(self, key: str) -> bytes:
        """The bytes under ``key``.

        Raises:
            FileNotFoundError: there is no such key.
            StoreError: the place cannot be read.
        """

    def names(self, folder: str) -> list[str]:
        """The names directly under ``folder``, sorted; none when the folder does not exist."""


def open_objects(url: str) -> Objects:
    """Objects at a local path or any fsspec URL (``s3://``, ``gs://``, ``memory://``)."""
    if "://" not in url:
        return LocalObjects(Path(url))
    if url.startswith("file://"):
        return LocalObjects(Path(url.removeprefix("file://")))
    return FsspecObjects(url)


class LocalObjects:
    """Objects as files. A write is a synced temporary file that is then linked to its name."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.url = str(self.root)
        self._count = itertools.count()

    def put_new(self, key: str, data: bytes) -> None:
        target = self.root / key
        part = self._write_part(target, data)
        try:
            os.link(part, target)
        except FileExistsError:
            raise
        except OSError as error:
            self._create_exclusively(target, data, error)
        finally:
            part.unlink(missing_ok=True)

    def claim(self, key: str, data: bytes) -> None:
        # Not synced: journalling file systems keep the order of changes to folders, so a name that was taken is there
        # whenever an event that was written after it is.
        target = self.root / key
        try:
            self._make_folder(target)
            with target.open("xb") as file:
                file.write(data)
        except FileExistsError:
            raise
        except OSError as error:
            raise self._cannot("write", key, error) from error

    def put(self, key: str, data: bytes) -> None:
        target = self.root / key
        part = self._write_part(target, data)
        try:
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise self._cannot("write", key, error) from error

    def get(self, key: str) -> bytes:
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._cannot("read", key, error) from error

    def names(self, folder: str) -> list[str]:
        try:
            names = os.listdir(self.root / folder)  # noqa: PTH208 - ten thousand names need no Path each
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._cannot("list", folder, error) from error
        return sorted(name for name in names if not name.startswith("."))

    def path(self, key: str) -> Path:
        """The file of a key, for writers that must append (live output)."""
        return self.root / key

    def _write_part(self, target: Path, data: bytes) -> Path:
        part = target.with_name(f"{_TEMPORARY}{os.getpid()}-{next(self._count)}-{os.urandom(4).hex()}")
        try:
            self._make_folder(target)
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            part.unlink(missing_ok=True) if part.parent.is_dir() else None
            raise self._cannot("write", str(target.relative_to(self.root)), error) from error
        return part

    def _make_folder(self, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:  # a file stands where a folder should be: that key is not "taken"
            raise NotADirectoryError(error.errno, error.strerror) from error

    def _create_exclusively(self, target: Path, data: bytes, link_error: OSError) -> None:
        # Some file systems have no hard links (FUSE mounts of buckets). The exclusive create still keeps two writers
        # apart; a crash in the middle leaves a short file, which readers report as a gap.
        try:
            with target.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise
        except OSError:
            target.unlink(missing_ok=True)  # it is ours, and not whole
            raise self._cannot("write", str(target.relative_to(self.root)), link_error) from link_error

    def _cannot(self, verb: str, key: str, error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(
            f"cannot {verb} {self.root / key}: {reason}; name another place with --root or MARIN_RESEARCH_ROOT"
        )


class FsspecObjects:
    """Objects behind an fsspec URL; a new object is created with the service's own create-if-absent condition."""

    def __init__(self, url: str) -> None:
        import fsspec

        scheme, separator, path = url.partition("://")
        self.url = f"{scheme}{separator}{path.rstrip('/')}"
        try:
            self._fs, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"cannot open {url}: {error}; install the file system's package or change --root"
            ) from error
        self._root = root.rstrip("/")

    def put_new(self, key: str, data: bytes) -> None:
        self._make_folder(key)
        self._guard("write", key, lambda: self._fs.pipe_file(self._path(key), data, mode="create"))

    def claim(self, key: str, data: bytes) -> None:
        self.put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self._make_folder(key)
        self._guard("write", key, lambda: self._fs.pipe_file(self._path(key), data))

    def get(self, key: str) -> bytes:
        data: bytes = self._guard("read", key, lambda: self._fs.cat_file(self._path(key)))
        return data

    def names(self, folder: str) -> list[str]:
        try:
            found = self._guard("list", folder, lambda: self._fs.ls(self._path(folder), detail=False))
        except FileNotFoundError:
            return []
        names = (path.rstrip("/").rpartition("/")[2] for path in found)
        return sorted(name for name in names if name and not name.startswith("."))

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _make_folder(self, key: str) -> None:
        # Object stores have no folders and ignore this; memory:// and sftp:// do not.
        self._guard("write", key, lambda: self._fs.makedirs(self._path(key).rpartition("/")[0], exist_ok=True))

    def _guard(self, verb: str, key: str, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except (FileExistsError, FileNotFoundError):
            raise
        except Exception as error:
            # The services' client libraries each have their own error tree.
            raise StoreError(
                f"cannot {verb} {self.url}/{key}: {type(error).__name__}: {error}; "
                "check the address and its credentials, or name another place with --root"
            ) from error

"""Objects behind an fsspec URL, such as those of S3 and Google Cloud Storage. Knows nothing of runs or records.

A new object is created with the service's own create-if-absent condition (``If-None-Match`` on S3,
``ifGenerationMatch=0`` on Google Cloud Storage), which fsspec calls ``mode="create"``. Clients try again by themselves
when an answer is lost, and are then told that the object exists: by themselves. So an object that exists is looked at
before it counts as somebody else's.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from marin_research.errors import StoreError
from marin_research.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEADLINE_S = 30.0
"""How long one request may take, with the client's own retries, unless said otherwise."""

_AT_ONCE = 32
_BUCKETS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}
"""Where there are no folders to be made, and making one would make a bucket."""
_S3_BOUNDS = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 2, "mode": "standard"}}


class FsspecObjects(Objects):
    """Objects of one service. Every request ends within a deadline, where the service's client lets us set one."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.deadline_s = DEADLINE_S
        scheme, separator, path = url.partition("://")
        self.url = f"{scheme}{separator}{path.rstrip('/')}"
        self._has_folders = scheme not in _BUCKETS
        self._bucket = "" if self._has_folders else path.partition("/")[0]
        self._found_bucket = False
        try:
            with no_signals():  # for the thread that fsspec starts
                self._fs, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False, **_options(scheme))
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"cannot open {url}: {error}; install the file system's package or change --root"
            ) from error
        self._root = root.rstrip("/")
        if scheme in ("s3", "s3a"):
            self._fs.retries = 2  # of its own, beside those of the client beneath it

    def within(self, seconds: float) -> FsspecObjects:
        """The same place, where a request may take so long."""
        impatient = copy.copy(self)
        impatient.deadline_s = seconds
        return impatient

    def put_new(self, key: str, data: bytes, *, synced: bool = True) -> None:  # noqa: ARG002 - it always is
        try:
            self._write(key, data, mode="create")
        except FileExistsError:
            if self.get(key) != data:
                raise

    def claim(self, key: str, data: bytes, *, whole: bool = False) -> None:  # noqa: ARG002 - they always are
        self.put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self._write(key, data)

    def get(self, key: str) -> bytes:
        data: bytes = self._request("read", key, "cat_file", self._path(key))
        return data

    def get_each(self, keys: Sequence[str]) -> list[bytes | StoreError | FileNotFoundError]:
        from fsspec.asyn import AsyncFileSystem, sync

        if not isinstance(self._fs, AsyncFileSystem):
            return super().get_each(keys)
        found = sync(self._fs.loop, self._cat_each, keys)
        return [
            each if isinstance(each, bytes) else self._known(each, "read", key)
            for key, each in zip(keys, found, strict=True)
        ]

    def names(self, folder: str) -> list[str]:
        try:
            found = self._request("list", folder, "ls", self._path(folder).rstrip("/"), detail=False)
        except FileNotFoundError:
            self._require_bucket()
            return []
        names = (path.rstrip("/").rpartition("/")[2] for path in found)
        return sorted(name for name in names if name and not name.startswith("."))

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _write(self, key: str, data: bytes, **mode: str) -> None:
        path = self._path(key)
        try:
            if self._has_folders:
                self._request("write", key, "makedirs", path.rpartition("/")[0], exist_ok=True)
            self._request("write", key, "pipe_file", path, data, **mode)
        except FileNotFoundError as error:
            raise self._cannot("write", key, error) from error

    def _require_bucket(self) -> None:
        """Tell a place that is empty from one that does not exist: both have no names."""
        if self._bucket and not self._found_bucket:
            if not self._request("find", "", "exists", self._bucket):
                raise self._cannot("find", "", FileNotFoundError(f"there is no bucket {self._bucket!r}"))
            self._found_bucket = True

    async def _cat_each(self, keys: Sequence[str]) -> list[bytes | BaseException]:
        few = asyncio.Semaphore(_AT_ONCE)

        async def cat(key: str) -> bytes:
            async with few:
                data: bytes = await asyncio.wait_for(self._fs._cat_file(self._path(key)), self.deadline_s)  # noqa: SLF001 - fsspec's own name for what may be awaited
                return data

        return await asyncio.gather(*(cat(key) for key in keys), return_exceptions=True)

    def _request(self, verb: str, key: str, method: str, *args: Any, **options: Any) -> Any:
        from fsspec.asyn import AsyncFileSystem, sync

        try:
            if isinstance(self._fs, AsyncFileSystem):
                return sync(self._fs.loop, getattr(self._fs, f"_{method}"), *args, timeout=self.deadline_s, **options)
            return getattr(self._fs, method)(*args, **options)
        except (FileExistsError, FileNotFoundError):
            raise
        except Exception as error:
            raise self._known(error, verb, key) from error

    def _known(self, error: BaseException, verb: str, key: str) -> StoreError | FileNotFoundError:
        """An error of ours for one of the services' clients, each of which has its own tree of them."""
        if isinstance(error, FileNotFoundError):
            return error
        if not isinstance(error, Exception):
            raise error
        return self._cannot(verb, key, error)

    def _cannot(self, verb: str, key: str, error: Exception) -> StoreError:
        place, reason = f"{self.url}/{key}".rstrip("/"), self._reason(error)
        cannot = StoreError(
            f"cannot {verb} {place}: {reason}; "
            "check the address, the network and its credentials, or name another place with --root"
        )
        cannot.reason = reason
        return cannot

    def _reason(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self.deadline_s:g} s"
        text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


@contextmanager
def no_signals() -> Iterator[None]:
    """Have threads that are started meanwhile get none, for ever: one that took those of a child would lose its end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _options(scheme: str) -> dict[str, Any]:
    """What bounds a client's patience, beside what the user configured for it."""
    from fsspec.config import conf

    if scheme in ("gs", "gcs"):
        # It logs a traceback where it gives up; we say why on one line.
        logging.getLogger("gcsfs").addHandler(logging.NullHandler())
    if scheme not in ("s3", "s3a"):
        return {}
    return {"config_kwargs": _S3_BOUNDS | conf.get(scheme, {}).get("config_kwargs", {})}

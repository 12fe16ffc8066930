"""The objects of a store that is far away, as they are seen from a machine where some of them still wait."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING

from marin_research.errors import StoreError, StoreUnreachableError
from marin_research.eventually import Eventually
from marin_research.object_storage import FsspecObjects, no_signals
from marin_research.objects import Objects
from marin_research.spool.folder import SpoolFolder
from marin_research.spool.patience import Patience
from marin_research.spool.upload import start_sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

logger = logging.getLogger(__name__)

_OPEN_S = 10.0
"""How long a store may take to be opened: clients of Google's look for credentials on machines that are not there."""
_FIRST_S = 10.0
"""How long a reader waits for the first answer of a store; what is only slow has answered by then."""
_SAY_AFTER_S = 1.0
_SILENT_S = 10.0
"""After a request without an answer others fail at once for so long: a list of runs is many requests."""


class DistantObjects(Objects):
    """Reads the store and what waits to be sent to it; writes to the store itself."""

    def __init__(self, url: str) -> None:
        _require_file_system(url)
        self.spool = SpoolFolder(url)
        self.url = self.spool.url
        self._silent: tuple[float, StoreError] | None = None
        """When a request was given up last, and what was said of it."""
        self._was_answered = False
        if not self.spool.is_empty():
            start_sending(self.spool)

    @property
    def store(self) -> FsspecObjects:
        """The store itself. Opened when it is needed: that takes a second, or for ever without credentials.

        Raises:
            StoreError: it is not open yet.
        """
        try:
            return self._opening.within(_OPEN_S)
        except TimeoutError as error:
            unopened = StoreError(
                f"cannot open {self.url}: {error}; check the address, the network and its credentials, "
                "or name another place with --root"
            )
            unopened.reason = f"it could not be opened within {_OPEN_S:g} s"
            raise unopened from error

    @cached_property
    def _opening(self) -> Eventually[FsspecObjects]:
        with no_signals():
            return Eventually(lambda: FsspecObjects(self.url))

    def put_new(self, key: str, data: bytes, *, synced: bool = True) -> None:
        self.store.put_new(key, data, synced=synced)

    def claim(self, key: str, data: bytes, *, whole: bool = False) -> None:
        self.store.claim(key, data, whole=whole)

    def put(self, key: str, data: bytes) -> None:
        self.store.put(key, data)

    def get(self, key: str) -> bytes:
        # Here first: what is sent meanwhile is there before it is gone from here.
        try:
            return self.spool.get(key)
        except FileNotFoundError:
            return self._ask(lambda store: store.get(key))

    def get_each(self, keys: Sequence[str]) -> list[bytes | StoreError | FileNotFoundError]:
        found = dict(zip(keys, self.spool.get_each(keys), strict=True))
        missing = [key for key in keys if not isinstance(found[key], bytes)]
        if missing:
            found |= zip(missing, self._ask(lambda store: store.get_each(missing)), strict=True)
        return [found[key] for key in keys]

    def names(self, folder: str) -> list[str]:
        waiting = self.spool.names(folder)
        return sorted({*waiting, *self._ask(lambda store: store.names(folder))})

    @property
    def here(self) -> SpoolFolder:
        return self.spool

    def _ask[T](self, question: Callable[[FsspecObjects], T]) -> T:
        if self._silent is not None and time.monotonic() - self._silent[0] < _SILENT_S:
            raise StoreError(str(self._silent[1]))
        try:
            with _saying_what_for(self.url):
                store = self.store
                answer = question(store if self._was_answered else store.within(min(_FIRST_S, store.deadline_s)))
        except StoreError as error:
            if isinstance(error.__cause__, TimeoutError):
                self._silent = time.monotonic(), error
            raise
        else:
            self._was_answered = True
            return answer


class SpooledObjects(DistantObjects):
    """For a process that records: writes to the folder, and asks the store no longer than it has patience for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.spool.prepare()
        self._patience = _patience_with(self.url)

    def put_new(self, key: str, data: bytes, *, synced: bool = True) -> None:
        self.spool.put_new(key, data, synced=synced)
        start_sending(self.spool)

    def put(self, key: str, data: bytes) -> None:
        self.spool.put(key, data)
        start_sending(self.spool)

    def claim(self, key: str, data: bytes, *, whole: bool = False) -> None:
        try:
            self._ask(lambda store: store.claim(key, data, whole=whole))
        except StoreUnreachableError:
            if not whole:  # a number: nobody knows whether the store has it, and another one would leave a hole
                self.spool.leave_asked(key, data)
            raise

    def _ask[T](self, question: Callable[[FsspecObjects], T]) -> T:
        seconds = self._patience.left()
        if not seconds:
            raise StoreUnreachableError(self.url, self._patience.why)
        asked = time.monotonic()
        try:
            with _saying_what_for(self.url):
                store = self.store.within(seconds)
                asked = time.monotonic()  # to load what opens it is nobody's delay
                answer = question(store)
        except StoreError as error:
            self._patience.failed(time.monotonic() - asked, error.reason or str(error))
            raise StoreUnreachableError(self.url, self._patience.why) from error
        except (FileExistsError, FileNotFoundError):
            self._patience.waited(time.monotonic() - asked)
            raise
        else:
            self._patience.waited(time.monotonic() - asked)
            return answer


def may_answer(url: str) -> bool:
    """Whether a store is worth waiting for: this process has not only just had no answer from it."""
    return not _patience_with(url).is_pausing


@contextmanager
def _saying_what_for(url: str) -> Iterator[None]:
    """The first time that anything is waited for, whoever waits may read why."""
    saying = threading.Timer(_SAY_AFTER_S, _say_waiting, [url])
    saying.daemon = True
    saying.start()
    try:
        yield
    finally:
        saying.cancel()


@cache
def _say_waiting(url: str) -> None:
    logger.warning("waiting for %s", url)


def _require_file_system(url: str) -> None:
    """Refuse what could never be opened, without loading what opens it."""
    from importlib.util import find_spec

    from fsspec.registry import known_implementations, registry

    scheme = url.partition("://")[0]
    if scheme in registry:
        return
    known = known_implementations.get(scheme)
    if known is None:
        raise StoreError(f"cannot open {url}: there is no file system {scheme!r}; change --root")
    package = str(known["class"]).partition(".")[0]
    if find_spec(package) is None:
        raise StoreError(f"cannot open {url}: {known.get('err') or f'{package} is not installed'}; or change --root")


@cache
def _patience_with(url: str) -> Patience:  # noqa: ARG001 - one for each
    return Patience()


os.register_at_fork(after_in_child=_patience_with.cache_clear)

"""The record store for a process that records, where the store is far away and may not answer.

An experiment ID is then given out by this machine: under a prefix of its own (``LR-OFF-7K2QXM-001``), which nobody else
has, so that it stays what it is for good. The first attempt of a run whose ID this process has just claimed is the
first one there is; nobody has to be asked.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import threading
import time
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from marin_research.claims import claim_number, claim_text, join_text, number_key, number_of
from marin_research.codec import dump
from marin_research.errors import StoreError, StoreUnreachableError
from marin_research.spool.folder import SpoolFolder
from marin_research.spool.objects import SpooledObjects, may_answer
from marin_research.spool.upload import wait_until_sent
from marin_research.store import RecordStore, check_format, offline_prefix

if TYPE_CHECKING:
    from marin_research.record import Retry

logger = logging.getLogger(__name__)

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LAST_WAIT_S, _VAIN_WAIT_S = 10.0, 1.0
"""How long the end of a process waits for its last records to be sent; likewise where the store has just not answered.
"""


class SpooledStore(RecordStore):
    """Records now, and lets the store have it when it can."""

    objects: SpooledObjects

    def __init__(self, root: str) -> None:
        self.root = root
        self.objects = SpooledObjects(root)
        self._spool = self.objects.spool
        self._process = _process(self.objects.url)
        _wait_at_exit(self.objects.url)

    def prepare(self) -> bytes:
        known = self._spool.known("store.json")
        if known is not None:
            check_format(known, self.root)
            return known
        try:
            found = super().prepare()
        except StoreUnreachableError as error:
            self._process.say_offline(error)
            return b""
        self._spool.remember("store.json", found)
        return found

    def own_prefix(self, prefix: str, topic: str) -> None:
        key, claim = f"prefixes/{prefix}.json", dump({"topic": topic})
        if self._spool.known(key) == claim:
            return
        try:
            super().own_prefix(prefix, topic)
        except StoreUnreachableError:
            self.objects.put_new(key, claim)
        else:
            self._spool.remember(key, claim)

    def claim_id(self, prefix: str, *, launch: str) -> str:
        try:
            number = self._claim_again(f"ids/{prefix}")
            run_id = f"{prefix}-{number:03d}" if number else super().claim_id(prefix, launch=launch)
        except StoreUnreachableError as error:
            run_id = self._own_id(prefix)
            self._process.say_offline(error)
        self._process.begin(run_id)
        return run_id

    def claim_exact_id(self, run_id: str, prefix: str, *, launch: str) -> None:
        try:
            super().claim_exact_id(run_id, prefix, launch=launch)
        except StoreUnreachableError as error:
            raise StoreError(
                f"nobody knows whether {run_id} is taken: {error.url} cannot be asked ({error.reason}); leave --id out"
            ) from error
        self._process.begin(run_id)

    def claim_attempt(self, run_id: str) -> int:
        folder = f"runs/{run_id}/attempts"
        if self._process.is_first_attempt(run_id):
            self.objects.put_new(number_key(folder, 1), claim_text())
            return 1
        try:
            return self._claim_again(folder) or super().claim_attempt(run_id)
        except StoreUnreachableError:
            return self._own_attempt(folder)

    def join_attempt(self, run_id: str, retry: Retry) -> int:
        try:
            return super().join_attempt(run_id, retry)
        except StoreUnreachableError:
            # What the other hosts of its gang conclude as well, and what the store gives while no other job of the
            # step is started again; if one is, the two may share the attempt.
            number = retry.of + retry.number
            with suppress(FileExistsError):  # somebody else's on this machine
                self.objects.put_new(number_key(f"runs/{run_id}/attempts", number), join_text(retry.key))
            return number

    def newest_attempt(self, run_id: str) -> int:
        known = self._process.attempts(run_id)
        if known == 0:
            return 0
        try:
            return super().newest_attempt(run_id)
        except StoreUnreachableError:
            return max(self._waiting_attempts(f"runs/{run_id}/attempts"), default=known or 0)

    def thread(self, topic: str) -> dict[str, object] | None:
        with suppress(StoreUnreachableError):
            return super().thread(topic)
        return None

    def _claim_again(self, folder: str) -> int | None:
        """A number that an earlier process has asked for and got no answer: the store may have given it one."""
        while (asked := self._spool.take_asked(folder)) is not None:
            key, claim = asked
            with suppress(FileExistsError):
                self.objects.claim(key, claim)
                return number_of(key.rpartition("/")[2])
        return None

    def _own_id(self, prefix: str) -> str:
        letters = "".join(secrets.choice(_LETTERS) for _ in range(6))
        machine = self._spool.settle("machine", letters.encode()).decode()
        number = claim_number(self._spool.new, f".offline/{prefix}", claim_text())
        return f"{offline_prefix(prefix)}-{machine}-{number:03d}"

    def _own_attempt(self, folder: str) -> int:
        """A number that is higher than those of all attempts that went before, as far as this machine can know."""
        given = f"{folder}/given"
        number = max(*self._waiting_attempts(folder), int(self._spool.known(given) or 0), int(time.time())) + 1
        while True:
            try:
                self.objects.put_new(number_key(folder, number), claim_text())
            except FileExistsError:
                number += 1
            else:
                self._spool.remember(given, b"%d" % number)  # once it is sent, and a clock is set back
                return number

    def _waiting_attempts(self, folder: str) -> list[int]:
        return [number for number in map(number_of, self._spool.names(folder)) if number is not None]


class _Process:
    """What this process knows of the runs whose IDs it has claimed itself."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._attempts: dict[str, int] = {}
        self._said = False

    def begin(self, run_id: str) -> None:
        self._attempts[run_id] = 0

    def attempts(self, run_id: str) -> int | None:
        """How often it was tried from here; None if others may have tried it."""
        return self._attempts.get(run_id)

    def is_first_attempt(self, run_id: str) -> bool:
        with self._lock:
            first = self._attempts.get(run_id) == 0
            if first:
                self._attempts[run_id] = 1
            return first

    def say_offline(self, error: StoreUnreachableError) -> None:
        if not self._said:
            self._said = True
            logger.warning(
                "%s cannot be asked (%s): runs are recorded on this machine, under IDs of its own, and sent later; "
                "check the address, the network and its credentials",
                self._url,
                error.reason,
            )


@cache
def _process(url: str) -> _Process:
    return _Process(url)


@cache
def _wait_at_exit(url: str) -> None:
    """Give the last records time when this process ends."""
    atexit.register(_send_the_last, url)


def _send_the_last(url: str) -> None:
    patience_s = _LAST_WAIT_S if may_answer(url) else _VAIN_WAIT_S
    wait_until_sent(SpoolFolder(url), patience_s=patience_s, say=logger.warning)


os.register_at_fork(after_in_child=_process.cache_clear)

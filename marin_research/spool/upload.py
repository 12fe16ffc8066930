"""Sends what waits in a spool folder to its store: a process of its own, which lives as long as there is something.

Nothing is removed before the store has it, and sending twice is harmless: new objects are what they are, whoever writes
them. Runs whose events were sent are marked as changed after that, so that no index of the store misses them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.errors import StoreError
from marin_research.spool.folder import Entry, SpoolFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marin_research.object_storage import FsspecObjects

_AT_ONCE = 8
"""Runs whose objects are sent at the same time; those of one run go one after the other."""
_LOOK_S = 0.3
_IDLE_S = 60.0
"""More than the usual time between two heartbeats."""
_LONGEST_PAUSE_S = 30.0
_GIVE_UP_S = 300.0
"""After so long without any success it is left to the next process, which may have other credentials."""
_START_AGAIN_S = 5.0
_MAIN = """
import os, sys
if os.fork():
    os._exit(0)  # before anything is loaded: somebody waits
sys.path[:] = sys.argv[2:]
from marin_research.spool.upload import main
main(sys.argv[1])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of sending everything once."""

    objects: int
    size: int
    """Bytes."""
    left: int
    """Objects that still wait."""
    problem: str
    """Why; empty if none does."""


class Sender:
    """Sends the objects of one folder."""

    def __init__(self, spool: SpoolFolder) -> None:
        from marin_research.store import RecordStore

        self._spool = spool
        self._store = RecordStore(spool.url)
        self._beats: dict[str, float] = {}
        """When the last heartbeat of each writer was sent."""

    def send(self, on_progress: Callable[[int, int], None] | None = None) -> Sent:
        """Send what waits now."""
        self._take_abandoned_output()
        entries = self._spool.entries()
        if not entries:
            return Sent(objects=0, size=0, left=0, problem="")
        try:
            self._store.prepare()
        except StoreError as error:
            self._spool.problem = str(error)
            return Sent(objects=0, size=0, left=len(entries), problem=str(error))
        done: list[int] = []

        def send_group(group: Sequence[Entry]) -> str:
            return self._send_group(group, done, lambda: on_progress and on_progress(len(done), len(entries)))

        shared, *runs = _groups(entries)
        problems = [send_group(shared)]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            problems += pool.map(send_group, runs)
        problem = next(filter(None, problems), "")
        self._spool.problem = problem
        self._spool.prune()
        return Sent(objects=len(done), size=sum(done), left=len(self._spool.entries()), problem=problem)

    def _take_abandoned_output(self) -> None:
        """Have what a machine printed before it went down, or a process before it was killed, sent with the rest."""
        from marin_research.capture.live_output import abandoned, ship

        for folder, _, _ in os.walk(self._spool.live):
            for stretch in abandoned(Path(folder)):
                with contextlib.suppress(OSError, StoreError):  # it is tried again
                    ship(self._spool.new, str(Path(folder).relative_to(self._spool.live)), stretch)

    def _send_group(self, group: Sequence[Entry], done: list[int], on_progress: Callable[[], object]) -> str:
        """Send in order, as far as that can be done; what was wrong if not all of it could."""
        sent: list[Entry] = []
        problem = ""
        for entry in group:
            try:
                size = self._send(entry)
            except FileNotFoundError:
                continue  # a newer one has taken its place
            except StoreError as error:
                problem = str(error)
                break
            sent.append(entry)
            done.append(size)
            on_progress()
        try:
            for run_id in dict.fromkeys(filter(None, map(self._changed_run, sent))):
                self._store.mark_changed(run_id)
        except StoreError as error:
            return str(error)
        for entry in sent:
            self._spool.remove(entry)
        return problem

    def _send(self, entry: Entry) -> int:
        data = entry.path.read_bytes()
        objects: FsspecObjects = self._store.objects.store  # type: ignore[attr-defined]
        if entry.replaces:
            objects.put(entry.key, data)
        else:
            try:
                objects.put_new(entry.key, data)
            except FileExistsError:
                self._spool.refuse(entry)
        return len(data)

    def _changed_run(self, entry: Entry) -> str | None:
        """The run that an index would not see change otherwise: by new events, or by coming back to life."""
        kind, run_id, what = (*entry.key.split("/"), "", "")[:3]
        if kind != "runs" or what not in ("events", "heartbeats"):
            return None
        before, self._beats[entry.key] = self._beats.get(entry.key, 0.0), time.monotonic()
        return run_id if what == "events" or time.monotonic() - before > _IDLE_S or not before else None


def _groups(entries: Sequence[Entry]) -> list[list[Entry]]:
    """What concerns no single run, which goes first, then the entries of each run."""

    def run_of(entry: Entry) -> str:
        kind, _, rest = entry.key.partition("/")
        return rest.partition("/")[0] if kind == "runs" else ""

    by_run = sorted(entries, key=run_of)  # keeps their order within a run
    groups = {run: list(group) for run, group in groupby(by_run, run_of)}
    return [groups.pop("", []), *groups.values()]


# The process

_started: dict[Path, float] = {}


def start_sending(spool: SpoolFolder) -> None:
    """Have a process send what waits, unless one does already. Never fails, and never waits for the store."""
    now = time.monotonic()
    if spool.is_being_sent() or now - _started.get(spool.path, -_START_AGAIN_S) < _START_AGAIN_S:
        return
    _started[spool.path] = now
    with contextlib.suppress(OSError):
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _MAIN, spool.url, *(path for path in sys.path if path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        process.wait()  # what sends is nobody's child


def main(url: str) -> None:
    """Send until there has been nothing to send for a while."""
    os.nice(5)
    spool = SpoolFolder(url)
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    while (lock := spool.lock()) is not None:
        _serve(spool, lambda: stopping)
        spool.prune(sent_before_s=_IDLE_S / 2)
        os.close(lock)
        if stopping or spool.problem or spool.is_empty():  # whoever wrote something just now saw the lock
            return


def _serve(spool: SpoolFolder, stopped: Callable[[], bool]) -> None:
    sender = Sender(spool)
    pause_s, succeeded, active = _LOOK_S, time.monotonic(), time.monotonic()
    while True:
        sent = sender.send()
        now = time.monotonic()
        if sent.objects:
            active = now
        if not sent.problem:
            pause_s, succeeded = _LOOK_S, now
        else:
            pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
        if stopped() or now - active > _IDLE_S * bool(not sent.left) + _GIVE_UP_S * bool(sent.left):
            return
        if sent.problem and now - succeeded > _GIVE_UP_S:
            return
        time.sleep(pause_s)


# The end of a process that records


def wait_until_sent(spool: SpoolFolder, *, patience_s: float, say: Callable[[str], None]) -> None:
    """Give the last records time to be sent: the machine may go away with this process.

    Args:
        spool: where they wait.
        patience_s: how long, at most; nothing is waited for while sending does not work.
        say: told what is waited for, and what is left.
    """
    began, said = time.monotonic(), False
    while not spool.is_empty() and not spool.problem and time.monotonic() - began < patience_s:
        if time.monotonic() - began > 1.0 and not said:
            said = True
            say(f"sending the last records to {spool.url}")
        start_sending(spool)
        time.sleep(0.02)
    if not spool.is_empty():
        why = f" ({spool.problem})" if spool.problem else ""
        say(
            f"records wait in {spool.path} to be sent to {spool.url}{why}; "
            "the next launch sends them, as does `marin-research sync`"
        )

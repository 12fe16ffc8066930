"""The output of one captured step on its way into the store. Knows no pipe and no terminal."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import UTC, datetime
from functools import cache, partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from marin_research.capture.live_output import CHUNK_SIZE, LiveOutput, Stretch, drop, ship
from marin_research.capture.output_progress import OutputProgress
from marin_research.capture.stand_in import StandIn
from marin_research.capture.testimony import Testimony
from marin_research.objects import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from marin_research.record import Evidence
    from marin_research.redact import Redactor
    from marin_research.store import RecordStore

_UNFINISHED_S, _PAUSE_S = 5.0, 0.2
"""How long an unfinished line is held back, in seconds, and the pause in it at which it then is handed on."""
_SHIP_S = 30.0
"""How much of a run's output may be lost with the machine, in seconds; where heartbeats are more frequent, less."""


class StepOutput:
    """Masks, counts and keeps what a step prints."""

    def __init__(self, message: dict[str, Any], keeper: Keeper) -> None:
        self.id: str = message["id"]
        self.root: str = message["root"]
        self.folder: str = message["folder"]
        self.run_id: str = message["run_id"]
        self.attempt: int = message["attempt"]
        self.writer: str = message["writer"]
        self.heartbeat_s: float = message["heartbeat_s"]
        self.live = LiveOutput(self.root, self.folder)
        self.shared = False
        """Whether anything in it may be another step's."""
        self.ended: bool = message.get("ended", False)
        self.is_orphan = False
        """Whether the process that records it is gone; signs of life are its to give."""
        self.testimony = Testimony()
        self.stand_in = StandIn(message)
        self.progress = OutputProgress()
        self.batches = 0
        """How many batches of events were written in place of the process."""
        self._closed = False
        self.in_flight: set[Stretch] = set()
        self.unshipped: deque[tuple[Stretch, str]] = deque()
        """What could not be shipped, and why."""
        self.problem: str | None = None
        self._keeper = keeper
        self._writers: dict[Hashable, Any] = {}
        self._fed = 0.0
        self._held_since: float | None = None
        self.next_beat = 0.0
        """When (monotonic seconds) the next heartbeat is due until the step has ended, or what is said in its place."""
        self._ship_s = min(_SHIP_S, self.heartbeat_s)
        self._next_ship = time.monotonic() + self._ship_s
        for stretch in self.live.open():
            keeper.ship(self, stretch)

    @property
    def kept(self) -> bool:
        """Whether everything fed so far is in the store, as far as that can be had."""
        return is_local(self.root) or not self.in_flight

    def feed(self, source: Hashable, data: bytes) -> None:
        """Keep ``data``; what comes from one source is masked as one stream."""
        self._fed = time.monotonic()
        self._held_since = self._held_since or self._fed
        self.progress.feed(data)
        try:
            if source not in self._writers:
                self._writers[source] = redactor().stream(self.live.append)
            self._writers[source].write(data)
        except Exception as error:  # noqa: BLE001 - what cannot be masked is not kept, and the step goes on
            self.problem = f"{len(data)} bytes of output could not be masked and were not kept: {error!r}"
        if self.live.growing >= CHUNK_SIZE:
            self._cut()

    def flush(self) -> None:
        """Bring to the live file what the masking holds back to see how it goes on; what comes later begins anew."""
        self._each_writer(lambda writer: writer.flush())

    def _each_writer(self, do: Callable[[Any], None]) -> None:
        for writer in self._writers.values():
            try:
                do(writer)
            except Exception as error:  # noqa: BLE001 - as above
                self.problem = f"the end of the output could not be masked and was not kept: {error!r}"

    def tick(self, now: float) -> None:
        """Do what is due at ``now`` (monotonic seconds)."""
        if not self.ended and now >= self.next_beat:
            self.next_beat = now + self.heartbeat_s
            if self.is_orphan:
                self._keeper.stand_in(self)
            else:
                self._keeper.beat(self)
        held_s = 0.0 if self._held_since is None else now - self._held_since
        if held_s > _UNFINISHED_S and now - self._fed > _PAUSE_S:
            self._held_since = None
            self._each_writer(lambda writer: writer.hand_on())
        if now >= self._next_ship:
            self._next_ship = now + self._ship_s
            self.ship()

    def ship(self) -> None:
        """Ship what is due whatever its size: on another machine than the store's, a live file is soon lost."""
        if not is_local(self.root):
            self._cut()
        for _ in range(len(self.unshipped)):
            self._keeper.ship(self, self.unshipped.popleft()[0])

    @property
    def finished(self) -> bool:
        """Whether nothing more will come and all of it is in chunks."""
        return self._closed and not self.in_flight and not self.unshipped

    def finish(self) -> None:
        """Nothing more will come."""
        if self._closed:
            return
        unsaid = not self.ended
        self._closed = self.ended = True
        self.flush()
        self._cut(last=True)
        self.ship()
        if unsaid:
            self._keeper.stand_in(self, last=True)

    def summary(self) -> dict[str, Any]:
        problem = self.problem or self.live.problem
        if self.unshipped:
            stretch, why = self.unshipped[0]
            problem = f"output from byte {stretch.start} on is not in the store but in {stretch.path.parent}: {why}"
        return {"size": self.live.size, "lines": self.live.lines, "shared": self.shared, "problem": problem}

    def _cut(self, *, last: bool = False) -> None:
        stretch = self.live.cut(last=last)
        if stretch is not None:
            self._keeper.ship(self, stretch)


@cache
def redactor() -> Redactor:
    """What masks the secrets of this account."""
    # Loaded late: the first lines are shown meanwhile.
    from marin_research.redact import Redactor

    return Redactor.from_environment()


class Keeper(threading.Thread):
    """Writes to stores. A thread of its own, because a store may be far away."""

    def __init__(self, on_progress: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._on_progress = on_progress
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._stores: dict[str, RecordStore] = {}
        self.start()

    def ship(self, step: StepOutput, stretch: Stretch) -> None:
        step.in_flight.add(stretch)
        self._jobs.put(partial(self._ship, step, stretch))

    def beat(self, step: StepOutput) -> None:
        self._jobs.put(partial(self._beat, step))

    def testify(self, step: StepOutput, seen: Evidence) -> None:
        self._jobs.put(partial(self._say, step, lambda _store: [("evidence", seen)]))

    def stand_in(self, step: StepOutput, *, last: bool = False) -> None:
        """Say what the process that is gone would say; whether that is the ``last`` word."""
        self._jobs.put(partial(self._stand_in, step, last=last))

    def close(self) -> None:
        """End the thread when everything until now is done."""
        self._jobs.put(None)

    def run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            self._on_progress()

    def _ship(self, step: StepOutput, stretch: Stretch) -> None:
        from marin_research.spool.folder import SpoolFullError

        try:
            ship(self._store(step.root).objects, step.folder, stretch)
        except SpoolFullError as error:
            drop(stretch)  # it would only fill the disk; the record says what is missing
            step.problem = step.problem or f"output from byte {stretch.start} on is not kept whole: {error}"
        except Exception as error:  # noqa: BLE001 - the live file is still there, and the next try may work
            step.unshipped.append((stretch, str(error)))
        step.in_flight.discard(stretch)

    def _beat(self, step: StepOutput) -> None:
        from marin_research.events import Heartbeat

        step.testimony.begin()
        beat = Heartbeat(
            writer=step.writer,
            time=datetime.now(UTC),
            size=step.live.size,
            lines=step.live.lines,
            progress=step.progress.now(),
        )
        try:
            self._store(step.root).beat(step.run_id, beat)
        except Exception as error:  # noqa: BLE001 - a heartbeat is a hint, and the next one replaces it
            step.problem = step.problem or f"a heartbeat could not be written: {error}"

    def _stand_in(self, step: StepOutput, *, last: bool) -> None:
        def mask(text: str) -> str:
            return redactor().text(text).text

        said = self._say(step, lambda store: step.stand_in.facts(store, step.summary(), redact=mask, last=last))
        if last and said:
            step.stand_in.tidy()

    def _say(self, step: StepOutput, facts: Callable[[RecordStore], list[tuple[str, Any]]]) -> bool:
        """Write what the process itself would have, each fact by its kind; gives whether it is on record."""
        from marin_research.codec import encode
        from marin_research.events import Event, Kind

        try:
            store, now = self._store(step.root), datetime.now(UTC)
            events = [
                Event(kind=Kind(kind), time=now, attempt=step.attempt, writer=step.writer, body=encode(body))
                for kind, body in facts(store)
            ]
            if events:
                step.batches += 1  # first: of a write that seems to fail nobody knows whether it took the number
                # Under a name of our own: the process may have been writing its own next object when it was killed.
                store.write(step.run_id, f"{step.writer}-sidecar", step.batches - 1, events)
        except Exception as error:  # noqa: BLE001 - the record has lost its process; it says less than it could
            step.problem = step.problem or f"what its process left unsaid could not be written: {error}"
            return False
        return True

    def _store(self, root: str) -> RecordStore:
        from marin_research.store import recording_store

        if root not in self._stores:
            self._stores[root] = recording_store(root)
        return self._stores[root]

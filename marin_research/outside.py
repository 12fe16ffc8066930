"""Records the hosts of a job that left no record of their own, from what their cluster tells and has kept.

A host may have been killed before its first word, may not reach the record store, may run a command instead of a
function. What it printed its cluster may still have; how it ended is in the job's own facts.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from marin_research.capture.live_output import CHUNK_SIZE, LiveOutput, ship
from marin_research.codec import encode
from marin_research.events import Event, Kind
from marin_research.record import Gap, Host, Output, Retry, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from marin_research.capture.live_output import Stretch
    from marin_research.clusters import SubmittedJob
    from marin_research.record import Job, TaskTry
    from marin_research.redact import Redactor
    from marin_research.store import RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A job as it was last seen, and how it is seen again."""

    job: Job
    attempt: int
    """The one that submitted it."""
    submitted: SubmittedJob


class Outside:
    """Whoever records hosts of a run that are not here."""

    def __init__(self, store: RecordStore, run_id: str, redactor: Redactor) -> None:
        self._store = store
        self._run_id = run_id
        self._redactor = redactor

    def add_missing_hosts(self, seen: Sighting) -> Iterator[Gap]:
        """Add the hosts of a job that are missing in the record; what of that was not to be expected."""
        job = seen.job
        known = {
            (host.task.index, host.task.number)
            for each in self._store.run(self._run_id).attempts
            for host in each.hosts
            if host.job == job.id and host.task is not None
        }
        for each in job.tries:
            if each.started is None or each.outcome is Status.RUNNING or (each.index, each.number) in known:
                continue
            what, why = f"host {each.index} of job {job.name}", "it left no record of its own"
            try:
                self._add(seen, each)
            except Exception as error:  # noqa: BLE001 - the cluster's client has its own error tree
                told = self._redactor.text(f"{type(error).__name__}: {error}").text
                yield Gap(what=what, why=f"{why}, and {job.backend} did not tell of it ({told})")
            else:
                if job.kind == "callable":
                    yield Gap(what=what, why=f"{why}; what stands here is what {job.backend} knows of it")

    def _add(self, seen: Sighting, each: TaskTry) -> None:
        job, attempt, writer = seen.job, seen.attempt, f"o{each.index}-{secrets.token_hex(3)}"
        began = []
        if each.number:
            retry = Retry(of=attempt, job=job.id, number=each.number)
            began, attempt = [(Kind.RETRIED, retry)], self._store.join_attempt(self._run_id, retry)
        started = each.started or job.submitted
        host = Host(
            index=each.index,
            name=each.worker or "unknown",
            pid=None,
            writer=writer,
            started=started,
            job=job.id,
            task=Task(
                backend=job.backend,
                job=job.id,
                index=each.index,
                number=each.number,
                count=len({one.index for one in job.tries}),
                worker=each.worker,
            ),
            seen_by=job.backend,
            heartbeat=each.ended,
        )
        facts = [*began, (Kind.HOST_STARTED, host)]
        events = [
            Event(kind=kind, time=started, attempt=attempt, writer=writer, body=encode(body)) for kind, body in facts
        ]
        self._store.write(self._run_id, writer, 0, events)
        output = self._keep(attempt, writer, seen.submitted.output(each.index, each.number))
        event = Event(kind=Kind.OUTPUT, time=datetime.now(UTC), attempt=attempt, writer=writer, body=encode(output))
        self._store.write(self._run_id, writer, 1, [event])

    def _keep(self, attempt: int, writer: str, printed: Iterable[tuple[float, bytes]]) -> Output:
        """Mask and store what a host printed, with the times at which it did."""
        folder = self._store.output_folder(self._run_id, attempt, writer)
        live = LiveOutput(self._store.root, folder)
        live.open()
        masked = self._redactor.stream(live.append)
        for seconds, block in printed:
            live.clock = partial(float, seconds)
            masked.write(block)
            if live.growing >= CHUNK_SIZE:
                self._ship(live.cut(), folder)
        masked.flush()
        self._ship(live.cut(last=True), folder)
        return Output(size=live.size, lines=live.lines)

    def _ship(self, stretch: Stretch | None, folder: str) -> None:
        if stretch is not None:
            ship(self._store.objects, folder, stretch)

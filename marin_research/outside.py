"""Records the hosts of a job that left no record of their own, from what their cluster tells and has kept.

A host may have been killed before its first word, may not reach the record store, may run a command instead of a
function. What it printed its cluster may still have; how it ended is in the job's own facts.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from marin_research.capture.live_output import CHUNK_SIZE, LiveOutput, ship
from marin_research.codec import encode
from marin_research.events import Event, Kind
from marin_research.record import Host, Output, Retry, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marin_research.capture.live_output import Stretch
    from marin_research.clusters import SubmittedJob
    from marin_research.record import Job, TaskTry
    from marin_research.recorder import Recorder
    from marin_research.store import RecordStore


def record_from_outside(recorder: Recorder, job: Job, attempt: int, submitted: SubmittedJob) -> None:
    """Add the hosts of ``job`` that are missing in the record.

    Args:
        recorder: of whoever submitted the job.
        job: as it stands now.
        attempt: the one that submitted it.
        submitted: what is asked for the output.
    """
    known = {
        (host.task.index, host.task.number)
        for each in recorder.store.run(recorder.run.id).attempts
        for host in each.hosts
        if host.job == job.id and host.task is not None
    }
    for each in job.tries:
        if each.started is None or each.outcome is Status.RUNNING or (each.index, each.number) in known:
            continue
        with recorder.guard(f"host {each.index} of job {job.name}"):
            _add(recorder, job, attempt, each, submitted)
            if job.kind == "callable":
                why = f"it left no record of its own; what stands here is what {job.backend} knows of it"
                recorder.gap(f"host {each.index} of job {job.name}", why)


def _add(recorder: Recorder, job: Job, attempt: int, each: TaskTry, submitted: SubmittedJob) -> None:
    store, run_id = recorder.store, recorder.run.id
    writer = f"o{each.index}-{secrets.token_hex(3)}"
    retry = Retry(of=attempt, job=job.id, number=each.number) if each.number else None
    if retry is not None:
        attempt = store.join_attempt(run_id, f"{job.id} {each.number}")
    started = each.started or job.submitted
    count = len({one.index for one in job.tries})
    task = Task(backend=job.backend, job=job.id, index=each.index, number=each.number, count=count, worker=each.worker)
    host = Host(
        index=each.index,
        name=each.worker or "unknown",
        pid=None,
        writer=writer,
        started=started,
        job=job.id,
        task=task,
        seen_by=f"{job.backend}, asked by the process that submitted the job",
        heartbeat=each.ended,
    )
    facts = [*([(Kind.RETRIED, retry)] if retry else []), (Kind.HOST_STARTED, host)]
    events = [Event(kind=kind, time=started, attempt=attempt, writer=writer, body=encode(body)) for kind, body in facts]
    store.write(run_id, writer, 0, events)
    folder = store.output_folder(run_id, attempt, writer)
    output = _keep(recorder, folder, submitted.output(each.index, each.number))
    event = Event(kind=Kind.OUTPUT, time=datetime.now(UTC), attempt=attempt, writer=writer, body=encode(output))
    store.write(run_id, writer, 1, [event])


def _keep(recorder: Recorder, folder: str, printed: Iterable[tuple[float, bytes]]) -> Output:
    """Mask and store what a host printed, with the times at which it did."""
    store = recorder.store
    live = LiveOutput(store.root, folder)
    live.open()
    masked = recorder.redactor.stream(live.append)
    for seconds, block in printed:
        live.clock = partial(float, seconds)
        masked.write(block)
        if live.growing >= CHUNK_SIZE:
            _ship(live.cut(), store, folder)
    masked.flush()
    _ship(live.cut(last=True), store, folder)
    return Output(size=live.size, lines=live.lines)


def _ship(stretch: Stretch | None, store: RecordStore, folder: str) -> None:
    if stretch is not None:
        ship(store.objects, folder, stretch)

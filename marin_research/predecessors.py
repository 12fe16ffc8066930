"""What became of earlier tries at this launch, where the program itself is a job that its cluster starts again.

Nobody was there to say how they ended: the process was gone with its machine. Its cluster knows, and whoever is started
in its place can ask.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marin_research.clusters import backend, task_here
from marin_research.codec import encode
from marin_research.events import Event, Kind
from marin_research.record import Cause, Evidence, Job, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.record import Run, Task, TaskTry
    from marin_research.recorder import Recorder


def is_started_again() -> bool:
    """Whether a cluster has tried before to run this process."""
    here = task_here()
    return here is not None and here.number > 0


def note_predecessors(recorder: Recorder) -> None:
    """Record what the cluster says of earlier tries of this very program at the recorder's run.

    Raises:
        Exception: whatever the cluster's client raises.
    """
    here = task_here()
    if here is None:
        return
    before = list(_unended(recorder.store.run(recorder.run.id), here))
    if not before:
        return
    told = {each.number: each for each in _tries(here) if each.outcome is not Status.RUNNING}
    now = datetime.now(UTC)
    events = [
        Event(kind=Kind.EVIDENCE, time=now, attempt=attempt, writer=writer, body=encode(_evidence(told[number], here)))
        for attempt, writer, number in before
        if number in told
    ]
    if events:
        recorder.store.write(recorder.run.id, f"{recorder.writer}-before", 0, events)


def is_earlier_try(task: Task | None, here: Task) -> bool:
    """Whether a cluster ran ``task`` before it ran ``here`` in its place."""
    return (
        task is not None
        and (task.backend, task.job, task.index) == (here.backend, here.job, here.index)
        and task.number < here.number
    )


def _unended(run: Run, here: Task) -> Iterator[tuple[int, str, int]]:
    """Attempt, writer and the cluster's number of each earlier try at this task that did not say how it ended."""
    for attempt in run.attempts:
        for host in attempt.hosts:
            if host.job is None and host.end is None and host.task is not None and is_earlier_try(host.task, here):
                yield attempt.number, host.writer, host.task.number


def _tries(here: Task) -> Iterator[TaskTry]:
    now = datetime.now(UTC)
    own = Job(
        id=here.job,
        name=here.job,
        backend=here.backend,
        kind="command",
        submitted=now,
        state="running",
        outcome=Status.RUNNING,
        why="it runs this program",
    )
    job = backend(here.backend).own_job(here).look(own)
    return (each for each in job.tries if each.index == here.index)


def _evidence(each: TaskTry, here: Task) -> Evidence:
    taken_away = each.outcome is Status.PREEMPTED
    return Evidence(
        time=each.ended or datetime.now(UTC),
        source=here.backend,
        text=f"try {each.number} of {here.job} ended as {each.state}: {each.error or 'no reason is given'}",
        cause=Cause.PREEMPTED if taken_away else each.cause,
    )

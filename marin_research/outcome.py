"""How an attempt ended and how a run stands, from everything that says so. Knows no cluster and no store.

The step's own process, the hosts of its jobs and their cluster each tell a part, and none of them alone is to be
believed: a process that dispatched may be gone while the job goes on, a cluster may start a job again, and a status
file says RUNNING for ever after a kill. What failed is weighed in ``marin_research.failures``.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from marin_research.failures import cause_of, named
from marin_research.liveness import (
    DEFAULT_INTERVAL_S,
    LOST_AFTER_HEARTBEATS,
    end_from_evidence,
    silent,
    why_running,
)
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from marin_research.events import Heartbeat
    from marin_research.record import Attempt, End, Host, Run, WandbRun


def end_of(
    attempt: Attempt, said: End | None, *, again: bool, last: bool, wandb: Sequence[WandbRun] = ()
) -> End | None:
    """How an attempt ended; None while it has not, or nothing tells.

    Args:
        attempt: with its hosts and jobs as they are known.
        said: what the step's own process says of its end.
        again: a job of it was started again, which began a later attempt in its place.
        last: the step ended with this attempt, if it has ended.
        wandb: the run's W&B runs; one that had finished well before its host failed is worth a word.
    """
    cause = cause_of(attempt, wandb)
    if again or _waits_to_be_retried(attempt):
        return cause or _nobody_knows(attempt)
    if not last:  # another job was started again, while this attempt's went on
        return cause or _jobs_returned(attempt) or said
    if said is None:
        return _step_in_job(attempt)
    if cause is not None and said.status is Status.FAILED and _blames_a_job(said, attempt):
        # What the step raised only repeats that its job failed, unless the job itself left nothing better.
        told = said.exception if cause.status is Status.FAILED else None
        return replace(cause, time=said.time, exception=cause.exception or told)
    return said


def silent_end(attempt: Attempt, presumed: End, wandb: Sequence[WandbRun] = ()) -> End:
    """How an attempt ended that has fallen silent: what its hosts had said of themselves counts more than the silence.

    Args:
        attempt: one of which nobody said how it ended as a whole.
        presumed: what must be thought of it for its silence alone.
        wandb: the run's W&B runs.
    """
    cause = cause_of(attempt, wandb)
    return replace(cause, why=f"{cause.why}; {presumed.why}") if cause is not None else presumed


def standing(run: Run, heartbeats: Sequence[Heartbeat], now: datetime) -> tuple[Status, str]:
    """How a run with the given attempts stands, and why one may think so."""
    attempt = run.attempt
    if attempt is None:
        return _unstarted(run, heartbeats, now)
    if not attempt.waiting:
        if attempt.end is not None:
            return attempt.end.status, attempt.end.why
        why = why_running(attempt, now=now)
        unheard = silent(attempt.hosts, now=now)
        return Status.RUNNING, f"{why}; {named(unheard, attempt)} fell silent" if unheard else why
    # Whoever waits may have begun with an earlier attempt.
    dispatchers = [host for each in run.attempts for host in each.hosts if host.job is None and host.end is None]
    waits = "; ".join(f"job {job.name} waits: {job.why}" for job in attempt.waiting)
    if dispatchers and len(silent(dispatchers, now=now)) < len(dispatchers):
        return Status.RUNNING, waits
    return Status.LOST, f"{waits}; that was the last that was heard, and nothing said how it ended"


def _unstarted(run: Run, heartbeats: Sequence[Heartbeat], now: datetime) -> tuple[Status, str]:
    if not heartbeats:
        return run.status, run.why
    last = max(beat.time for beat in heartbeats)
    if (now - last).total_seconds() <= LOST_AFTER_HEARTBEATS * DEFAULT_INTERVAL_S:
        return Status.RUNNING, "its heartbeat is fresh"
    return Status.LOST, f"{run.why}; nothing was heard of it after {last:%Y-%m-%d %H:%M:%S} UTC"


def _waits_to_be_retried(attempt: Attempt) -> bool:
    """Whether a job's cluster has ended its tries and is to start it again."""
    return any(job.tries for job in attempt.waiting)


def _nobody_knows(attempt: Attempt) -> End:
    last = max((host.heartbeat or host.started for host in attempt.workers), default=attempt.started)
    return end_from_evidence(attempt, last, "its job was started again")


def _step_in_job(attempt: Attempt) -> End | None:
    """The end of a step that is one job, told by the job: the process that dispatched it may be gone."""
    whole = next((job for job in attempt.jobs if job.is_step), None)
    end = _returned([host for host in attempt.workers if host.job == whole.id]) if whole is not None else None
    return replace(end, why="the step returned on every host of its job") if end is not None else None


def _jobs_returned(attempt: Attempt) -> End | None:
    ends = [_returned([host for host in attempt.workers if host.job == job.id]) for job in attempt.jobs]
    known = [end for end in ends if end is not None]
    if not known or len(known) < len(ends):
        return None
    return replace(max(known, key=attrgetter("time")), why="every host of its jobs returned")


def _returned(hosts: Sequence[Host]) -> End | None:
    """The last end of a job's hosts, if all that it has are known and ended well."""
    ends = [host.end for host in hosts if host.end is not None and host.end.status is Status.SUCCEEDED]
    tasks = [host.task for host in hosts if host.task is not None]
    expected = {task.count for task in tasks}
    whole = len(ends) == len(hosts) and expected == {len({task.index for task in tasks})}
    return max(ends, key=attrgetter("time")) if whole else None


def _blames_a_job(said: End, attempt: Attempt) -> bool:
    """Whether the step failed because a job did, and not of something that it did itself."""
    told = said.exception.traceback + said.exception.message if said.exception else ""
    return any(job.id in told for job in attempt.jobs)

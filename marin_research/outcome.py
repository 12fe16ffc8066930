"""How an attempt ended and how a run stands, from everything that says so. Knows no cluster and no store.

The step's own process, the hosts of its jobs and their cluster each tell a part, and counters mislead: of a gang that
fails every member fails, most of them only because another did; a cluster counts a user's stop as a preemption; a
function may return and its process still crash on the way out. The first error that is an error of its own is the
cause, and what had gone well by then is said with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from marin_research.liveness import (
    DEFAULT_INTERVAL_S,
    LOST_AFTER_HEARTBEATS,
    end_from_evidence,
    silent,
    why_running,
)
from marin_research.record import Cause, End, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from marin_research.events import Heartbeat
    from marin_research.record import Attempt, Host, Job, Run, TaskTry, WandbRun

_ANOTHERS_FAULT = re.compile(
    r"coordination ?service|JAX distributed service detected fatal errors|another task died"
    r"|leader task was preempted|Socket closed|Barrier timed out|Connection (?:closed by|reset by) peer",
    re.IGNORECASE,
)
"""What the healthy members of a gang say when one of them is gone (JAX's distributed service, Gloo)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """One host that did not succeed."""

    end: End
    job: Job | None
    index: int
    follows: bool
    """Another's failure is why."""


def end_of(attempt: Attempt, said: End | None, *, retried: bool, wandb: Sequence[WandbRun] = ()) -> End | None:
    """How an attempt ended; None while it has not, or nothing tells.

    Args:
        attempt: with its hosts and jobs as they are known.
        said: what the step's own process says of its end, if this was the attempt it ended with.
        retried: a job's retry has begun a later attempt in its place.
        wandb: the run's W&B runs; one that had finished well before its host failed is worth a word.
    """
    failures = sorted(_failures(attempt), key=lambda failure: (failure.follows, failure.end.time))
    if said is None:
        if retried or _waits_to_be_retried(attempt):
            return _cause(failures, attempt, wandb) if failures else _nobody_knows(attempt)
        return _step_in_job(attempt)
    if said.status is Status.FAILED and failures and _blames_a_job(said, attempt):
        cause = _cause(failures, attempt, wandb)
        # What the step raised only repeats that its job failed, unless the job itself left nothing better.
        told = said.exception if cause.status is Status.FAILED else None
        return replace(cause, time=said.time, exception=cause.exception or told)
    return said


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
        return Status.RUNNING, f"{why}; {_named(unheard, attempt)} fell silent" if unheard else why
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
    return Status.LOST, f"nothing was heard of it after {last:%Y-%m-%d %H:%M:%S} UTC"


def _failures(attempt: Attempt) -> Iterator[_Failure]:
    hosts = {(host.job, host.index): host for host in attempt.hosts if host.job is not None}
    for job in attempt.jobs:
        for each in job.tries:
            host = hosts.get((job.id, each.index))
            if each.outcome is not Status.RUNNING:
                hosts.pop((job.id, each.index), None)
            if each.outcome not in (Status.RUNNING, Status.SUCCEEDED):
                yield _failed_try(job, each, host)
        if not job.tries and job.outcome not in (Status.RUNNING, Status.SUCCEEDED):
            yield _failed_unstarted(job)
    jobs = {job.id: job for job in attempt.jobs}
    for host in hosts.values():  # those whose cluster has not told how they ended
        if host.end is not None and host.end.status is not Status.SUCCEEDED:
            end = replace(host.end, why=f"host {host.index}: {host.end.why}")
            yield _Failure(end=end, job=jobs.get(host.job or ""), index=host.index, follows=_follows(host.end))


def _failed_try(job: Job, each: TaskTry, host: Host | None) -> _Failure:
    own = host.end if host is not None else None
    time = own.time if own else each.ended or each.started or job.ended or job.submitted
    named = f"host {each.index}"
    match each.outcome:
        case Status.CANCELLED:
            why = f"job {job.name} was stopped: {each.error or job.why}"
        case Status.PREEMPTED:
            why = f"{named} was preempted: {each.error or each.state}"
        case _ if own is not None and own.status is Status.SUCCEEDED:
            why = f"{named} had returned, then failed in teardown: {each.error or each.state}"
        case _ if own is not None:
            why = f"{named}: {own.why}"
        case _:
            why = f"{named} ended as {each.state}: {each.error or 'its cluster does not say why'}"
    end = End(
        status=each.outcome,
        time=time,
        why=why,
        cause=_what_ended(each, host),
        exit_code=each.exit_code,
        signal=own.signal if own else None,
        exception=own.exception if own else None,
        evidence=host.evidence if host else (),
    )
    follows = each.follows or (own is not None and _follows(own)) or bool(_ANOTHERS_FAULT.search(each.error))
    return _Failure(end=end, job=job, index=each.index, follows=follows)


def _failed_unstarted(job: Job) -> _Failure:
    stopped = job.outcome is Status.CANCELLED
    why = f"job {job.name} {'was stopped before it started' if stopped else 'never started'}: {job.why}"
    cause = Cause.STOPPED if stopped else Cause.NOT_STARTED
    end = End(status=job.outcome, time=job.ended or job.submitted, why=why, cause=cause)
    return _Failure(end=end, job=job, index=0, follows=False)


def _what_ended(each: TaskTry, host: Host | None) -> Cause:
    """The cluster's word, and where it has none the host's own and what it had observed."""
    told = [each.cause]
    if host is not None:
        own = [host.end.cause] if host.end and host.end.status is not Status.SUCCEEDED else []
        told += [*own, *(seen.cause for seen in host.evidence)]
    known = [cause for cause in told if cause is not Cause.UNKNOWN]
    # That a signal killed it says less than what sent the signal.
    return min(known, key=lambda cause: cause is Cause.SIGNALLED, default=Cause.UNKNOWN)


def _follows(end: End) -> bool:
    return end.exception is not None and bool(_ANOTHERS_FAULT.search(end.exception.message))


def _cause(failures: Sequence[_Failure], attempt: Attempt, wandb: Sequence[WandbRun]) -> End:
    """The first failure that no other one explains, and what had gone well by then."""
    cause = failures[0]
    why = cause.end.why
    host = next(
        (each for each in attempt.workers if cause.job and (each.job, each.index) == (cause.job.id, cause.index)), None
    )
    for linked in wandb:
        if host is not None and linked.writer == host.writer and linked.finished and linked.exit_code == 0:
            why += f"; its W&B run {linked.id} had finished with exit code 0"
    if cause.end.status is not Status.CANCELLED:
        returned = [each for each in attempt.workers if each.end and each.end.status is Status.SUCCEEDED]
        returned = [each for each in returned if each is not host and cause.job and each.job == cause.job.id]
        if returned:
            why += f"; {_named(returned, attempt)} had returned"
        others = len([failure for failure in failures[1:] if failure.follows and failure.job == cause.job])
        if others:
            why += f"; {others} other{'s' * (others > 1)} of its gang ended with it"
    return replace(cause.end, why=why, writer=host.writer if host else None)


def _named(hosts: Sequence[Host], attempt: Attempt) -> str:
    """``host 0``, ``hosts 0, 2``, ``the step's own process``."""
    apart = attempt.workers != attempt.hosts
    own = ["the step's own process"] if apart and any(host.job is None for host in hosts) else []
    indices = ", ".join(str(host.index) for host in hosts if host.job is not None or not apart)
    return " and ".join([*own, *([f"host{'s' * (',' in indices)} {indices}"] if indices else [])])


def _waits_to_be_retried(attempt: Attempt) -> bool:
    """Whether a job's cluster has ended its tries and is to start it again."""
    return any(job.tries for job in attempt.waiting)


def _nobody_knows(attempt: Attempt) -> End:
    last = max((host.heartbeat or host.started for host in attempt.workers), default=attempt.started)
    return end_from_evidence(attempt, last, "its job was started again")


def _step_in_job(attempt: Attempt) -> End | None:
    """The end of a step that is one job, told by the job: the process that dispatched it may be gone."""
    for job in attempt.jobs:
        hosts = [host for host in attempt.hosts if host.job == job.id]
        ends = [host.end for host in hosts if host.end is not None and host.end.status is Status.SUCCEEDED]
        expected = max((host.task.count for host in hosts if host.task and isinstance(host.task.count, int)), default=0)
        if job.is_step and expected and len({host.index for host in hosts if host.end in ends}) == expected:
            last = max(ends, key=attrgetter("time"))
            return replace(last, why="the step returned on every host of its job")
    return None


def _blames_a_job(said: End, attempt: Attempt) -> bool:
    """Whether the step failed because a job did, and not of something that it did itself."""
    told = said.exception.traceback + said.exception.message if said.exception else ""
    return any(job.id in told for job in attempt.jobs)

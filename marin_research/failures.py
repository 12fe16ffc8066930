"""Which failure of an attempt is its cause. Knows no cluster and no store.

Of a gang that fails every member fails, most of them only because another did; a cluster counts a user's stop as a
preemption; a function may return and its process still crash on the way out. The first error that is an error of its
own is the cause, and what had gone well by then is said with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from marin_research.record import Cause, End, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marin_research.record import Attempt, Host, Job, TaskTry, WandbRun

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


def cause_of(attempt: Attempt, wandb: Sequence[WandbRun]) -> End | None:
    """The first failure of an attempt that no other one explains, and what had gone well by then.

    Args:
        attempt: with its hosts and jobs as they are known.
        wandb: the run's W&B runs; one that had finished well before its host failed is worth a word.
    """
    failures = sorted(_failures(attempt), key=lambda failure: (failure.follows, failure.end.time))
    if not failures:
        return None
    cause = failures[0]
    why = cause.end.why
    host = _by_task(attempt).get((cause.job.id, cause.index)) if cause.job is not None else None
    for linked in wandb:
        if host is not None and linked.writer == host.writer and linked.finished and linked.exit_code == 0:
            why += f"; its W&B run {linked.id} had finished with exit code 0"
    if cause.end.status is not Status.CANCELLED:
        returned = [each for each in attempt.workers if each.end and each.end.status is Status.SUCCEEDED]
        returned = [each for each in returned if each is not host and cause.job and each.job == cause.job.id]
        if returned:
            why += f"; {named(returned, attempt)} had returned"
        others = len([failure for failure in failures[1:] if failure.follows and failure.job == cause.job])
        if others:
            why += f"; {others} other{'s' * (others > 1)} of its gang ended with it"
    return replace(cause.end, why=why, writer=host.writer if host else None)


def named(hosts: Sequence[Host], attempt: Attempt) -> str:
    """``host 0``, ``hosts 0, 2``, ``the step's own process``."""
    apart = attempt.workers != attempt.hosts
    own = ["the step's own process"] if apart and any(host.job is None for host in hosts) else []
    indices = ", ".join(str(host.index) for host in hosts if host.job is not None or not apart)
    return " and ".join([*own, *([f"host{'s' * (',' in indices)} {indices}"] if indices else [])])


def _failures(attempt: Attempt) -> Iterator[_Failure]:
    hosts = _by_task(attempt)
    for job in attempt.jobs:
        for each in job.tries:
            host = hosts.get((job.id, each.index))
            if each.outcome is not Status.RUNNING:
                hosts.pop((job.id, each.index), None)
            if each.outcome not in (Status.RUNNING, Status.SUCCEEDED):
                yield _failed_try(job, each, host, of_job=len(attempt.jobs) > 1)
        if not job.tries and job.outcome not in (Status.RUNNING, Status.SUCCEEDED):
            yield _failed_unstarted(job)
    jobs = {job.id: job for job in attempt.jobs}
    for host in hosts.values():  # those whose cluster has not told how they ended
        if host.end is not None and host.end.status is not Status.SUCCEEDED:
            end = replace(host.end, why=f"host {host.index}: {host.end.why}")
            index = host.task.index if host.task is not None else host.index
            yield _Failure(end=end, job=jobs.get(host.job or ""), index=index, follows=_follows(host.end))


def _by_task(attempt: Attempt) -> dict[tuple[str, int], Host]:
    """The hosts of its jobs; where a task has several processes, one that failed stands for it."""
    found: dict[tuple[str, int], Host] = {}
    for host in attempt.hosts:
        if host.job is not None:
            place = (host.job, host.task.index if host.task is not None else host.index)
            known = found.get(place)
            if known is None or known.end is None or known.end.status is Status.SUCCEEDED:
                found[place] = host
    return found


def _failed_try(job: Job, each: TaskTry, host: Host | None, *, of_job: bool) -> _Failure:
    own = host.end if host is not None else None
    time = own.time if own else each.ended or each.started or job.ended or job.submitted
    who = f"host {each.index}{f' of job {job.name}' if of_job else ''}"
    match each.outcome:
        case Status.CANCELLED:
            why = f"job {job.name} was stopped: {each.error or job.why}"
        case Status.PREEMPTED:
            why = f"{who} was preempted: {each.error or each.state}"
        case _ if own is not None and own.status is Status.SUCCEEDED:
            why = f"{who} had returned, then failed in teardown: {each.error or each.state}"
        case _ if own is not None:
            why = f"{who}: {own.why}"
        case _:
            why = f"{who} ended as {each.state}: {each.error or 'its cluster does not say why'}"
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

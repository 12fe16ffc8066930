"""Puts the events of a run together into its record. A record is this fold and nothing else.

Writers come from several machines whose clocks differ, and any of their objects may be missing or damaged; every fact
that can be read counts. How an attempt ended is ``marin_research.outcome``'s business.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marin_research.codec import Unknown, decode
from marin_research.events import CANNOT_BE_READ, Event, Heartbeat, Kind
from marin_research.liveness import presumed_end
from marin_research.outcome import end_of, silent_end, standing
from marin_research.record import (
    Attempt,
    Devices,
    End,
    Evidence,
    Gap,
    Host,
    Job,
    Metric,
    Output,
    Retry,
    Run,
    Status,
    TaskTry,
    WandbRun,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marin_research.machine import Machine

_STARTS = frozenset({Kind.DECLARED, Kind.ATTEMPT_STARTED, Kind.RETRIED, Kind.HOST_STARTED})


def fold(
    run_id: str,
    events: list[Event],
    *,
    gaps: list[Gap],
    heartbeats: list[Heartbeat],
    now: datetime | None = None,
    here: Machine | None = None,
) -> Run:
    """The record that ``events`` add up to.

    Args:
        run_id: used when the declaration itself is among what is missing.
        events: each writer's own in the order in which it wrote them; those of different writers are taken by time.
        gaps: what could not be read.
        heartbeats: the newest sign of life of each writer.
        now: the reader's clock, against which a silent run counts as lost.
        here: the reader's machine; a restart of it is evidence for what ran on it.
    """
    now = now or datetime.now(UTC)
    state = _Fold(run=_undeclared(run_id, gaps))
    for event in _in_order(events):
        try:
            state.apply(event)
        except (TypeError, ValueError, KeyError) as error:
            state.gaps.append(Gap(what=f"{event.kind} of attempt {event.attempt}", why=f"{CANNOT_BE_READ} ({error})"))
    beats = {beat.writer: beat for beat in heartbeats}
    hosts = {where: _with_heartbeat(host, beats.get(where[1])) for where, host in state.hosts.items()}
    run = replace(
        state.run,
        attempts=tuple(_attempts(state, hosts, now=now, here=here)),
        metrics={name: metric for name, (_, metric) in state.metrics.items()},
        wandb=tuple(state.wandb.values()),
        gaps=(*gaps, *state.gaps, *_rivals(hosts)),
    )
    if run.status in (Status.CACHED, Status.CANCELLED):
        return run
    last = max(state.ends, default=0)
    if state.ends and (run.attempt is None or run.attempt.number < last):
        # The start of the attempt is what is missing; its end counts all the same.
        return replace(run, status=state.ends[last].status, why=state.ends[last].why)
    status, why = standing(run, heartbeats, now)
    return replace(run, status=status, why=why)


@dataclass(slots=True)
class _Fold:
    """The record while it is being put together."""

    run: Run
    ends: dict[int, End] = field(default_factory=dict)
    """By attempt, kept apart so that an end counts even when the start of its attempt is what is missing."""
    attempts: dict[int, Attempt] = field(default_factory=dict)
    retries: dict[int, tuple[datetime, Retry]] = field(default_factory=dict)
    jobs: dict[str, tuple[int, Job]] = field(default_factory=dict)
    """Each with the attempt that submitted it."""
    hosts: dict[tuple[int, str], Host] = field(default_factory=dict)
    metrics: dict[str, tuple[tuple[Any, ...], Metric]] = field(default_factory=dict)
    """Each with the rank of who says so."""
    wandb: dict[str, WandbRun] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        where = (event.attempt, event.writer)
        match event.kind:
            case Kind.DECLARED:
                # The first declaration stands: a retry declares the same run again.
                if self.run.thread == "":
                    self.run = decode(Run, event.body)
            case Kind.ATTEMPT_STARTED:
                self.attempts.setdefault(event.attempt, decode(Attempt, event.body))
            case Kind.RETRIED:
                self.retries.setdefault(event.attempt, (event.time, decode(Retry, event.body)))
            case Kind.HOST_STARTED:
                self.hosts[where] = decode(Host, event.body)
            case Kind.JOB:
                self._see_job(event.attempt, decode(Job, event.body))
            case Kind.WANDB:
                linked = decode(WandbRun, event.body)
                self.wandb[f"{linked.project}/{linked.id}"] = linked
            case Kind.METRIC:
                self._see_metric(where, decode(Metric, event.body))
            case Kind.GAP:
                self.gaps.append(decode(Gap, event.body))
            case Kind.DEVICES:
                self._update_host(where, devices=decode(Devices, event.body))
            case Kind.OUTPUT:
                self._update_host(where, output=decode(Output, event.body))
            case Kind.EVIDENCE:
                seen = decode(Evidence, event.body)
                if (host := self.hosts.get(where)) is not None:
                    self._update_host(where, evidence=(*host.evidence, seen))
            case Kind.HOST_ENDED:
                self._update_host(where, end=_read_end(event))
            case Kind.ATTEMPT_ENDED:
                end, known = _read_end(event), self.ends.get(event.attempt)
                # Of several hosts, the one that failed decides how the attempt ended.
                if known is None or known.status is Status.SUCCEEDED or end.status is not Status.SUCCEEDED:
                    self.ends[event.attempt] = end
            case Kind.CACHED:
                source = decode(str | Unknown, event.body["from"])  # type: ignore[arg-type]
                self.run = replace(self.run, status=Status.CACHED, why=event.body["why"], cached_from=source)
            case Kind.NOT_RUN:
                self.run = replace(self.run, status=Status.CANCELLED, why=event.body["why"])

    def launched(self, attempt: int) -> int:
        """The attempt of the launch that ``attempt`` belongs to: itself, unless a job's retry began it."""
        seen = {attempt}
        while attempt not in self.attempts and attempt in self.retries:
            attempt = self.retries[attempt][1].of
            if attempt in seen:
                break
            seen.add(attempt)
        return attempt

    def last_of_launch(self, attempt: int) -> int:
        """The attempt that the step of a launch was at when it ended."""
        return max((number for number in self.retries if self.launched(number) == attempt), default=attempt)

    def _update_host(self, where: tuple[int, str], **changes: Any) -> None:
        host = self.hosts.get(where)
        if host is not None:
            self.hosts[where] = replace(host, **changes)

    def _see_job(self, attempt: int, job: Job) -> None:
        known = self.jobs.get(job.id)
        # What has ended has ended; an older look at it may only have been written later.
        if known is None or known[1].outcome is Status.RUNNING or job.outcome is not Status.RUNNING:
            self.jobs[job.id] = (known[0] if known else attempt, job)

    def _see_metric(self, where: tuple[int, str], metric: Metric) -> None:
        """The newest value of the newest attempt; there a report before what W&B says, and host 0 before the others."""
        host = self.hosts.get(where)
        attempt = where[0] if host is None or host.job else self.last_of_launch(where[0])
        rank = (attempt, not metric.source.startswith("wandb:"), -(host.index if host else 0))
        known = self.metrics.get(metric.name)
        if known is None or rank >= known[0]:
            self.metrics[metric.name] = (rank, metric)


def _read_end(event: Event) -> End:
    """How something ended; in words alone where a newer version of the program has other statuses than this one."""
    try:
        return decode(End, event.body)
    except ValueError:
        said = f"{event.body['status']}: {event.body['why']}"
        why = f"a newer version of this program says that it ended, as {said}; update this one to know more"
        return End(status=Status.LOST, time=event.time, why=why)


def _in_order(events: list[Event]) -> list[Event]:
    """What starts something first, then by attempt and time; what concerns the run as a whole has the last word.

    Clocks differ between hosts and jump back on one host, so no fact may depend on them: a writer's own order stands.
    """
    keys = []
    latest: dict[tuple[int, str], datetime] = {}
    for event in events:
        where = (event.attempt, event.writer)
        latest[where] = max(event.time, latest.get(where, event.time))
        starts = event.kind in _STARTS
        keys.append((not starts, event.attempt if starts else event.attempt or math.inf, latest[where]))
    return [event for _, event in sorted(zip(keys, events, strict=True), key=lambda pair: pair[0])]


def _undeclared(run_id: str, gaps: Sequence[Gap]) -> Run:
    return Run(
        id=run_id,
        thread="",
        launch="",
        status=Status.LOST,
        why=f"its declaration is missing; {gaps[0].why}" if gaps else "its declaration is missing from the store",
        label="",
        declared=datetime.fromtimestamp(0, UTC),
    )


def _with_heartbeat(host: Host, beat: Heartbeat | None) -> Host:
    if beat is None:
        return host
    # While a host runs, its heartbeat is also the newest word on how much it has printed.
    output = host.output
    if not output and beat.size is not None:
        output = Output(size=beat.size, lines=beat.lines)
    return replace(host, heartbeat=beat.time, output=output, progress=beat.progress)


def _attempts(
    state: _Fold, hosts: dict[tuple[int, str], Host], *, now: datetime, here: Machine | None
) -> Iterable[Attempt]:
    jobs = _jobs_by_attempt(state)
    for number in sorted({*state.attempts, *state.retries}):
        launched = state.attempts.get(state.launched(number))
        if launched is None:
            continue
        begun = launched
        if number not in state.attempts:
            started, retry = state.retries[number]
            begun = replace(launched, number=number, started=started, retry=retry)
        attempt = replace(
            begun,
            jobs=tuple(jobs[number]),
            hosts=_in_place([host for (of, _), host in hosts.items() if of == number], jobs[number]),
        )
        yield replace(attempt, end=_end(attempt, state, hosts, now=now, here=here))


def _end(
    attempt: Attempt, state: _Fold, hosts: dict[tuple[int, str], Host], *, now: datetime, here: Machine | None
) -> End | None:
    launched, wandb = state.launched(attempt.number), tuple(state.wandb.values())
    own = {job.id for job in attempt.jobs} | {host.job for host in attempt.hosts}
    again = any(number > attempt.number and retry.job in own for number, (_, retry) in state.retries.items())
    last = attempt.number == state.last_of_launch(launched)
    end = end_of(attempt, state.ends.get(launched), again=again, last=last, wandb=wandb)
    if end is not None:
        return end
    # The process that dispatched began with the launch and lives through the retries of its jobs.
    dispatchers = [host for (of, _), host in hosts.items() if of == launched and host.job is None]
    presumed = presumed_end(attempt, now=now, here=here, watched_by=dispatchers)
    return silent_end(attempt, presumed, wandb) if presumed is not None else None


def _jobs_by_attempt(state: _Fold) -> dict[int, list[Job]]:
    """What each attempt dispatched or started again, with the tries that belong to it."""
    attempt_of = {(retry.job, retry.number): number for number, (_, retry) in state.retries.items()}
    for (attempt, _), host in state.hosts.items():
        if host.job is not None and host.task is not None:
            attempt_of.setdefault((host.job, host.task.number), attempt)
    found: dict[int, list[Job]] = defaultdict(list)
    for submitted, job in state.jobs.values():
        tries: dict[int, list[TaskTry]] = {submitted: []}
        tries |= {attempt: [] for (of, _), attempt in attempt_of.items() if of == job.id}
        for each in job.tries:
            tries.setdefault(attempt_of.get((job.id, each.number), submitted), []).append(each)
        for attempt, mine in tries.items():
            found[attempt].append(replace(job, tries=tuple(mine)))
    return found


def _in_place(hosts: list[Host], jobs: Sequence[Job]) -> tuple[Host, ...]:
    """The step's own process, then the hosts of each job in the order of submission, each by its index."""
    order = {job.id: place for place, job in enumerate(sorted(jobs, key=lambda job: job.submitted))}
    return tuple(
        sorted(hosts, key=lambda host: (host.job is not None, order.get(host.job or "", 0), host.job or "", host.index))
    )


def _rivals(hosts: dict[tuple[int, str], Host]) -> Iterable[Gap]:
    """Where two processes claim one place: both are kept, and which of them is right is not for a reader to guess."""
    places: dict[Any, list[Host]] = defaultdict(list)
    for (attempt, _), host in hosts.items():
        places[attempt, host.job, host.index, host.task.number if host.task else None].append(host)
    for (attempt, *_, index, _), rivals in places.items():
        if len(rivals) > 1:
            named = ", ".join(f"{host.name} (process {host.pid}, {host.writer})" for host in rivals)
            yield Gap(what=f"host {index} of attempt {attempt}", why=f"{len(rivals)} claim to be it: {named}")

"""What is known of one run, as plain facts. Knows nothing of files, Marin, W&B or models.

A record is the fold of a run's events (``marin_research.events``); these classes are its shape, and their field names
are the field names of ``--json``. Times are UTC, durations are seconds, sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from marin_research.codec import Unknown
from marin_research.job import Job, Retry, Task, TaskTry
from marin_research.parts import Blob, Cause, Command, Devices, Git, Status, Step

__all__ = [
    "Attempt",
    "Blob",
    "Cause",
    "Command",
    "Devices",
    "End",
    "Evidence",
    "ExceptionInfo",
    "Gap",
    "Git",
    "Host",
    "Job",
    "Metric",
    "Output",
    "Progress",
    "Retry",
    "Run",
    "Status",
    "Step",
    "Task",
    "TaskTry",
    "Unknown",
    "WandbRun",
]

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measured quantity: its last value, and what its history looked like."""

    name: str
    value: float
    """The last value; may be NaN or infinite, which is a result too."""
    unit: str = ""
    source: str
    """``report``, ``artifact``, ``wandb:<run id>`` or ``output``."""
    time: datetime | None = None
    step: int | None = None
    """Training step of ``value``."""
    count: int = 1
    first: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    non_finite: int = 0
    """How many of ``count`` values were NaN or infinite."""
    series: tuple[tuple[float, ...], ...] = ()
    """At most 64 ``(step, value)`` pairs, evenly thinned, first and last kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WandbRun:
    """A W&B run that was started inside this run."""

    id: str
    project: str | Unknown
    entity: str | Unknown
    name: str | Unknown
    url: str | Unknown
    """Unknown while an offline run has not been synced."""
    mode: str
    """``online`` or ``offline``."""
    path: str
    """The run's local directory."""
    synced: bool
    writer: str | None = None
    """The host that started it, by its event writer."""
    attribution: str = "step"
    """``step``, or ``ambiguous`` when several steps shared the process and none can be told from the others."""
    reused: bool = False
    """``wandb.init`` gave back a run that another step had opened."""
    finished: bool = False
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionInfo:
    type: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something that was observed and says how an attempt ended, in the words of its source."""

    time: datetime
    source: str
    """Where it was observed: ``signal``, ``/sys/fs/cgroup/memory.events``, ``GCE metadata``."""
    text: str
    """``oom_kill 0, then 1``"""
    cause: Cause = Cause.UNKNOWN
    """What it is evidence of, by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an attempt or a host ended, and what says so."""

    status: Status
    time: datetime
    why: str
    """One sentence of evidence: ``the step returned``, ``it raised FloatingPointError``, ``killed by SIGTERM``."""
    cause: Cause = Cause.UNKNOWN
    after_s: float | None = None
    """Seconds since its host began, by a clock that nobody sets; None where whoever says this has no such clock."""
    exit_code: int | None = None
    signal: str | None = None
    exception: ExceptionInfo | None = None
    evidence: tuple[Evidence, ...] = ()
    """In the order in which it came; empty where the exit status or the exception says it all."""
    writer: str | None = None
    """The host whose end decided it, where one of several did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a host printed, kept whole in the store."""

    size: int
    """Bytes, after secrets were masked."""
    lines: int
    shared: bool = False
    """Other steps printed to the same file descriptors meanwhile, so native output may be theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a host has come, as far as its output shows. While it runs, this tells work from a hang."""

    output_at: datetime | None = None
    """When it printed last."""
    step: int | None = None
    """The last training step that it printed."""
    step_at: datetime | None = None
    """When it printed that step for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One process of an attempt on one machine."""

    index: int
    """Among the processes of its job, from 0; the step's own process is 0."""
    name: str
    pid: int | None
    """None where somebody else noted the host."""
    writer: str
    """Which event writer this is; two hosts that claim one index stay apart by it."""
    started: datetime
    job: str | None = None
    """The job of this run that the process belongs to; None for the process that runs the step itself."""
    task: Task | None = None
    """Where a cluster runs it; None on a machine that no cluster manages."""
    seen_by: str | None = None
    """Who noted this host, where it did not do so itself."""
    python: str | None = None
    """Where it is another one than the attempt's."""
    packages: dict[str, str] = field(default_factory=dict)
    """What is installed there in another version than the attempt names."""
    devices: Devices | Unknown = field(default_factory=lambda: Unknown("no JAX was asked"))
    output: Output | Unknown = field(default_factory=lambda: Unknown("no output was captured"))
    boot: str | Unknown = field(default_factory=lambda: Unknown("not said"))
    """Which start of the machine it ran in, by the kernel's own ID."""
    heartbeat: datetime | None = None
    heartbeat_interval_s: float = 30.0
    progress: Progress = field(default_factory=Progress)
    evidence: tuple[Evidence, ...] = ()
    """What was observed before it ended, or although nothing else said how it ended."""
    end: End | None = None

    @property
    def ended(self) -> datetime | None:
        """When it ended by the clock as it was when it began: meanwhile it may have been set."""
        if self.end is None:
            return None
        if self.end.after_s is None:
            return self.end.time
        return self.started + timedelta(seconds=self.end.after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that should be in the record and is not."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a run."""

    number: int
    launch: str
    """The invocation that made this try; a retry may be another one's."""
    started: datetime
    command: Command
    git: Git
    config: dict[str, Any]
    environment: dict[str, str]
    python: str
    platform: str
    packages: dict[str, str]
    declared_devices: Devices | Unknown
    retry: Retry | None = None
    """None for an attempt that a launch began."""
    jobs: tuple[Job, ...] = ()
    """What the step dispatched, each with its tries in this attempt."""
    hosts: tuple[Host, ...] = ()
    """By job and index, the step's own process first."""
    end: End | None = None

    @property
    def workers(self) -> tuple[Host, ...]:
        """The hosts that did the work: those of its jobs, or the step's own process where it dispatched none."""
        return tuple(host for host in self.hosts if host.job is not None) or self.hosts

    @property
    def waiting(self) -> tuple[Job, ...]:
        """The jobs that their cluster has yet to start, or to start again."""
        seen = {host.job for host in self.hosts}
        return tuple(
            job
            for job in self.jobs
            if job.outcome is Status.RUNNING
            and (job.tries or job.id not in seen)
            and not any(each.outcome is Status.RUNNING for each in job.tries)
        )

    @property
    def asked_devices(self) -> Devices | Unknown:
        """What was declared for the hosts that did the work; of several jobs the largest's."""
        asked = [job.declared_devices for job in self.jobs if isinstance(job.declared_devices, Devices)]
        return _largest(asked) if asked else self.declared_devices

    @property
    def seen_devices(self) -> Devices | Unknown:
        """What JAX saw on the hosts that did the work.

        The process that dispatches is usually a CPU machine: what it sees is not what the experiment ran on.
        """
        seen = [host.devices for host in self.workers if isinstance(host.devices, Devices)]
        if seen:
            return _largest(seen)
        unseen = (host.devices for host in self.workers if isinstance(host.devices, Unknown))
        return next(unseen, Unknown("no host was recorded"))

    @property
    def devices(self) -> Devices | Unknown:
        """What JAX saw; else what was declared."""
        seen, asked = self.seen_devices, self.asked_devices
        if isinstance(seen, Unknown) and isinstance(asked, Unknown):
            return Unknown(f"{seen.why}; {asked.why}" if self.hosts else asked.why)
        return seen or asked

    @property
    def ended(self) -> datetime | None:
        """When it ended, likewise by the clock as it was when it began, where the step's own process said how."""
        if self.end is None:
            return None
        said = (host.ended for host in self.hosts if not host.job and host.end and host.end.time == self.end.time)
        return next(said, self.end.time)

    @property
    def wall_s(self) -> float | Unknown:
        """Seconds between the first line of the work and its end; queueing excluded."""
        started = min((host.started for host in self.workers), default=self.started)
        ends = [host.ended for host in self.workers if host.ended is not None and host.job is not None]
        return _seconds(started, max(ends) if ends and len(ends) == len(self.workers) else self.ended)

    @property
    def whole_s(self) -> float | Unknown:
        """Seconds between its start and its end; the time for which its jobs were queued included."""
        return _seconds(self.started, self.ended)


def _seconds(started: datetime, ended: datetime | None) -> float | Unknown:
    if ended is None:
        return Unknown("the attempt has not ended")
    seconds = (ended - started).total_seconds()
    return seconds if seconds >= 0 else Unknown("it seems to have ended before it began: its clocks disagree")


def _largest(devices: list[Devices]) -> Devices:
    return max(devices, key=lambda each: (each.kind != "cpu", each.count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of one config under one experiment ID."""

    id: str
    thread: str
    """Topic of the thread."""
    launch: str
    """One invocation of a program; the runs of a sweep share it."""
    status: Status
    why: str
    """One sentence on why the status is what it is."""
    label: str
    declared: datetime
    hypothesis: str | None = None
    baseline: bool = False
    reproduces: str | None = None
    """The run that it repeats on purpose; None for one that stands for itself."""
    metric_patterns: tuple[str, ...] = ()
    """How its metrics are found in its output, where somebody said so."""
    step: Step | Unknown = field(default_factory=lambda: Unknown("not a Marin step"))
    cached_from: str | Unknown | None = None
    """The run that made a cached output; None unless the status is ``cached``."""
    attempts: tuple[Attempt, ...] = ()
    metrics: dict[str, Metric] = field(default_factory=dict)
    wandb: tuple[WandbRun, ...] = ()
    gaps: tuple[Gap, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @property
    def attempt(self) -> Attempt | None:
        """The last attempt: the one whose outcome is the run's."""
        return self.attempts[-1] if self.attempts else None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Everything the run dispatched, each job as it was last seen, with all of its tries."""
        found: dict[str, Job] = {}
        for job in (job for attempt in self.attempts for job in attempt.jobs):
            known = found.get(job.id)
            found[job.id] = replace(job, tries=(*known.tries, *job.tries)) if known else job
        return tuple(found.values())

    @property
    def config(self) -> dict[str, Any]:
        return self.attempt.config if self.attempt else {}

"""What is known of one run, as plain facts. Knows nothing of files, Marin, W&B or models.

A record is the fold of a run's events (``marin_research.events``); these classes are its shape, and their field names
are the field names of ``--json``. Times are UTC, durations are seconds, sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the codec reads the annotations at run time
from enum import StrEnum
from typing import Any

from marin_research.codec import Unknown

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
    "Metric",
    "Output",
    "Progress",
    "Run",
    "Status",
    "Step",
    "Unknown",
    "WandbRun",
]

SCHEMA_VERSION = 1


class Status(StrEnum):
    """How a run or an attempt stands, from the evidence there is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PREEMPTED = "preempted"
    LOST = "lost"
    CANCELLED = "cancelled"
    CACHED = "cached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes kept once in the store, addressed by their content."""

    sha256: str
    size: int
    """Bytes before compression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The exact command line, with secrets masked."""

    argv: tuple[str, ...]
    line: str
    """``argv`` quoted for a POSIX shell, after the variables that the shell had set for it: it can be pasted."""
    cwd: str
    """Absolute working directory."""
    cwd_in_repository: str | Unknown
    """``cwd`` relative to the top of the git checkout (``.`` at the top)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The state of the checkout at launch."""

    commit: str | Unknown
    """Full hash of HEAD."""
    branch: str | Unknown
    remote: str | Unknown
    """``origin``, without credentials."""
    tree: str | Unknown
    """Short hash of the tracked working tree's content, as Marin's provenance gives it."""
    dirty: bool | Unknown
    diff: Blob | Unknown
    """``git diff HEAD`` and the untracked files' names when dirty; Unknown on a clean tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """Accelerators, as one source saw them."""

    kind: str
    """``TPU v4``, ``NVIDIA H100 80GB HBM3``, ``cpu``."""
    count: int
    """Over all hosts of the attempt."""
    local_count: int | Unknown = field(default_factory=lambda: Unknown("not said"))
    process_count: int | Unknown = field(default_factory=lambda: Unknown("not said"))
    source: str
    """``jax`` (the step's own process had initialised it) or ``declared: <resources>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Marin's identity of a step."""

    name: str
    version: str
    fingerprint: str
    output_path: str
    artifact_type: str
    deps: tuple[str, ...] = ()
    """``name@version`` of every dependency."""

    @property
    def address(self) -> str:
        return f"{self.name}@{self.version}"


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


class Cause(StrEnum):
    """What ended an attempt, of which there is evidence. What merely may have done it is none."""

    RETURNED = "returned"
    """The step's function returned."""
    EXITED = "exited"
    """The process ended by itself, with the code in ``exit_code``."""
    RAISED = "raised"
    """An exception left the step's function."""
    SIGNALLED = "signalled"
    """A signal killed the process, and nothing says who sent it and why."""
    OUT_OF_MEMORY = "out_of_memory"
    """The kernel killed the process for lack of memory, or the cluster says that it did."""
    PREEMPTED = "preempted"
    """The platform took the machine away, and said so."""
    STOPPED = "stopped"
    """Somebody asked for it: Ctrl-C, a signal to the recorder, a job that was cancelled."""
    TIMED_OUT = "timed_out"
    """It reached the time limit that it was given."""
    NOT_STARTED = "not_started"
    """There was nothing to end: it could not be started."""
    MACHINE_LOST = "machine_lost"
    """The machine failed or was started anew."""
    UNKNOWN = "unknown"


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
    exit_code: int | None = None
    signal: str | None = None
    exception: ExceptionInfo | None = None
    evidence: tuple[Evidence, ...] = ()
    """In the order in which it came; empty where the exit status or the exception says it all."""


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
    name: str
    pid: int
    writer: str
    """Which event writer this is; two hosts that claim one index stay apart by it."""
    started: datetime
    devices: Devices | Unknown = field(default_factory=lambda: Unknown("the process never initialised JAX"))
    output: Output | Unknown = field(default_factory=lambda: Unknown("no output was captured"))
    boot: str | Unknown = field(default_factory=lambda: Unknown("not said"))
    """Which start of the machine it ran in, by the kernel's own ID."""
    heartbeat: datetime | None = None
    heartbeat_interval_s: float = 30.0
    progress: Progress = field(default_factory=Progress)
    evidence: tuple[Evidence, ...] = ()
    """What was observed before it ended, or although nothing else said how it ended."""
    end: End | None = None


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
    hosts: tuple[Host, ...] = ()
    end: End | None = None

    @property
    def devices(self) -> Devices | Unknown:
        """What JAX saw, on the first host that can say; else what was declared."""
        observed = next((host.devices for host in self.hosts if host.devices), None)
        if observed or self.declared_devices or not self.hosts:
            return observed or self.declared_devices
        both = (self.hosts[0].devices, self.declared_devices)
        return Unknown("; ".join(unknown.why for unknown in both if isinstance(unknown, Unknown)))

    @property
    def wall_s(self) -> float | Unknown:
        """Seconds between the first line of the step and its end; queueing excluded."""
        return (self.end.time - self.started).total_seconds() if self.end else Unknown("the attempt has not ended")


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
    def config(self) -> dict[str, Any]:
        return self.attempt.config if self.attempt else {}

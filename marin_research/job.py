"""What a step dispatched to a cluster, as part of its record. Knows no cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the codec reads the annotations at run time
from typing import Any

from marin_research.codec import Unknown
from marin_research.parts import Cause, Devices, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Where a process stands in a cluster, in the cluster's own terms."""

    backend: str
    """``iris`` or ``ray``."""
    job: str
    """The job's ID: ``/ada/lr-sweep-train``."""
    index: int
    """Which of the job's tasks, from 0."""
    number: int
    """Which try at the task, as the cluster counts them, from 0."""
    count: int | Unknown = field(default_factory=lambda: Unknown("not said"))
    """Tasks of the job."""
    worker: str | Unknown = field(default_factory=lambda: Unknown("not said"))
    """The cluster's name of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTry:
    """One try at one task of a job, as its cluster tells of it afterwards."""

    index: int
    number: int
    """As the cluster counts the tries at this task, from 0."""
    state: str
    """In the cluster's own word."""
    outcome: Status
    """What that word means; ``running`` for a try that has not ended."""
    cause: Cause = Cause.UNKNOWN
    """What ended it, as far as the cluster says."""
    error: str = ""
    """What the cluster says of a try that did not succeed."""
    exit_code: int | None = None
    worker: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    follows: bool = False
    """It was only ended because another task of its gang had failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a step dispatched: a function, a command or a group of actors, on one or several machines."""

    id: str
    """As the cluster knows it: ``/ada/lr-sweep-train``."""
    name: str
    """As the step asked for it."""
    backend: str
    """``iris``, ``ray``, or ``local`` for a thread or child of the step's own process."""
    kind: str
    """``callable``, ``command`` or ``actors``."""
    submitted: datetime
    cluster: str | None = None
    """Where its cluster can be asked, in the form that ``--cluster`` takes; None where there is none."""
    parent: str | None = None
    """The job of this run whose process submitted it; None if the step itself did."""
    is_step: bool = False
    """The step's own function runs in it, and nothing but that."""
    resources: dict[str, Any] = field(default_factory=dict)
    """As they were asked for, for each task."""
    declared_devices: Devices | Unknown = field(default_factory=lambda: Unknown("the job declares no resources"))
    state: str
    """In the cluster's own word: ``pending``, ``running``, ``killed``."""
    outcome: Status
    """What that word means; ``running`` for a job that waits, too."""
    why: str
    """What it waits for, or how it ended, as far as the cluster says."""
    started: datetime | None = None
    ended: datetime | None = None
    counted_failures: int | Unknown = field(default_factory=lambda: Unknown("the cluster counts none"))
    """The cluster's own counter."""
    counted_preemptions: int | Unknown = field(default_factory=lambda: Unknown("the cluster counts none"))
    """Likewise. Iris counts every task that a user stopped as one."""
    tries: tuple[TaskTry, ...] = ()
    """In an attempt, those that belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Why an attempt began that goes on with an earlier one: its cluster started a job of it again."""

    of: int
    """The attempt whose command, commit and config this one has."""
    job: str
    number: int
    """The cluster's count of tries at the job's tasks, from 0."""

    @property
    def key(self) -> str:
        """What every host of this try, and whoever notes one from outside, names the same attempt by."""
        return f"{self.job} {self.number}"


def is_open(job: Job) -> bool:
    """Whether its cluster may have more to tell than it did when the job was last seen."""
    return job.outcome is Status.RUNNING or any(each.outcome is Status.RUNNING for each in job.tries)

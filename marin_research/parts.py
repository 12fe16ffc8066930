"""The parts of a record that everything else in it is told with: statuses, commands, commits, devices, steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import override

from marin_research.codec import Unknown


class Status(StrEnum):
    """How a run or an attempt stands, from the evidence there is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PREEMPTED = "preempted"
    LOST = "lost"
    CANCELLED = "cancelled"
    CACHED = "cached"


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

    @classmethod
    @override
    def _missing_(cls, value: object) -> Cause | None:
        # Found by a newer version of this program; what was seen stands beside it, in words.
        return cls.UNKNOWN if isinstance(value, str) else None


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
    """Whether anything but research notes (``.agents``) was changed and not committed."""
    diff: Blob | Unknown
    """``git diff HEAD`` and the untracked files' names when dirty; Unknown on a clean tree."""
    code: str | Unknown = field(default_factory=lambda: Unknown("git was not asked"))
    """Hash of the commit's files without research notes: commits that differ in a logbook alone share it."""


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

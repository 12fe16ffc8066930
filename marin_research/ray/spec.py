"""What the server is asked to run, in plain data. Knows neither Fray nor Ray."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marin_research.ray.versions import Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One kind of machine that would do. Its labels are Ray's own."""

    kind: str
    """As people call it: ``v4-16``, ``H100``, ``CPU``."""
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each label, the values that will do, or the one that will not (``!spot``)."""
    hosts: int = 0
    """Of one TPU slice; 0 where machines are taken one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The machines of a job: all of them at once, or none."""

    choices: tuple[Choice, ...]
    """In the order in which they are tried."""
    tasks: int
    bundle: dict[str, float]
    """What Ray sets aside for each task: ``{"CPU": 8, "memory": 2**33, "TPU": 4}``."""

    @property
    def slices(self) -> int:
        """TPU slices of several hosts; 0 where machines are taken one by one."""
        return self.tasks // self.choices[0].hosts if self.choices[0].hosts else 0

    @property
    def is_lone(self) -> bool:
        """Whether it is one task that any CPU will do for: nothing has to be reserved before it is submitted."""
        return self.tasks == 1 and len(self.choices) == 1 and not self.bundle.keys() & {"TPU", "GPU"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job, as Fray asks for it."""

    name: str
    need: Need
    payload: bytes
    """The pickled function with its arguments; empty for a command."""
    command: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    pip: tuple[str, ...] = ()
    """Packages that are installed for it where it runs."""
    paths: tuple[str, ...] = ()
    """Folders of the shipped project that modules are imported from."""
    versions: Versions
    max_failures: int = 0
    """Tries that may fail before the job does."""
    max_preemptions: int = 100
    """Tries that may lose a machine before the job fails."""
    timeout_s: float | None = None
    """How long it may take in all, from its submission."""
    patience_s: float = 20.0
    """How long a cluster that has no such machines is waited for."""

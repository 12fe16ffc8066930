"""Where jobs run. A kind of cluster is one module with one ``Backend``; everything else knows only that protocol."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from marin_research.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from marin_research.job import Job, Task

_BACKENDS = {name: f"marin_research.clusters.{name}" for name in ("iris", "local", "ray")}
"""By the scheme of ``--cluster``. A module is loaded when it is asked, and loads its cluster's client even later."""


class SubmittedJob(Protocol):
    """A job that can be asked about. What it raises when its cluster does not answer is the cluster's own."""

    def look(self, known: Job) -> Job:
        """The job as it stands now.

        Args:
            known: as it stood at the last look; what a cluster does not tell is taken from it.
        """

    def output(self, index: int, number: int) -> Iterable[tuple[float, bytes]]:
        """What one try of one task printed, as far as the cluster has kept it.

        Returns:
            Whole lines, each with the time at which it was printed, in seconds since the epoch.
        """


class Backend(Protocol):
    """One kind of cluster."""

    client_class: str
    """The Fray client whose jobs these are, by its full name."""
    in_process: bool
    """Whether its jobs run in the process that submits them."""

    def task_here(self) -> Task | None:
        """Where this process stands in such a cluster; None outside of one. Loads nothing."""

    def process_index(self) -> int | None:
        """Which process of its job this is, where a task has several; None where its task's index says it."""

    def submitted(self, handle: Any) -> tuple[str, SubmittedJob, str | None] | None:
        """What a Fray client of this kind gave back: the job's ID, the job, and its cluster as ``--cluster`` takes it.

        None for what is not of this kind. Asks nobody.
        """

    def own_job(self, task: Task) -> SubmittedJob:
        """The job that this process belongs to.

        Raises:
            ClusterError: its cluster cannot be asked from here.
        """

    def find(self, job: Job) -> AbstractContextManager[SubmittedJob]:
        """A recorded job, from any machine that reaches its cluster.

        Raises:
            ClusterError: the cluster cannot be reached or is not known here.
        """

    def client(self, address: str) -> AbstractContextManager[Any]:
        """A Fray client of the cluster at ``address`` (what follows the colon in ``--cluster``).

        Raises:
            ClusterError: likewise.
        """


def backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        ClusterError: there is none.
    """
    if name not in _BACKENDS:
        raise ClusterError(f"{name!r} is no kind of cluster; it is one of {', '.join(sorted(_BACKENDS))}")
    return cast("Backend", import_module(_BACKENDS[name]).BACKEND)


def backends() -> Iterator[tuple[str, Backend]]:
    for name in _BACKENDS:
        yield name, backend(name)


def task_here() -> Task | None:
    """Where a cluster runs this process; None on a machine that no cluster manages."""
    return next((task for _, each in backends() if (task := each.task_here())), None)


def process_index() -> int:
    """Which process of its job this is, from 0."""
    task = task_here()
    if task is None:
        return 0
    index = backend(task.backend).process_index()
    return task.index if index is None else index


@contextlib.contextmanager
def chosen(cluster: str | None) -> Iterator[None]:
    """Have steps that run inside dispatched to ``cluster``; None leaves the choice to Marin.

    Raises:
        ClusterError: the cluster cannot be reached or is not known here.
    """
    if cluster is None:
        yield
        return
    from fray.current_client import set_current_client

    scheme, _, address = cluster.partition(":")
    with backend(scheme).client(address) as client, set_current_client(client):
        yield

"""``RayClient``: Fray's client protocol on a Ray cluster. Loads Ray and Fray when it is first used."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fray.client import JobStatus
    from fray.types import ActorConfig, EnvironmentConfig, JobRequest, ResourceConfig

    from marin_research.ray.actors import RayActorGroup, RayActorHandle
    from marin_research.ray.connection import Connection
    from marin_research.ray.job import JobView, Line

logger = logging.getLogger(__name__)

_LOOK_S = 30.0
"""How long the server may keep a question about a job before it answers that nothing changed."""
_TAIL = 30
"""Lines of its output that the error of a failed job shows."""


class RayClient:
    """Runs jobs on a Ray cluster, also on whole slices of TPUs.

    Jobs and actors belong to the program that made the client, or to the job in which it was made: when that ends,
    they do.

    Args:
        address: ``auto`` for the cluster that this machine is part of, ``HOST:PORT`` for a cluster's control store
            (6379), ``ray://HOST:PORT`` to reach a cluster from outside (10001). A task of a job reaches its own.
        patience_s: how long to wait for machines that the cluster does not have, in seconds. A cluster that grows on
            demand may need minutes.
    """

    def __init__(self, address: str = "auto", *, patience_s: float = 20.0) -> None:
        self.address = address
        self.patience_s = patience_s

    def submit(self, request: JobRequest, adopt_existing: bool = True) -> RayJobHandle:
        """Submit a job and return at once.

        Raises:
            ClusterError: the cluster cannot be reached, or Ray cannot do what is asked for.
            fray.client.JobAlreadyExists: one of that name goes on, and is not to be adopted.
        """
        from fray.client import JobAlreadyExists

        from marin_research.ray.request import spec_of

        connection = self._connection()
        spec = spec_of(request, patience_s=self.patience_s)
        job_id = f"{connection.scope}/{request.name}"
        handle = RayJobHandle(job_id, connection)
        if not _ask(connection.server.submit.remote(job_id, spec)) and not adopt_existing:
            raise JobAlreadyExists(request.name, handle)
        return handle

    def host_actor(self, actor_class: type, *args: Any, name: str, **options: Any) -> Any:
        """Refuse.

        Raises:
            NotImplementedError: always; a driver on Ray serves no calls.
        """
        raise NotImplementedError(
            f"actor {name} ({actor_class.__name__}) cannot be hosted in this process: a Ray driver serves no calls; "
            "use create_actor, which gives it a process of its own"
        )

    def create_actor(
        self,
        actor_class: type,
        *args: Any,
        name: str,
        resources: ResourceConfig | None = None,
        actor_config: ActorConfig | None = None,
        environment: EnvironmentConfig | None = None,
        **kwargs: Any,
    ) -> RayActorHandle:
        """Create one actor and wait until it answers."""
        group = self.create_actor_group(
            actor_class,
            *args,
            name=name,
            count=1,
            resources=resources,
            actor_config=actor_config,
            environment=environment,
            **kwargs,
        )
        return group.wait_ready()[0]

    def create_actor_group(
        self,
        actor_class: type,
        *args: Any,
        name: str,
        count: int,
        resources: ResourceConfig | None = None,
        actor_config: ActorConfig | None = None,
        environment: EnvironmentConfig | None = None,
        **kwargs: Any,
    ) -> RayActorGroup:
        """Create ``count`` actors and return at once.

        Raises:
            ClusterError: the cluster cannot be reached, or Ray cannot do what is asked for.
        """
        from marin_research.ray.actors import new_group

        return new_group(
            self._connection(),
            (actor_class, args, kwargs),
            name=name,
            count=count,
            resources=resources,
            config=actor_config,
            environment=environment,
            patience_s=self.patience_s,
        )

    def shutdown(self, wait: bool = True) -> None:
        """End all jobs and actors of this program, and leave the cluster.

        Args:
            wait: until the jobs have ended.
        """
        from marin_research.ray.connection import disconnect, is_connected

        if not is_connected():
            return
        stopped = self._connection().server.stop_all.remote()
        if wait:
            _ask(stopped)
        disconnect()

    def connect(self) -> None:
        """Connect now, and not with the first job.

        Raises:
            ClusterError: the cluster cannot be reached, or does not fit this program.
        """
        self._connection()

    def job(self, job_id: str) -> RayJobHandle:
        """A job that was submitted before, also by another program that goes on.

        Raises:
            ClusterError: the cluster cannot be reached, or the program is gone, and what was known of it, too.
        """
        from marin_research.ray.connection import of_job

        return RayJobHandle(job_id, of_job(self.address, job_id))

    def _connection(self) -> Connection:
        from marin_research.ray.connection import connect

        return connect(self.address)


class RayJobHandle:
    """A job that was submitted."""

    def __init__(self, job_id: str, connection: Connection) -> None:
        self._job_id = job_id
        self._connection = connection
        self._shown: str | None = None

    @property
    def job_id(self) -> str:
        return self._job_id

    @property
    def cluster(self) -> str:
        """Its cluster, as ``--cluster`` takes it."""
        return self._connection.cluster

    def status(self) -> JobStatus:
        return _status(self.view())

    def view(self) -> JobView:
        """All that is known of it: what it waits for, its tries, how they ended."""
        view: JobView = _ask(self._connection.server.view.remote(self._job_id))
        return view

    def wait(self, timeout: float | None = None, *, raise_on_failure: bool = True) -> JobStatus:
        """Wait until the job has ended.

        Args:
            timeout: seconds.
            raise_on_failure: whether a job that did not succeed is an error.

        Raises:
            fray.client.JobFailed: it failed or was stopped; its cause has the last lines of output.
            TimeoutError: it goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        view = self.view()
        while not view.is_over:
            self._show(view)
            left_s = _LOOK_S if deadline is None else min(_LOOK_S, deadline - time.monotonic())
            if left_s <= 0:
                raise TimeoutError(f"job {self._job_id} has not ended after {timeout:g} s: {view.why}")
            view = _ask(self._connection.server.changed.remote(self._job_id, left_s))
        if raise_on_failure and view.state != "succeeded":
            from fray.client import JobFailed

            failed = JobFailed(self._job_id, _status(view))
            failed.args = (f"{failed}: {view.why}",)
            tail = "\n".join(self.logs(_TAIL))
            raise failed from (RuntimeError(f"the last lines of job {self._job_id}:\n{tail}") if tail else None)
        return _status(view)

    def logs(self, max_lines: int = 0) -> tuple[str, ...]:
        """The last lines that its tasks printed, those of all tries; all that are kept for 0."""
        return tuple(line.text.decode(errors="replace").rstrip("\n") for line in self.lines(max_lines))

    def lines(self, last: int = 0) -> Iterable[Line]:
        lines: tuple[Line, ...] = _ask(self._connection.server.lines.remote(self._job_id, last))
        return lines

    def dropped(self) -> int:
        """How many lines that it printed are not kept any more."""
        count: int = _ask(self._connection.server.dropped.remote(self._job_id))
        return count

    def terminate(self) -> None:
        """Stop the job, and return when nothing of it is left."""
        _ask(self._connection.server.stop.remote(self._job_id))

    def _show(self, view: JobView) -> None:
        """Say what it waits for, when that is another thing than before."""
        what = view.why.partition(", in use by")[0]  # by whom changes all the time
        if view.waits and what != self._shown:
            logger.warning("job %s: %s", self._job_id, view.why)
            self._shown = what


def _status(view: JobView) -> JobStatus:
    from fray.client import JobStatus

    return JobStatus(view.state)


def _ask(answer: Any) -> Any:
    """What the server answers.

    Raises:
        ClusterError: it is gone, as the program is that its jobs belonged to.
    """
    import ray

    from marin_research.errors import ClusterError

    try:
        return ray.get(answer)
    except ray.exceptions.RayActorError as error:
        raise ClusterError("the server of these jobs is gone, and they with it; submit them again") from error

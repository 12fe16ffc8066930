"""Jobs on Ray: clusters of TPU pods that groups run themselves, by Fray's client in ``marin_research.ray``.

What its words mean: a task's try ends ``lost`` when its machine is taken away or dies, ``stopped`` when another task of
its gang ended or somebody stopped the job.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marin_research.capture.live_output import note
from marin_research.errors import ClusterError
from marin_research.ray.place import place_here
from marin_research.record import Job, Status, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from marin_research.ray.client import RayJobHandle
    from marin_research.ray.job import JobView

_OUTCOMES = {"succeeded": Status.SUCCEEDED, "failed": Status.FAILED, "stopped": Status.CANCELLED}


class RayJob:
    """A job, or a group of actors, that its server is asked about."""

    def __init__(self, view: Callable[[], JobView | None], handle: RayJobHandle | None) -> None:
        self._view = view
        self._handle = handle

    def look(self, known: Job) -> Job:
        view = self._view()
        if view is None:
            return known
        return replace(
            known,
            state=view.state,
            outcome=_OUTCOMES.get(view.state, Status.RUNNING),
            why=view.why,
            started=view.started,
            ended=view.ended,
            counted_failures=view.failures,
            counted_preemptions=view.preemptions,
            tries=view.tries,
        )

    def output(self, index: int, number: int) -> Iterable[tuple[float, bytes]]:
        if self._handle is None:
            return []
        dropped = self._handle.dropped()
        lines = self._handle.lines()
        mine = [(line.seconds, line.text) for line in lines if (line.index, line.number) == (index, number)]
        if dropped:
            seconds = mine[0][0] if mine else 0.0
            return [(seconds, note(f"the job printed {dropped} earlier lines, which Ray's side no longer has")), *mine]
        return mine


class RayBackend:
    client_class = "marin_research.ray.client.RayClient"
    in_process = False

    def task_here(self) -> Task | None:
        place = place_here()
        if place is None:
            return None
        return Task(
            backend="ray",
            job=place.job,
            index=place.index,
            number=place.number,
            count=place.count,
            worker=place.node,
        )

    def process_index(self) -> int | None:
        return None

    def submitted(self, handle: Any) -> tuple[str, RayJob, str | None] | None:
        kind = f"{type(handle).__module__}.{type(handle).__name__}"
        if kind == "marin_research.ray.client.RayJobHandle":
            return handle.job_id, RayJob(handle.view, handle), handle.cluster
        if kind == "marin_research.ray.actors.RayActorGroup":
            return handle.job_id, RayJob(handle.view, None), handle.cluster
        return None

    def own_job(self, task: Task) -> RayJob:
        from marin_research.ray.client import RayClient

        handle = RayClient().job(task.job)
        return RayJob(handle.view, handle)

    @contextlib.contextmanager
    def find(self, job: Job) -> Iterator[RayJob]:
        if job.cluster is None:
            raise ClusterError(f"the record does not say which cluster ran job {job.id}; look at it with `ray status`")
        from marin_research.ray.client import RayClient

        handle = RayClient(_address(job.cluster.partition(":")[2])).job(job.id)
        yield RayJob(handle.view, handle)

    @contextlib.contextmanager
    def client(self, address: str) -> Iterator[Any]:
        from marin_research.ray.client import RayClient

        if not address:
            raise ClusterError("ray: needs a cluster; write --cluster ray:auto, ray:HOST:6379 or ray://HOST:10001")
        client = RayClient(_address(address))
        client.connect()
        try:
            yield client
        finally:
            with contextlib.suppress(ClusterError):  # what is gone needs no end
                client.shutdown()


BACKEND = RayBackend()


def _address(given: str) -> str:
    """What follows ``ray:`` in ``--cluster`` as Ray takes it."""
    return f"ray:{given}" if given.startswith("//") else given

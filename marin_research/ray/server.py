"""Keeps the jobs of one driver: an actor on the head node, where no lost TPU host takes it along.

It belongs to the driver, and the jobs to it: Ray ends them all when the driver is gone. A task's own client finds it by
name, so that what a job submits belongs to the same driver, runs in warm workers, and ends with its parent.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import ray  # noqa: TID253 - this module is about Ray

from marin_research.ray.job import RunningJob
from marin_research.ray.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.ray.job import JobView, Line, Try
    from marin_research.ray.spec import JobSpec

_WAITERS = 512
"""Threads that may wait for Ray to place something, at most."""


def server_name(ray_job: str) -> str:
    """What the server of a Ray job, that is of a driver, is called."""
    return f"fray-jobs-{ray_job}"


class Server:
    def __init__(self, name: str) -> None:
        self._place = Place(
            address=ray.get_runtime_context().gcs_address, server=name, job="", index=0, count=1, number=0, node=""
        )
        self._jobs: dict[str, RunningJob] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._is_ready = False

    async def submit(self, job_id: str, spec: JobSpec) -> bool:
        """Begin a job, unless one of that name goes on; whether it is a new one."""
        if not self._is_ready:
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_WAITERS, "fray-placed"))
            self._is_ready = True
        running = self._jobs.get(job_id)
        if running is not None and not running.view.is_over:
            return False
        self._jobs[job_id] = RunningJob(job_id, spec, self._place)
        ending = asyncio.create_task(self._end_children(self._jobs[job_id]))
        self._background.add(ending)
        ending.add_done_callback(self._background.discard)
        return True

    async def view(self, job_id: str) -> JobView | None:
        job = self._jobs.get(job_id)
        return job.view if job is not None else None

    async def changed(self, job_id: str, timeout_s: float) -> JobView:
        """The job as it stands as soon as that changes, or after ``timeout_s``."""
        return await self._jobs[job_id].changed(timeout_s)

    async def lines(self, job_id: str, last: int) -> tuple[Line, ...]:
        """What the job printed and is kept: the last lines of it, all of them for 0."""
        lines = tuple(self._jobs[job_id].lines)
        return lines[-last:] if last else lines

    async def dropped(self, job_id: str) -> int:
        """How many lines that the job printed are not kept any more."""
        return self._jobs[job_id].dropped

    async def stop(self, job_id: str) -> None:
        await self._jobs[job_id].stop()

    async def stop_all(self) -> None:
        await asyncio.gather(*(job.stop() for job in self._jobs.values()))

    # What runners call

    async def meet(self, try_id: str, index: int, address: str, node: str) -> str | None:
        this = self._try(try_id)
        return await this.meet(index, address, node) if this is not None else None

    async def over(self, try_id: str) -> None:
        """Return when the runners of a try are to stop."""
        this = self._try(try_id)
        if this is not None:
            await this.over.wait()

    async def printed(self, try_id: str, index: int, lines: list[tuple[float, bytes]]) -> None:
        for job in self._jobs.values():
            if job.current is not None and job.current.id == try_id:
                job.keep(index, job.current.number, lines)

    def _try(self, try_id: str) -> Try | None:
        found = (job.current for job in self._jobs.values())
        return next((each for each in found if each is not None and each.id == try_id), None)

    async def _end_children(self, job: RunningJob) -> None:
        """End what a job submitted as soon as the job itself has ended."""
        while not job.view.is_over:
            await job.changed(3600)
        await asyncio.gather(*(child.stop() for child in self._children(job.id)))

    def _children(self, job_id: str) -> Iterator[RunningJob]:
        return (job for name, job in list(self._jobs.items()) if name.startswith(f"{job_id}/"))

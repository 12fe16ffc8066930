"""Jobs in threads and children of the step's own process: Fray's ``LocalClient``, and whatever nobody else knows."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marin_research.errors import ClusterError
from marin_research.record import Job, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OUTCOMES = {"succeeded": Status.SUCCEEDED, "failed": Status.FAILED, "stopped": Status.CANCELLED}
"""Of Fray's own states; in every other one a job has not ended."""


class FrayJob:
    """A job of which no more is asked than Fray's handle tells: all that there is of a local one."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def look(self, known: Job) -> Job:
        state = str(self._handle.status())
        outcome = _OUTCOMES.get(state, Status.RUNNING)
        ended = known.ended or (None if outcome is Status.RUNNING else datetime.now(UTC))
        return replace(known, state=state, outcome=outcome, why=f"Fray says that it is {state}", ended=ended)

    def output(self, index: int, number: int) -> Iterable[tuple[float, bytes]]:  # noqa: ARG002 - it is the step's own output
        return ()


class LocalBackend:
    client_class = "fray.local_backend.LocalClient"
    in_process = True

    def task_here(self) -> Task | None:
        return None

    def process_index(self) -> int | None:
        return None

    def submitted(self, handle: Any) -> tuple[str, FrayJob, str | None] | None:
        job_id = getattr(handle, "job_id", None)
        return (str(job_id), FrayJob(handle), None) if job_id is not None else None

    def own_job(self, task: Task) -> FrayJob:
        raise ClusterError(f"job {task.job} is no job of this process")

    def find(self, job: Job) -> contextlib.AbstractContextManager[FrayJob]:
        raise ClusterError(f"job {job.id} ran inside the process of its step; nobody else can be asked about it")

    @contextlib.contextmanager
    def client(self, address: str) -> Iterator[Any]:
        if address:
            raise ClusterError(f"local:{address} is no cluster; --cluster local takes no address")
        from fray.local_backend import LocalClient

        yield LocalClient()


BACKEND = LocalBackend()

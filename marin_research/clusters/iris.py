"""Jobs on Iris: Marin's own scheduler of TPU pods and CPU machines.

What Iris's words mean: a task's try ends ``preempted`` or ``worker_failed`` when its machine is taken away,
``cosched_failed`` when another task of its gang failed, ``killed`` when somebody stopped the job or the machine was
reclaimed: only the reason tells these two apart. Its counters do not, and are kept as what they are.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marin_research.capture.live_output import note
from marin_research.errors import ClusterError
from marin_research.record import Cause, Job, Status, Task, TaskTry, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TASK = re.compile(r"(?P<job>/.+)/(?P<index>\d+):(?P<number>\d+)")
_MAX_LOG_SIZE = 64 * 1024 * 1024
_LOG_POLL_S = 3
"""Iris takes the log of a task that has ended for whole when nothing came for so long; workers send every second."""
_PATIENCE_S = 10

_OUTCOMES = {
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "unschedulable": Status.FAILED,
    "cosched_failed": Status.FAILED,
    "worker_failed": Status.PREEMPTED,
    "preempted": Status.PREEMPTED,
    "missing": Status.LOST,
}
_CAUSES = {"preempted": Cause.PREEMPTED, "worker_failed": Cause.MACHINE_LOST, "unschedulable": Cause.NOT_STARTED}
_FAILURES = (
    (re.compile(r"OOM", re.IGNORECASE), Cause.OUT_OF_MEMORY),
    (re.compile(r"timeout exceeded", re.IGNORECASE), Cause.TIMED_OUT),
    (re.compile(r"killed by SIG|Exit code: -\d"), Cause.SIGNALLED),
    (re.compile(r"Exit code"), Cause.EXITED),
)
_RECLAIMED = re.compile(r"preempt|reclaim|drain|evict", re.IGNORECASE)


class IrisJob:
    """A job of which Iris's own client is asked. Its calls wait for a controller that is away, up to half an hour."""

    def __init__(self, job: Any) -> None:
        self._job = job
        self._counted: object = None

    def look(self, known: Job) -> Job:
        status = self._job.status()
        counted = (status.state, status.failure_count, status.preemption_count, dict(status.task_state_counts))
        tries = known.tries
        if counted != self._counted:  # asking for every task of a pod is dear
            tries = tuple(each for task in self._job.tasks() for each in _tries(task.status(), status))
            self._counted = counted
        outcome = _job_outcome(str(status.state), status.error_message)
        return replace(
            known,
            state=str(status.state),
            outcome=outcome,
            why=_why(status, outcome),
            started=_time(status.started_at),
            ended=_time(status.finished_at),
            counted_failures=status.failure_count,
            counted_preemptions=status.preemption_count,
            tries=tries,
        )

    def output(self, index: int, number: int) -> Iterable[tuple[float, bytes]]:
        size = 0
        for entry in self._job.task(index).attempt(number).follow_logs(poll_interval=_LOG_POLL_S):
            line = f"{entry.data}\n".encode("utf-8", "replace")
            size += len(line)
            if size > _MAX_LOG_SIZE:
                more = note(f"Iris has more of this than {_MAX_LOG_SIZE} bytes; `iris job logs` shows the rest")
                yield entry.timestamp.epoch_seconds(), more
                return
            yield entry.timestamp.epoch_seconds(), line


class IrisBackend:
    client_class = "fray.iris_backend.FrayIrisClient"
    in_process = False

    def task_here(self) -> Task | None:
        place = _TASK.fullmatch(os.environ.get("IRIS_TASK_ID", ""))
        if place is None:
            return None
        count = os.environ.get("IRIS_NUM_TASKS", "")
        return Task(
            backend="iris",
            job=place["job"],
            index=int(place["index"]),
            number=int(place["number"]),
            count=int(count) if count.isdecimal() else Unknown("Iris does not say"),
            worker=os.environ.get("IRIS_WORKER_ID") or Unknown("Iris does not say"),
        )

    def process_index(self) -> int | None:
        index = os.environ.get("IRIS_MULTIGPU_PROCESS_INDEX", "")
        return int(index) if index.isdecimal() else None

    def submitted(self, handle: Any) -> tuple[str, IrisJob, str | None] | None:
        # Neither Fray's handle of a job nor that of a group of actors has a public name for what Iris knows of it.
        kind = f"{type(handle).__module__}.{type(handle).__name__}"
        if kind == "fray.iris_backend.IrisJobHandle":
            job = handle._job  # noqa: SLF001
        elif kind == "fray.iris_backend.IrisActorGroup":
            job = handle._get_client().job(handle._job_id)  # noqa: SLF001
        else:
            return None
        client = getattr(getattr(job, "_client", None), "_cluster_client", None)
        address = getattr(client, "_address", None)
        return str(job.job_id), IrisJob(job), f"iris:{address}" if address else None

    def own_job(self, task: Task) -> IrisJob:
        from iris.client.client import get_iris_ctx
        from iris.cluster.types import JobName

        context = get_iris_ctx()
        if context is None or context.client is None:
            raise ClusterError(f"the controller of job {task.job} is not known here; look at it with `iris job`")
        return IrisJob(context.client.job(JobName.from_string(task.job)))

    @contextlib.contextmanager
    def find(self, job: Job) -> Iterator[IrisJob]:
        from iris.cluster.types import JobName
        from rigging.timing import Deadline

        if job.cluster is None:
            raise ClusterError(f"the record does not say which cluster ran job {job.id}; look at it with `iris job`")
        address = job.cluster.partition(":")[2]
        with _iris_client(address) as client:
            name = JobName.from_string(job.id)
            try:
                client.task_status(name.task(0), deadline=Deadline.from_seconds(_PATIENCE_S))
            except Exception as error:
                raise ClusterError(f"{job.cluster} does not tell of job {job.id}: {_first_line(error)}") from error
            yield IrisJob(client.job(name))

    @contextlib.contextmanager
    def client(self, address: str) -> Iterator[Any]:
        from fray.iris_backend import FrayIrisClient

        with _iris_client(address) as client:
            yield FrayIrisClient.from_iris_client(client)


BACKEND = IrisBackend()


@contextlib.contextmanager
def _iris_client(address: str) -> Iterator[Any]:
    """Iris's own client for a controller's URL or a cluster's name, with the credentials and the tunnel it needs."""
    if not address:
        raise ClusterError("iris: needs a cluster; write --cluster iris:NAME or --cluster iris:URL")
    from iris.cli.connect import connect_controller, rpc_client
    from iris.client.client import IrisClient
    from iris.rpc.controller_pb2 import Controller

    # A job finds the code that the submitting program has: Iris ships the folder that holds the project.
    workspace = Path.cwd() if (Path.cwd() / "pyproject.toml").is_file() else None
    where = {"controller_url": address} if "://" in address else {"cluster_name": address}
    with contextlib.ExitStack() as stack:
        try:
            endpoint = stack.enter_context(connect_controller(**where))
            # Iris's client would try for half an hour; whoever mistyped the address learns it now.
            with rpc_client(endpoint.url, endpoint.credentials, timeout_ms=1000 * _PATIENCE_S) as rpc:
                rpc.get_job_state(Controller.GetJobStateRequest(job_ids=[]))
            client = IrisClient.remote(endpoint.url, workspace=workspace, credentials=endpoint.credentials)
        except Exception as error:
            raise ClusterError(f"iris:{address} cannot be reached: {_first_line(error)}") from error
        yield stack.enter_context(client)


def _job_outcome(state: str, reason: str) -> Status:
    if state == "killed":
        return Status.PREEMPTED if _RECLAIMED.search(reason) else Status.CANCELLED
    return _OUTCOMES.get(state, Status.RUNNING)


def _tries(task: Any, job: Any) -> Iterator[TaskTry]:
    for each in task.attempts:
        state = str(each.state)
        outcome = _OUTCOMES.get(state, Status.RUNNING)
        if state == "killed":
            outcome = _killed(str(job.state), each.error_message)
        yield TaskTry(
            index=task.task_id.task_index,
            number=each.attempt_number,
            state=state,
            outcome=outcome,
            cause=_cause(state, outcome, each.error_message),
            error=each.error_message or each.terminal_reason,
            exit_code=each.exit_code if outcome in (Status.SUCCEEDED, Status.FAILED) and each.finished_at else None,
            worker=each.worker_id or each.node_name,
            started=_time(each.started_at),
            ended=_time(each.finished_at),
            follows=state == "cosched_failed" or (state == "killed" and outcome is Status.FAILED),
        )


def _killed(job: str, reason: str) -> Status:
    """What it means that a task was killed while its job stood as it does."""
    if _RECLAIMED.search(reason):
        return Status.PREEMPTED
    if job == "killed":
        return Status.CANCELLED
    # Of a job that failed the other tasks are killed; of one that goes on, a machine was taken away.
    return Status.FAILED if job in _OUTCOMES else Status.PREEMPTED


def _cause(state: str, outcome: Status, error: str) -> Cause:
    if state == "killed":
        return {Status.CANCELLED: Cause.STOPPED, Status.PREEMPTED: Cause.PREEMPTED}.get(outcome, Cause.UNKNOWN)
    if state == "failed":
        return next((cause for pattern, cause in _FAILURES if pattern.search(error)), Cause.UNKNOWN)
    return _CAUSES.get(state, Cause.UNKNOWN)


def _why(status: Any, outcome: Status) -> str:
    said = status.error_message if outcome is not Status.RUNNING else status.pending_reason or status.status_message
    return " ".join(said.split()) or f"Iris says that it is {status.state}"


def _time(stamp: Any) -> datetime | None:
    return datetime.fromtimestamp(stamp.epoch_seconds(), UTC) if stamp is not None else None


def _first_line(error: Exception) -> str:
    text = getattr(error, "message", None) or str(error)
    return str(text).strip().partition("\n")[0] or type(error).__name__

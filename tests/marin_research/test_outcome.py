"""What happened to a run that ran on a cluster, told by the step, its hosts and the cluster, and misled by none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marin_research.codec import encode
from marin_research.events import Event, Heartbeat, Kind
from marin_research.fold import fold
from marin_research.record import (
    Devices,
    End,
    ExceptionInfo,
    Host,
    Job,
    Metric,
    Retry,
    Run,
    Status,
    Task,
    TaskTry,
    Unknown,
    WandbRun,
)

T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)
JOB = "/ada/train-1a2b3c4d"
POD = Devices(kind="TPU v4-16", count=8, process_count=2, source="declared: TPU v4-16")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def event(kind: Kind, body: Any, seconds: float, *, attempt: int = 1, writer: str = "h0-launch") -> Event:
    return Event(kind=kind, time=at(seconds), attempt=attempt, writer=writer, body=encode(body))


def ended(status: Status = Status.SUCCEEDED, seconds: float = 60, why: str = "the step returned", **said: Any) -> End:
    return End(status=status, time=at(seconds), why=why, **said)


def raised(type_: str, message: str, seconds: float) -> End:
    error = ExceptionInfo(type=type_, message=message, traceback=f"Traceback\n{type_}: {message}")
    return ended(Status.FAILED, seconds, f"the step raised {type_}", exception=error)


def job_failed(seconds: float) -> End:
    """What the step's own process meets when a job that it waits for has failed."""
    return raised("JobFailedError", f"Job {JOB} FAILED", seconds)


def job(*tries: TaskTry, outcome: Status = Status.RUNNING, **said: Any) -> Job:
    usual: dict[str, Any] = {
        "id": JOB,
        "name": "train-1a2b3c4d",
        "backend": "iris",
        "kind": "callable",
        "submitted": at(2),
        "declared_devices": POD,
        "state": outcome.value,
        "why": f"it is {outcome}",
    }
    return Job(tries=tries, outcome=outcome, **(usual | said))


def tried(index: int, outcome: Status, number: int = 0, **said: Any) -> TaskTry:
    return TaskTry(index=index, number=number, outcome=outcome, **({"state": outcome.value} | said))


@pytest.fixture
def launch(a_run, an_attempt, a_host):
    """The events of a step that has begun in the process that dispatches."""

    def make(**host: Any) -> list[Event]:
        begun = replace(an_attempt(started=at(0)), hosts=(), end=None)
        return [
            event(Kind.DECLARED, replace(a_run(), attempts=(), status=Status.RUNNING), 0),
            event(Kind.ATTEMPT_STARTED, begun, 0),
            event(Kind.HOST_STARTED, a_host(writer="h0-launch", started=at(0), name="coordinator", **host), 0),
        ]

    return make


@pytest.fixture
def host(a_host):
    """The events of one process of the job, up to its end if that is known."""

    def make(
        index: int, end: End | None = None, *, attempt: int = 1, number: int = 0, seconds: float = 10, **said: Any
    ) -> list[Event]:
        writer = said.pop("writer", f"h{index}-try{number}")
        task = Task(backend="iris", job=JOB, index=index, number=number, count=2, worker=f"worker-{index}")
        begun = a_host(index, writer=writer, started=at(seconds), job=JOB, task=task, **said)
        events = [event(Kind.HOST_STARTED, begun, seconds, attempt=attempt, writer=writer)]
        if number:
            retry = Retry(of=1, job=JOB, number=number)
            events.insert(0, event(Kind.RETRIED, retry, seconds, attempt=attempt, writer=writer))
        if end is not None:
            seconds = (end.time - T0).total_seconds()
            events.append(event(Kind.HOST_ENDED, end, seconds, attempt=attempt, writer=writer))
        return events

    return make


def fold_now(*events: list[Event], seconds: float = 100, beats: dict[str, float] | None = None) -> Run:
    heartbeats = [Heartbeat(writer=writer, time=at(when)) for writer, when in (beats or {}).items()]
    return fold("LR-001", [each for some in events for each in some], gaps=[], heartbeats=heartbeats, now=at(seconds))


def over(end: End, *jobs: Job) -> list[Event]:
    """The step's own process sees its jobs' last states and ends."""
    seconds = (end.time - T0).total_seconds()
    return [
        *(event(Kind.JOB, each, seconds) for each in jobs),
        event(Kind.HOST_ENDED, end, seconds),
        event(Kind.ATTEMPT_ENDED, end, seconds),
    ]


# One gang


def test_the_hosts_of_a_gang_are_one_attempt_and_its_devices_the_runs(launch, host):
    """A pod is one try, and the CPU machine that dispatched it is not what the experiment ran on."""
    seen = Devices(kind="TPU v4", count=8, local_count=4, process_count=2, source="jax")
    cpu = Devices(kind="cpu", count=1, local_count=1, process_count=1, source="jax")

    run = fold_now(
        launch(),
        host(1, ended()),
        host(0, ended()),
        [event(Kind.DEVICES, seen, 50, writer="h0-try0"), event(Kind.DEVICES, cpu, 60)],
        over(ended(), job(tried(0, Status.SUCCEEDED), tried(1, Status.SUCCEEDED), outcome=Status.SUCCEEDED)),
    )

    assert (run.status, run.why) == (Status.SUCCEEDED, "the step returned")
    assert run.attempt is not None
    assert [(each.job, each.index) for each in run.attempt.hosts] == [(None, 0), (JOB, 0), (JOB, 1)]
    assert run.attempt.devices == seen
    assert run.attempt.wall_s == 50  # from the hosts' start: waiting for the pod is not running


def test_without_jax_the_devices_are_those_that_the_job_asked_for(launch, host):
    """The launcher's resources say nothing of the pod's."""
    run = fold_now(launch(), host(0), host(1), [event(Kind.JOB, job(), 3)])

    assert run.attempt is not None
    assert run.attempt.devices == POD


def test_a_preempted_try_and_the_one_after_it_are_two_attempts(launch, host):
    """One preempted attempt and one that succeeded is what happened; a counter says neither which nor why."""
    tries = (
        tried(0, Status.PREEMPTED, state="preempted", error="spot reclaim", ended=at(20)),
        tried(1, Status.FAILED, state="cosched_failed", error="Coscheduled sibling bounced", follows=True),
        tried(0, Status.SUCCEEDED, 1),
        tried(1, Status.SUCCEEDED, 1),
    )
    run = fold_now(
        launch(),
        host(0),
        host(1),
        host(0, ended(), attempt=2, number=1, seconds=30),
        host(1, ended(), attempt=2, number=1, seconds=30),
        over(ended(), job(*tries, outcome=Status.SUCCEEDED, counted_preemptions=1)),
    )

    first, second = run.attempts
    assert first.end is not None
    assert first.end.status is Status.PREEMPTED
    assert first.end.why == "host 0 was preempted: spot reclaim; 1 other of its gang ended with it"
    assert second.end == ended()
    assert second.retry == Retry(of=1, job=JOB, number=1)
    assert second.command == first.command
    assert [len(attempt.jobs[0].tries) for attempt in run.attempts] == [2, 2]
    assert run.status is Status.SUCCEEDED
    assert len(run.jobs) == 1
    assert len(run.jobs[0].tries) == 4


def test_the_first_error_that_is_not_anothers_is_the_cause(launch, host):
    """Of a pod every host fails; the one that says why is not the one that is listed first, nor the last."""
    lost_peer = "UNAVAILABLE: Failed to send RPC to coordination service. Either the leader task was preempted/died"
    tries = (
        tried(0, Status.FAILED, exit_code=1, error="Exit code: 1"),
        tried(1, Status.FAILED, exit_code=1, error="Exit code: 1. stderr: ValueError: bad batch"),
        tried(2, Status.FAILED, state="cosched_failed", error=f"Coscheduled sibling {JOB}/1 failed", follows=True),
    )
    run = fold_now(
        launch(),
        host(0, raised("XlaRuntimeError", lost_peer, 41)),
        host(1, raised("ValueError", "bad batch", 42)),
        over(job_failed(50), job(*tries, outcome=Status.FAILED)),
    )

    assert run.status is Status.FAILED
    assert run.why == "host 1: the step raised ValueError; 2 others of its gang ended with it"
    assert run.attempt is not None
    assert run.attempt.end is not None
    assert run.attempt.end.exception is not None
    assert run.attempt.end.exception.type == "ValueError"


def test_a_host_that_was_killed_is_named_with_what_its_cluster_saw(launch, host):
    """It could not say anything itself."""
    tries = (
        tried(0, Status.FAILED, state="cosched_failed", error=f"Coscheduled sibling {JOB}/1 failed", follows=True),
        tried(1, Status.FAILED, exit_code=-9, error="Exit code: -9", ended=at(40)),
    )
    run = fold_now(launch(), host(0), host(1), over(job_failed(50), job(*tries, outcome=Status.FAILED)))

    assert run.why == "host 1 ended as failed: Exit code: -9; 1 other of its gang ended with it"
    assert run.attempt is not None
    assert run.attempt.end is not None
    assert run.attempt.end.exit_code == -9


def test_a_users_stop_is_no_preemption(launch, host):
    """Iris counts every task that a user stopped as preempted."""
    tries = (
        tried(0, Status.CANCELLED, state="killed", error="Terminated by user"),
        tried(1, Status.CANCELLED, state="killed", error="Terminated by user"),
    )
    stopped = job(*tries, outcome=Status.CANCELLED, why="Terminated by user", counted_preemptions=2)
    run = fold_now(launch(), host(0), host(1), over(job_failed(50), stopped))

    assert (run.status, run.why) == (Status.CANCELLED, "job train-1a2b3c4d was stopped: Terminated by user")


def test_success_that_is_lost_in_teardown_is_said_with_the_failure(launch, host):
    """The checkpoint is there and the numbers are good, though the cluster counts the job as failed."""
    tries = (tried(0, Status.SUCCEEDED), tried(1, Status.FAILED, exit_code=139, error="Exit code 139: SIGSEGV"))
    run = fold_now(
        launch(), host(0, ended()), host(1, ended()), over(job_failed(70), job(*tries, outcome=Status.FAILED))
    )

    assert run.status is Status.FAILED
    assert run.why == "host 1 had returned, then failed in teardown: Exit code 139: SIGSEGV; host 0 had returned"


def test_a_wandb_run_that_had_finished_is_said_with_the_failure(launch, host):
    """A job may train to its end and fail in the last checkpoint."""
    linked = WandbRun(
        id="abc",
        project="p",
        entity="e",
        name="n",
        url="https://w/e/p/runs/abc",
        mode="online",
        path="/w",
        synced=True,
        writer="h0-try0",
        finished=True,
        exit_code=0,
    )
    run = fold_now(
        launch(),
        host(0, raised("OSError", "no space left", 55)),
        [event(Kind.WANDB, linked, 50, writer="h0-try0")],
        over(job_failed(60), job(tried(0, Status.FAILED, exit_code=1), outcome=Status.FAILED)),
    )

    assert run.why == "host 0: the step raised OSError; its W&B run abc had finished with exit code 0"


def test_an_error_of_the_steps_own_is_not_put_on_a_job(launch, host):
    """A step may outlive a job that failed and then fail of something else."""
    own = raised("KeyError", "loss", 60)
    run = fold_now(launch(), host(0), over(own, job(tried(0, Status.FAILED), outcome=Status.FAILED)))

    assert run.attempt is not None
    assert run.attempt.end == own


def test_the_metrics_of_a_gang_are_those_of_its_first_host(launch, host):
    """All hosts report the same name; which of them wrote last is chance."""
    run = fold_now(
        launch(),
        host(0),
        host(1),
        [
            event(Kind.METRIC, Metric(name="loss", value=1.0, source="report"), 20, writer="h0-try0"),
            event(Kind.METRIC, Metric(name="loss", value=2.0, source="report"), 30, writer="h1-try0"),
            event(Kind.METRIC, Metric(name="only_there", value=3.0, source="report"), 30, writer="h1-try0"),
        ],
    )

    assert {name: metric.value for name, metric in run.metrics.items()} == {"loss": 1.0, "only_there": 3.0}


def test_what_the_step_itself_reports_at_its_end_stands_after_a_retry_too(launch, host):
    """The process that dispatched began with attempt 1 and reports the result of attempt 2."""
    run = fold_now(
        launch(),
        host(0, attempt=2, number=1, seconds=30),
        [
            event(Kind.METRIC, Metric(name="loss", value=1.0, source="artifact"), 60),
            event(Kind.METRIC, Metric(name="loss", value=9.0, source="wandb:x"), 70, attempt=2, writer="h0-try1"),
        ],
    )

    assert run.metrics["loss"].value == 1.0


def test_two_hosts_that_claim_one_place_are_kept_and_said(launch, host):
    """A worker that seemed dead and was replaced may go on."""
    run = fold_now(launch(), host(0, name="vm-a"), host(0, name="vm-b", writer="h0-other"))

    assert run.attempt is not None
    assert [each.name for each in run.attempt.workers] == ["vm-a", "vm-b"]
    (gap,) = run.gaps
    assert gap.what == "host 0 of attempt 1"
    assert gap.why.startswith("2 claim to be it: vm-a (process 4242")


# While it runs, and when nobody says anything any more


def test_a_job_that_waits_says_what_for(launch):
    """Hours in a queue look like a hung run otherwise."""
    waiting = job(state="pending", why="Insufficient TPUs (need 4, available 0)")

    run = fold_now(launch(), [event(Kind.JOB, waiting, 5)], beats={"h0-launch": 90})

    assert run.status is Status.RUNNING
    assert run.why == "job train-1a2b3c4d waits: Insufficient TPUs (need 4, available 0)"


def test_a_preempted_job_that_waits_for_its_next_try_has_one_attempt_that_ended(launch, host):
    """Capacity may be back only tomorrow; that the first try is over is known now."""
    waiting = job(tried(0, Status.PREEMPTED, error="spot reclaim"), state="pending", why="no capacity")

    run = fold_now(launch(), host(0), [event(Kind.JOB, waiting, 50)], beats={"h0-launch": 90})

    assert (run.status, run.why) == (Status.RUNNING, "job train-1a2b3c4d waits: no capacity")
    assert run.attempt is not None
    assert run.attempt.end is not None
    assert run.attempt.end.status is Status.PREEMPTED


def test_the_hosts_keep_a_run_alive_whose_launcher_is_gone(launch, host):
    """A laptop is closed; the pod trains on."""
    run = fold_now(launch(), host(0), seconds=1000, beats={"h0-launch": 50, "h0-try0": 990})

    assert run.status is Status.RUNNING
    assert "the step's own process fell silent" in run.why


def test_a_launcher_that_waits_keeps_a_run_alive_between_two_tries(launch, host):
    """The hosts of the second try are silent while the third is being scheduled."""
    run = fold_now(
        launch(),
        host(0, attempt=2, number=1, seconds=30),
        seconds=1000,
        beats={"h0-launch": 990, "h0-try1": 100},
    )

    assert run.status is Status.RUNNING
    assert "host 0 fell silent" in run.why


def test_a_run_whose_hosts_and_launcher_are_silent_is_lost(launch, host):
    """Marin's own status file would say RUNNING for ever."""
    run = fold_now(launch(), host(0), seconds=1000, beats={"h0-launch": 50, "h0-try0": 60})

    assert run.status is Status.LOST
    assert run.why.startswith("nothing was heard of it after 2026-11-22 12:01:00 UTC")


def test_a_step_that_is_one_job_has_ended_when_its_hosts_have(launch, host):
    """The coordinator was killed after the work was done; the output is there."""
    whole = job(is_step=True)
    run = fold_now(
        launch(), host(0, ended(seconds=40)), host(1, ended(seconds=50)), [event(Kind.JOB, whole, 3)], seconds=9999
    )

    assert (run.status, run.why) == (Status.SUCCEEDED, "the step returned on every host of its job")


def test_one_host_that_returned_is_not_yet_the_end_of_a_step(launch, host):
    """The other one may still be working, or have died."""
    run = fold_now(launch(), host(0, ended()), host(1), [event(Kind.JOB, job(is_step=True), 3)])

    assert run.status is Status.RUNNING


def test_a_try_that_nobody_saw_end_is_lost_once_the_next_has_begun(launch, host):
    """The cluster that could say is out of reach; the record says what it can."""
    run = fold_now(launch(), host(0), host(0, attempt=2, number=1, seconds=30), beats={"h0-try0": 20, "h0-launch": 90})

    assert run.attempts[0].end is not None
    assert run.attempts[0].end.status is Status.LOST
    assert run.attempts[0].end.time == at(20)
    assert run.status is Status.RUNNING


def test_an_old_look_at_a_job_does_not_undo_its_end(launch):
    """Whoever looks from another machine may have an older answer and a faster clock."""
    run = fold_now(
        launch(),
        [
            event(Kind.JOB, job(outcome=Status.SUCCEEDED), 20),
            event(Kind.JOB, job(outcome=Status.RUNNING), 30, writer="refresh"),
        ],
    )

    assert run.jobs[0].outcome is Status.SUCCEEDED


def test_several_jobs_of_one_step_stay_apart(launch, host):
    """Tokenise, train, evaluate: three jobs, one attempt."""
    other = replace(job(outcome=Status.SUCCEEDED), id="/ada/eval", name="eval", submitted=at(1))
    run = fold_now(launch(), host(0, ended()), over(ended(), other, job(outcome=Status.SUCCEEDED)))

    assert run.attempt is not None
    assert [each.name for each in run.attempt.jobs] == ["eval", "train-1a2b3c4d"]


def test_two_jobs_that_are_started_again_side_by_side_are_told_apart(launch, host):
    """The retry of one job began attempt 2, that of the other attempt 3; the first of them succeeded all the same."""
    other = replace(
        job(tried(0, Status.PREEMPTED), tried(0, Status.SUCCEEDED, 1), outcome=Status.SUCCEEDED),
        id="/ada/eval",
        name="eval",
    )
    again = Retry(of=1, job="/ada/eval", number=1)
    task = Task(backend="iris", job=JOB, index=0, number=1, count=1)
    mine = job(tried(0, Status.PREEMPTED), tried(0, Status.SUCCEEDED, 1), outcome=Status.SUCCEEDED)
    run = fold_now(
        launch(),
        [each for each in host(0, ended(), attempt=2, number=1, seconds=30) if each.kind is Kind.RETRIED],
        [event(Kind.HOST_STARTED, replace(a_worker(task), end=None), 30, attempt=2, writer="h0-try1")],
        [event(Kind.HOST_ENDED, ended(seconds=50), 50, attempt=2, writer="h0-try1")],
        [event(Kind.RETRIED, again, 35, attempt=3, writer="o0")],
        over(ended(), mine, other),
    )

    assert [each.end.status for each in run.attempts if each.end] == [
        Status.PREEMPTED,
        Status.SUCCEEDED,
        Status.SUCCEEDED,
    ]
    assert run.attempts[0].end is not None
    assert run.attempts[0].end.why.startswith("host 0 of job ")
    assert [[each.name for each in attempt.jobs] for attempt in run.attempts[1:]] == [["train-1a2b3c4d"], ["eval"]]


def a_worker(task: Task) -> Host:
    return Host(index=task.index, name="vm", pid=1, writer="h0-try1", started=at(30), job=task.job, task=task)


def test_what_a_host_said_before_everything_fell_silent_is_the_cause(launch, host):
    """Launcher, laptop and controller are gone; the traceback is in the record."""
    failed = raised("ValueError", "bad batch", 42)
    run = fold_now(launch(), host(0), host(1, failed), seconds=9999, beats={"h0-launch": 50})

    assert run.status is Status.FAILED
    assert run.why.startswith("host 1: the step raised ValueError; nothing was heard of it after")
    assert run.attempt is not None
    assert run.attempt.end is not None
    assert run.attempt.end.exception == failed.exception


def test_devices_of_a_launch_without_jobs_stay_what_they_were(launch):
    """A step that works in its own process is its own host."""
    own = Devices(kind="TPU v4", count=4, source="jax")

    run = fold_now(launch(), [event(Kind.DEVICES, own, 50)])

    assert run.attempt is not None
    assert run.attempt.devices == own
    assert isinstance(fold_now(launch()).attempt.devices, Unknown)  # type: ignore[union-attr]

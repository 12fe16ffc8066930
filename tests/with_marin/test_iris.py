"""Recorded steps on a real Iris cluster: a pod of two hosts, preempted, killed, stopped and out of reach."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest
from fray.current_client import set_current_client
from fray.types import Entrypoint, JobRequest, create_environment
from marin.execution import lazy
from marin.execution.lazy import apply

from marin_research import dispatch, recorded, report
from marin_research.output import read_output
from marin_research.record import Devices, Run, Status
from marin_research.store import RecordStore
from marin_research.thread import PrimaryMetric, Thread
from tests.with_marin.iris_pod import CPU, POD, Pod, Wire, start_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.marin, pytest.mark.timeout(300)]

# A worker finds no module of the tests; what is dispatched from here travels whole, as from a researcher's script.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

VERSION = "2026.11.22"
THREAD = Thread(topic="pod", prefix="POD", metrics=[PrimaryMetric(name="loss", direction="lower", unit="nats")])


@pytest.fixture(scope="module")
def pod() -> Iterator[Pod]:
    made = start_pod()
    yield made
    made.cluster.close()


SCRIPT = """
import os, time
from pathlib import Path
from fray.types import ResourceConfig
from marin.execution.artifact import Artifact
from marin.execution.lazy import ArtifactStep
from marin.execution.remote import remote
from marin_research import Thread, recorded, research_main

class Trained(Artifact):
    loss: float

def train(config):
    import jax
    signs = Path({signs!r})
    (signs / ("at-work-" + os.environ["IRIS_TASK_ID"].rpartition("/")[2])).write_text(str(os.getpid()))
    jax.devices()
    while not (signs / "go-on").exists():
        time.sleep(0.05)
    return Trained(loss=config["lr"] * 2)

POD = ResourceConfig.with_tpu("v4-16", cpu=1, ram="1g", disk="1g")
thread = Thread(topic="pod", prefix="POD")

def build():
    run = remote(train, resources=POD, env_vars={{"JAX_PLATFORMS": "cpu"}})
    config = {{"lr": 0.125}}
    step = ArtifactStep(
        name="train/remote", version="2026.11.22", artifact_type=Trained, run=run, build_config=lambda ctx: config
    )
    return [recorded(step, thread)]

if __name__ == "__main__":
    research_main(build, thread)()
"""


# What runs on the hosts. Each leaves a sign of itself and works until it is told to go on, or for ever.


def work(signs: str, *, fails_on: int | None = None, loss: float = 2.5) -> None:
    place = os.environ["IRIS_TASK_ID"].rpartition("/")[2]  # INDEX:TRY
    index = int(place.partition(":")[0])
    print(f"host {place} is at work")
    folder = Path(signs)
    (folder / f"at-work-{place}").write_text(str(os.getpid()))
    while not (folder / "go-on").exists():
        time.sleep(0.05)
    report("loss", loss)
    if fails_on == index:
        raise FloatingPointError(f"loss is nan on host {index}")
    time.sleep(0.5)  # a gang is stopped with the first that fails, which is to be the one that failed by itself


def work_with_wandb(signs: str) -> None:
    work(signs)
    if os.environ["IRIS_TASK_ID"].rpartition("/")[2].startswith("0:"):
        import wandb

        with wandb.init(project="pod", mode="offline", id=f"run-{os.getpid()}", config={"lr": 0.1}) as run:
            run.log({"eval/loss": 2.25})


# What the tests do with it


@dataclass
class Launch:
    """A recorded step while it runs in a thread of the test."""

    pod: Pod
    folder: Path
    store: RecordStore
    thread: threading.Thread | None = None

    def start(self, step: Callable[[], None], *, client: Any = None) -> None:
        handle = recorded(apply("train/pod", step, version=VERSION), THREAD)

        def run() -> None:
            with set_current_client(client or self.pod.client), contextlib.suppress(RuntimeError):
                lazy.run(handle)

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def job(self, function: Any = work, *, resources: Any = POD, name: str = "train", **options: Any) -> JobRequest:
        entrypoint = function
        if not isinstance(function, Entrypoint):
            said = options.pop("said", {})
            entrypoint = Entrypoint.from_callable(function, args=(str(self.folder),), kwargs=said)
        environment = create_environment(env_vars={"JAX_PLATFORMS": "cpu"})
        name = f"{name}-{uuid.uuid4().hex[:8]}"
        return JobRequest(name=name, entrypoint=entrypoint, resources=resources, environment=environment, **options)

    def wait_for(self, *places: str) -> list[int]:
        """Until the hosts are at work; their process IDs."""
        signs = [self.folder / f"at-work-{place}" for place in places]
        wait_until(lambda: all(sign.exists() and sign.read_text() for sign in signs))
        return [int(sign.read_text()) for sign in signs]

    def go_on(self) -> None:
        (self.folder / "go-on").touch()

    def run(self) -> Run:
        (run,) = self.store.runs()
        return run

    def ended(self) -> Run:
        assert self.thread is not None
        self.thread.join(120)
        assert not self.thread.is_alive()
        return self.run()


def wait_until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def dispatching(*jobs: JobRequest) -> Callable[[], None]:
    """A step that submits jobs and waits for them, as ``train_lm`` does."""

    def step() -> None:
        from fray.current_client import current_client

        handles = [current_client().submit(job) for job in jobs]
        for handle in handles:
            handle.wait(raise_on_failure=True)

    return step


@contextlib.contextmanager
def launching(pod: Pod, folder: Path) -> Iterator[Launch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARIN_PREFIX", str(folder / "prefix"))
        patch.setenv("MARIN_RESEARCH_ROOT", str(folder / "records"))
        patch.setenv("MARIN_RESEARCH_HEARTBEAT_S", "1")
        patch.setenv("WANDB_DIR", str(folder))
        made = Launch(pod, folder, RecordStore(str(folder / "records")))
        yield made
        made.go_on()
        if made.thread is not None:
            made.thread.join(120)


@pytest.fixture
def launch(pod, tmp_path) -> Iterator[Launch]:
    with launching(pod, tmp_path) as made:
        yield made


def printed(store: RecordStore, run: Run, *, attempt: int = -1) -> dict[int, str]:
    tried = run.attempts[attempt]
    return {
        host.index: b"".join(read_output(store, run.id, tried.number, host.writer)).decode() for host in tried.workers
    }


# A pod of two hosts, preempted once


@dataclass(frozen=True)
class Preempted:
    store: RecordStore
    run: Run
    meanwhile: Run


@pytest.fixture(scope="module")
def preempted(pod, tmp_path_factory) -> Preempted:
    """A gang whose first host is taken away by its cluster, and that succeeds at its second try."""
    with launching(pod, tmp_path_factory.mktemp("preempted")) as launch:
        launch.start(dispatching(launch.job(work_with_wandb)))
        launch.wait_for("0:0", "1:0")
        wait_until(lambda: all(host.output for host in launch.run().attempts[0].workers))
        (job,) = launch.run().jobs
        pod.iris.job(_name(job.id)).task(0).preempt(reason="spot reclaim")
        launch.wait_for("0:1", "1:1")
        meanwhile = launch.run()
        launch.go_on()
        return Preempted(launch.store, launch.ended(), meanwhile)


def _name(job: str) -> Any:
    from iris.cluster.types import JobName

    return JobName.from_string(job)


def test_a_preempted_pod_is_two_attempts_of_one_run(preempted):
    """Iris counts; the record says which try was taken away, why, and that the next one succeeded."""
    first, second = preempted.run.attempts

    assert preempted.run.status is Status.SUCCEEDED
    assert (first.end.status, second.end.status) == (Status.PREEMPTED, Status.SUCCEEDED)
    assert first.end.why == "host 0 was preempted: spot reclaim; 1 other of its gang ended with it"
    assert second.retry is not None
    assert (first.config, first.command, first.git) == (second.config, second.command, second.git)
    assert preempted.run.gaps == ()


def test_both_hosts_of_a_pod_record_themselves(preempted):
    """Which process on which worker printed what, and which of them was the first."""
    for number, attempt in enumerate(preempted.run.attempts):
        assert [(host.index, host.task.number, host.task.count) for host in attempt.workers] == [
            (0, number, 2),
            (1, number, 2),
        ]
        assert len({host.task.worker for host in attempt.workers}) == 2
        for index, text in printed(preempted.store, preempted.run, attempt=number).items():
            assert f"host {index}:{number} is at work" in text


def test_the_devices_are_the_pods_and_not_the_dispatchers(preempted):
    """A CPU process dispatched; the experiment had eight chips on two hosts."""
    for attempt in preempted.run.attempts:
        assert isinstance(attempt.devices, Devices)
        assert (attempt.devices.kind, attempt.devices.count, attempt.devices.process_count) == ("TPU v4-16", 8, 2)


def test_the_wandb_run_of_a_host_is_linked_and_leads_back(preempted):
    """W&B lives in the job, on one host of it, and carries what made it."""
    from marin_research import wandb_file

    (linked,) = preempted.run.wandb
    second = preempted.run.attempts[1]
    assert linked.writer == second.workers[0].writer
    assert (linked.mode, linked.finished, linked.exit_code) == ("offline", True, 0)
    assert preempted.run.metrics["eval/loss"].value == 2.25
    config = wandb_file.read(Path(linked.path) / f"run-{linked.id}.wandb").config
    assert config["lr"] == 0.1
    assert config["marin_research"]["run"] == preempted.run.id
    assert config["marin_research"]["attempt"] == 2
    assert config["marin_research"]["output_path"] == preempted.run.step.output_path


def test_while_it_runs_the_record_has_both_attempts(preempted):
    """Whoever looks in between sees the preemption at once."""
    assert preempted.meanwhile.status is Status.RUNNING
    assert [attempt.number for attempt in preempted.meanwhile.attempts] == [1, 2]
    assert preempted.meanwhile.attempts[0].end is not None


def test_the_jobs_facts_come_from_iris(preempted):
    """Job ID, workers, tries and counters, as the cluster has them."""
    (job,) = preempted.run.jobs

    assert job.id.startswith("/")
    assert (job.backend, job.kind, job.state) == ("iris", "callable", "succeeded")
    assert (job.counted_preemptions, job.counted_failures) == (1, 0)
    assert [(each.index, each.number, each.state) for each in job.tries] == [
        (0, 0, "preempted"),
        (1, 0, "cosched_failed"),
        (0, 1, "succeeded"),
        (1, 1, "succeeded"),
    ]


def test_the_draft_says_what_happened_to_the_pod(preempted, tmp_path, monkeypatch):
    """Counts, devices, the preemption and its reason stand in the entry, and every number of it is in the facts."""
    from curator.draft import DraftKind
    from curator.drafting import make_drafts
    from curator.verify import verify

    monkeypatch.chdir(tmp_path)
    drafts = {each.kind: each.draft for each in make_drafts([preempted.run.id], THREAD, preempted.store)}

    entry = drafts[DraftKind.LOGBOOK]
    assert entry is not None
    assert "- Devices: 8 × TPU v4-16, as declared" in entry.text
    assert (
        "- Attempts: preempted (host 0 was preempted: spot reclaim; 1 other of its gang ended with it), then succeeded"
    ) in entry.text
    for draft in filter(None, drafts.values()):
        assert verify(draft.text, draft.facts).findings == ()
    claim = "It took {} attempts on {} hosts with {} devices after {} preemption."
    said = {numbers: verify(claim.format(*numbers), entry.facts).ok for numbers in CLAIMED}
    assert said == {numbers: numbers == (2, 2, 8, 1) for numbers in CLAIMED}


CLAIMED = ((2, 2, 8, 1), (3, 2, 8, 1), (2, 3, 8, 1), (2, 2, 16, 1), (2, 2, 8, 3))
"""Attempts, hosts, devices and preemptions, of which only the first are right."""


# Hosts that fail


def test_a_host_that_is_killed_is_named(launch):
    """`kill -9`, the kernel, a lost machine: it could say nothing itself, and the other one ended with it."""
    launch.start(dispatching(launch.job()))
    _, second = launch.wait_for("0:0", "1:0")
    os.kill(second, signal.SIGKILL)

    run = launch.ended()

    assert run.status is Status.FAILED
    assert run.why.startswith("host 1 ended as failed: Exit code: -9")
    assert run.attempt.end.exit_code == -9
    assert {index: "is at work" in text for index, text in printed(launch.store, run).items()} == {0: True, 1: True}


def test_the_host_that_failed_by_itself_is_the_cause(launch):
    """The traceback that is needed is on one host of the pod."""
    launch.start(dispatching(launch.job(said={"fails_on": 1})))
    launch.go_on()

    run = launch.ended()

    assert run.status is Status.FAILED
    assert run.why.startswith("host 1: its function raised FloatingPointError")
    assert run.attempt.end.exception.message == "loss is nan on host 1"


def test_a_retry_after_a_failure_is_an_attempt_of_its_own(launch):
    """Iris tries again by itself where it is told to."""
    launch.start(
        dispatching(launch.job(resources=CPU, said={"fails_on": 0}, max_retries_failure=1, max_task_failures=1))
    )
    launch.go_on()

    run = launch.ended()

    assert [attempt.end.status for attempt in run.attempts] == [Status.FAILED, Status.FAILED]
    assert all(attempt.end.exception.type == "FloatingPointError" for attempt in run.attempts)
    assert run.jobs[0].counted_failures == 2


def test_success_that_is_lost_in_teardown_is_told_with_the_failure(launch):
    """The result is there; what came after it broke on the way out."""
    launch.start(dispatching(launch.job(dies_on_the_way_out, resources=CPU)))
    launch.go_on()

    run = launch.ended()

    assert run.status is Status.FAILED
    assert run.why.startswith("host 0 had returned, then failed in teardown: Exit code: 7")
    assert run.metrics["loss"].value == 2.5


def dies_on_the_way_out(signs: str) -> None:
    import atexit

    work(signs)
    atexit.register(os._exit, 7)


# What counters get wrong


def test_a_users_stop_is_a_stop(launch, pod):
    """Iris counts it as a preemption of every host."""
    launch.start(dispatching(launch.job()))
    launch.wait_for("0:0", "1:0")
    pod.iris.job(_name(launch.run().jobs[0].id)).cancel()

    run = launch.ended()

    assert run.status is Status.CANCELLED
    assert "was stopped: Terminated by user" in run.why
    assert run.jobs[0].counted_preemptions == 2
    assert [attempt.end.status for attempt in run.attempts] == [Status.CANCELLED]


def test_a_job_that_is_never_scheduled_says_what_it_waits_for(launch, pod):
    """A pod that is taken: hours may pass without a word from the job itself."""
    taken = pod.client.submit(launch.job(name="other"))
    launch.wait_for("0:0", "1:0")
    launch.start(dispatching(launch.job()))

    wait_until(lambda: any("Insufficient" in run.why for run in launch.store.runs()))
    waiting = launch.run()
    pod.iris.job(_name(waiting.jobs[0].id)).cancel()
    run = launch.ended()
    taken.terminate()

    assert waiting.status is Status.RUNNING
    assert "Insufficient TPUs (need 4, available 0)" in waiting.why
    assert run.status is Status.CANCELLED
    assert "was stopped before it started: Terminated by user" in run.why
    assert [host.job for host in run.attempt.hosts] == [None]


# Several jobs, commands, and hosts that cannot record themselves


def test_several_jobs_of_a_step_stay_apart(launch):
    """Two CPU jobs at a time, each with its own output and end."""
    launch.start(dispatching(*(launch.job(resources=CPU, name=name) for name in ("tokenize", "evaluate"))))
    launch.go_on()

    run = launch.ended()

    assert run.status is Status.SUCCEEDED
    assert [job.name.partition("-")[0] for job in run.attempt.jobs] == ["tokenize", "evaluate"]
    assert [host.job for host in run.attempt.workers] == [job.id for job in run.attempt.jobs]
    assert len(run.attempts) == 1


def test_a_command_is_recorded_from_outside(launch):
    """Its output and its exit code are Iris's to tell."""
    command = Entrypoint.from_binary("sh", ["-c", "echo the command spoke; exit 3"])
    launch.start(dispatching(launch.job(command, resources=CPU)))

    run = launch.ended()

    assert run.status is Status.FAILED
    assert run.attempt.end.exit_code == 3
    assert printed(launch.store, run) == {0: "the command spoke\n"}
    assert "iris" in run.attempt.workers[0].seen_by
    assert run.gaps == ()


def test_a_host_that_cannot_reach_the_record_works_all_the_same(launch):
    """A folder of the researcher's laptop is no place on a TPU host; what Iris keeps is recorded from the laptop."""
    marker = launch.folder / "records" / "store.json"

    def step() -> None:
        aside = marker.rename(marker.with_name("aside"))
        marker.write_text("{}")  # another store, at the same path
        dispatching(launch.job(resources=CPU))()
        aside.rename(marker)

    launch.start(step)
    launch.go_on()

    run = launch.ended()

    assert run.status is Status.SUCCEEDED
    text = printed(launch.store, run)[0]
    assert "is at work" in text
    assert "this host records nothing itself" in text
    assert [gap.what.partition(" of job")[0] for gap in run.gaps] == ["host 0"]


# A controller that is away


@pytest.fixture
def wire(pod) -> Iterator[Wire]:
    made = Wire(pod.address)
    yield made
    made.cut()


def test_a_controller_that_is_away_for_a_while_is_missed_by_nobody(launch, wire):
    """Controllers are restarted every day; the pod trains on, and its hosts record themselves."""
    launch.start(dispatching(launch.job()), client=wire.client())
    launch.wait_for("0:0", "1:0")
    wire.cut()
    time.sleep(2)
    meanwhile = launch.run()
    launch.go_on()
    wait_until(lambda: all(host.end for host in launch.run().attempts[0].workers))
    wire.mend()

    run = launch.ended()

    assert (meanwhile.status, run.status) == (Status.RUNNING, Status.SUCCEEDED)
    assert [each.state for each in run.jobs[0].tries] == ["succeeded", "succeeded"]
    assert run.gaps == ()


def test_what_a_controller_could_not_tell_at_the_end_is_asked_for_again(launch, wire, monkeypatch):
    """A step does not wait for ever for the last word, and whoever wants it later gets it."""
    monkeypatch.setattr(dispatch, "PATIENCE_S", 0.5)

    def step() -> None:
        from fray.current_client import current_client

        current_client().submit(launch.job())
        launch.wait_for("0:0", "1:0")
        wire.cut()

    launch.start(step, client=wire.client())
    run = launch.ended()
    launch.go_on()
    wait_until(lambda: all(host.end for host in launch.run().attempts[0].workers))
    refused = show("POD-001", "--refresh")
    wire.mend()
    wait_until(lambda: show("POD-001", "--refresh").exit_code == 0 and launch.run().jobs[0].state == "succeeded")

    assert run.status is Status.SUCCEEDED
    assert [gap.what.partition(" (")[0] for gap in run.gaps] == ["how the jobs ended"]
    assert refused.exit_code == 1
    assert "cannot be reached" in str(refused.exception)
    assert [each.state for each in launch.run().jobs[0].tries] == ["succeeded", "succeeded"]


def show(*arguments: str) -> Any:
    from click.testing import CliRunner

    from marin_research.cli.show import command

    return CliRunner().invoke(command, arguments)


# A program that is a job itself


def coordinate(signs: str) -> None:
    """A script as a researcher submits it: it finds the cluster by itself, and its own cluster may start it again."""

    def child() -> None:
        report("tokens", 7)

    def step() -> None:
        from fray.current_client import current_client

        place = os.environ["IRIS_TASK_ID"].rpartition(":")[2]
        request = JobRequest(name=f"child-{place}", entrypoint=Entrypoint.from_callable(child), resources=CPU)
        current_client().submit(request).wait(raise_on_failure=True)
        work(signs)

    from rigging.filesystem import distributed_lock

    distributed_lock.HEARTBEAT_TIMEOUT = 2  # else Marin waits 90 s before it takes the lock of a try that is gone
    lazy.run(recorded(apply("train/coordinated", step, version="dev"), THREAD))


def test_a_script_that_is_preempted_itself_goes_on_with_its_run(launch, pod):
    """The coordinator runs on a spot machine like everything else; `dev` is no reason to begin a new experiment."""
    job = pod.client.submit(launch.job(coordinate, resources=CPU, name="coordinator"))
    launch.wait_for("0:0")
    pod.iris.job(_name(job.job_id)).task(0).preempt(reason="spot reclaim")
    launch.wait_for("0:1")
    launch.go_on()
    wait_until(lambda: str(job.status()) == "succeeded")

    run = launch.run()

    first, second = run.attempts
    assert (first.end.status, second.end.status) == (Status.PREEMPTED, Status.SUCCEEDED)
    assert f"try 0 of {job.job_id} ended as preempted: spot reclaim" in first.end.why
    assert [host.task.number for host in (first.hosts[0], second.hosts[0])] == [0, 1]
    assert {each.id.rpartition("/")[0] for each in run.jobs} == {job.job_id}
    assert [each.state for each in run.jobs] == ["succeeded", "succeeded"]
    assert run.metrics["tokens"].value == 7


# A step whose function is the job


def test_a_remote_step_is_recorded_where_it_runs_even_if_its_launcher_dies(pod, launch, tmp_path):
    """The laptop is closed after the launch; the record is whole all the same."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(signs=str(launch.folder)))
    command = [sys.executable, str(script), "--version", VERSION, "--run", "--cluster", f"iris:{pod.address}"]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    launch.wait_for("0:0", "1:0")
    process.kill()
    process.wait()
    launch.go_on()
    wait_until(lambda: launch.run().status is not Status.RUNNING)

    run = launch.run()

    assert (run.status, run.why) == (Status.SUCCEEDED, "the step returned on every host of its job")
    assert run.metrics["loss"].value == 0.25
    assert (run.attempt.devices.kind, run.attempt.devices.source) == ("cpu", "jax")
    assert run.attempt.asked_devices.count == 8
    assert "ASKED FOR: 1 x cpu, 1 here (jax), not 8 x TPU v4-16 over 2 hosts" in show("POD-001").output
    assert (tmp_path / "prefix" / "train" / "remote" / VERSION / ".marin_research.json").exists()

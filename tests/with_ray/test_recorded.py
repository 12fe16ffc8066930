"""Recorded steps on Ray: a pod whose hosts form one JAX process group, lose a host, wait, or ask for too much."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest
from click.testing import CliRunner
from fray.current_client import current_client, set_current_client
from fray.types import Entrypoint, JobRequest, ResourceConfig, create_environment
from marin.execution import lazy
from marin.execution.lazy import apply

from marin_research import recorded, report
from marin_research.output import read_output
from marin_research.record import Cause, Devices, Run, Status, Step
from marin_research.store import RecordStore
from marin_research.thread import PrimaryMetric, Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.marin, pytest.mark.timeout(300)]

# A worker finds no module of the tests; what is dispatched from here travels whole, as from a researcher's script.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

VERSION = "2026.11.22"
THREAD = Thread(topic="pod", prefix="POD", metrics=[PrimaryMetric(name="sum", direction="higher", unit="")])


# What runs on the hosts


def add_across_hosts(signs: str) -> None:
    """At its first try, wait to lose a host; at the next, form one JAX process group and add a number of each host."""
    place = f"{os.environ['FRAY_RAY_INDEX']}:{os.environ['FRAY_RAY_NUMBER']}"
    print(f"host {place} is at work")
    (Path(signs) / f"at-work-{place}").write_text(str(os.getpid()))
    while place.endswith(":0"):
        time.sleep(0.05)
    import jax

    jax.distributed.initialize()
    from jax.experimental.multihost_utils import process_allgather

    total = float(process_allgather(jax.numpy.array(jax.process_index() + 1.0)).sum())
    print(f"{jax.process_count()} hosts add up to {total}")
    report("sum", total)
    if jax.process_index() == 0:
        import wandb

        with wandb.init(project="pod", mode="offline", id=f"run-{os.getpid()}", config={"lr": 0.1}) as run:
            run.log({"eval/loss": 2.25})


def be_quick() -> None:
    print("it was worth the wait")


# What the tests do with it


@dataclass
class Launch:
    """Recorded steps, each in a thread of the test as ``StepRunner`` has them."""

    client: Any
    folder: Path
    store: RecordStore

    def start(self, name: str, job: JobRequest) -> threading.Thread:
        def step() -> None:
            current_client().submit(job).wait(raise_on_failure=True)

        handle = recorded(apply(f"train/{name}", step, version=VERSION), THREAD)

        def run() -> None:
            with set_current_client(self.client), contextlib.suppress(RuntimeError):
                lazy.run(handle)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def job(self, name: str, work: Callable[..., None], *args: Any, tpu: str = "v4-16") -> JobRequest:
        variables = {"JAX_PLATFORMS": "cpu", "WANDB_DIR": str(self.folder)}
        return JobRequest(
            name=name,
            entrypoint=Entrypoint.from_callable(work, args=args),
            resources=ResourceConfig.with_tpu(tpu),
            environment=create_environment(env_vars=variables),
        )

    def run(self, name: str) -> Run:
        return next(self._runs(name))

    def told(self, name: str) -> str:
        """What is said of the jobs of a step, which may not have begun."""
        return "; ".join(job.why for run in self._runs(name) for job in run.jobs)

    def _runs(self, name: str) -> Iterator[Run]:
        return (run for run in self.store.runs() if isinstance(run.step, Step) and run.step.name == f"train/{name}")


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@dataclass(frozen=True)
class Lost:
    store: RecordStore
    run: Run
    waiting: Run
    """The step that needed the slice meanwhile, as it stood then."""
    waited: Run
    """And as it ended."""
    refused: Run
    """The step that asked for a slice that is not there."""


@pytest.fixture(scope="module")
def launch(ray_client, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARIN_PREFIX", str(folder / "prefix"))
        patch.setenv("MARIN_RESEARCH_ROOT", str(folder / "records"))
        patch.setenv("MARIN_RESEARCH_HEARTBEAT_S", "1")
        yield Launch(ray_client, folder, RecordStore(str(folder / "records")))


@pytest.fixture(scope="module")
def lost(ray_pod, launch) -> Lost:
    """A gang that loses its second host and succeeds at its next try; meanwhile, others ask for a slice."""
    signs = launch.folder / "signs"
    signs.mkdir()
    first = launch.start("add", launch.job("add", add_across_hosts, str(signs)))
    wait_until(lambda: len(list(signs.glob("at-work-*:0"))) == 2)
    third = launch.start("big", launch.job("big", be_quick, tpu="v4-32"))
    second = launch.start("quick", launch.job("quick", be_quick))
    wait_until(lambda: "it waits for" in launch.told("quick"))
    waiting = launch.run("quick")
    wait_until(lambda: all(host.output for host in launch.run("add").attempts[0].workers))
    third.join(120)
    refused = launch.run("big")
    ray_pod.lose("slice-a", 1)
    wait_until(lambda: launch.run("add").jobs[0].counted_preemptions == 1)
    ray_pod.add_host("slice-a", 1)
    first.join(200)
    second.join(200)
    return Lost(launch.store, launch.run("add"), waiting, launch.run("quick"), refused)


def test_a_pod_that_lost_a_host_is_two_attempts_of_one_run(lost):
    """Ray has no word for it; the record says which host was lost, and that a fresh gang succeeded."""
    first, second = lost.run.attempts

    assert lost.run.status is Status.SUCCEEDED, (lost.run.why, [j.tries for j in lost.run.jobs])
    assert (first.end.status, second.end.status) == (Status.PREEMPTED, Status.SUCCEEDED)
    assert first.end.cause is Cause.MACHINE_LOST
    assert first.end.why.startswith("host 1")
    assert second.retry is not None
    assert (first.config, first.command, first.git) == (second.config, second.command, second.git)


def test_two_hosts_form_one_jax_process_group(lost):
    """Without process index and coordinator every host would train for itself, and nobody would notice."""
    assert lost.run.metrics["sum"].value == 3
    assert all("2 hosts add up to 3.0" in text for text in printed(lost, attempt=1).values())


def test_both_hosts_of_each_try_record_themselves(lost):
    """Which host on which machine printed what, and its place in the slice."""
    for number, attempt in enumerate(lost.run.attempts):
        places = [(host.index, host.task.number, host.task.count) for host in attempt.workers]
        assert places == [(0, number, 2), (1, number, 2)]
        assert len({host.task.worker for host in attempt.workers}) == 2
        for index, text in printed(lost, attempt=number).items():
            assert f"host {index}:{number} is at work" in text


def test_devices_are_those_of_the_slice_and_jax_says_what_it_saw(lost):
    """A chip count that comes from the request alone has fooled people before."""
    first, second = lost.run.attempts

    assert isinstance(first.devices, Devices)
    assert (first.devices.kind, first.devices.count, first.devices.process_count) == ("TPU v4-16", 8, 2)
    assert (second.devices.kind, second.devices.process_count, second.devices.source) == ("cpu", 2, "jax")


def test_the_jobs_facts_come_from_ray(lost, ray_pod):
    """Job and node IDs, and what was counted: what an administrator asks for first."""
    (job,) = lost.run.jobs

    assert (job.backend, job.cluster, job.state) == ("ray", f"ray:{ray_pod.address}", "succeeded")
    assert job.id.endswith("/add")
    assert (job.counted_failures, job.counted_preemptions) == (0, 1)
    assert [(each.index, each.number, each.state) for each in job.tries] == [
        (0, 0, "stopped"),
        (1, 0, "lost"),
        (0, 1, "succeeded"),
        (1, 1, "succeeded"),
    ]
    assert [each.worker for each in job.tries[2:]] == [host.task.worker for host in lost.run.attempts[1].workers]


def test_the_wandb_run_of_a_host_is_linked(lost):
    """W&B lives in the job, on one host of it."""
    (linked,) = lost.run.wandb

    assert linked.writer == lost.run.attempts[1].workers[0].writer
    assert lost.run.metrics["eval/loss"].value == 2.25


def test_a_step_that_waits_for_a_slice_says_so(lost):
    """A queue that looks like a hang is killed by whoever looks at it."""
    (job,) = lost.waiting.jobs

    assert lost.waiting.status is Status.RUNNING
    assert "it waits for 1 whole v4-16 slice" in job.why
    assert "/add" in job.why
    assert lost.waited.status is Status.SUCCEEDED


def test_a_slice_that_the_cluster_does_not_have_is_refused(lost):
    """A job that can never start must not wait for ever."""
    from marin_research.cli.show import command

    shown = CliRunner().invoke(command, [lost.refused.id, "--root", lost.store.root]).output

    assert lost.refused.status is Status.FAILED
    assert "it needs 1 whole v4-32 slice of 4 hosts" in lost.refused.why
    assert "2 v4-16 TPU hosts" in lost.refused.why
    assert "v4-32" in shown


def printed(lost: Lost, *, attempt: int) -> dict[int, str]:
    tried = lost.run.attempts[attempt]
    return {
        host.index: b"".join(read_output(lost.store, lost.run.id, tried.number, host.writer)).decode()
        for host in tried.workers
    }

"""What Ray's client does beyond Fray's contract: places pods, refuses the impossible, ships code, leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest
from fray.client import JobFailed
from fray.types import (
    Entrypoint,
    EnvironmentConfig,
    JobRequest,
    JobStatus,
    ResourceConfig,
    create_environment,
)
from rigging.timing import Duration

from marin_research.errors import ClusterError
from marin_research.output import read_output
from marin_research.ray.request import spec_of
from marin_research.ray.versions import versions_here
from marin_research.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.marin, pytest.mark.timeout(300), pytest.mark.usefixtures("ray_pod")]

# A worker finds no module of the tests; what is dispatched from here travels whole, as from a researcher's script.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

SMALL = ResourceConfig.with_cpu(cpu=1, ram="256m")
POD = ResourceConfig.with_tpu("v4-16")
WAIT_S = 120


def job(name: str, work: Callable[..., Any] | list[str], *, on: ResourceConfig = SMALL, **options: Any) -> JobRequest:
    entrypoint = Entrypoint.from_binary(work[0], work[1:]) if isinstance(work, list) else Entrypoint.from_callable(work)
    options.setdefault("environment", create_environment(env_vars={"JAX_PLATFORMS": "cpu"}))
    return JobRequest(name=name, entrypoint=entrypoint, resources=on, **options)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


# Placement


def tell_place() -> None:
    print(os.environ["FRAY_RAY_INDEX"], os.environ["TPU_NAME"], os.environ["TPU_WORKER_ID"])


def test_a_task_runs_on_the_host_of_its_index(ray_client):
    """JAX's mesh is laid out by process index: a wrong order is slow, and nobody knows why."""
    handle = ray_client.submit(job("places", tell_place, on=POD))

    handle.wait(WAIT_S)

    assert sorted(handle.logs()) == ["0 slice-a 0", "1 slice-a 1"]


def test_alternatives_are_tried_in_order(ray_client):
    """Whoever takes either kind of pod gets the one that is there."""
    handle = ray_client.submit(job("either", tell_place, on=ResourceConfig.with_tpu(["v5p-16", "v4-16"])))

    assert handle.wait(WAIT_S) is JobStatus.SUCCEEDED


def test_jobs_without_tpus_stay_off_tpu_hosts(ray_client, ray_pod):
    """A slice whose host is full of CPU work is a slice less."""
    handle = ray_client.submit(job("aside", ["sh", "-c", "echo on ${TPU_NAME:-the head}"]))

    handle.wait(WAIT_S)

    assert handle.logs() == ("on the head",)


def test_a_job_that_is_stopped_while_it_waits_never_runs(ray_client, tmp_path):
    """Whoever takes a job back must not find its output the next day."""
    all_of_it = ray_client.submit(job("all", ["sleep", "600"], on=ResourceConfig.with_cpu(cpu=4, ram="256m")))
    wait_until(lambda: all_of_it.status() is JobStatus.RUNNING)
    waiting = ray_client.submit(job("taken-back", ["touch", str(tmp_path / "sign")]))

    waiting.terminate()
    all_of_it.terminate()

    assert waiting.status() is JobStatus.STOPPED
    assert ray_client.submit(job("after-it", ["true"])).wait(WAIT_S) is JobStatus.SUCCEEDED
    assert not (tmp_path / "sign").exists()


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (ResourceConfig.with_cpu(cpu=1000, ram="1g"), "room for 1 task with 1000 CPU, 1 GiB memory on CPU"),
        (ResourceConfig.with_gpu("H100", count=8, cpu=1, ram="1g"), "8 GPU on H100"),
        (ResourceConfig.with_tpu("v4-16", slice_count=2), "2 whole v4-16 slices of 2 hosts each"),
        (ResourceConfig.with_cpu(cpu=1, ram="1g", regions=["mars"]), "on CPU (availability-region mars)"),
    ],
)
def test_what_the_cluster_cannot_hold_is_refused_with_what_it_has(ray_client, resources, why):
    """A job that can never start must not wait for ever."""
    with pytest.raises(JobFailed) as caught:
        ray_client.submit(job(f"too-much-{resources.device.kind}-{resources.replicas}", ["true"], on=resources)).wait(
            WAIT_S
        )

    assert why in str(caught.value)
    assert "there are 2 v4-16 TPU hosts, 1 other machine (CPUs: 4)" in str(caught.value)


def test_an_actor_that_no_machine_can_hold_is_refused(ray_client):
    """A pipeline whose workers can never start must not wait for twelve hours."""
    group = ray_client.create_actor_group(list, name="giants", count=2, resources=ResourceConfig(cpu=1000, ram="1g"))

    with pytest.raises(ClusterError, match="no machine of the cluster can hold an actor"):
        group.wait_ready()
    group.shutdown()


# Refusals


def sweep_together() -> None:
    from importlib import import_module

    execution = "marin.execution"
    import_module(f"{execution}.sweep").claim_and_run("", [], print)


def sweeping() -> Callable[[], None]:
    """A function as Marin's sweeps submit it: it refers to the module from outside."""
    from marin.execution.sweep import claim_and_run

    return lambda: claim_and_run("", [], print)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"processes_per_task": 8}, "processes_per_task needs Iris's supervisor"),
        ({"environment": EnvironmentConfig(docker_image="marin:latest")}, "image cannot be changed for one job"),
        ({"environment": create_environment(secrets={"KEY": "file"})}, "hand them on as env_vars"),
        ({"environment": create_environment(setup_scripts=["make"])}, "setup_scripts need Iris"),
        ({"on": POD, "replicas": 3}, "3 replicas are no whole number of v4-16 slices of 2"),
        ({"on": POD, "work": sweeping()}, "every host would run another target"),
    ],
)
def test_what_ray_cannot_do_is_refused_at_submission(options, why):
    """A hang, or a job that runs without what it asked for, costs more than a refusal."""
    request = job("refused", options.pop("work", tell_place), **options)

    with pytest.raises(ClusterError, match="job refused cannot run on Ray") as caught:
        spec_of(request, patience_s=1)

    assert why in str(caught.value)


def test_a_driver_hosts_no_actors(ray_client):
    """A Ray driver serves no calls: whoever called the actor would wait for ever."""
    with pytest.raises(NotImplementedError, match="use create_actor"):
        ray_client.host_actor(list, name="hosted")


def test_a_sweep_that_hid_is_stopped_where_it_would_hang(ray_client):
    """What a function imports only when it runs cannot be seen before."""
    with pytest.raises(JobFailed, match=r"marin\.execution\.sweep on several hosts needs Iris"):
        ray_client.submit(job("hidden-sweep", sweep_together, on=POD)).wait(WAIT_S)


def test_a_worker_with_another_marin_says_so(ray_client, monkeypatch):
    """A function that means something else there fails in ways that nobody understands."""
    other = replace(versions_here(), marin="0.0.1")
    monkeypatch.setattr("marin_research.ray.request.versions_here", lambda: other)

    with pytest.raises(JobFailed, match=r"the job was submitted with 0\.0\.1; install marin-core==0\.0\.1"):
        ray_client.submit(job("other-marin", ["true"])).wait(WAIT_S)


def test_a_package_that_does_not_exist_is_said_at_once(ray_client):
    """Ray copies a whole environment three times over before it says that a name was mistyped."""
    pytest.importorskip("pip")  # which an environment need not have; Ray then brings its own, slowly
    environment = create_environment(pip_packages=["marin-rseearch==1.0"])

    with pytest.raises(JobFailed, match=r"No matching distribution found for marin-rseearch==1\.0; correct its pip"):
        ray_client.submit(job("mistyped", ["true"], environment=environment)).wait(WAIT_S)


# Ends


def test_a_job_that_takes_too_long_is_ended(ray_client):
    """A deadline is the backend's to keep: the program that hangs will not."""
    handle = ray_client.submit(job("slow", ["sleep", "600"], timeout=Duration.from_seconds(3)))

    with pytest.raises(JobFailed, match="it took longer than the 3 s that it was given"):
        handle.wait(WAIT_S)


def leave_processes(folder: str) -> list[str]:
    """A command that leaves the IDs of itself and of a child that ignores what it is asked."""
    child = f"trap '' TERM; echo $$ > {folder}/child-$FRAY_RAY_INDEX; sleep 1000"
    return [
        "sh",
        "-c",
        f'sh -c "{child.replace("$$", chr(92) + "$$")}" & echo $$ > {folder}/parent-$FRAY_RAY_INDEX; wait',
    ]


def left_processes(folder: Path) -> list[int]:
    files = [folder / f"{kind}-{index}" for kind in ("child", "parent") for index in (0, 1)]
    wait_until(lambda: all(file.exists() and file.read_text().strip() for file in files))
    return [int(file.read_text()) for file in files]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_job_that_is_stopped_leaves_no_process_and_no_slice(ray_client, tmp_path):
    """An orphan on a TPU keeps the next job from it."""
    handle = ray_client.submit(job("orphans", leave_processes(str(tmp_path)), on=POD))
    pids = left_processes(tmp_path)

    handle.terminate()

    assert handle.status() is JobStatus.STOPPED
    wait_until(lambda: not any(map(is_alive, pids)))
    assert ray_client.submit(job("next", ["true"], on=POD)).wait(WAIT_S) is JobStatus.SUCCEEDED


SCRIPT = """
import os, subprocess, sys, time
from pathlib import Path
from fray.types import ResourceConfig
from marin.execution.lazy import apply
from marin.execution.remote import remote
from marin_research import Thread, recorded, research_main
import helper

thread = Thread(topic="pod", prefix="POD")

def work(signs):
    import marin_research
    helper.tell(marin_research.__file__)
    index = os.environ["FRAY_RAY_INDEX"]
    child = subprocess.Popen(["sleep", "1000"])
    Path(f"{signs}/child-{index}").write_text(str(child.pid))
    Path(f"{signs}/parent-{index}").write_text(str(os.getpid()))
    time.sleep(1000)

def build():
    run = remote(work, resources=ResourceConfig.with_tpu("v4-16"), env_vars={"JAX_PLATFORMS": "cpu"})
    return [recorded(apply("train/remote", run, version="2026.11.22", signs=os.environ["SIGNS"]), thread)]

if __name__ == "__main__":
    research_main(build, thread)()
"""


def test_a_script_brings_its_code_and_takes_everything_along_when_it_is_killed(ray_client, ray_pod, tmp_path):
    """The laptop is closed: what ran for it must not go on writing to where its next launch will write."""
    (tmp_path / "pyproject.toml").touch()
    scripts = tmp_path / "experiments"
    scripts.mkdir()
    (scripts / "script.py").write_text(SCRIPT)
    (scripts / "helper.py").write_text("def tell(where):\n    print('told by', __file__, 'and', where, flush=True)\n")
    root = tmp_path / "records"
    environment = {**os.environ, **ray_pod.variables, "MARIN_RESEARCH_ROOT": str(root), "SIGNS": str(tmp_path)}
    environment |= {"MARIN_PREFIX": str(tmp_path / "prefix"), "MARIN_RESEARCH_HEARTBEAT_S": "1"}
    command = [sys.executable, str(scripts / "script.py"), "--version", "2026.11.22", "--run"]
    command += ["--cluster", f"ray:{ray_pod.address}"]
    said = tmp_path / "said"
    with said.open("wb") as output:
        driver = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    try:
        pids = left_processes(tmp_path)
        told = told_of_code(root)
    finally:
        driver.kill()
        driver.wait()

    wait_until(lambda: not any(map(is_alive, pids)))
    assert ray_client.submit(job("after", ["true"], on=POD)).wait(WAIT_S) is JobStatus.SUCCEEDED
    assert told.count("/runtime_resources/") == 2, said.read_text()  # the helper and the recorder came with the script


def told_of_code(root: Path) -> str:
    """What the first host of the only run says of where its code came from, as soon as that is recorded."""

    def lines() -> list[bytes]:
        hosts = [(run.id, host) for run in store.runs() for each in run.attempts for host in each.workers[:1]]
        output = b"".join(block for run_id, host in hosts for block in read_output(store, run_id, 1, host.writer))
        return [line for line in output.splitlines() if line.startswith(b"told by")]

    store = RecordStore(str(root))
    wait_until(lines)
    return lines()[0].decode()

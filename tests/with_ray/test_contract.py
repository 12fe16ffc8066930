"""Fray's contract: what a step may rely on wherever it runs. The same on this machine, on Iris, and on Ray.

The jobs of one kind of cluster are submitted together, and the tests look at what became of them. Where Fray's own
clients differ, the test says so and is left out there.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest
from fray.actor import ActorUnavailableError
from fray.client import JobAlreadyExists
from fray.current_client import current_client, set_current_client
from fray.local_backend import LocalClient
from fray.types import (
    ActorConfig,
    BinaryEntrypoint,
    Entrypoint,
    JobRequest,
    JobStatus,
    ResourceConfig,
    create_environment,
)

from tests.with_marin.iris_pod import start_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.marin, pytest.mark.timeout(300)]

# A worker finds no module of the tests; what is dispatched from here travels whole, as from a researcher's script.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

SMALL = ResourceConfig.with_cpu(cpu=1, ram="256m", disk="256m")
HALF = ResourceConfig.with_cpu(cpu=0.5, ram="256m", disk="256m")
WAIT_S = 120


# What the jobs do


def leave(folder: str, name: str, said: Any) -> None:
    """Leave a file, whole or not at all."""
    target = Path(folder) / f"{name}-{os.getpid()}"
    target.with_suffix(".part").write_text(json.dumps(said))
    target.with_suffix(".part").rename(target)


def succeed(folder: str, *, word: str) -> None:
    leave(folder, "succeed", {"word": word, "variable": os.environ.get("CONTRACT")})
    print("it prints this")


def fail() -> None:
    raise KeyError("no such thing")


def fail_once(folder: str) -> None:
    first = not list(Path(folder).glob("fail-once-*"))
    leave(folder, "fail-once", None)
    if first:
        raise RuntimeError("the first try fails")


def submit_another(folder: str) -> None:
    request = JobRequest(
        name="child", entrypoint=Entrypoint.from_callable(leave, args=(folder, "child", "of a job")), resources=SMALL
    )
    current_client().submit(request).wait()
    leave(folder, "parent", "after its child")


class Counter:
    """An actor."""

    def __init__(self, start: int) -> None:
        self.count = start
        self.released = threading.Event()

    def add(self, more: int) -> int:
        self.count += more
        return self.count

    def break_down(self) -> None:
        raise KeyError("counted wrong")

    def hold(self) -> str:
        self.released.wait(WAIT_S)
        return "released"

    def release(self) -> None:
        self.released.set()


# Where they do it


@dataclass
class Place:
    name: str
    client: Any
    folder: Path

    def request(self, name: str, work: Callable[..., None] | Entrypoint, *args: Any, **options: Any) -> JobRequest:
        said = options.pop("said", {})
        entrypoint = work if isinstance(work, Entrypoint) else Entrypoint.from_callable(work, args=args, kwargs=said)
        return JobRequest(
            name=name,
            entrypoint=entrypoint,
            resources=options.pop("resources", SMALL),
            environment=create_environment(env_vars={"CONTRACT": "kept"}),
            **options,
        )

    def left(self, name: str) -> list[Any]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob(f"{name}-*")) if not path.suffix]

    def differs(self, *places: str, why: str) -> None:
        """Leave a test out where Fray's own client does otherwise."""
        if self.name in places:
            pytest.skip(f"{type(self.client).__name__}: {why}")


@pytest.fixture(scope="module", params=["local", "iris", "ray"])
def place(request, tmp_path_factory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp(request.param)
    match request.param:
        case "local":
            yield Place("local", LocalClient(), folder)
        case "iris":
            pod = start_pod()
            yield Place("iris", pod.client, folder)
            pod.cluster.close()
        case _:
            yield Place("ray", request.getfixturevalue("ray_client"), folder)


@pytest.fixture(scope="module")
def jobs(place) -> dict[str, Any]:
    """The handles of jobs that have ended, one of each kind."""
    folder = str(place.folder)
    requests = [
        place.request("succeed", succeed, folder, said={"word": "given"}),
        place.request("fail", fail),
        place.request("fail-once", fail_once, folder, max_retries_failure=1, max_task_failures=1),
        place.request("parent", submit_another, folder),
        place.request("command", Entrypoint.from_binary("sh", ["-c", f"echo done > {folder}/command"])),
        place.request("bad-command", Entrypoint(binary_entrypoint=BinaryEntrypoint("false", []))),
        place.request("two", leave, folder, "two", "of two", replicas=2),
    ]
    with set_current_client(place.client):
        handles = {request.name: place.client.submit(request) for request in requests}
        for handle in handles.values():
            handle.wait(WAIT_S, raise_on_failure=False)
    return handles


def test_a_function_runs_with_its_arguments_and_variables(place, jobs):
    """What a step was given is what it gets, wherever it runs."""
    assert jobs["succeed"].status() is JobStatus.SUCCEEDED
    (left,) = place.left("succeed")
    assert left["word"] == "given"
    place.differs("local", why="a job is a thread, and has the variables of its process")
    assert left["variable"] == "kept"


def test_a_command_runs(place, jobs):
    """Steps are not only Python."""
    assert jobs["command"].status() is JobStatus.SUCCEEDED
    assert (place.folder / "command").read_text() == "done\n"
    assert jobs["bad-command"].status() is JobStatus.FAILED


def test_a_job_that_failed_is_an_error_for_whoever_waits(jobs):
    """A failure that nobody notices becomes a wrong result."""
    assert jobs["fail"].wait(raise_on_failure=False) is JobStatus.FAILED
    with pytest.raises(Exception) as caught:
        jobs["fail"].wait()
    told = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "KeyError" in told or "Exit code: 1" in told


def test_a_failed_job_is_tried_again_as_often_as_it_may(place, jobs):
    """Flaky work that asks for a retry gets it, and no more than that."""
    place.differs("local", why="it runs a job once")
    assert jobs["fail-once"].status() is JobStatus.SUCCEEDED
    assert len(place.left("fail-once")) == 2


def test_a_job_submits_jobs_to_the_same_cluster(place, jobs):
    """Marin's training steps are functions that submit the real job."""
    assert jobs["parent"].status() is JobStatus.SUCCEEDED
    assert place.left("child") == ["of a job"]
    assert place.left("parent") == ["after its child"]


def test_replicas_are_as_many_processes(place, jobs):
    """Hosts of a pod are replicas of one job."""
    place.differs("local", why="it runs a job once, however many replicas it has")
    assert jobs["two"].status() is JobStatus.SUCCEEDED
    assert place.left("two") == ["of two", "of two"]


def test_what_a_job_printed_can_be_read(place, jobs):
    """The first thing that is looked at when a job fails."""
    place.differs("local", why="it keeps no logs")
    deadline = time.monotonic() + WAIT_S
    while not any("it prints this" in line for line in jobs["succeed"].logs()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(jobs["fail"].logs(max_lines=1)) == 1


def test_waiting_has_a_limit_and_a_job_can_be_stopped(place):
    """A step that is cancelled must not run on."""
    seconds = "5" if place.name == "local" else "600"  # a thread is waited for at the end
    handle = place.client.submit(place.request("long", Entrypoint.from_binary("sleep", [seconds])))
    with pytest.raises(TimeoutError):
        handle.wait(0.2)
    handle.terminate()
    place.differs("local", why="a thread cannot be stopped, and waiting for a stopped job waits for it")
    assert handle.wait(WAIT_S, raise_on_failure=False) is JobStatus.STOPPED


def test_a_name_is_one_job(place):
    """A step that is submitted again finds the job that goes on."""
    place.differs("local", why="it enforces no names")
    first = place.client.submit(place.request("named", Entrypoint.from_binary("sleep", ["60"])))
    again = place.client.submit(place.request("named", Entrypoint.from_binary("sleep", ["60"])))
    with pytest.raises(JobAlreadyExists):
        place.client.submit(place.request("named", Entrypoint.from_binary("true", [])), adopt_existing=False)
    first.terminate()
    assert first.job_id == again.job_id
    assert again.wait(WAIT_S, raise_on_failure=False) is JobStatus.STOPPED


def test_a_job_with_an_impossible_entrypoint_is_refused(place):
    """What cannot run must not be waited for."""
    with pytest.raises(Exception, match=r"entrypoint|function"):
        place.client.submit(place.request("empty", Entrypoint()))


@pytest.fixture(scope="module")
def counters(place) -> Iterator[Any]:
    config = ActorConfig(max_concurrency=4)
    group = place.client.create_actor_group(Counter, 10, name="counters", count=2, resources=HALF, actor_config=config)
    yield group
    group.shutdown()


def test_actors_keep_their_state_and_answer(place, counters):
    """Marin's data processing is made of them."""
    one, other = counters.wait_ready()
    assert (one.add(1), one.add.remote(2).result(), one.add.submit(3).result(), other.add(1)) == (11, 13, 16, 11)
    assert counters.ready_count == 2
    assert counters.discover_new() == []


def test_what_an_actor_raises_keeps_its_type(counters):
    """Callers tell errors apart by their type."""
    (one, _) = counters.wait_ready()
    with pytest.raises(KeyError, match="counted wrong"):
        one.break_down()


def test_an_answer_can_be_waited_for_in_parts_while_others_are_given(counters):
    """A worker that is busy still says that it lives."""
    (one, _) = counters.wait_ready()
    held = one.hold.remote()
    with pytest.raises(TimeoutError):
        held.result(timeout=0.05)
    assert one.add(0) >= 10
    one.release()
    assert held.result(timeout=WAIT_S) == "released"


def test_actors_that_were_shut_down_are_gone(place):
    """A pool of workers that is not needed any more must not hold its machines."""
    group = place.client.create_actor_group(Counter, 0, name="short", count=1, resources=HALF)
    (actor,) = group.wait_ready()
    group.shutdown()
    if place.name != "local":
        deadline = time.monotonic() + WAIT_S
        while not group.is_done():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    place.differs("iris", why="a call to an actor that is gone is tried again for minutes")
    with pytest.raises(ActorUnavailableError):
        actor.add(1)

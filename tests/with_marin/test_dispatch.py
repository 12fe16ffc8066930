"""What a recorded step dispatches on this machine: noted, and otherwise as without us."""

from __future__ import annotations

import inspect
import threading

import pytest
from click.testing import CliRunner, Result
from fray.current_client import current_client
from fray.local_backend import LocalClient
from fray.types import Entrypoint, JobRequest, JobStatus, ResourceConfig
from marin.execution.lazy import ArtifactStep, apply
from marin.execution.remote import remote
from zephyr.context import ZephyrContext
from zephyr.dataset import Dataset

from marin_research import recorded, report, research_main
from marin_research.output import read_output
from marin_research.record import Status, Unknown

pytestmark = pytest.mark.marin

VERSION = "2026.11.22"


def step(name: str, fn) -> ArtifactStep:
    return apply(f"dispatch/{name}", fn, version=VERSION)


def request(name: str, fn, *args) -> JobRequest:
    return JobRequest(name=name, entrypoint=Entrypoint.from_callable(fn, args))


def printed(store, run) -> str:
    return b"".join(read_output(store, run.id, 1, run.attempt.hosts[0].writer)).decode()


def work(loss: float) -> None:
    print(f"a job printed {loss}")
    report("loss", loss)


def test_a_job_in_a_thread_of_the_step_is_noted_and_belongs_to_it(store, thread, build):
    """`train_lm` on a laptop: the work runs in a thread that Fray made."""

    def train() -> None:
        assert current_client().submit(request("train", work, 2.5)).wait() is JobStatus.SUCCEEDED

    (run,) = build(recorded(step("local", train), thread))

    (job,) = run.jobs
    assert (job.name, job.backend, job.state, job.outcome) == ("train", "local", "succeeded", Status.SUCCEEDED)
    assert job.id.startswith("local-train-")
    assert "a job printed 2.5" in printed(store, run)
    assert run.metrics["loss"].value == 2.5
    assert len(run.attempt.hosts) == 1
    assert run.gaps == ()


def test_a_remote_function_called_inside_a_step_is_a_job_of_it(store, thread, build):
    """What Marin's own `train_lm` does."""

    def train() -> None:
        remote(work, resources=ResourceConfig.with_tpu("v4-8"), name="pod")(1.5)

    (run,) = build(recorded(step("train", train), thread))

    assert [job.name for job in run.jobs] == ["pod"]
    assert run.metrics["loss"].value == 1.5
    # Nothing of a TPU is here, whatever was asked for; JAX may be at work in this process since an earlier step.
    devices = run.attempt.devices
    assert isinstance(devices, Unknown) or devices.kind == "cpu"


def test_a_job_that_fails_fails_the_step_with_its_own_error(store, thread, build):
    """The reason is in the job, and the record is where it is looked for."""

    def diverge() -> None:
        raise FloatingPointError("loss is nan")

    def train() -> None:
        current_client().submit(request("train", diverge)).wait()

    (run,) = build(recorded(step("fails", train), thread))

    assert run.status is Status.FAILED
    assert run.attempt.end.exception.type == "FloatingPointError"
    assert run.jobs[0].outcome is Status.FAILED


def test_the_client_stays_what_it_is(store, thread, build):
    """Zephyr and others ask for the class, and scripts call what they have read in Fray's documentation."""
    seen: dict[str, object] = {}

    def look() -> None:
        client = current_client()
        seen["kind"] = type(client)
        seen["signature"] = list(inspect.signature(client.submit).parameters)
        group = client.create_actor_group(Counter, name="counter", count=2)
        seen["counts"] = [handle.add.remote(3).result() for handle in group.wait_ready()]

    build(recorded(step("client", look), thread))

    assert seen == {"kind": LocalClient, "signature": ["request", "adopt_existing"], "counts": [3, 3]}


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def add(self, more: int) -> int:
        self.count += more
        return self.count


def test_a_zephyr_pipeline_in_a_recorded_step_works_as_before(store, thread, build, tmp_path):
    """Its workers are actors; it decides by the client's class how to run them."""
    results = {}

    def pipeline(name: str) -> None:
        dataset = Dataset.from_list([1, 2, 3]).map(lambda number: number * 10)
        context = ZephyrContext(client=current_client(), max_workers=2, chunk_storage_prefix=str(tmp_path / name))
        results[name] = sorted(context.execute(dataset).results)

    pipeline("plain")
    (run,) = build(recorded(step("zephyr", lambda: pipeline("recorded")), thread))

    assert run.status is Status.SUCCEEDED
    assert results == {"plain": [10, 20, 30], "recorded": [10, 20, 30]}
    assert run.gaps == ()


def test_a_job_submitted_in_a_raw_thread_belongs_to_the_only_step(store, thread, build):
    """Evaluations are often submitted beside the training loop."""

    def train() -> None:
        aside = threading.Thread(target=lambda: current_client().submit(request("aside", work, 1.0)).wait())
        aside.start()
        aside.join()

    (run,) = build(recorded(step("raw", train), thread))

    assert [job.name for job in run.jobs] == ["aside"]


@pytest.mark.parametrize("other_is_recorded", [True, False])
def test_a_job_that_may_be_anothers_is_claimed_by_nobody(store, thread, build, other_is_recorded):
    """A job that is linked to the wrong run is a wrong record; that there was one is said."""
    together = threading.Barrier(2)

    def with_raw_thread() -> None:
        together.wait(30)
        aside = threading.Thread(target=lambda: current_client().submit(request("whose", work, 1.0)).wait())
        aside.start()
        aside.join()
        together.wait(30)

    def beside() -> None:
        together.wait(30)
        current_client().submit(request("own", work, 2.0)).wait()
        together.wait(30)

    mine = recorded(step("with-raw-thread", with_raw_thread), thread)
    other = step("beside", beside)
    if other_is_recorded:
        recorded(other, thread)

    runs = {run.label: run for run in build(mine, other)}

    assert runs["dispatch/with-raw-thread"].jobs == ()
    assert [gap.what for gap in runs["dispatch/with-raw-thread"].gaps] == ["job whose"]
    if other_is_recorded:
        assert [job.name for job in runs["dispatch/beside"].jobs] == ["own"]


def test_an_output_leads_to_its_record_and_marin_reads_it_as_before(store, thread, build):
    """Whoever finds a checkpoint asks which run made it."""
    import json
    from pathlib import Path

    (run,) = build(recorded(step("output", lambda: None), thread))

    folder = Path(run.step.output_path)
    pointer = json.loads((folder / ".marin_research.json").read_text())
    assert (pointer["run"], pointer["record"], pointer["fingerprint"]) == (run.id, store.root, run.step.fingerprint)
    assert pointer["output_path"] == str(folder)
    (again,) = [each for each in build(recorded(step("output", lambda: None), thread)) if each.id != run.id]
    assert again.status is Status.CACHED


def invoke(command, arguments) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize(
    ("cluster", "code", "said"),
    [
        ("slurm:login", 2, "'slurm' is no kind of cluster; it is one of iris, local"),
        ("local:somewhere", 1, "--cluster local takes no address"),
        ("iris:", 1, "write --cluster iris:NAME or --cluster iris:URL"),
        ("iris:http://127.0.0.1:1", 1, "iris:http://127.0.0.1:1 cannot be reached"),
        ("iris:no-such-cluster", 1, "Unknown cluster 'no-such-cluster'"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_refused_before_anything_runs(store, thread, cluster, code, said):
    """A mistyped address must not keep somebody waiting for half an hour, nor run the steps elsewhere."""
    ran = []
    command = research_main(lambda: [recorded(step("never", lambda: ran.append(1)), thread)], thread)

    result = invoke(command, ["--version", VERSION, "--run", "--cluster", cluster])

    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output
    assert (ran, list(store.runs())) == ([], [])


def test_a_cluster_that_is_chosen_is_where_the_steps_dispatch(store, thread):
    """`--cluster local` runs a script on the laptop that would find Iris by itself elsewhere."""
    seen = []
    command = research_main(lambda: [recorded(step("here", lambda: seen.append(current_client())), thread)], thread)

    result = invoke(command, ["--version", VERSION, "--run", "--cluster", "local", "--no-curate"])

    assert result.exit_code == 0
    assert [type(client) for client in seen] == [LocalClient]

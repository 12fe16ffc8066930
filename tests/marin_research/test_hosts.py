"""What a dispatched function is wrapped with works on any machine, and records where it can."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import cloudpickle
import pytest

from marin_research import hosts
from marin_research.hosts import recording_itself
from marin_research.launch import new_launch
from marin_research.output import read_output
from marin_research.record import Retry, Status, Unknown
from marin_research.recorder import Recorder
from marin_research.store import RecordStore

WORKER = """
import sys
if sys.argv[2:]:
    sys.modules["marin_research"] = None  # as if it were not installed
function, arguments = __import__("pickle").load(open(sys.argv[1], "rb"))
function(*arguments)
"""


@pytest.fixture
def recorder(store, a_run, tmp_path, monkeypatch) -> Recorder:
    """Of a step that has begun in this process."""
    monkeypatch.chdir(tmp_path)
    launch = new_launch(store.root, heartbeat_s=0.2)
    run = a_run(attempts=(), status=Status.RUNNING, launch=launch.id)
    made = Recorder(launch, run, attempt=store.claim_attempt(run.id))
    made.start(config={}, declared_devices=Unknown("nothing"))
    return made


@pytest.fixture
def work_elsewhere(recorder, tmp_path):
    """Call a dispatched function in another process, as a worker does; gives the process."""

    def work(source: str, *, place: str | None = None, installed: bool = True) -> subprocess.Popen[str]:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(source, scope)  # noqa: S102 - a function of a script, which no worker can import
        pickled = tmp_path / f"job-{len(list(tmp_path.glob('job-*')))}"
        pickled.write_bytes(cloudpickle.dumps((recording_itself(scope["work"], recorder, 1), ("the argument",))))
        environment = {**os.environ, **({"IRIS_TASK_ID": place, "IRIS_NUM_TASKS": "2"} if place else {})}
        command = [sys.executable, "-c", WORKER, str(pickled), *([] if installed else ["not installed"])]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return work


SAYS = "def work(text):\n    print('worked with', text)\n"


@pytest.mark.parametrize(
    ("installed", "why"),
    [(False, "No module named 'marin_research"), (True, "no cluster says which job this process belongs to")],
)
def test_a_function_runs_where_nothing_can_be_recorded_and_says_so(work_elsewhere, installed, why):
    """A worker whose image lacks the plugin must not cost the researcher a pod."""
    out, err = work_elsewhere(SAYS, installed=installed).communicate(timeout=60)

    assert out == "worked with the argument\n"
    assert "[marin-research: this host records nothing itself:" in err
    assert why in err


def test_another_store_at_the_same_path_is_left_alone(work_elsewhere, store):
    """A local folder of the launcher's machine may exist on the worker, too, with somebody else's records in it."""
    store.objects.put("store.json", b"{}")

    out, err = work_elsewhere(SAYS, place="/ada/train/0:0").communicate(timeout=60)

    assert out == "worked with the argument\n"
    assert "the record store of the launch is not at" in err
    assert len(store.run("LR-001").attempts[0].hosts) == 1


def test_a_store_that_does_not_answer_is_not_waited_for(recorder, monkeypatch, capsys):
    """A worker without credentials may try for minutes; the accelerators would wait with it."""
    monkeypatch.setattr(hosts, "PATIENCE_S", 0.05)
    monkeypatch.setattr(RecordStore, "__init__", lambda *_: time.sleep(5))

    assert recording_itself(lambda: 5, recorder, 1)() == 5
    assert "did not answer for 0.05 s" in capsys.readouterr().err


def test_a_host_that_leaves_with_code_0_has_ended_well(work_elsewhere, store):
    """`main()` of many a training script ends in `sys.exit()`."""
    process = work_elsewhere("def work(text):\n    raise SystemExit(0)\n", place="/ada/train/0:0")

    assert process.wait(timeout=60) == 0
    (host,) = store.run("LR-001").attempts[0].workers
    assert (host.end.status, host.end.why) == (Status.SUCCEEDED, "its function returned")


def test_hosts_that_come_back_together_join_one_attempt(work_elsewhere, store):
    """A pod that was preempted comes back as attempt 2, not as one attempt a host."""
    first = [work_elsewhere(SAYS, place=f"/ada/train/{index}:0") for index in (0, 1)]
    assert [process.wait(timeout=60) for process in first] == [0, 0]
    again = [work_elsewhere(SAYS, place=f"/ada/train/{index}:1") for index in (0, 1)]
    assert [process.wait(timeout=60) for process in again] == [0, 0]

    run = store.run("LR-001")

    assert [attempt.number for attempt in run.attempts] == [1, 2]
    assert run.attempts[1].retry == Retry(of=1, job="/ada/train", number=1)
    for attempt in run.attempts:
        assert [(host.job, host.index, host.end.status) for host in attempt.workers] == [
            ("/ada/train", 0, Status.SUCCEEDED),
            ("/ada/train", 1, Status.SUCCEEDED),
        ]
        for host in attempt.workers:
            assert b"worked with the argument" in b"".join(read_output(store, run.id, attempt.number, host.writer))


def test_what_a_host_raises_reaches_its_cluster_and_the_record(work_elsewhere, store):
    """Iris tells success from failure by the exit code."""
    process = work_elsewhere("def work(text):\n    raise ValueError('bad batch')\n", place="/ada/train/1:0")
    _, err = process.communicate(timeout=60)

    (host,) = store.run("LR-001").attempts[0].workers
    assert process.returncode == 1
    assert "ValueError: bad batch" in err
    assert "marin_research" not in host.end.exception.traceback.partition("in work")[2]
    assert (host.end.why, host.end.exception.message) == ("its function raised ValueError", "bad batch")

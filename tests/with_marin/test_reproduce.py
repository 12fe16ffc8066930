"""One step of a script, run again by Marin's real StepRunner out of the commit and the changes that it ran with."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.marin

SCRIPT = """\
import os
from pathlib import Path
from marin.execution.artifact import Artifact
from marin.execution.build_context import resolve_version
from marin.execution.lazy import apply
from marin_research import Thread, recorded, research_main

SCALE = 1


class Trained(Artifact):
    loss: float


def corpus() -> Trained:
    with Path(os.environ["TALLY"]).open("a") as file:
        file.write("corpus\\n")
    return Trained(loss=0.0)


def train(lr: float, data: str) -> Trained:
    with Path(os.environ["TALLY"]).open("a") as file:
        file.write(f"train {lr}\\n")
    assert Path(data).is_dir()
    return Trained(loss=lr * SCALE)


def build():
    thread = Thread.load("lr-sweep")

    def step(name, fn, **inputs):
        return apply(name, fn, version=resolve_version(name, None), artifact_type=Trained, **inputs)

    data = step("corpus", corpus)
    runs = {lr: step(f"train/{lr}", train, lr=lr, data=data) for lr in (0.1, 0.2)}
    return [recorded(each, thread, label=f"lr={lr}", baseline=lr == 0.1) for lr, each in runs.items()]


if __name__ == "__main__":
    research_main(build, Thread.load("lr-sweep"))()
"""


@pytest.fixture
def launched(git_checkout, git, store, tmp_path, monkeypatch):
    """A launch of two steps with an uncommitted change; gives the checkout and a tally of what was built."""
    top = git_checkout()
    (top / ".agents/research").mkdir(parents=True)
    (top / ".agents/research/lr-sweep.yaml").write_text(
        "topic: lr-sweep\nprefix: LR\nmetrics: [{name: loss, direction: lower, unit: nats}]\n"
    )
    (top / "sweep.py").write_text(SCRIPT)
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "sweep")
    (top / "sweep.py").write_text(SCRIPT.replace("SCALE = 1", "SCALE = 3"))
    monkeypatch.setenv("TALLY", str(tmp_path / "tally"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    command = [sys.executable, "sweep.py", "--version", "dev", "--run", "--max-concurrent", "1", "--no-curate"]
    subprocess.run(command, cwd=top, check=False, capture_output=True)
    assert [str(run.status) for run in store.runs()] == ["succeeded", "succeeded"]
    (top / "sweep.py").write_text("raise SystemExit('rewritten since')\n")
    return top, tmp_path / "tally"


def reproduce(top, *args):
    program = [sys.executable, "-m", "marin_research.cli.main", "reproduce", *args, "--json"]
    return subprocess.run(program, cwd=top, check=False, capture_output=True, text=True)


def test_only_the_one_step_is_run_again(launched, store):
    """Neither Marin's cache answers instead, nor are its siblings and inputs built anew, nor is its output replaced."""
    top, tally = launched
    before = tally.read_text()
    first = store.run("LR-002")
    files = {entry.path: entry.stat().st_mtime_ns for entry in os.scandir(first.step.output_path)}

    done = reproduce(top, "LR-002")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["repeated"], told["judgement"]["verdict"]) == ("LR-003", "reproduced")
    assert tally.read_text() == before + "train 0.2\n"
    assert {entry.path: entry.stat().st_mtime_ns for entry in os.scandir(first.step.output_path)} == files
    again = store.run("LR-003")
    assert (again.reproduces, again.metrics["loss"].value, again.label) == ("LR-002", 0.6000000000000001, "lr=0.2")
    assert again.hypothesis == "it gives the same result as LR-002"
    assert again.step.output_path.endswith("/reproductions/LR-003")
    assert told["judgement"]["differences"] == []
    assert told["worktree"] is None
    assert len(list(store.runs())) == 3

"""The whole path as a user goes it: a script in a checkout, its drafts, approval, and the entry in the logbook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from marin.execution.build_context import BuildContext, VersionCodex, build_context

from marin_research.record import Status

pytestmark = [pytest.mark.marin, pytest.mark.timeout(600)]

README = Path(__file__).parents[2] / "README.md"
BIN = Path(sys.executable).parent

SCRIPT = '''
"""A sweep of which one value fails."""
from marin.execution.artifact import Artifact
from marin.execution.lazy import apply
from marin_research import Thread, recorded, research_main

thread = Thread.load("sweep")


class Trained(Artifact):
    loss: float


def train(rate: float) -> Trained:
    print(f"training with rate {rate}")
    if rate > 1:
        raise FloatingPointError(f"loss is nan with rate {rate}")
    return Trained(loss=1 / rate)


def build():
    def step(rate, **said):
        handle = apply(f"train/{rate}", train, artifact_type=Trained, rate=rate)
        return recorded(handle, thread, label=f"rate={rate}", **said)

    return [step(0.1, hypothesis="the default is stable", baseline=True), step(0.4), step(8.0)]


if __name__ == "__main__":
    research_main(build, thread)()
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A research repository with a thread, its logbook and one experiment script, all committed."""
    top = tmp_path_factory.mktemp("research repo")
    git = ["git", "-c", "user.name=A Researcher", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "main"], cwd=top, check=True)
    run(top, "marin-research", "init", "sweep", "--prefix", "SW", "--metric", "loss:lower:nats", expect=0)
    (top / "sweep.py").write_text(textwrap.dedent(SCRIPT))
    subprocess.run([*git, "add", "-A"], cwd=top, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "a sweep"], cwd=top, check=True)
    return top


def run(top: Path, *command: str, expect: int | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "MARIN_PREFIX": str(top / "out")}
    environment["MARIN_RESEARCH_ROOT"] = str(top / ".marin-research")
    done = subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert expect is None or done.returncode == expect, done.stdout + done.stderr
    return done


def read_json(top: Path, *command: str) -> Any:
    return json.loads(run(top, *command, "--json", expect=0).stdout)


@pytest.fixture(scope="module")
def launched(checkout):
    """The checkout after one run of the script."""
    (checkout / ".gitignore").write_text("out/\n")
    done = run(checkout, "python", "sweep.py", "--version", "dev", "--run", expect=1)
    return checkout, done


def test_a_launch_ends_with_its_drafts_even_when_a_step_failed(launched):
    """Failures are results; they are written up like the rest."""
    checkout, done = launched

    assert "1 step(s) failed" in done.stderr
    assert [(r["id"], r["status"]) for r in read_json(checkout, "marin-research", "runs")] == [
        ("SW-001", "succeeded"),
        ("SW-002", "succeeded"),
        ("SW-003", "failed"),
    ]
    assert {draft["kind"] for draft in read_json(checkout, "curator", "drafts")} == {"logbook", "issue", "post"}


def test_the_template_writes_nothing_that_the_record_does_not_say(launched):
    """Every number, link, hash and comparison of every draft stands in the facts."""
    checkout, _ = launched

    for draft in read_json(checkout, "curator", "drafts"):
        done = json.loads(run(checkout, "curator", "verify", draft["id"], "--json").stdout)
        # Under which skill a post belongs is a person's choice, and asked for before anything else is.
        unchosen = [finding for finding in done["findings"] if finding["kind"] == "fields"]
        assert done["findings"] == unchosen, draft["text"]
        assert done["ok"] == (draft["kind"] != "post"), draft["text"]


def test_an_approved_entry_stands_in_the_logbook_and_its_command_runs_again(launched):
    """The command of an entry is worth something only if it can be pasted."""
    checkout, _ = launched
    logbook = checkout / ".agents/logbooks/sweep.md"
    before = logbook.read_bytes()
    (entry,) = [d for d in read_json(checkout, "curator", "drafts") if d["kind"] == "logbook"]

    run(checkout, "curator", "approve", entry["id"], "--by", "A Researcher", expect=0)
    run(checkout, "curator", "publish", "--approved", expect=0)
    run(checkout, "curator", "publish", "--approved", expect=0)

    after = logbook.read_text()
    assert after.encode().startswith(before.rstrip(b"\n"))
    assert after.count("SW-001..SW-003") == 1
    assert "FloatingPointError: loss is nan with rate 8.0" in after
    (command,) = re.findall(r"^- Command: `(.*)`$", after, re.MULTILINE)
    run(checkout, "sh", "-c", command)
    assert [r["id"] for r in read_json(checkout, "marin-research", "runs")][3:] == ["SW-004", "SW-005", "SW-006"]


def test_a_launch_served_from_the_cache_says_so_instead_of_inventing_a_result(checkout):
    """Looking an output up is not measuring it again."""
    run(checkout, "python", "sweep.py", "--version", "2026.11.22", "--run", expect=1)
    known = {draft["id"] for draft in read_json(checkout, "curator", "drafts")}

    run(checkout, "python", "sweep.py", "--version", "2026.11.22", "--run", expect=1)

    runs = read_json(checkout, "marin-research", "runs", "--status", "cached")
    assert [run["label"] for run in runs] == ["rate=0.1", "rate=0.4"]
    (entry,) = [d for d in read_json(checkout, "curator", "drafts") if d["id"] not in known and d["kind"] == "logbook"]
    assert f"cached, made by {runs[0]['cached_from']}" in entry["text"]


def test_without_run_the_plan_is_printed_and_nothing_is_recorded(checkout):
    """Looking at the plan is free."""
    count = len(read_json(checkout, "marin-research", "runs"))

    done = run(checkout, "python", "sweep.py", "--version", "dev", expect=0)

    assert "train/0.1@dev" in done.stdout
    assert len(read_json(checkout, "marin-research", "runs")) == count


def test_the_programs_of_the_readme_run_as_printed(store, build, tmp_path, monkeypatch):
    """A first program that fails is the last that a new user tries."""
    first, on_a_cluster, on_ray = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / ".agents/research").mkdir(parents=True)
    (tmp_path / ".agents/research/lr-sweep.yaml").write_text("topic: lr-sweep\nprefix: LR\n")
    monkeypatch.chdir(tmp_path)
    said: dict[str, Any] = {"__name__": "readme"}
    exec(first + on_a_cluster + on_ray.partition("with ")[0], said)  # noqa: S102 - it is ours

    with build_context(BuildContext(versions=VersionCodex(default="dev"))):
        runs = build(*said["build"](), said["step"])

    assert [(run.status, "eval/loss" in run.metrics) for run in runs] == [(Status.SUCCEEDED, True)] * 5
    assert [run.baseline for run in runs].count(True) == 1

"""The recorder is killed at every single thing that it does to the store. What was known is there; nothing else is."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from marin_research.output import read_output
from marin_research.record import Attempt, Run, Status
from marin_research.store import RecordStore

pytestmark = pytest.mark.marin

SCRIPT = """
touch $J/began; echo tok/s=10; echo '{"loss": 2.5}' > $MARIN_RESEARCH_METRICS
sleep $PAUSE; echo tok/s=12; touch $J/finished; exit 3
"""
PRINTED = {"command": b"tok/s=10\ntok/s=12\n", "step": b"first line\nlast line\n"}
EXIT_CODE = {"command": 3, "step": 0}
MOST_POINTS = 200


@dataclass
class Try:
    """One recording, and what came of it."""

    kind: str
    folder: Path
    journal: Path
    code: int = 0

    def did(self, what: str) -> bool:
        return (self.journal / what).exists()

    @property
    def killed_at(self) -> str:
        return (self.journal / "killed").read_text() if self.did("killed") else ""

    @property
    def out(self) -> bytes:
        return (self.journal / "out").read_bytes()

    @property
    def err(self) -> str:
        return (self.journal / "err").read_text()

    @property
    def store(self) -> RecordStore:
        return RecordStore(str(self.folder / "records"))

    @property
    def runs(self) -> list[Run]:
        return list(self.store.runs())

    def kept(self, run: Run) -> bytes:
        (attempt,) = run.attempts
        return b"".join(read_output(self.store, run.id, attempt.number, attempt.hosts[0].writer))


@dataclass
class Program:
    """The program that records and is killed."""

    process: subprocess.Popen[str]
    folder: Path
    count: int = field(default=0)

    def record(self, kind: str, folder: Path, victim: str = "", at: int = 0, *, pause_s: float = 0.25) -> Try:
        self.count += 1
        journal = self.folder / f"journal-{self.count}"
        journal.mkdir()
        options = (
            "--set",
            "block=256",
            "--metric",
            "tok/s=([0-9]+)",
            "--",
            "sh",
            "-c",
            f"J={journal} PAUSE={pause_s}\n{SCRIPT}",
        )
        job: dict[str, Any] = {
            "folder": str(folder),
            "store": str(folder / "records"),
            "journal": str(journal),
            "victim": victim,
            "at": at,
            "command": options if kind == "command" else (),
            "name": f"train/{self.count}",
            "pause_s": pause_s,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(job), file=self.process.stdin, flush=True)
        return Try(kind, folder, journal, int(self.process.stdout.readline()))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    line = [sys.executable, str(Path(__file__).with_name("killed_program.py"))]
    environment = {**os.environ, "HOME": str(folder), "JAX_PLATFORMS": "cpu"}
    with (
        (folder / "err").open("wb") as err,
        subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True, env=environment
        ) as process,
    ):
        yield Program(process, folder)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def checkout(tmp_path):
    """Make a checkout with a change in it, so that there is a diff to keep."""
    numbers = itertools.count()

    def make() -> Path:
        top: Path = tmp_path / str(next(numbers))
        (top / ".agents/research").mkdir(parents=True)
        (top / ".agents/research/kernels.yaml").write_text("topic: kernels\nprefix: KER\n")
        (top / "bench.py").write_text("fast = True\n")
        subprocess.run(["git", "init", "-q"], cwd=top, check=True)
        return top

    return make


@pytest.mark.timeout(900)
@pytest.mark.parametrize("victim", ["recorder", "sidecar"])
@pytest.mark.parametrize("kind", ["command", "step"])
def test_a_kill_at_any_write_loses_nothing_that_was_said(program, checkout, kind, victim):
    """Preempted and killed runs are the ones that people must write about."""
    points = 0
    for at in range(1, MOST_POINTS):
        tried = reach(program, checkout, kind, victim, at)
        if tried is None:
            break
        points += 1
        where = f"killed at {tried.killed_at}"
        if victim == "sidecar":
            assert_undisturbed(tried, where)
            if tried.out != PRINTED[kind]:
                # Between reading and showing, a kill takes a line along. That moment is rare, and not this point.
                second = reach(program, checkout, kind, victim, at)
                assert second is None or second.out == PRINTED[kind], f"{where}: not shown, twice"
        assert_announced(tried, where)
        assert_next_works(program, tried, where)
    assert points >= {"recorder": 30, "sidecar": 5}[victim], "there must be writes to be killed at"
    print(f"{kind}: {victim} killed at {points} points")


def reach(program: Program, checkout: Callable[[], Path], kind: str, victim: str, at: int) -> Try | None:
    """A recording that was killed at point number ``at``; on a busy machine the hearts of some beat less often."""
    for _ in range(3):
        tried = program.record(kind, checkout(), victim, at)
        wait_for_the_others(tried)
        if tried.killed_at:
            return tried
    return None


def wait_for_the_others(tried: Try) -> None:
    """Whoever is not the victim goes on, and comes to an end."""
    pids = [int(path.name.removeprefix("points-")) for path in tried.journal.glob("points-*")]
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    while tried.kind == "command" and tried.did("began") and not tried.did("finished"):
        assert time.monotonic() < deadline, "the command was taken along"
        time.sleep(0.01)


def assert_undisturbed(tried: Try, where: str) -> None:
    """The sidecar is ours; nobody else may feel its end."""
    assert tried.code == EXIT_CODE[tried.kind], f"{where}: {tried.err}"
    (run,) = tried.runs
    assert run.status is (Status.FAILED if tried.kind == "command" else Status.SUCCEEDED), f"{where}: {run.why}"
    whole = tried.kept(run) == PRINTED[tried.kind]
    assert whole or "the output" in {gap.what for gap in run.gaps}, f"{where}: lost without a word"


def assert_announced(tried: Try, where: str) -> None:
    """What the command, the step or its user can have learned by then is on record."""
    runs = tried.runs
    if tried.did("began"):
        (run,) = runs
        (attempt,) = run.attempts
        assert attempt.config["block" if tried.kind == "command" else "lr"] in (256, 2.5), where
        assert attempt.git.diff, where
        assert_output(tried, where)
    if tried.did("reported"):
        assert runs[0].metrics["loss"].value == 2.5, where
    if "recorded as" in (tried.err if tried.kind == "command" else ""):
        assert end_of(runs[0]).exit_code == 3, where
        assert runs[0].metrics["loss"].value == 2.5, where
        if tried.kept(runs[0]) == PRINTED["command"]:
            assert (runs[0].metrics["tok/s"].value, runs[0].metrics["tok/s"].count) == (12, 2), where
    if tried.did("returned"):
        assert end_of(runs[0]).status is Status.SUCCEEDED, where
        assert runs[0].metrics["accuracy"].value == 0.5, where


def assert_output(tried: Try, where: str) -> None:
    """What was shown is kept as soon as a sidecar that nobody waited for is done with it."""
    deadline = time.monotonic() + 30
    while not is_accounted_for(tried):
        assert time.monotonic() < deadline, f"{where}: {tried.out!r} was shown and not kept"
        time.sleep(0.01)


def is_accounted_for(tried: Try) -> bool:
    (run,) = tried.runs
    kept = tried.kept(run)
    return kept == tried.out or "the output" in {gap.what for gap in run.gaps} or b"marin-research:" in kept


def end_of(run: Run) -> Any:
    attempt: Attempt | None = run.attempt
    assert attempt is not None
    assert attempt.end is not None
    return attempt.end


def assert_next_works(program: Program, tried: Try, where: str) -> None:
    """Nothing that a killed process left stands in anybody's way, and no ID has two owners."""
    before = {run.id: run.launch for run in tried.runs}
    claimed = set(tried.store.objects.names("ids/KER"))

    again = program.record(tried.kind, tried.folder, pause_s=0)

    assert again.code == EXIT_CODE[tried.kind], f"after one was {where}: {again.err}"
    runs = {run.id: run for run in again.runs}
    new = set(runs) - set(before)
    assert len(new) == 1, where
    (run_id,) = new
    assert f"{int(re.sub('.*-', '', run_id)):06d}.json" not in claimed, f"{where}: {run_id} was given out twice"
    assert {run_id: run.launch for run_id, run in runs.items() if run_id in before} == before, where
    assert len(runs[run_id].attempts) == 1, where
    assert end_of(runs[run_id]).status in (Status.FAILED, Status.SUCCEEDED), where

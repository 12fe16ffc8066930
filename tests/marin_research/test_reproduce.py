"""Repeating recorded commands: as they were, elsewhere, under an ID of their own; and what keeps one from it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from marin_research.cli.schema import schemas
from marin_research.record import Command, Git, Unknown
from marin_research.reproduction.verdict import Verdict, judge
from marin_research.thread import find_thread

PROGRAM = [sys.executable, "-m", "marin_research.cli.main"]
VALUE = "value=([0-9.]+)"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def record(bench):
    """Record a command in the checkout, as KER-003."""

    def run(*command: str, **environment: str) -> None:
        program = [*PROGRAM, "run", "--thread", "kernels", "--metric", VALUE, "--", *command]
        subprocess.run(program, cwd=bench.top, env={**os.environ, **environment}, check=False, capture_output=True)

    return run


def repeated(bench, *args):
    """What ``reproduce --json`` says, and its exit code."""
    said = bench.say("reproduce", *args, "--json")
    return json.loads(said.out), said.code


def test_a_command_runs_again_as_it_ran(bench, cache):
    """The commit, the changes and the command are those of the record, whatever became of the checkout since."""
    (bench.top / "bench.py").write_text("raise SystemExit('rewritten since')\n")
    before = bench.git("status", "--porcelain")

    said = bench.say("reproduce", "KER-002")

    assert said.code == 0, said
    assert "reproduced: tok/s agrees" in said.out
    assert "nothing else differs" in said.out
    assert "recorded as KER-003" in said.out
    assert "the worktree was removed" in said.out
    again, first = bench.store.run("KER-003"), bench.store.run("KER-002")
    assert (again.reproduces, again.metrics["tok/s"].value, again.label) == ("KER-002", 768, first.label)
    assert again.attempt.command.argv == first.attempt.command.argv
    assert (again.attempt.git.commit, again.attempt.git.diff) == (first.attempt.git.commit, first.attempt.git.diff)
    assert again.hypothesis == "it gives the same result as KER-002"
    assert (again.baseline, again.config) == (False, {"block": 256})
    assert list((cache / "marin-research/reproductions").iterdir()) == []
    assert bench.git("status", "--porcelain") == before
    assert bench.git("worktree", "list").count("\n") == 0


def test_a_command_is_repeated_on_the_devices_that_were_named(bench):
    """Unnamed, they would be a difference, and no repetition of such a result could count as one."""
    line = [*PROGRAM, "run", "--thread", "kernels", "--metric", VALUE, "--devices", "TPU v4:8", "--", "echo", "value=1"]
    subprocess.run(line, cwd=bench.top, check=True, capture_output=True)

    said = bench.say("reproduce", "KER-003")

    assert "nothing else differs" in said.out, said
    assert "its devices are taken to be those that KER-003 names, 8 x TPU v4" in said.out + said.err
    first, again = (bench.store.run(each).attempt.devices for each in ("KER-003", "KER-004"))
    assert first == again


def test_a_dry_run_checks_everything_and_runs_nothing(bench, cache, monkeypatch):
    """It says what would be run and set, without a trace."""
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    before = bench.state()

    said = bench.say("reproduce", "KER-002", "--dry-run")
    planned, code = repeated(bench, "KER-002", "--dry-run")

    assert (said.code, code) == (0, 0)
    for words in ("with its recorded changes", "env XLA_FLAGS=--xla_dump python3 bench.py 256", "unsets  XLA_FLAGS"):
        assert words in said.out
    assert planned["changed"]
    assert bench.state() == before
    assert not cache.exists()


def test_a_result_that_differs_is_called_so(bench, record, tmp_path):
    """By more than replicates may differ, unless more is allowed; scripts see it by the exit code."""
    (tmp_path / "value").write_text("value=100\n")
    record("cat", str(tmp_path / "value"))
    (tmp_path / "value").write_text("value=110\n")

    found, code = repeated(bench, "KER-003")
    first, second = bench.store.run("KER-003"), bench.store.run("KER-004")
    near = judge(first, second, find_thread("kernels", bench.store), [first], tolerance=7)

    assert (found["judgement"]["verdict"], found["judgement"]["why"], code) == ("differs", "value differs", 3)
    assert near.verdict is Verdict.REPRODUCED
    jsonschema.validate(found, schemas()["schemas"]["Reproduction"])


def test_repetitions_show_how_far_a_result_varies_by_itself(bench, record, tmp_path):
    """What earlier replicates did is no reason to call the next one different."""
    for value in ("100", "110"):
        (tmp_path / "value").write_text(f"value={value}\n")
        record("cat", str(tmp_path / "value"))
    (tmp_path / "value").write_text("value=108\n")

    found, code = repeated(bench, "KER-003")

    assert code == 0, found
    assert found["judgement"]["metrics"][0]["allowed_percent"] == pytest.approx(6.73, abs=0.01)


def test_a_failure_is_a_result(bench, record, tmp_path):
    """It is reproduced by the same failure, and differs from a success."""
    (tmp_path / "code").write_text("2\n")
    record("sh", "-c", f"exit $(cat {tmp_path}/code)")

    same, code = repeated(bench, "KER-003")
    (tmp_path / "code").write_text("0\n")
    other, different = repeated(bench, "KER-003")

    assert (same["judgement"]["why"], code) == ("both failed with exit code 2", 0)
    assert (other["judgement"]["why"], different) == ("KER-003 failed with exit code 2, KER-005 succeeded", 3)


def test_what_a_run_wrote_is_not_thrown_away(bench, record):
    """Checkpoints and offline W&B runs lie where the command left them; the worktree stays for their sake."""
    record("sh", "-c", "echo value=1 | tee result.txt")

    done, _ = repeated(bench, "KER-003")
    kept, _ = repeated(bench, "KER-002", "--keep")

    assert done["left"] == ["result.txt"]
    assert (bench.top.parent / done["worktree"] / "result.txt").read_text() == "value=1\n"
    assert bench.git("status", "--porcelain", at=kept["worktree"]).splitlines()[0] == "M bench.py"
    assert f"git worktree remove --force {kept['worktree']}" in bench.say("reproduce", "KER-002", "--dry-run").err


def test_a_program_of_the_checkout_that_is_in_no_commit_is_found(bench, record):
    """Commands begin with .venv/bin/python more often than not."""
    (bench.top / ".venv/bin").mkdir(parents=True)
    (bench.top / ".venv/bin/python").symlink_to("/usr/bin/env")
    (bench.top / ".git/info/exclude").write_text(".venv/\n")
    record(".venv/bin/python", "sh", "-c", "pwd; echo value=3")

    found, code = repeated(bench, "KER-003")

    assert code == 0, found
    assert found["repeated"] == "KER-004"


def test_a_secret_comes_from_whoever_repeats(bench, record, monkeypatch):
    """The record has it masked; it is asked for by a name, and masked again."""
    secret = "sk-" + "a1b2c3d4" * 5
    record("sh", "-c", "echo value=${#2}", "--", "--api-key", secret)
    assert secret not in str(bench.store.run("KER-003"))

    refused = bench.say("reproduce", "KER-003")
    monkeypatch.setenv("API_KEY", secret)
    found, code = repeated(bench, "KER-003")

    assert (refused.code, "set API_KEY (argument 5, [REDACTED:" in refused.err) == (1, True)
    assert code == 0, found
    assert bench.store.run("KER-004").metrics["value"].value == len(secret)
    assert secret not in str(bench.store.run("KER-004"))


def test_a_small_binary_change_is_repeated_with_the_rest(bench, record):
    """Inputs are binary as often as not."""
    (bench.top / "input.bin").write_bytes(b"\0" * 7)
    bench.git("add", "input.bin")
    bench.git("commit", "--quiet", "--message", "an input", "input.bin")
    (bench.top / "input.bin").write_bytes(b"\0" * 9)
    record("sh", "-c", "echo value=$(wc -c < input.bin)")

    found, code = repeated(bench, "KER-003")

    assert code == 0, found
    assert bench.store.run("KER-004").metrics["value"].value == 9


def test_changes_that_the_record_lacks_are_not_ignored_silently(bench, record):
    """A file that was too large to keep may be what the result came from."""
    (bench.top / "weights.bin").write_bytes(os.urandom(300_000))
    record("sh", "-c", "echo value=1")

    refused = bench.say("reproduce", "KER-003")
    found, code = repeated(bench, "KER-003", "--anyway")

    assert refused.code == 1
    assert "the content of weights.bin is not in the record; --anyway" in refused.err
    assert code == 0
    assert "weights.bin" in found["notes"][0]


def test_killed_in_the_middle_it_can_be_started_again(bench, record, tmp_path):
    """The worktree that stayed is named, and the next try has its own."""
    gate = tmp_path / "gate"
    gate.touch()
    record("sh", "-c", f"until test -f {gate}; do sleep 0.05; done; echo value=1")
    gate.unlink()
    with subprocess.Popen([*PROGRAM, "reproduce", "KER-003"], stdout=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 60
        while "KER-004" not in bench.store.run_ids() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(first.pid, signal.SIGKILL)
    gate.touch()  # the command goes on, and so does its record

    said = bench.say("reproduce", "KER-003")

    assert said.code == 0, said
    assert "reproduced" in said.out
    (left,) = [path for path in bench.git("worktree", "list", "--porcelain").split() if "reproductions" in path]
    assert f"git worktree remove --force {left}" in said.err


@pytest.fixture
def kept(bench, keep, a_run, an_attempt, a_host):
    """Keep a run with an attempt that is as said, but for the real commit, in a store of its own."""

    def make(**said):
        now = datetime.now(UTC)
        hosts = (a_host(started=now, heartbeat=now),)
        attempt = replace(an_attempt(commit=bench.git("rev-parse", "HEAD"), hosts=hosts), **said)
        return keep(a_run(attempts=(attempt,), step=Unknown("a command, not a Marin step")))

    return make


CLEAN = Git(
    commit="c0ffee" * 6 + "abcd",
    branch="main",
    remote="https://github.com/o/r",
    tree="0",
    dirty=False,
    diff=Unknown("the tree is clean"),
)
DIRTY = replace(CLEAN, commit="HEAD", dirty=True, diff=Unknown("the diff has 30000000 bytes, more than 20000000"))
MASKED = Command(argv=("./go", "https://u:[REDACTED:password]@host"), line="./go", cwd="/c", cwd_in_repository=".")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"git": CLEAN}, "git fetch https://github.com/o/r c0ffeec0ffee"),
        ({"git": replace(CLEAN, commit=Unknown("git is not installed"))}, "its code is not on record; run it by hand"),
        ({"git": DIRTY}, "more than 20000000); --anyway repeats it on the bare commit"),
        ({"command": MASKED}, "set MARIN_RESEARCH_SECRET_1 (argument 1"),
        ({"environment": {"WANDB_NOTES": "[REDACTED:key]"}}, "the value of WANDB_NOTES was masked; set it"),
        ({"command": replace(MASKED, argv=("no-such-program",))}, "there is no program no-such-program here"),
        ({"end": None}, "is still running"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(bench, store, kept, said, why):
    """One line, before anything is run or left behind."""
    kept(**said)
    store.put_thread("lr-sweep", {"topic": "lr-sweep", "prefix": "LR"})

    answer = bench.say("reproduce", "LR-001", "--root", store.root)

    assert answer.code == 1
    assert why in answer.err
    assert len(answer.err.splitlines()) == 1
    assert bench.git("worktree", "list").count("\n") == 0


def test_it_needs_a_checkout_of_the_repository(bench, tmp_path, monkeypatch):
    """Anywhere else there is no commit to check out."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", bench.store.root)
    monkeypatch.chdir(tmp_path)

    said = bench.say("reproduce", "KER-002")

    assert (said.code, "this is no git checkout" in said.err) == (1, True)


def test_killed_before_any_of_its_steps_it_can_be_done_again(bench):
    """Whatever was there already is nobody's obstacle."""
    for step in ("worktree add", "apply --whitespace", "worktree remove"):
        assert _killed_before(step, bench)

    said = bench.say("reproduce", "KER-002")

    assert said.code == 0, said
    assert bench.git("worktree", "list").count("\n") == 2


def _killed_before(step: str, bench) -> bool:
    """Whether a repetition came to a step of git, before which it was killed."""
    child = os.fork()
    if child == 0:

        def audit(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "subprocess.Popen" and step in " ".join(map(str, arguments[1])):
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(audit)
        try:
            bench.say("reproduce", "KER-002")
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])

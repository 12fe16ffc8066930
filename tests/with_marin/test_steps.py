"""Recorded steps on Marin's real StepRunner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from marin.execution import lazy
from marin.execution.artifact import Artifact
from marin.execution.lazy import ArtifactStep, apply, lower
from marin.execution.remote import RemoteCallable, remote

from marin_research import recorded, report
from marin_research.output import read_output
from marin_research.record import Status
from marin_research.spool import patience
from marin_research.spool.folder import SpoolFolder
from marin_research.spool.upload import Sender
from marin_research.steps import reporting
from marin_research.store import RecordStore

pytestmark = pytest.mark.marin

FIXED = "2026.11.22"


class Trained(Artifact):
    loss: float
    steps: int
    note: str = "values that are no numbers are not metrics"


def train(lr: float, fail: bool = False) -> Trained:
    print(f"training with lr={lr}")
    if fail:
        raise FloatingPointError("loss is nan at step 7")
    return Trained(loss=lr * 10, steps=100)


def evaluate(model: str) -> Trained:
    assert Path(model).is_dir()
    return Trained(loss=1.0, steps=0)


def step(name: str = "train/a", version: str = FIXED, fn=train, **inputs) -> ArtifactStep[Trained]:
    return apply(name, fn, version=version, artifact_type=Trained, **({"lr": 0.1} | inputs if fn is train else inputs))


def output_of(store, run) -> str:
    host = run.attempt.hosts[0]
    return b"".join(read_output(store, run.id, run.attempt.number, host.writer)).decode()


def test_a_recorded_step_keeps_its_identity(store, thread):
    """Path, fingerprint and type are what Marin's cache and every dependent know a step by."""
    plain, marked = step(), step()
    before = (plain.fingerprint(), plain.path(), lower(plain).hash_id)

    result = recorded(marked, thread, hypothesis="it learns", baseline=True)

    assert result is marked
    assert (marked.fingerprint(), marked.path(), lower(marked).hash_id) == before
    assert marked.artifact_type is Trained


def test_a_run_leaves_the_whole_story_of_itself(store, thread, build):
    """What a logbook entry needs is in the record: command, config, commit, devices, result, outcome."""
    (run,) = build(recorded(step(), thread, label="lr=0.1", hypothesis="it learns", baseline=True))

    assert (run.id, run.thread, run.status, run.label) == ("LR-001", "lr-sweep", Status.SUCCEEDED, "lr=0.1")
    assert run.hypothesis == "it learns"
    assert run.baseline
    assert run.step.address == f"train/a@{FIXED}"
    assert run.config == {"lr": 0.1}
    assert {name: metric.value for name, metric in run.metrics.items()} == {"loss": 1.0, "steps": 100.0}
    assert run.attempt.command.argv == tuple(sys.orig_argv)
    assert run.attempt.packages["marin-core"]
    assert run.attempt.wall_s >= 0
    assert "training with lr=0.1" in output_of(store, run)
    assert run.gaps == ()


def test_the_artifact_is_what_it_would_have_been(store, thread):
    """Recording changes nothing that the experiment reads back."""
    (artifact,) = lazy.run(recorded(step(), thread))

    assert (artifact.loss, artifact.steps) == (1.0, 100)
    assert artifact.record.config == {"lr": 0.1}


def test_a_failed_step_is_recorded_with_its_traceback(store, thread, build):
    """Marin tells the caller only that steps failed; the reason is in the record."""
    (run,) = build(recorded(step(fail=True), thread))

    assert run.status is Status.FAILED
    assert run.attempt.end.exception.type == "FloatingPointError"
    assert run.attempt.end.exception.message == "loss is nan at step 7"
    assert "in train" in run.attempt.end.exception.traceback
    assert "training with lr=0.1" in output_of(store, run)


def test_steps_that_depend_on_a_failed_one_are_noted_as_not_run(store, thread, build):
    """A missing result has a reason that can be looked up."""
    failing = recorded(step("train/bad", fail=True), thread)
    dependent = recorded(step("eval/bad", fn=evaluate, model=failing), thread)
    last = recorded(step("eval/worse", fn=evaluate, model=dependent), thread)

    _, *not_run = build(last)

    assert [run.status for run in not_run] == [Status.CANCELLED, Status.CANCELLED]
    assert "train/bad" in not_run[0].why
    assert all(run.attempts == () for run in not_run)


def test_a_step_served_from_the_cache_points_to_the_run_that_made_it(store, thread, build):
    """No second result is made up for an output that was only looked up."""
    build(recorded(step(), thread))

    made, cached = build(recorded(step(), thread))

    assert cached.status is Status.CACHED
    assert cached.cached_from == made.id == "LR-001"
    assert cached.metrics == {}


def test_a_mutable_version_makes_a_new_run_each_time(store, thread, build):
    """`--version dev` twice is two experiments of one thread, numbered on."""
    build(recorded(step(version="dev"), thread))

    runs = build(recorded(step(version="dev"), thread))

    assert [(run.id, run.status) for run in runs] == [("LR-001", Status.SUCCEEDED), ("LR-002", Status.SUCCEEDED)]


def test_building_a_failed_output_again_is_the_next_attempt(store, thread, build, tmp_path):
    """A retry belongs to the run that it retries."""
    flag = tmp_path / "mended"

    def flaky(lr: float) -> Trained:
        if not flag.exists():
            raise OSError("disk is full")
        return Trained(loss=lr, steps=1)

    def handle() -> ArtifactStep[Trained]:
        return recorded(apply("train/flaky", flaky, version=FIXED, artifact_type=Trained, lr=0.1), thread)

    build(handle())
    flag.touch()
    (run,) = build(handle())

    assert [attempt.end.status for attempt in run.attempts] == [Status.FAILED, Status.SUCCEEDED]
    assert run.status is Status.SUCCEEDED


def test_a_step_wrapped_after_others_depend_on_it_runs_and_is_recorded_once(store, thread, build, tmp_path):
    """Handles compare by identity, so a wrapped copy would be a second step that nobody asked for."""
    log = tmp_path / "calls"

    def counted(lr: float) -> Trained:
        with log.open("a") as file:
            file.write("x")
        return Trained(loss=lr, steps=1)

    first = apply("train/once", counted, version=FIXED, artifact_type=Trained, lr=0.1)
    dependent = recorded(step("eval/once", fn=evaluate, model=first), thread)
    also = recorded(first, thread)
    recorded(first, thread, label="said twice")

    runs = build(dependent, also)

    assert log.read_text() == "x"
    assert sorted(run.step.name for run in runs) == ["eval/once", "train/once"]


def test_two_handles_of_one_artifact_are_recorded_once(store, thread, build):
    """Marin builds one output path once a run, whichever handle it meets first."""
    unmarked, marked = step(), recorded(step(), thread)

    assert len(build(unmarked, marked)) == 1


def test_steps_in_parallel_threads_are_kept_apart(store, thread, build):
    """Output, metrics and outcome of one step never end up in another's record."""

    def chatty(tag: str) -> None:
        for index in range(200):
            print(f"{tag} line {index}")
            report("lines", index + 1, "lines")

    handles = [
        recorded(apply(f"chat/{tag}", chatty, version=FIXED, tag=tag), thread, label=tag)
        for tag in ("red", "green", "blue")
    ]

    for run in build(*handles):
        lines = [line for line in output_of(store, run).splitlines() if " line " in line]
        assert lines == [f"{run.label} line {index}" for index in range(200)]
        assert (run.metrics["lines"].value, run.metrics["lines"].count) == (200, 200)


def test_a_remote_step_stays_remote(store, thread, build):
    """Exchanging a remote step's function for a plain one would run it on the launcher."""

    def anywhere(lr: float) -> None:
        report("seen", lr)

    handle = recorded(apply("train/remote", remote(anywhere), version=FIXED, lr=0.5), thread)
    spec = lower(handle)

    assert not isinstance(spec.fn, RemoteCallable) or spec.fn.resources is not None
    (run,) = build(handle)
    assert run.status is Status.SUCCEEDED
    assert run.metrics["seen"].value == 0.5


def test_a_config_that_json_cannot_hold_is_recorded_readably(store, thread, build):
    """Callables, paths and NaN are common in configs and never a reason to lose a record."""

    def odd(config: object) -> None:
        pass

    handle = ArtifactStep(
        name="odd/config",
        version=FIXED,
        artifact_type=Artifact,
        run=odd,
        build_config=lambda ctx: {"activation": max, "where": Path("/data"), "limit": float("nan"), "layers": (1, 2)},
    )

    (run,) = build(recorded(handle, thread))

    assert run.status is Status.SUCCEEDED
    assert run.config == {"activation": "builtins.max", "where": "/data", "limit": "NaN", "layers": [1, 2]}


def test_secrets_in_a_config_never_reach_the_disk(store, thread, build, tmp_path):
    """Marin's own records once kept a key; ours must not."""
    secret = "sk-ant-" + "a1B2" * 12
    handle = ArtifactStep(
        name="secret/config",
        version=FIXED,
        artifact_type=Artifact,
        run=lambda config: print(config["api_key"]),
        build_config=lambda ctx: {"api_key": ctx.runtime_arg("key")},
        runtime_args={"key": secret},
    )

    build(recorded(handle, thread))

    written = [path for path in (tmp_path / "records").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if secret.encode() in path.read_bytes()]


def test_an_unwritable_store_warns_once_and_the_experiment_runs(thread, tmp_path, monkeypatch, caplog):
    """A recorder that stops an experiment is worse than none."""
    in_the_way = tmp_path / "a-file"
    in_the_way.touch()
    monkeypatch.setenv("MARIN_PREFIX", str(tmp_path / "prefix"))
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", str(in_the_way / "records"))

    (artifact, _) = lazy.run(recorded(step("train/a"), thread), recorded(step("train/b"), thread))

    assert artifact.loss == 1.0
    assert len([record for record in caplog.records if "NOT recorded" in record.message]) == 1


def test_a_launch_reports_its_runs_in_the_order_of_declaration(store, thread):
    """The summary and the drafts follow the script, not the accidents of scheduling."""
    handles = [recorded(step(f"train/{name}"), thread, label=name) for name in ("z", "m", "a")]

    with reporting() as launched:
        lazy.run(*handles)

    assert [store.run(run_id).label for run_id in launched.runs] == ["z", "m", "a"]


def test_a_step_that_ends_the_process_leaves_its_record(tmp_path):
    """`os._exit` skips every handler; what was known and printed before it is on disk, and the run counts as lost."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import os
            from marin.execution.lazy import apply, run
            from marin_research import Thread, recorded, report

            def doomed():
                report("loss", 2.5)
                print("about to go")
                os._exit(7)

            run(recorded(apply("train/doomed", doomed, version="dev"), Thread(topic="t", prefix="T")))
            """
        )
    )
    environment = {
        **os.environ,
        "MARIN_PREFIX": str(tmp_path / "prefix"),
        "MARIN_RESEARCH_ROOT": str(tmp_path / "records"),
        "MARIN_RESEARCH_HEARTBEAT_S": "0.2",
    }

    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    shown = subprocess.run(
        [sys.executable, "-m", "marin_research.cli.main", "show", "T-001", "--json"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    logs = subprocess.run(
        [sys.executable, "-m", "marin_research.cli.main", "logs", "T-001"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    run = json.loads(shown.stdout)
    assert done.returncode == 7
    assert "about to go" in done.stdout
    assert run["metrics"]["loss"]["value"] == 2.5
    assert run["status"] in ("running", "lost")
    assert "about to go" in logs.stdout


def test_what_cannot_be_watched_is_a_gap_and_the_step_runs(store, thread, build, monkeypatch):
    """A full temp folder is no reason to lose an experiment."""

    def full() -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("marin_research.recording._sink_folder", full)

    (run,) = build(recorded(step(), thread))

    assert run.status is Status.SUCCEEDED
    assert [(gap.what, "no space left" in gap.why) for gap in run.gaps] == [("the W&B runs", True)]


def test_a_store_that_never_answers_holds_up_no_step(s3, senders, thread, tmp_path, monkeypatch):
    """The experiment is worth more than its record, which gets there once the store answers."""
    monkeypatch.setenv("MARIN_PREFIX", str(tmp_path / "prefix"))
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", s3.url)
    monkeypatch.setattr(patience, "ALLOWANCE_S", 1.0)
    s3.network("hang")
    marked = recorded(step(), thread)

    lazy.run(marked)

    assert lower(marked).output_path.startswith(str(tmp_path))
    assert Path(lower(marked).output_path).is_dir()
    senders()
    s3.network("pass")
    assert Sender(SpoolFolder(s3.url)).send().left == 0
    (run,) = RecordStore(s3.url).runs()
    assert (run.status, run.metrics["loss"].value) == (Status.SUCCEEDED, 1.0)
    assert run.gaps == ()
    assert "training with lr=0.1" in output_of(RecordStore(s3.url), run)

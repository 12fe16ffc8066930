"""What a run does is on disk as soon as it is known, and nothing that goes wrong with that reaches the run."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from marin_research import report
from marin_research.codec import decode
from marin_research.devices import declared
from marin_research.errors import StoreError
from marin_research.launch import new_launch
from marin_research.record import Devices, Gap, Metric, Output, Run, Status, Unknown, WandbRun
from marin_research.recorder import Recorder, current_recorder, ended_by, ended_normally
from marin_research.redact import Redactor
from marin_research.store import RecordStore

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
NO_OUTPUT = Unknown("no output was captured")
A_WANDB_RUN = WandbRun(
    id="abc", project="p", entity="e", name="n", url="https://w/e/p/runs/abc", mode="online", path="/w", synced=True
)


@pytest.fixture
def launch(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return new_launch(store.root)


@pytest.fixture
def recorder(launch, store, a_run):
    """A recorder of LR-001 that has not started yet."""
    run_id = store.claim_id("LR", launch=launch.id)
    run = a_run(run_id, attempts=(), status=Status.RUNNING, launch=launch.id)
    return Recorder(launch, run, attempt=store.claim_attempt(run_id))


@pytest.fixture
def started(recorder) -> Recorder:
    made: Recorder = recorder
    made.start(config={"lr": 0.1}, declared_devices=Unknown("the step declares no resources"))
    return made


def recorded(recorder: Recorder) -> Run:
    return RecordStore(recorder.launch.root).run(recorder.run.id)


def events_of(recorder: Recorder) -> Path:
    return Path(recorder.launch.root) / "runs" / recorder.run.id / "events"


def test_what_is_about_to_run_is_on_disk_before_it_runs(started):
    """A process that is killed in its first step must still have said what it was."""
    run = recorded(started)

    assert run.status is Status.RUNNING
    assert run.attempt is not None
    assert run.attempt.config == {"lr": 0.1}
    assert run.attempt.command == started.launch.command
    assert run.attempt.git == started.launch.git
    assert run.attempt.hosts[0].writer == started.writer


def test_a_whole_attempt_is_recorded(started):
    """Everything between the start and the end, as one who looks later sees it."""
    started.report("loss", 3.0, "nats")
    started.report("loss", 2.5)
    started.end(ended_normally(), output=Output(size=10, lines=1))

    run = recorded(started)

    assert run.status is Status.SUCCEEDED
    assert run.why == "the step returned"
    metric = run.metrics["loss"]
    assert (metric.value, metric.unit, metric.count, metric.first, metric.minimum, metric.maximum) == (
        2.5,
        "nats",
        2,
        3.0,
        2.5,
        3.0,
    )
    assert run.attempt is not None
    assert run.attempt.hosts[0].output == Output(size=10, lines=1)
    assert run.gaps == ()


def test_report_finds_the_run_that_its_code_is_part_of(started):
    """Library code reports without being handed anything; outside of a run that is no error."""
    report("loss", 1.0)
    with started.active():
        inside = current_recorder()
        report("loss", 2.0, "nats")
    report("loss", 3.0)

    assert (inside, current_recorder()) == (started, None)
    assert [metric.value for metric in recorded(started).metrics.values()] == [2.0]


def test_a_first_value_is_on_disk_at_once_and_a_loop_does_not_write_every_step(started):
    """A preempted run keeps its last values to within seconds, and a fast training loop is not slowed by the disk."""
    started.report("loss", 5.0)
    assert recorded(started).metrics["loss"].value == 5.0

    for step in range(1000):
        started.report("loss", 4.0 - step / 1000)
    assert len(list(events_of(started).iterdir())) < 5
    started.end(ended_normally(), output=NO_OUTPUT)

    metric = recorded(started).metrics["loss"]
    assert metric.value == pytest.approx(3.001)
    assert (metric.count, metric.first, metric.maximum) == (1001, 5.0, 5.0)


@pytest.mark.parametrize("first", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_counted_and_kept_out_of_the_range(started, first):
    """Divergence at the first step is as much a fact as at the last."""
    started.report("loss", first)
    assert recorded(started).metrics["loss"].non_finite == 1

    for value in (2.0, math.nan, 1.0):
        started.report("loss", value)
    started.end(ended_normally(), output=NO_OUTPUT)

    metric = recorded(started).metrics["loss"]
    assert (metric.value, metric.minimum, metric.maximum, metric.count, metric.non_finite) == (1.0, 1.0, 2.0, 4, 2)
    assert repr(metric.first) == repr(first)


def test_a_reported_metric_keeps_its_course(started):
    """Where a loss went up is what a reader of the last value wants to know next."""
    for step in range(1000):
        started.report("loss", 1000 - step, step=10 * step)
    started.end(ended_normally(), output=NO_OUTPUT)

    metric = recorded(started).metrics["loss"]
    assert metric.step == 9990
    assert len(metric.series) <= 64
    assert (metric.series[0], metric.series[-1]) == ((0, 1000), (9990, 1))


def test_a_summary_takes_the_place_of_what_was_known(started):
    """W&B and a metrics file say all that there is at once; adding it up would count it twice."""
    for value in (1.0, 2.0):
        started.metric(Metric(name="loss", value=value, source="file", count=10))
    started.end(ended_normally(), output=NO_OUTPUT)

    assert (recorded(started).metrics["loss"].value, recorded(started).metrics["loss"].count) == (2.0, 10)


def test_threads_that_report_at_once_lose_nothing(started):
    """Data loaders and evaluators report beside the training loop."""

    def work(name: str) -> None:
        for value in range(200):
            started.report("shared", value)
            started.report(name, value)

    threads = [threading.Thread(target=work, args=(f"own/{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    started.end(ended_normally(), output=NO_OUTPUT)

    metrics = recorded(started).metrics
    assert metrics["shared"].count == 800
    assert [metrics[f"own/{index}"].value for index in range(4)] == [199] * 4


# Nothing reaches the run


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


class Refusing:
    def __float__(self) -> float:
        raise UnspeakableError


@pytest.mark.parametrize(
    "value", ["high", None, [1], 10**400, 1j, Refusing(), object()], ids=lambda value: type(value).__name__
)
def test_what_is_no_number_is_a_gap_and_not_an_error(started, value):
    """A typo in a call of ``report`` must not end a training run of three days."""
    started.report("loss", value)
    started.report("loss", 2.0)
    started.end(ended_normally(), output=NO_OUTPUT)

    run = recorded(started)
    assert [gap.what for gap in run.gaps] == ["metric loss"]
    assert run.metrics["loss"].value == 2.0
    assert run.status is Status.SUCCEEDED


def test_a_name_or_unit_that_is_no_text_costs_nothing(started):
    """One odd call must not take the end of the run with it."""
    started.report(7, 1.0, object())
    started.report("loss", 2.0)
    started.end(ended_normally(), output=NO_OUTPUT)

    run = recorded(started)
    assert run.status is Status.SUCCEEDED
    assert {name: metric.value for name, metric in run.metrics.items()} == {"7": 1.0, "loss": 2.0}


def test_a_store_that_fails_for_a_while_leaves_a_gap_and_nothing_else(started, caplog):
    """A network disk that is away for a minute costs no step, no later value, and one line in the log."""
    events, away = events_of(started), events_of(started).with_name("away")
    events.rename(away)
    events.write_text("a file in the way")
    with caplog.at_level(logging.WARNING):
        for index in range(50):
            started.report(f"metric {index}", index)
        started.wandb(A_WANDB_RUN)
    events.unlink()
    away.rename(events)
    started.report("loss", 2.5)
    started.end(ended_normally(), output=NO_OUTPUT)

    run = recorded(started)

    assert run.status is Status.SUCCEEDED
    assert len(run.metrics) == 51
    assert {gap.what for gap in run.gaps} == {"a metric", "a W&B link"}
    assert all("StoreError" in gap.why for gap in run.gaps)
    assert len(caplog.records) == 2


def test_an_answer_that_was_lost_does_not_stop_what_comes_after(started):
    """Object stores may take an object and then fail to say so; the next one must not collide with it for ever."""
    sequence = len(list(events_of(started).iterdir()))
    (events_of(started) / f"001-{started.writer}-{sequence:06d}.json").write_bytes(b"")

    started.report("loss", 2.5)
    started.end(ended_normally(), output=NO_OUTPUT)

    run = recorded(started)
    assert run.status is Status.SUCCEEDED
    assert run.metrics["loss"].value == 2.5
    assert "a metric" in {gap.what for gap in run.gaps}


def test_a_store_that_cannot_be_written_at_the_start_is_said_at_the_start(recorder):
    """There will be no record at all, and whoever launched should know now."""
    root = Path(recorder.launch.root)
    (root / "runs" / recorder.run.id / "events").write_text("a file in the way")

    with pytest.raises(StoreError, match="name another place"):
        recorder.start(config={}, declared_devices=NO_OUTPUT)


def test_what_others_say_is_missing_is_in_the_record(started):
    """Capture tells what it could not keep."""
    started.gap("the output", "the pipe broke")

    assert recorded(started).gaps == (Gap(what="the output", why="the pipe broke"),)


def test_secrets_in_a_config_are_not_written(recorder):
    """Configs carry environment variables to remote workers; the store is shared."""
    recorder.start(
        config={
            "env_vars": {"WANDB_API_KEY": "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"},
            "note": f"use {SECRET}",
            "lr": math.nan,
        },
        declared_devices=NO_OUTPUT,
    )

    written = b"".join(path.read_bytes() for path in events_of(recorder).iterdir())
    assert b"0f1e2d3c" not in written
    assert SECRET.encode() not in written
    assert recorded(recorder).config["lr"] == "NaN"


# How it ended


def mask(text: str) -> str:
    return Redactor().text(text).text


def fail(error: BaseException) -> None:
    raise error


def raised(error: BaseException) -> BaseException:
    """The exception as a step's caller catches it, with its traceback."""
    with pytest.raises(type(error)) as caught:
        fail(error)
    return caught.value


@pytest.mark.parametrize(
    ("error", "status", "why"),
    [
        (FloatingPointError("loss is nan"), Status.FAILED, "the step raised FloatingPointError"),
        (KeyboardInterrupt(), Status.CANCELLED, "the step was ended by KeyboardInterrupt"),
        (SystemExit(3), Status.FAILED, "the step was ended by SystemExit"),
        (ExceptionGroup("two", [ValueError("a"), KeyError("b")]), Status.FAILED, "the step raised ExceptionGroup"),
        (UnspeakableError(), Status.FAILED, "the step raised UnspeakableError"),
    ],
)
def test_an_attempt_that_raised_says_what_it_raised(started, error, status, why):
    """A negative result is a result; its reason is the most useful line of the record."""
    started.end(ended_by(raised(error), redact=mask), output=NO_OUTPUT)

    run = recorded(started)
    assert (run.status, run.why) == (status, why)
    assert run.attempt is not None
    assert run.attempt.end is not None
    assert run.attempt.end.exception is not None
    assert run.attempt.end.exception.type == type(error).__name__
    assert "in fail" in run.attempt.end.exception.traceback


def test_an_endless_traceback_is_cut_in_the_middle():
    """XLA prints whole programs into its errors; the record keeps where it began and what it said."""
    end = ended_by(raised(RuntimeError("x\n" * 10**6 + "the end")), redact=mask)

    assert end.exception is not None
    assert len(end.exception.traceback) < 25_000
    assert len(end.exception.message) < 25_000
    assert end.exception.traceback.startswith("Traceback")
    assert end.exception.traceback.rstrip().endswith("the end")


def test_no_part_of_a_secret_survives_where_a_traceback_is_cut():
    """Half a key, left at the cut, would be found by nobody's rules."""
    for padding in range(9_900, 10_000, 5):
        end = ended_by(raised(RuntimeError("x" * padding + f" {SECRET} " + "y" * 30_000)), redact=mask)
        assert end.exception is not None
        assert SECRET[4:14] not in end.exception.traceback + end.exception.message


# Devices


def test_what_a_step_asks_for_is_counted_in_chips():
    """A `v4-16` is eight chips on two hosts; a wrong count makes every tokens-per-second-per-chip wrong."""
    from fray.types import ResourceConfig, TpuConfig

    def said(resources: ResourceConfig) -> tuple[str, int, int]:
        devices = declared(resources)
        assert isinstance(devices, Devices)
        assert isinstance(devices.process_count, int)
        return devices.kind, devices.count, devices.process_count

    assert said(ResourceConfig.with_tpu("v4-8")) == ("TPU v4-8", 4, 1)
    assert said(ResourceConfig.with_tpu("v4-16")) == ("TPU v4-16", 8, 2)
    assert said(ResourceConfig.with_tpu("v4-16", slice_count=2)) == ("TPU v4-16", 16, 4)
    assert said(ResourceConfig.with_tpu("v5litepod-16")) == ("TPU v5litepod-16", 16, 4)
    assert said(ResourceConfig(device=TpuConfig(variant="v4-16"))) == ("TPU v4-16", 8, 2)
    assert said(ResourceConfig.with_gpu("H100", count=8)) == ("GPU H100", 8, 1)
    assert said(ResourceConfig.with_cpu()) == ("cpu", 1, 1)
    assert declared(None) == Unknown("the step declares no resources")


@pytest.mark.marin
def test_devices_are_looked_at_only_when_the_step_has_initialised_them():
    """Whoever else initialises a TPU takes it away from the experiment."""
    script = """
        import json
        from marin_research.codec import encode
        from marin_research.devices import observed
        said = [observed()]
        import jax
        said.append(observed())
        from jax._src import xla_bridge
        untouched = not xla_bridge.backends_are_initialized()
        jax.devices()
        said.append(observed())
        print(json.dumps([untouched, *encode(said)]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        check=True,
        capture_output=True,
        text=True,
        env={"JAX_PLATFORMS": "cpu"},
    )
    untouched, before, imported, initialised = json.loads(done.stdout)

    assert untouched
    assert before == {"unknown": "the process never imported JAX"}
    assert imported == {"unknown": "the process never initialised JAX"}
    assert decode(Devices, initialised) == Devices(kind="cpu", count=1, local_count=1, process_count=1, source="jax")

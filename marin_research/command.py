"""Records any command: what ``marin-research run`` does. Knows nothing of Marin.

The command is a child of this process and keeps the terminal's own behaviour: it reads our standard input, finds a
terminal where there is one, gets Ctrl-C like any program in the foreground, and its exit code becomes ours. What it
prints passes through the sidecar (``marin_research.capture``), which outlives us, so a recorder that is killed leaves
the output so far.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marin_research import wandb_hook
from marin_research.capture.process import capture
from marin_research.output import read_output
from marin_research.output_metrics import OutputMetrics
from marin_research.record import End, Metric, Run, Status, Unknown
from marin_research.recorder import Recorder
from marin_research.store import RecordStore
from marin_research.wandb_record import note_wandb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from marin_research.launch import Launch
    from marin_research.output_metrics import MetricPattern
    from marin_research.thread import Thread

METRICS_VARIABLE = "MARIN_RESEARCH_METRICS"
"""Names the JSON file where a command may leave metrics: ``{"loss": 2.3, "speed": {"value": 9, "unit": "tok/s"}}``."""
RUN_VARIABLE = "MARIN_RESEARCH_RUN"
"""Tells a recorded command the experiment ID it runs under."""

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """What is asked for: a command, and what the record is to say of it."""

    argv: tuple[str, ...]
    thread: Thread
    run_id: str
    label: str
    hypothesis: str | None = None
    baseline: bool = False
    config: dict[str, Any]
    patterns: tuple[MetricPattern, ...] = ()


def run_command(asked: CommandRun, launch: Launch) -> int:
    """Run a command under a record, and give the exit code a shell would give.

    Raises:
        StoreError: the record cannot be started; nothing was run.
    """
    run = Run(
        id=asked.run_id,
        thread=asked.thread.topic,
        launch=launch.id,
        status=Status.RUNNING,
        why="it has started",
        label=asked.label,
        declared=datetime.now(UTC),
        hypothesis=asked.hypothesis,
        baseline=asked.baseline,
        step=Unknown("a command, not a Marin step"),
    )
    recorder = Recorder(launch, run, attempt=RecordStore(launch.root).claim_attempt(asked.run_id))
    recorder.start(config=asked.config, declared_devices=Unknown("a command declares no devices"))
    output = recorder.store.output_folder(run.id, recorder.attempt, recorder.writer)
    started, folders = time.time(), _wandb_folders()
    with _metrics_file() as metrics_file:
        environment = {**os.environ, RUN_VARIABLE: run.id, METRICS_VARIABLE: str(metrics_file)}
        with capture(recorder.store, run.id, output, recorder.writer, heartbeat_s=launch.heartbeat_s) as captured:
            code, end = _execute(asked.argv, environment)
        if captured.problem:
            recorder.gap("the output", captured.problem)
        for metric in _metrics_left(recorder, metrics_file):
            recorder.metric(metric, wait=True)
    printed = read_output(recorder.store, run.id, recorder.attempt, recorder.writer)
    for metric in OutputMetrics(asked.patterns).read(printed):
        recorder.metric(metric, wait=True)
    for folder in folders:
        note_wandb(recorder, wandb_hook.scan(folder, started))
    recorder.end(end, output=captured.output)
    return code


def _execute(argv: Sequence[str], environment: dict[str, str]) -> tuple[int, End]:
    """Run the child and pass signals on; its exit code as a shell would give it, and how it ended."""
    killed_before = _out_of_memory_kills()
    try:
        child = subprocess.Popen(argv, env=environment)
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        why = f"it could not be started: {error.strerror or error}: {argv[0]}"
        return code, End(status=Status.FAILED, time=datetime.now(UTC), why=why, exit_code=code)
    with _passing_signals_to(child) as received:
        code = child.wait()
    return (128 - code if code < 0 else code), _end(
        code, received, out_of_memory=_out_of_memory_kills() > killed_before
    )


def _end(code: int, received: Sequence[signal.Signals], *, out_of_memory: bool) -> End:
    """What the exit status says, and nothing that it does not."""
    now = datetime.now(UTC)
    asked = f" after {received[-1].name}" if received else ""
    if code >= 0:
        stopped = bool(received) and code in (0, 128 + received[-1])
        status = Status.CANCELLED if stopped else Status.FAILED if code else Status.SUCCEEDED
        return End(status=status, time=now, why=f"it exited with code {code}{asked}", exit_code=code)
    name = _signal_name(-code)
    why = f"it was killed by {name}{asked}"
    if out_of_memory:
        why += "; the kernel killed a process of this control group for lack of memory meanwhile"
    status = Status.CANCELLED if received and -code == received[-1] else Status.FAILED
    return End(status=status, time=now, why=why, signal=name)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _passing_signals_to(child: subprocess.Popen[bytes]) -> Iterator[list[signal.Signals]]:
    """Give the child the signals that we get; which ones those were."""
    received: list[signal.Signals] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(signal.Signals(number))
        # Ctrl-C reaches everything in the foreground, so the child has it already; twice would be another word.
        if number != signal.SIGINT or not _in_foreground():
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number)

    previous = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(fd) == os.getpgrp()
    return False


def _out_of_memory_kills() -> int:
    """How many processes of our control group the kernel has killed for lack of memory so far."""
    try:
        lines = Path("/sys/fs/cgroup/memory.events").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(count) for name, _, count in (line.partition(" ") for line in lines) if name == "oom_kill")


@contextlib.contextmanager
def _metrics_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="marin-research-") as folder:
        yield Path(folder) / "metrics.json"


def _metrics_left(recorder: Recorder, path: Path) -> list[Metric]:
    """The metrics that the command left in its file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        recorder.gap("the metrics file", f"${METRICS_VARIABLE} cannot be read: {error}")
        return []
    if not isinstance(raw, dict):
        recorder.gap("the metrics file", f"${METRICS_VARIABLE} does not hold an object of names and numbers")
        return []
    now = datetime.now(UTC)
    found = []
    for name, said in raw.items():
        value, unit = (said.get("value"), str(said.get("unit", ""))) if isinstance(said, dict) else (said, "")
        if isinstance(value, int | float) and not isinstance(value, bool):
            found.append(Metric(name=str(name), value=float(value), unit=unit, source="file", time=now))
        else:
            recorder.gap(f"metric {name}", f"{said!r:.80} in ${METRICS_VARIABLE} is not a number")
    return found


def _wandb_folders() -> list[Path]:
    """Where W&B leaves its runs. Asked before the command runs: it may delete its working directory."""
    return list(dict.fromkeys((Path(os.environ.get("WANDB_DIR", ".")).absolute(), Path.cwd())))

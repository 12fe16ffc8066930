"""Records any command: what ``marin-research run`` does. Knows nothing of Marin.

The command runs in the foreground as without us (``marin_research.foreground``). What it prints passes through a
sidecar (``marin_research.capture``), which outlives us: a recorder that is killed leaves the command undisturbed, and
the output so far.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marin_research.capture.command import CommandCapture
from marin_research.capture.live_output import live_folder
from marin_research.command_end import Surroundings, command_end, not_started, signal_evidence, stopped_before_start
from marin_research.command_group import RUN_VARIABLE, group_variable
from marin_research.command_metrics import METRICS_VARIABLE
from marin_research.command_watch import CommandWatch
from marin_research.foreground import Foreground
from marin_research.memory_kills import memory_kills
from marin_research.record import Run, Status, Unknown
from marin_research.recorder import Recorder
from marin_research.store import recording_store
from marin_research.wandb_children import WandbOfCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.foreground import Received
    from marin_research.launch import Launch
    from marin_research.output_metrics import MetricPattern
    from marin_research.record import Devices, End, Evidence

_FOR_THE_SHELL = frozenset(" \t\n|&;<>()$`\\\"'*?[#~=%")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """What is asked for: a command, and what the record is to say of it."""

    argv: tuple[str, ...]
    topic: str
    """Of the thread."""
    run_id: str
    label: str
    hypothesis: str | None = None
    baseline: bool = False
    config: dict[str, Any]
    patterns: tuple[MetricPattern, ...] = ()
    devices: Devices | Unknown
    """What it runs on, as far as its user says so: its own processes are not asked."""
    reproduces: str | None = None
    timeout_s: float | None = None


def as_argv(given: Sequence[str]) -> tuple[str, ...]:
    """The command that is meant: a pipeline in quotes is for the shell, as ``ssh`` and ``watch`` take it."""
    if len(given) == 1 and _FOR_THE_SHELL.intersection(given[0]):
        import shutil

        if shutil.which(given[0]) is None:
            return ("sh", "-c", given[0])
    return tuple(given)


def run_command(asked: CommandRun, launch: Launch) -> int:
    """Run a command under a record, and give the exit code a shell would give.

    Raises:
        StoreError: the record cannot be started; nothing was run.
    """
    with Foreground() as foreground:
        recorder = Recorder(
            launch, _declare(asked, launch), attempt=recording_store(launch.root).claim_attempt(asked.run_id)
        )
        recorder.start(config=asked.config, declared_devices=asked.devices)
        return _Recording(asked, recorder, foreground).run()


def _declare(asked: CommandRun, launch: Launch) -> Run:
    return Run(
        id=asked.run_id,
        thread=asked.topic,
        launch=launch.id,
        status=Status.RUNNING,
        why="it has started",
        label=asked.label,
        declared=datetime.now(UTC),
        hypothesis=asked.hypothesis,
        baseline=asked.baseline,
        reproduces=asked.reproduces,
        metric_patterns=tuple(each.pattern.pattern for each in asked.patterns),
        step=Unknown("a command, not a Marin step"),
    )


class _Recording:
    """A command whose start is on record, until its end is."""

    def __init__(self, asked: CommandRun, recorder: Recorder, foreground: Foreground) -> None:
        self._asked = asked
        self._recorder = recorder
        self._foreground = foreground
        self._notice: Evidence | None = None
        store, heartbeat_s = recorder.store, recorder.launch.heartbeat_s
        folder = store.output_folder(recorder.run.id, recorder.attempt, recorder.writer)
        self._metrics_file = live_folder(store.objects.url, folder) / "metrics.json"
        self._capture = CommandCapture(recorder, metrics_file=self._metrics_file, heartbeat_s=heartbeat_s)
        mark = f"{recorder.run.id}/{recorder.attempt}"
        told = {RUN_VARIABLE: mark, METRICS_VARIABLE: str(self._metrics_file)}
        self._environment = {**os.environ, **group_variable(recorder.run.id, os.environ), **told}
        self._watch = CommandWatch(
            recorder,
            patterns=asked.patterns,
            metrics_file=self._metrics_file,
            wandb=WandbOfCommand(f"{RUN_VARIABLE}={mark}", _wandb_folders(), time.time()),
            interval_s=heartbeat_s,
        )

    def run(self) -> int:
        with self._recorder.guard("the metrics file"):
            self._metrics_file.parent.mkdir(parents=True, exist_ok=True)
        recorder, capture = self._recorder, self._capture
        code, end = self._execute()
        end = replace(end, after_s=recorder.elapsed_s)
        with recorder.guard("the output"):
            capture.close()
        if capture.problem:
            recorder.gap("the output", capture.problem)
        self._watch.finish()
        with suppress(OSError):
            self._metrics_file.unlink()
        recorder.end(end, output=capture.output)
        return code

    def _execute(self) -> tuple[int, End]:
        """Run the command; its exit code as a shell would give it, and how it ended."""
        memory = memory_kills()
        if self._foreground.stop_awaits():
            first = self._foreground.received[0]
            return 128 + first.signal, stopped_before_start(first)
        try:
            pid = self._foreground.start(self._asked.argv, self._environment, self._capture.outputs)
        except OSError as error:
            end = not_started(self._asked.argv, error)
            sys.stderr.write(f"marin-research: {end.why}\n")  # a shell would say so too
            return end.exit_code or 1, end
        self._capture.started(pid)
        self._watch.begin()
        ended = self._foreground.wait(
            pid,
            timeout_s=self._asked.timeout_s,
            on_signal=self._note_signal,
            on_window=self._capture.follow_window,
        )
        around = Surroundings(
            received=self._foreground.received,
            memory=memory.since() if memory else None,
            notice=self._notice,
            timeout_s=self._asked.timeout_s,
        )
        return ended.shell_code, command_end(ended, around)

    def _note_signal(self, received: Received) -> None:
        """The machine may be about to go away: put on disk what is known, and ask the platform."""
        self._recorder.evidence(signal_evidence(received))
        self._capture.hurry()
        with self._recorder.guard("the platform's notice"):
            from marin_research.preemption import preemption_notice

            self._notice = self._notice or preemption_notice()
            if self._notice is not None:
                self._recorder.evidence(self._notice)


def _wandb_folders() -> list[Path]:
    """Where W&B leaves its runs. Asked before the command runs: it may delete its working directory."""
    try:
        return list(dict.fromkeys(Path(folder).resolve() for folder in (os.environ.get("WANDB_DIR", "."), ".")))
    except OSError:  # the working directory is gone already
        return []

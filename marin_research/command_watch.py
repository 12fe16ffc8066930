"""Looks at what a recorded command measures while it runs, so that it is on record whatever becomes of the recorder."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from marin_research.record import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from marin_research.output import StoredOutput
    from marin_research.output_metrics import MetricPattern, OutputMetrics
    from marin_research.recorder import Recorder
    from marin_research.wandb_children import WandbOfCommand

METRICS_VARIABLE = "MARIN_RESEARCH_METRICS"
"""Names the JSON file where a command may leave metrics: ``{"loss": 2.3, "speed": {"value": 9, "unit": "tok/s"}}``."""

_WANDB_LOOK_S = 0.25
_LONGEST_S = 30.0
"""Output does not stay on this machine for long where the store is on another one."""


class CommandWatch:
    """Reads the output's named lines, the metrics file and W&B's runs: every heartbeat, and at the end."""

    def __init__(
        self,
        recorder: Recorder,
        *,
        patterns: Sequence[MetricPattern],
        metrics_file: Path,
        wandb: WandbOfCommand,
        interval_s: float,
    ) -> None:
        self._recorder = recorder
        self._patterns = patterns
        self._metrics_file = metrics_file
        self._wandb = wandb
        self._interval_s = min(interval_s, _LONGEST_S)
        self._said: dict[str, str] = {}
        """By the metrics file, when it was read last."""
        self._unlinked: list[Path] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="marin-research-watch", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """The command has ended and its output is kept: take the rest."""
        self._over.set()
        if self._thread.ident is not None:  # else the command was not even started
            self._thread.join()
        with self._recorder.guard("the metrics"):
            self._measure(last=True)
        with self._recorder.guard("the W&B runs"):
            self._note_wandb()

    def _run(self) -> None:
        next_look = time.monotonic() + self._interval_s
        while not self._over.wait(min(_WANDB_LOOK_S, self._interval_s)):
            with self._recorder.guard("the W&B runs"):
                self._link_wandb()
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + self._interval_s
                with self._recorder.guard("the metrics"):
                    self._measure()
                self._recorder.flush_metrics()

    def _measure(self, *, last: bool = False) -> None:
        for metric in self._left_in_file(complain=last):
            self._recorder.metric(metric)
        if self._patterns:
            for name, value, step in self._named.read(self._output.read(), last=last):
                self._recorder.observe(name, value, step=step, source="output", wait=True)

    @cached_property
    def _output(self) -> StoredOutput:
        from marin_research.output import StoredOutput

        recorder = self._recorder
        return StoredOutput(recorder.store, recorder.run.id, recorder.attempt, recorder.writer, here=True)

    @cached_property
    def _named(self) -> OutputMetrics:
        from marin_research.output_metrics import OutputMetrics

        return OutputMetrics(self._patterns)

    def _left_in_file(self, *, complain: bool) -> Iterator[Metric]:
        """What the command has left in its file since the last look; whether to ``complain`` of what makes no sense."""
        try:
            raw = json.loads(self._metrics_file.read_text(encoding="utf-8"))
            if not isinstance(raw, dict):
                raise TypeError("it does not hold an object of names and numbers")  # noqa: TRY301
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, RecursionError) as error:
            if complain:  # else it is just being written
                self._recorder.gap("the metrics file", f"${METRICS_VARIABLE} cannot be read: {error}")
            return
        for name, said in raw.items():
            value, unit = (said.get("value"), str(said.get("unit", ""))) if isinstance(said, dict) else (said, "")
            number = _as_number(value)
            if number is not None and self._said.get(name) != repr(said):  # unlike NaN, its text equals itself
                self._said[name] = repr(said)
                yield Metric(name=str(name), value=number, unit=unit, source="file", time=datetime.now(UTC))
            elif number is None and complain:
                self._recorder.gap(f"metric {name}", f"{said!r:.80} in ${METRICS_VARIABLE} is not a number")

    def _link_wandb(self) -> None:
        """Have on record which W&B runs there are; what they measure is read at the end."""
        self._unlinked += self._wandb.look()
        if self._unlinked:
            from marin_research.wandb_folder import run_in

            for folder, run in [(folder, run_in(folder)) for folder in self._unlinked]:
                if run is not None and run.project:  # else its first record has yet to reach its file
                    self._unlinked.remove(folder)
                    self._recorder.wandb(run)

    def _note_wandb(self) -> None:
        for run_id, why in self._wandb.refused():
            self._recorder.gap(f"W&B run {run_id}", why)
        runs = self._wandb.runs()
        if runs:
            from marin_research.output import StoredOutput
            from marin_research.wandb_children import with_links
            from marin_research.wandb_record import note_wandb

            recorder = self._recorder
            output = StoredOutput(recorder.store, recorder.run.id, recorder.attempt, recorder.writer, here=True)
            note_wandb(recorder, with_links(runs, output.read()))


def _as_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None

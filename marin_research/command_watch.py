"""Looks at what a recorded command measures while it runs, so that it is on record whatever becomes of the recorder."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from marin_research.command_metrics import CommandMetrics
from marin_research.record import Gap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from marin_research.output import StoredOutput
    from marin_research.output_metrics import MetricPattern
    from marin_research.recorder import Recorder
    from marin_research.wandb_children import WandbOfCommand

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
        self._metrics = CommandMetrics(self._output, patterns, metrics_file)
        self._wandb = wandb
        self._interval_s = min(interval_s, _LONGEST_S)
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
        for found in self._metrics.read(last=last):
            if isinstance(found, Gap):
                self._recorder.gap(found.what, found.why)
            else:
                self._recorder.metric(found)

    def _output(self) -> StoredOutput:
        from marin_research.output import StoredOutput

        recorder = self._recorder
        return StoredOutput(recorder.store, recorder.run.id, recorder.attempt, recorder.writer, here=True)

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
            from marin_research.wandb_children import with_links
            from marin_research.wandb_record import note_wandb

            note_wandb(self._recorder, with_links(runs, self._output().read()))

"""Puts what W&B runs measured into a record: their files' last word on config, outcome, summary and history."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research import wandb_file
from marin_research.record import Metric, WandbRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from marin_research.recorder import Recorder

    Live = Callable[[WandbRun], dict[str, float]]


PATIENCE_S = 5.0
"""How long the end of a finished run is waited for in its file."""


def note_wandb(recorder: Recorder, runs: Iterable[WandbRun], *, live: Live | None = None) -> None:
    """Record the runs and their metrics; a name that the record has already from elsewhere keeps its value.

    Args:
        recorder: of the attempt that started the runs.
        runs: as they were seen.
        live: the summary that a run which is still open has in memory.
    """
    for linked in runs:
        completed, metrics = linked, list[Metric]()
        if linked.attribution == "step":
            completed, metrics = _read(recorder, linked, live)
        recorder.wandb(completed)
        for metric in metrics:
            if metric.name not in recorder.metric_names():
                recorder.metric(metric)


def _read_file(path: Path, *, ended: bool) -> wandb_file.WandbFile:
    """The file of a run; of one that has ended, once its end is in it: W&B's own process writes it a little later."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        file = wandb_file.read(path)
        if file.finished or not ended or time.monotonic() > deadline:
            return file
        time.sleep(0.05)


def _read(recorder: Recorder, linked: WandbRun, live: Live | None) -> tuple[WandbRun, list[Metric]]:
    source = f"wandb:{linked.id}"
    try:
        file = _read_file(Path(linked.path) / f"run-{linked.id}.wandb", ended=linked.finished)
        found = wandb_file.metrics(file, source=source)
        if live is not None and not linked.finished:
            now = datetime.now(UTC)
            for name, value in live(linked).items():
                found[name] = Metric(name=name, value=value, source=source, time=now)
        return wandb_file.completed(linked, file), list(found.values())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with W&B's file, the work itself has ended
        recorder.gap(f"the metrics of W&B run {linked.id}", f"{type(error).__name__}: {error}")
        return linked, []

"""The primary table of a snapshot: what each run varied and measured, and how far that is from the baseline."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marin_research.codec import encode
from marin_research.compare import compare, flat_config, tested_axis
from marin_research.markdown import markdown_table
from marin_research.record import Devices
from marin_research.thread import Direction, PrimaryMetric
from marin_research.units import format_number, format_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.record import Run
    from marin_research.thread import Thread

_MOST_METRICS = 6
"""Of a thread that does not say which ones it is judged by."""
_ARROWS = {Direction.LOWER: " ↓", Direction.HIGHER: " ↑"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryTable:
    """Runs by metrics."""

    runs: tuple[Run, ...]
    baseline: Run | None
    """One of ``runs``."""
    axis: tuple[str, ...]
    """Config keys in which they differ."""
    metrics: tuple[PrimaryMetric, ...]

    def markdown(self) -> str:
        """For people: four digits, changes against the baseline in brackets."""
        heads = ["run", *(self.axis or ("label",)), "status", *map(_head, self.metrics), "devices"]
        rows = [heads, *(self._row(run) for run in self.runs)]
        return "\n".join(markdown_table([[" ".join(cell.split()) for cell in row] for row in rows])) + "\n"

    def csv(self) -> str:
        """For programs: every digit, a column for each change in percent, nothing where nothing was measured."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [column for metric in self.metrics for column in (metric.name, f"{metric.name} change %")]
        writer.writerow(["run", "label", "status", *self.axis, *names, "device kind", "device count", "wall_s"])
        for run in self.runs:
            devices = run.attempt.devices if run.attempt else None
            seen = [devices.kind, devices.count] if isinstance(devices, Devices) else ["", ""]
            wall_s = run.attempt.wall_s if run.attempt else ""
            values = [value for metric in self.metrics for value in self._values(run, metric)]
            axis = [_plain(flat_config(run).get(key, "")) for key in self.axis]
            writer.writerow([run.id, run.label, run.status, *axis, *values, *seen, wall_s or ""])
        return text.getvalue()

    def _row(self, run: Run) -> list[str]:
        config = flat_config(run)
        devices = run.attempt.devices if run.attempt else None
        return [
            f"{run.id} (baseline)" if run is self.baseline else run.id,
            *([str(_plain(config.get(key, "-"))) for key in self.axis] or [run.label]),
            run.status,
            *(self._cell(run, metric) for metric in self.metrics),
            f"{devices.count} x {devices.kind}" if isinstance(devices, Devices) else "unknown",
        ]

    def _cell(self, run: Run, metric: PrimaryMetric) -> str:
        value, change = self._values(run, metric)
        if value == "":
            return "-"
        return f"{format_number(value)} ({format_percent(change)})" if change != "" else format_number(value)

    def _values(self, run: Run, metric: PrimaryMetric) -> tuple[Any, Any]:
        """The value and its change in percent; the empty text for what there is not."""
        measured = run.metrics.get(metric.name)
        if measured is None:
            return "", ""
        if self.baseline is None or run is self.baseline:
            return measured.value, ""
        deltas = (delta.percent for delta in compare(self.baseline, run).deltas if delta.metric == metric.name)
        percent = next(deltas, None)
        return measured.value, percent if isinstance(percent, float) else ""


def primary_table(runs: Sequence[Run], baseline: Run | None, thread: Thread) -> PrimaryTable:
    """The table of some runs; the baseline stands first."""
    shown = [*([baseline] if baseline else []), *(run for run in runs if baseline is None or run.id != baseline.id)]
    names = dict.fromkeys(name for run in shown for name in run.metrics)
    undeclared = [PrimaryMetric(name=name, direction="") for name in list(names)[:_MOST_METRICS]]
    return PrimaryTable(
        runs=tuple(shown),
        baseline=baseline,
        axis=tested_axis(shown) if len(shown) > 1 else (),
        metrics=tuple(thread.metrics or undeclared),
    )


def _head(metric: PrimaryMetric) -> str:
    arrow = _ARROWS[Direction(metric.direction)] if metric.direction else ""
    return f"{metric.name}{arrow}{f' ({metric.unit})' if metric.unit else ''}"


def _plain(value: Any) -> Any:
    return json.dumps(encode(value)) if isinstance(value, list | dict) else value

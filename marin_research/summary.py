"""The lines a researcher sees when a launch is over: what each run became, in the terms of its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marin_research.compare import made_by
from marin_research.store import RecordStore
from marin_research.units import format_duration, format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.record import Run
    from marin_research.thread import Thread


def summarize(root: str, run_ids: Sequence[str], thread: Thread) -> str:
    """A table of the runs of one launch, and how to look at one."""
    store = RecordStore(root)
    rows = [_row(store.run(run_id), store, thread) for run_id in run_ids]
    lines = [f"recorded in {store.root}:", *table(rows), f"look at one with: marin-research show {run_ids[0]}"]
    return "\n".join(lines)


def _row(run: Run, store: RecordStore, thread: Thread) -> list[str]:
    result = made_by(run, store) or run
    values = [
        f"{metric.name} {format_value(result.metrics[metric.name].value, metric.unit)}"
        for metric in thread.metrics
        if metric.name in result.metrics
    ]
    return [run.id, run.status, run.label, wall_time(run), ", ".join(values) or run.why]


def wall_time(run: Run) -> str:
    """How long the last attempt took, or nothing while that is not known."""
    seconds = run.attempt.wall_s if run.attempt else None
    return format_duration(seconds) if isinstance(seconds, float) else ""


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned columns, the last one free to run on."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]

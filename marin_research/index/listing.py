"""A list of runs as a table that fits a terminal. Knows what the index knows of a run."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marin_research.units import format_duration, format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marin_research.index.query import Found, Measured, Query
    from marin_research.store import RecordStore

_GAP = "  "
_SHORTEST = 12
"""Characters that a label is never cut below; then the last metrics are left out instead."""


def listing(store: RecordStore, runs: Sequence[Found], wanted: Query) -> Iterator[str]:
    """A line of headings, then a line a run.

    The metrics are the one that the list is sorted by and the primary ones of the threads, the first with its course.
    """
    columns = [("ID", [run.id for run in runs]), ("STATUS", [run.status for run in runs])]
    columns += [("DECLARED", [_time(run.declared) for run in runs]), ("TOOK", [_took(run) for run in runs])]
    if wanted.topic is None:
        columns.append(("THREAD", [run.thread for run in runs]))
    labels = [_printable(run.label.partition("\n")[0]) for run in runs]
    metrics = list(_metric_columns(store, runs, wanted))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    yield from _table(columns, ("LABEL", labels), metrics, width)


def _metric_columns(store: RecordStore, runs: Sequence[Found], wanted: Query) -> Iterator[tuple[str, list[str]]]:
    names = [wanted.sort.removeprefix("-"), *_primary_metrics(store, runs)]
    trend_shown = False
    for name in dict.fromkeys(names):
        measured = store.index.measured(name, runs)
        found = [measured.get(run.key) for run in runs]
        if not any(found):
            continue
        yield name, [_value(each) for each in found]
        trends = [each.trend if each else "" for each in found]
        if not trend_shown and any(trends):
            trend_shown = True
            yield "", trends


def _primary_metrics(store: RecordStore, runs: Sequence[Found]) -> Iterator[str]:
    for topic in dict.fromkeys(run.thread for run in runs):
        declared = (store.thread(topic) or {}).get("metrics")
        for metric in declared if isinstance(declared, list) else []:
            if isinstance(metric, dict) and isinstance(metric.get("name"), str):
                yield metric["name"]


def _value(measured: Measured | None) -> str:
    if measured is None:
        return ""
    return format_value(float("nan") if measured.value is None else measured.value, measured.unit)


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _took(run: Found) -> str:
    return "" if run.wall_s is None else format_duration(run.wall_s)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else "·" for each in text)


def _table(
    columns: list[tuple[str, list[str]]],
    label: tuple[str, list[str]],
    metrics: list[tuple[str, list[str]]],
    width: int | None,
) -> Iterator[str]:
    """Columns side by side; where they are too wide, the label is cut, then metrics are left out from the last on."""
    used = sum(_width(column) + len(_GAP) for column in (*columns, *metrics))
    room = _width(label) if width is None else width - used
    while metrics and room < min(_SHORTEST, _width(label)):
        room += _width(metrics.pop()) + len(_GAP)
    room = max(room, min(_SHORTEST, _width(label)))
    shortened = [text if len(text) <= room else f"{text[: room - 1]}…" for text in (label[0], *label[1])]
    shown = [*columns, (shortened[0], shortened[1:]), *metrics]
    widths = [_width(column) for column in shown]
    for cells in zip(*([heading, *values] for heading, values in shown), strict=True):
        yield _GAP.join([cell.ljust(wide) for cell, wide in zip(cells, widths, strict=True)]).rstrip()


def _width(column: tuple[str, list[str]]) -> int:
    return max(len(column[0]), *map(len, column[1]), 0)

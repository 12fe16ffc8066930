"""A list of runs as a table that fits a terminal. Knows what the index knows of a run."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from marin_research.units import format_duration, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from marin_research.index.query import Found, Measured, Query
    from marin_research.store import RecordStore

_GAP = "  "
_LABEL = "LABEL"
_SHORTEST = 12
"""Characters that a label is not cut below; other columns are left out instead."""


class _Column(NamedTuple):
    heading: str
    cells: list[str]
    leave_out: int = 0
    """Columns with higher numbers are left out first where there is no room for all; those with 0 never."""

    @property
    def width(self) -> int:
        return max(len(self.heading), *map(len, self.cells), 0)


def listing(store: RecordStore, runs: Sequence[Found], wanted: Query) -> Iterator[str]:
    """A line of headings, then a line a run.

    The metrics are the one that the list is sorted by and the primary ones of the threads, the first with its course.
    """
    columns = [
        _Column("ID", [run.id for run in runs]),
        _Column("STATUS", [run.status for run in runs]),
        _Column("DECLARED", [_time(run.declared) if run.thread else "" for run in runs], leave_out=1),
        _Column("TOOK", [_took(run) for run in runs], leave_out=2),
    ]
    if wanted.topic is None:
        columns.append(_Column("THREAD", [run.thread for run in runs], leave_out=3))
    columns.append(_Column(_LABEL, [_printable(run.label.partition("\n")[0]) for run in runs]))
    columns += _metric_columns(store, runs, wanted)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    yield from _table(columns if width is None else _fitted(columns, width))


def _metric_columns(store: RecordStore, runs: Sequence[Found], wanted: Query) -> Iterator[_Column]:
    names = [wanted.sort.removeprefix("-"), *declared_metrics(store, dict.fromkeys(run.thread for run in runs))]
    first = True
    for name in dict.fromkeys(names):
        measured = store.index.measured(name, runs)
        found = [measured.get(run.key) for run in runs]
        if not any(found):
            continue
        yield _Column(name, [_value(each) for each in found], leave_out=0 if first else 5)
        trends = [each.trend if each else "" for each in found]
        if first and any(trends):
            yield _Column("", trends, leave_out=4)
        first = False


def declared_metrics(store: RecordStore, topics: Iterable[str]) -> Iterator[str]:
    """The names of the threads' primary metrics."""
    for topic in topics:
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


def _fitted(columns: list[_Column], width: int) -> list[_Column]:
    """The columns that fit, the label shortened as much as that takes."""
    label = next(column for column in columns if column.heading == _LABEL)
    least = min(_SHORTEST, label.width)
    while (room := _room(columns, width)) < least and any(column.leave_out for column in columns):
        last = max(range(len(columns)), key=lambda index: (columns[index].leave_out, index))
        columns = columns[:last] + columns[last + 1 :]
    room = max(room, least)
    cells = [text if len(text) <= room else f"{text[: room - 1]}…" for text in label.cells]
    return [label._replace(cells=cells) if column is label else column for column in columns]


def _room(columns: Sequence[_Column], width: int) -> int:
    """Characters that are left for the label."""
    return width - sum(column.width + len(_GAP) for column in columns if column.heading != _LABEL)


def _table(columns: Sequence[_Column]) -> Iterator[str]:
    widths = [column.width for column in columns]
    for cells in zip(*([column.heading, *column.cells] for column in columns), strict=True):
        yield _GAP.join([cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]).rstrip()

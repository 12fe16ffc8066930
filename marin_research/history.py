"""Folds the values of a metric as they come in: the last, the range, and an even sample of the rest."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from marin_research.record import Metric

SERIES_LIMIT = 64


class Thinned:
    """An even sample of a stream, of bounded size: every k-th point, k doubling as needed, and always the last one."""

    __slots__ = ("_kept", "_last", "_limit", "_seen", "_stride")

    def __init__(self, limit: int = SERIES_LIMIT) -> None:
        """Keep at most ``limit`` points; 3 is the least that makes sense."""
        self._limit = limit
        self._kept: list[tuple[float, float]] = []
        self._last: tuple[float, float] | None = None
        self._seen = 0
        self._stride = 1

    def add(self, x: float, y: float) -> None:
        self._last = (x, y)
        if self._seen % self._stride == 0:
            if len(self._kept) == self._limit - 1:  # one place is the last point's
                del self._kept[1::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._kept.append(self._last)
        self._seen += 1

    def points(self) -> tuple[tuple[float, float], ...]:
        """What was kept, in the order it came in."""
        if self._last is None or self._kept[-1] is self._last:
            return tuple(self._kept)
        return (*self._kept, self._last)


class History:
    """One metric so far."""

    __slots__ = ("count", "first", "last", "maximum", "minimum", "non_finite", "series", "step", "time", "unit")

    def __init__(self) -> None:
        self.unit = ""
        self.count = self.non_finite = 0
        self.first = self.last = math.nan
        self.minimum, self.maximum = math.inf, -math.inf
        self.step: int | None = None
        self.time: float | None = None
        self.series = Thinned()

    def add(self, value: float, step: int | None, time: float | None) -> None:
        """Take a value, with its training step and its time (seconds since the epoch) if they are known."""
        self.series.add(self.count if step is None else step, value)
        if not self.count:
            self.first = value
        self.count += 1
        self.last, self.step, self.time = value, step, time
        if not math.isfinite(value):
            self.non_finite += 1
            return
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)

    def metric(self, name: str, source: str) -> Metric:
        finite = self.count > self.non_finite
        return Metric(
            name=name,
            value=self.last,
            unit=self.unit,
            source=source,
            time=_time(self.time),
            step=self.step,
            count=self.count,
            first=self.first,
            minimum=self.minimum if finite else None,
            maximum=self.maximum if finite else None,
            non_finite=self.non_finite,
            series=self.series.points(),
        )


def _time(timestamp: float | None) -> datetime | None:
    try:
        return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None

"""What one measured quantity did over a log: its extremes, its jumps, where it was no number. Knows no lines."""

from __future__ import annotations

import math
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marin_research.digest.blocks import Place

_MOST_POINTS = 64
_MOST_DROPS = 20


class Mark(NamedTuple):
    """One value, and where it stands."""

    value: float
    place: Place


class Change(NamedTuple):
    """Two finite values that follow each other."""

    before: float
    after: float
    place: Place
    """Of the second."""

    @property
    def size(self) -> float:
        return abs(self.after - self.before)


class Series:
    """One quantity on one host; what is kept of it does not grow with the log."""

    def __init__(self, name: str, host: str) -> None:
        self.name = name
        self.host = host
        self.count = 0
        self.total = 0.0
        """Of the finite values."""
        self.first: Mark | None = None
        self.last: Mark | None = None
        self.minimum: Mark | None = None
        self.maximum: Mark | None = None
        self.not_finite = 0
        self.first_not_finite: Mark | None = None
        self.jump: Change | None = None
        """The largest change, up or down."""
        self.changes = 0.0
        """The sum of all changes, up or down."""
        self.drops: list[Change] = []
        """The first few times that the value fell."""
        self.points: list[float] = []
        """Every ``stride``-th value from the first on."""
        self.stride = 1
        self._last_finite: float | None = None

    def extend(self, values: Sequence[float], place: Callable[[int], Place]) -> None:
        """Add values in their order; ``place`` tells where one stands, by its index in ``values``."""
        self._thin(values)
        self.count += len(values)
        self.first = self.first or Mark(values[0], place(0))
        self.last = Mark(values[-1], place(len(values) - 1))
        if math.isfinite(sum(values)):
            self._extend(values, place)
            return
        finite = [index for index, value in enumerate(values) if math.isfinite(value)]
        if len(finite) < len(values):
            self.not_finite += len(values) - len(finite)
            odd = next(index for index, value in enumerate(values) if not math.isfinite(value))
            self.first_not_finite = self.first_not_finite or Mark(values[odd], place(odd))
            values = [values[index] for index in finite]
        if values:
            self._extend(values, lambda index: place(finite[index]))

    def _extend(self, values: Sequence[float], place: Callable[[int], Place]) -> None:
        """Add finite values."""
        self.total += sum(values)
        low, high = min(values), max(values)
        if self.minimum is None or low < self.minimum.value:
            self.minimum = Mark(low, place(values.index(low)))
        if self.maximum is None or high > self.maximum.value:
            self.maximum = Mark(high, place(values.index(high)))
        before = [values[0] if self._last_finite is None else self._last_finite, *values[:-1]]
        self._last_finite = values[-1]
        deltas = list(map(sub, values, before))
        sizes = list(map(abs, deltas))
        self.changes += sum(sizes)
        largest = max(sizes)
        if largest > (self.jump.size if self.jump else 0.0):
            index = sizes.index(largest)
            self.jump = Change(before[index], values[index], place(index))
        if min(deltas) < 0 and len(self.drops) < _MOST_DROPS:
            fallen = [index for index, delta in enumerate(deltas) if delta < 0][: _MOST_DROPS - len(self.drops)]
            self.drops += [Change(before[index], values[index], place(index)) for index in fallen]

    def _thin(self, values: Sequence[float]) -> None:
        while (index := len(self.points) * self.stride - self.count) < len(values):
            self.points.append(values[index])
            if len(self.points) > _MOST_POINTS:
                self.points = self.points[::2]
                self.stride *= 2

"""What one measured quantity did over a log: its extremes, its jumps, where it was no number. Knows no lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

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


class Series:
    """One quantity of one host; what is kept of it does not grow with the log."""

    def __init__(self, host: str, name: str) -> None:
        self.host = host
        self.name = name
        self.count = 0
        self.not_finite = 0
        self.first = math.nan
        self.last = math.nan
        self.minimum: Mark | None = None
        self.maximum: Mark | None = None
        self.first_not_finite: Mark | None = None
        self.jump: Change | None = None
        """The largest change, up or down; of several that are about as large the first: a spike, not its end."""
        self.changes = 0.0
        """The sum of all changes, up or down."""
        self.drops: list[Change] = []
        """The first few times that the value fell."""
        self.points: list[float] = []
        """Every ``stride``-th value from the first on."""
        self.stride = 1
        self._low = math.inf
        self._high = -math.inf
        self._jump = 0.0
        self._before = math.nan
        """The last finite value."""

    def add(self, value: float, index: int, place: Callable[[int], Place]) -> None:
        """Add the next value; ``place`` tells where it stands, by its line's index. Values are many: this is quick."""
        if self.count % self.stride == 0:
            self._keep(value)
        self.count += 1
        self.last = value
        if not -math.inf < value < math.inf:
            self.not_finite += 1
            self.first_not_finite = self.first_not_finite or Mark(value, place(index))
            return
        if value < self._low:
            self._low = value
            self.minimum = Mark(value, place(index))
        if value > self._high:
            self._high = value
            self.maximum = Mark(value, place(index))
        change = value - self._before  # of the first value: not a number, which is more than nothing
        size = -change if change < 0 else change
        if size > 1.1 * self._jump:
            self._jump = size
            self.jump = Change(self._before, value, place(index))
        if change < 0 and len(self.drops) < _MOST_DROPS:
            self.drops.append(Change(self._before, value, place(index)))
        if size > 0:
            self.changes += size
        self._before = value

    def _keep(self, value: float) -> None:
        if self.count == 0:
            self.first = value
        self.points.append(value)
        if len(self.points) > _MOST_POINTS:
            self.points = self.points[::2]
            self.stride *= 2

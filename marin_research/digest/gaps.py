"""Finds the longest silences in a log without reading the time of every line. Knows no hosts and no templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.header import read_header
from marin_research.digest.times import Time, passed, read_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.digest.blocks import Block, Place

SHORTEST_S = 60
"""A shorter silence is none."""
_MOST = 3
_TRIES = 512


class Gap(NamedTuple):
    """Two lines that follow each other, and the whole seconds between them."""

    seconds: int
    before: Place
    after: Place


class _Timed(NamedTuple):
    position: int
    time: Time


class Gaps:
    """The longest silences of one stream. Lines are in order of time, so a short time between two has none inside."""

    def __init__(self) -> None:
        self.longest: list[Gap] = []
        """At most three, longest first."""
        self._form = ""
        self._last: tuple[Time, Place] | None = None

    def feed(self, block: Block, indexes: Sequence[int]) -> None:
        """Look at some lines of the next block: those at ``indexes``, which ascend."""
        first = self._timed(block, indexes, range(len(indexes)))
        last = self._timed(block, indexes, range(len(indexes) - 1, -1, -1))
        if first is None or last is None:
            return
        if self._last:
            self._note(passed(self._last[0], first.time), self._last[1], block.place(indexes[first.position]))
        self._search(block, indexes, first, last)
        self._last = last.time, block.place(indexes[last.position])

    def _search(self, block: Block, indexes: Sequence[int], left: _Timed, right: _Timed) -> None:
        """Halve what lies between two lines until what is left is too short or is one silence."""
        silence = passed(left.time, right.time)
        if silence < self._shortest:
            return
        middle = (left.position + right.position) // 2
        inner = self._timed(block, indexes, range(middle, left.position, -1))
        inner = inner or self._timed(block, indexes, range(middle + 1, right.position))
        if inner is None:
            self._note(silence, block.place(indexes[left.position]), block.place(indexes[right.position]))
        else:
            self._search(block, indexes, left, inner)
            self._search(block, indexes, inner, right)

    @property
    def _shortest(self) -> int:
        return max(SHORTEST_S, self.longest[-1].seconds + 1 if len(self.longest) == _MOST else 0)

    def _note(self, silence: int, before: Place, after: Place) -> None:
        if silence >= self._shortest:
            self.longest = sorted([*self.longest, Gap(silence, before, after)], key=lambda gap: -gap.seconds)[:_MOST]

    def _timed(self, block: Block, indexes: Sequence[int], positions: range) -> _Timed | None:
        """The first of some lines that has a time, of the form that the stream's first time has."""
        for position in positions[:_TRIES]:
            time = read_time(read_header(block.line(indexes[position])).time)
            if time and time.form == (self._form or time.form):
                self._form = time.form
                return _Timed(position, time)
        return None

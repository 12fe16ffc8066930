"""Collects the measurements that progress lines show, a series for each host and name. Finds no numbers itself."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from marin_research.digest.fields import BAR, STEP
from marin_research.digest.gaps import Gaps
from marin_research.digest.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.digest.blocks import Block
    from marin_research.digest.reader import Reader, Row

MOST_SERIES = 2000


class Progress:
    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        """By host and name."""
        self.others = Series("", "")
        """Values of series over the limit; of them only the count means something."""
        self.stalls: dict[str, Gaps] = {}
        """The longest times between two lines that tell a step, by stream."""
        self.sampled: set[str] = set()
        """The names of series of which not all lines were read."""
        self._rows: dict[str, list[tuple[int, bytes, float]]] = defaultdict(list)
        """Of the current block, by name: where, of whom, what."""
        self._steps: list[int] = []
        """The lines of the current block that tell a step: all, also those that are not read."""

    def add(self, reader: Reader, indexes: list[int], told: list[tuple[int, Row]]) -> None:
        """Take the measurements of lines of the current block that are alike.

        Args:
            reader: theirs.
            indexes: of all these lines.
            told: what was read of some of them, each given by its index.
        """
        if any(field.name.rpartition("/")[2] in (STEP, BAR) for _, field in reader.fields):
            self._steps += indexes
        for column, field in reader.fields:
            if len(told) < len(indexes):
                self.sampled.add(field.name)
            found = [(index, row[0], row[column]) for index, row in told if len(row) > column]
            values = field.values([number for _, _, number in found])
            self._rows[field.name] += [
                (index, host, value) for (index, host, _), value in zip(found, values, strict=True)
            ]

    def flush(self, block: Block, stream: str, name_of: Callable[[bytes], str]) -> None:
        """The block is over: put what was taken from it into the series, in the order of its lines."""
        for name, rows in self._rows.items():
            found: dict[bytes, Series] = {}
            for index, said, value in sorted(rows):
                series = found.get(said)
                if series is None:
                    series = found[said] = self._of(name_of(said), name)
                series.add(value, index, block.place)
        if self._steps:
            self.stalls.setdefault(stream, Gaps()).feed(block, sorted(self._steps))
        self._rows.clear()
        self._steps.clear()

    def _of(self, host: str, name: str) -> Series:
        series = self.series.get((host, name))
        if series is None:
            if len(self.series) >= MOST_SERIES:
                return self.others
            series = self.series[host, name] = Series(host, name)
        return series

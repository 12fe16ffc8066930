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
        """The longest times between two lines that told a step, by stream."""
        self._rows: dict[str, list[tuple[int, bytes, float]]] = defaultdict(list)
        """Of the current block, by name: where, of whom, what."""

    def add(self, reader: Reader, told: list[tuple[int, Row]]) -> None:
        """Take the measurements of some lines of the current block, each given by its index and what was read."""
        for column, field in reader.fields:
            found = [(index, row[0], row[column]) for index, row in told if len(row) > column]
            values = field.values([number for _, _, number in found])
            self._rows[field.name] += [
                (index, host, value) for (index, host, _), value in zip(found, values, strict=True)
            ]

    def flush(self, block: Block, stream: str, name_of: Callable[[bytes], str]) -> None:
        """The block is over: put what was taken from it into the series, in the order of its lines."""
        steps: set[int] = set()
        for name, rows in self._rows.items():
            found: dict[bytes, Series] = {}
            for index, said, value in sorted(rows):
                series = found.get(said)
                if series is None:
                    series = found[said] = self._of(name_of(said), name)
                series.add(value, index, block.place)
            if name.rpartition("/")[2] in (STEP, BAR):
                steps.update(index for index, _, _ in rows)
        if steps:
            self.stalls.setdefault(stream, Gaps()).feed(block, sorted(steps))
        self._rows.clear()

    def _of(self, host: str, name: str) -> Series:
        series = self.series.get((host, name))
        if series is None:
            if len(self.series) >= MOST_SERIES:
                return self.others
            series = self.series[host, name] = Series(host, name)
        return series

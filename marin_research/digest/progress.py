"""Collects the measurements that progress lines show, a series for each host and name. Finds no numbers itself."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from marin_research.digest.gaps import Gaps
from marin_research.digest.reader import FIRST_NUMBER
from marin_research.digest.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.digest.blocks import Block, Numbers
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
        self._found: dict[tuple[str, str], dict[bytes, Series]] = defaultdict(dict)
        """By stream and name, then by what its lines call the host."""
        self._rows: dict[str, list[tuple[int, bytes, float]]] = defaultdict(list)
        """Of the current block, by name: where, of whom, what."""

    def add(self, reader: Reader, told: list[tuple[int, Row]], *, is_sample: bool) -> None:
        """Take the measurements of lines of the current block that are alike.

        Args:
            reader: theirs.
            told: what was read of them, each given by its index.
            is_sample: Whether there are more of them.
        """
        told = [(index, row) for index, row in told if len(row) > FIRST_NUMBER]
        indexes, hosts = [index for index, _ in told], [row[0] for _, row in told]
        for column, field in reader.fields:
            values = field.values([row[column] for _, row in told])
            self._rows[field.name] += zip(indexes, hosts, values, strict=True)
            if is_sample:
                self.sampled.add(field.name)

    def flush(self, block: Block, stream: str, name_of: Callable[[bytes], str]) -> None:
        """The block is over: put what was taken from it into the series, in the order of its lines."""
        for name, rows in self._rows.items():
            found = self._found[stream, name]
            for index, said, value in sorted(rows):
                series = found.get(said)
                if series is None:
                    series = self._of(name_of(said), name)
                    if series is not self.others:
                        found[said] = series
                series.add(value, index, block.place)
        self._rows.clear()

    def look(self, block: Block, steps: Numbers, stream: str) -> None:
        """See when steps were told, by these lines of the next block."""
        if len(steps):
            self.stalls.setdefault(stream, Gaps()).feed(block, steps.tolist())

    def _of(self, host: str, name: str) -> Series:
        series = self.series.get((host, name))
        if series is None:
            if len(self.series) >= MOST_SERIES:
                return self.others
            series = self.series[host, name] = Series(host, name)
        return series

"""Collects the measurements that progress lines show, a series for each host and name. Finds no numbers itself."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from marin_research.digest.fields import BAR, REPEATED, STEP
from marin_research.digest.gaps import Gaps
from marin_research.digest.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marin_research.digest.blocks import Block, Place
    from marin_research.digest.reader import Batch, Reader

MOST_SERIES = 2000
_POSITIONS = (STEP, BAR)


class Progress:
    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        """By host and name."""
        self.left_out = 0
        """Values of series over the limit."""
        self.stalls: dict[int, Gaps] = {}
        """The longest times between two lines that told a step, by stream."""
        self._values: dict[tuple[bytes, str], list[tuple[int, float]]] = defaultdict(list)
        self._steps: list[int] = []

    def add(self, reader: Reader, batch: Batch) -> None:
        """Take the measurements of some lines of the current block."""
        if not batch.numbers:
            return
        fields = [(column, field) for column, field in reader.fields if field.name != REPEATED]
        if any(field.name.rpartition("/")[2] in _POSITIONS for _, field in fields):
            self._steps += batch.indexes
        positions: dict[bytes, list[int]] = defaultdict(list)
        for position, host in enumerate(batch.hosts):
            positions[host].append(position)
        for column, field in fields:
            pairs = list(zip(batch.indexes, field.values(batch.numbers[column]), strict=True))
            for host, of_host in positions.items():
                self._values[host, field.name] += [pairs[position] for position in of_host]

    def flush(self, block: Block, stream: int, host_of: Callable[[bytes], str]) -> None:
        """The block is over: put what was taken from it into the series, in the order of its lines."""
        for (host, name), known in self._values.items():
            known.sort()
            indexes, values = zip(*known, strict=True)
            series = self._of(host_of(host), name)
            if series is None:
                self.left_out += len(values)
            else:
                series.extend(values, _places(block, indexes))
        if self._steps:
            self.stalls.setdefault(stream, Gaps()).feed(block, sorted(self._steps))
        self._values.clear()
        self._steps.clear()

    def _of(self, host: str, name: str) -> Series | None:
        if (host, name) not in self.series and len(self.series) < MOST_SERIES:
            self.series[host, name] = Series(name, host)
        return self.series.get((host, name))


def _places(block: Block, indexes: Sequence[int]) -> Callable[[int], Place]:
    return lambda index: block.place(indexes[index])

"""Collects the measurements that progress lines show, a series for each host and name. Finds no numbers itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marin_research.digest.fields import BAR, REPEATED, STEP
from marin_research.digest.gaps import Gaps
from marin_research.digest.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marin_research.digest.blocks import Block, Place
    from marin_research.digest.reader import Reader, Row

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
        self._values: dict[tuple[bytes, str], list[tuple[int, float]]] = {}
        self._steps: list[int] = []

    def add(self, reader: Reader, indexes: Sequence[int], rows: Sequence[Row]) -> None:
        """Take the measurements of some lines of the current block, given by their indexes in it."""
        hosts: dict[bytes, list[tuple[int, tuple[bytes, ...]]]] = {}
        for index, row in zip(indexes, rows, strict=True):
            if row.numbers:
                hosts.setdefault(row.host, []).append((index, row.numbers))
        for host, lines in hosts.items():
            for at, field in reader.fields:
                if field.name == REPEATED:
                    continue
                values = field.values([numbers[at] for _, numbers in lines])
                known = self._values.setdefault((host, field.name), [])
                known += zip((index for index, _ in lines), values, strict=True)
            if any(field.name.rpartition("/")[2] in _POSITIONS for _, field in reader.fields):
                self._steps += [index for index, _ in lines]

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

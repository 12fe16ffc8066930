"""Reads the streams of a log, block by block, and keeps what the digest needs. Knows not how it is shown.

What makes it fast: lines are counted by what they are without their digits, and only where their digits matter are they
read one by one.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from marin_research.digest.blocks import blocks
from marin_research.digest.hosts import Hosts
from marin_research.digest.keys import Keys
from marin_research.digest.progress import Progress
from marin_research.digest.reader import LONGEST
from marin_research.digest.severity import Severity
from marin_research.digest.stream import Stream
from marin_research.digest.template import Shown, Sighting, Template
from marin_research.digest.templates import Templates
from marin_research.digest.tracebacks import Tracebacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from marin_research.digest.blocks import Block, Numbers, Place, Readable
    from marin_research.digest.keys import Kind
    from marin_research.digest.reader import Row

EXACT_BYTES = 4 << 20
"""So far into a stream every line that matters is read. Later only those are that tell an error or an outcome, and of
all others (measurements, warnings) ``MOST_READ`` in a block, but one of each kind. All are counted all the same, and
what is no number is a kind of its own, so it is never missed."""
MOST_READ = 64
_EVERY, _EVERY_FIRST = 503, 7
"""Of so many lines one is asked for its host, later and so far; of a stream's last lines all are. Primes, because hosts
take turns."""
_ALL_OF_LAST = 2000


class Digester:
    """Args: several: Whether there will be several streams. overflow: See ``Templates``."""

    def __init__(self, *, several: bool, overflow: Callable[[Place, str], object] | None = None) -> None:
        self.streams: list[Stream] = []
        self.templates = Templates(overflow)
        self.tracebacks = Tracebacks()
        self.progress = Progress()
        self.hosts = Hosts(several=several)
        self._keys = Keys(self.templates)
        self._last: dict[Sighting, int] = {}
        """What was seen in the current block, and where in it last."""
        self._starts: list[int] = []
        """The lines of the current block where a traceback may start."""

    def read(self, name: str, source: Iterable[bytes] | Readable) -> None:
        """Read a stream to its end."""
        stream = Stream(name)
        self.streams.append(stream)
        self.hosts.begin(name)
        for block in blocks(source, len(self.streams) - 1):
            stream.add(block)
            self._feed(block)
            self.hosts.look(block, range(0, len(block), _EVERY_FIRST if self._reads_all else _EVERY))
        if stream.states:
            self.hosts.look(block, range(max(0, len(block) - _ALL_OF_LAST), len(block)))
        self.tracebacks.finish()

    @property
    def _reads_all(self) -> bool:
        return self.streams[-1].bytes <= EXACT_BYTES

    def _feed(self, block: Block) -> None:
        numbers = self._keys.look_up(block)
        counts = np.bincount(numbers)
        last = np.zeros(len(counts), np.intp)
        last[numbers] = np.arange(len(numbers))
        present = np.flatnonzero(counts)
        read: list[int] = []
        for number, count, index in zip(
            *(column.tolist() for column in (present, counts[present], last[present])), strict=True
        ):
            kind = self._keys.kinds[number]
            if not kind.tells_outcome:
                self._count(kind.template, count, index)
            if kind.reader:
                read.append(number)
        self._read(block, [self._keys.kinds[number] for number in read], _grouped(numbers, read, counts))
        self._finish(block, numbers)

    def _read(self, block: Block, kinds: list[Kind], groups: list[list[int]]) -> None:
        """Read lines of a block; each group is of one kind."""
        samples = sum(len(indexes) for kind, indexes in zip(kinds, groups, strict=True) if not kind.is_telling)
        every = 1 if self._reads_all else samples // MOST_READ + 1
        for kind, group in zip(kinds, groups, strict=True):
            assert kind.reader  # noqa: S101 - others are not read
            indexes = group if kind.is_telling else group[::every]
            told = list(zip(indexes, kind.reader.read(list(map(block.line, indexes))), strict=True))
            self.progress.add(kind.reader, group, told)
            column = kind.reader.repeats
            if column is not None:
                kind.template.repeats += sum(int(row[column]) - 1 for _, row in told if len(row) > column)
            self._note(kind, block, told)
            if kind.starts_traceback:
                self._starts += group

    def _finish(self, block: Block, numbers: Numbers) -> None:
        """Do what takes the lines of a block in their order."""
        self.progress.flush(block, self.streams[-1].name, self.hosts.name)
        for index in self.tracebacks.feed(block, sorted(self._starts), self.hosts.name):
            self._keys.kinds[numbers[index]].template.in_tracebacks += 1
        for sighting, index in self._last.items():
            sighting.last = block.place(index)
        self._last.clear()
        self._starts.clear()
        self._keys.tidy()

    def _note(self, kind: Kind, block: Block, told: list[tuple[int, Row]]) -> None:
        """Remember what some lines of a kind tell; each is given by its index and what was read."""
        if not kind.tells_outcome:
            self._show(kind.template, block, told)
            return
        by_template: dict[Template, list[tuple[int, Row]]] = defaultdict(list)
        for index, row in told:
            by_template[self._keys.template(kind, row, block, index)].append((index, row))
        for template, part in by_template.items():
            self._count(template, len(part), part[-1][0])
            self._show(template, block, part)

    def _show(self, template: Template, block: Block, told: list[tuple[int, Row]]) -> None:
        """Remember which host showed what, unless it is mere information."""
        if template.severity is Severity.INFO:
            return
        stream = len(self.streams) - 1
        for index, row in told:
            message = row[1] if len(row[1]) <= LONGEST else template.example.encode()
            sighting = template.shown.get((stream, row[0], message))
            if sighting is None:
                shown = Shown(stream, row[0], message)
                sighting = self.templates.sighting(template, shown, partial(block.place, index))
            sighting.count += 1
            self._saw(sighting, index)

    def _count(self, template: Template, count: int, last: int) -> None:
        template.count += count
        self._saw(template, last)

    def _saw(self, sighting: Sighting, index: int) -> None:
        if self._last.get(sighting, -1) < index:
            self._last[sighting] = index


def _grouped(numbers: Numbers, wanted: list[int], counts: Numbers) -> list[list[int]]:
    """For each of some kinds the indexes of its lines."""
    where = np.flatnonzero(np.isin(numbers, wanted))
    where = where[np.argsort(numbers[where], kind="stable")]
    return [group.tolist() for group in np.split(where, np.cumsum(counts[wanted])[:-1])] if wanted else []

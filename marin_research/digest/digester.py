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

EXACT_BYTES = 2 << 20
"""So far into a stream every line that matters is read. Later only those are that tell an error or an outcome, and of
all others (measurements, warnings) ``MOST_READ`` in a block, but one of each kind. All are counted all the same, and
what is no number is a kind of its own, so it is never missed."""
MOST_READ = 64
_EVERY, _EVERY_FIRST = 503, 31
"""Of so many lines one is asked for its host, later and so far; of a stream's last lines all are. Primes, because hosts
take turns."""
_ALL_OF_LAST = 1000


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
        present = np.flatnonzero(counts).tolist()
        kinds = dict(zip(present, map(self._keys.kinds.__getitem__, present), strict=True))
        for kind, count, index in zip(kinds.values(), counts[present].tolist(), last[present].tolist(), strict=True):
            if not kind.tells_outcome:
                self._count(kind.template, count, index)
        self._read(block, _grouped(numbers, counts, {number: kind for number, kind in kinds.items() if kind.reader}))
        self.progress.flush(block, self.streams[-1].name, self.hosts.name)
        steps = [number for number, kind in kinds.items() if kind.reader and kind.reader.tells_step]
        self.progress.look(block, _lines(numbers, steps), self.streams[-1].name)
        starts = [number for number, kind in kinds.items() if kind.prefixes]
        if starts or self.tracebacks.is_open:
            starts += self._keys.continuing()
        for index in self.tracebacks.feed(block, _lines(numbers, starts).tolist(), self.hosts.name):
            self._keys.kinds[numbers[index]].template.in_tracebacks += 1
        for sighting, index in self._last.items():
            sighting.last = block.place(index)
        self._last.clear()
        self._keys.tidy()

    def _read(self, block: Block, groups: list[tuple[Kind, Numbers]]) -> None:
        """Read lines of a block; each group is of one kind."""
        samples = sum(len(lines) for kind, lines in groups if not kind.is_telling)
        every = 1 if self._reads_all else samples // MOST_READ + 1
        for kind, lines in groups:
            for template, part in self._by_template(kind, block, lines):
                self._read_alike(block, kind, template, part, 1 if kind.is_telling else every)

    def _by_template(self, kind: Kind, block: Block, lines: Numbers) -> Iterable[tuple[Template, Numbers]]:
        """Sort lines of a kind by what their numbers tell."""
        if not kind.tells_outcome:
            return [(kind.template, lines)]
        assert kind.reader  # noqa: S101 - it finds the outcome
        told = kind.reader.numbers(block.lines(lines))
        by_template: dict[Template, list[int]] = defaultdict(list)
        for index, numbers in zip(lines.tolist(), told, strict=True):
            template = kind.by_numbers.get(numbers) or self._keys.template(kind, numbers, block, index)
            by_template[template].append(index)
        for template, part in by_template.items():
            self._count(template, len(part), part[-1])
        return [(template, np.array(part)) for template, part in by_template.items()]

    def _read_alike(self, block: Block, kind: Kind, template: Template, lines: Numbers, every: int) -> None:
        """Read lines of a kind and a template, or if it is enough one of ``every`` so many."""
        reader = kind.reader
        is_plain = template.severity is Severity.INFO
        if reader is None or (is_plain and not reader.fields and reader.repeats is None):
            return
        is_whole = every == 1 or (kind.tells_outcome and not is_plain)
        chosen = lines if is_whole else lines[::every]
        told = list(zip(chosen.tolist(), reader.read(block.lines(chosen)), strict=True))
        self.progress.add(reader, told, is_sample=len(chosen) < len(lines))
        if reader.repeats is not None:
            template.repeats += sum(int(row[reader.repeats]) - 1 for _, row in told if len(row) > reader.repeats)
        if not is_plain:
            self._show(template, block, told)

    def _show(self, template: Template, block: Block, told: list[tuple[int, Row]]) -> None:
        """Remember which host showed what."""
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


def _lines(numbers: Numbers, wanted: list[int]) -> Numbers:
    """The lines of some kinds."""
    if not wanted:
        return np.array([], np.intp)
    is_wanted = np.zeros(numbers.max() + 1, bool)
    is_wanted[[number for number in wanted if number < len(is_wanted)]] = True
    return np.flatnonzero(is_wanted[numbers])


def _grouped(numbers: Numbers, counts: Numbers, kinds: dict[int, Kind]) -> list[tuple[Kind, Numbers]]:
    """The lines of each of some kinds."""
    wanted = list(kinds)
    lines = _lines(numbers, wanted)
    lines = lines[np.argsort(numbers[lines], kind="stable")]
    return list(zip(kinds.values(), np.split(lines, np.cumsum(counts[wanted])[:-1]), strict=True)) if wanted else []

"""Reads the streams of a log, block by block, and keeps what the digest needs. Knows neither its text nor its JSON form.

What makes it fast: lines without their digits are counted by a ``Counter``, so that Python looks at distinct ones only,
and at single lines only where their digits matter.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING

from marin_research.digest.blocks import blocks
from marin_research.digest.fields import REPEATED
from marin_research.digest.gaps import Gaps
from marin_research.digest.hosts import Hosts
from marin_research.digest.progress import Progress
from marin_research.digest.severity import Severity
from marin_research.digest.table import Table, Watched
from marin_research.digest.template import Sighting, Template
from marin_research.digest.tracebacks import Tracebacks, starts_traceback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from marin_research.digest.blocks import Block, Place, Readable

_TAIL = 40
_LONGEST_IN_TAIL = 2000


class Stream:
    """What is known of one stream as a whole."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.bytes = 0
        self.lines = 0
        """As numbered: what is separated by line feeds."""
        self.states = 0
        """Lines, and each state of a progress bar."""
        self.first: Place | None = None
        self.last: Place | None = None
        self.gaps = Gaps()
        self.tail: list[bytes] = []

    def add(self, block: Block) -> None:
        """Count a block, the next one."""
        self.first = self.first or block.place(0)
        self.last = block.place(len(block.lines) - 1)
        self.bytes += block.size
        self.lines = self.last.line
        self.states += len(block.lines)
        self.gaps.feed(block, range(len(block.lines)))
        self.tail = [*self.tail, *(line[:_LONGEST_IN_TAIL] for line in block.last(_TAIL))][-_TAIL:]


class Digester:
    """Args: several: Whether there will be several streams. spill: See ``Table``."""

    def __init__(self, *, several: bool, spill: Callable[[Place, str], object] | None = None) -> None:
        self.streams: list[Stream] = []
        self.table = Table(spill)
        self.tracebacks = Tracebacks()
        self.progress = Progress()
        self.hosts = Hosts(several=several)
        self._latest: dict[Sighting, int] = {}
        """What was seen in the current block, and where in it last."""

    def read(self, name: str, source: Iterable[bytes] | Readable) -> None:
        """Read a stream to its end."""
        stream = Stream(name)
        self.streams.append(stream)
        self.hosts.stream = name
        for block in blocks(source, len(self.streams) - 1):
            self.hosts.sample(block, before=stream.states)
            stream.add(block)
            self._feed(block)
        self.tracebacks.finish()

    def _feed(self, block: Block) -> None:
        entries: dict[bytes, Template | Watched] = {}
        last = dict(zip(block.keys, range(len(block.keys)), strict=True))
        bit = 1 << (len(self.streams) - 1)
        at = 0
        for key, count in Counter(block.keys).items():
            entry = self.table.known(key)
            if entry is None:
                at = block.keys.index(key, at)  # keys are counted in the order in which they first appear
                entry = self.table.entry(key, block.lines[at], partial(block.place, at))
            entries[key] = entry
            if isinstance(entry, Template):
                self._count(entry, count, last[key], bit)
        self._read_watched(block, entries, bit)
        for sighting, index in self._latest.items():
            sighting.last = block.place(index)
        self._latest.clear()
        self.table.tidy()

    def _count(self, template: Template, count: int, last: int, bit: int) -> None:
        template.count += count
        template.streams |= bit
        self._note(template, last)

    def _note(self, sighting: Sighting, index: int) -> None:
        self._latest[sighting] = max(index, self._latest.get(sighting, 0))

    def _read_watched(self, block: Block, entries: dict[bytes, Template | Watched], bit: int) -> None:
        """Look at all lines of a block whose digits matter."""
        watched = {key: entry for key, entry in entries.items() if isinstance(entry, Watched)}
        where: dict[bytes, list[int]] = {key: [] for key in watched}
        for index in compress(range(len(block.keys)), map(where.__contains__, block.keys)):
            where[block.keys[index]].append(index)
        starts: list[int] = []
        for key, entry in watched.items():
            self._watch(entry, block, where[key], bit)
            if starts_traceback(block.lines[where[key][0]]):
                starts += where[key]
        self.progress.flush(block, len(self.streams) - 1, lambda said: self.hosts.name(said.decode("ascii", "replace")))
        for index in self.tracebacks.feed(block, sorted(starts), self.hosts.name):
            entry = entries[block.keys[index]]
            templates = [entry] if isinstance(entry, Template) else list(entry.templates.values())
            if len(templates) == 1:
                templates[0].in_tracebacks += 1

    def _watch(self, entry: Watched, block: Block, indexes: Sequence[int], bit: int) -> None:
        """Read some lines of a block that belong to one key."""
        lines = [block.lines[index] for index in indexes]
        reader = entry.reader
        rows = reader.rows(lines)
        if reader.fields:
            self.progress.add(reader, indexes, rows)
        repeated = next((at for at, field in reader.fields if field.name == REPEATED), None)
        for index, line, row in zip(indexes, lines, rows, strict=True):
            place = partial(block.place, index)
            template = self.table.template(entry, reader.outcome(row), line, place)
            self._count(template, 1, index, bit)
            if repeated is not None and row.numbers:
                template.repeats += int(row.numbers[repeated]) - 1
            if template.severity is Severity.INFO:
                continue
            host = self.hosts.name(row.host.decode("ascii", "replace"))
            seen = template.hosts.get(host)
            if seen is None:
                seen = template.hosts[host] = Sighting(place())
            variant = self.table.variant(template, row.message, place)
            template.more_variants += variant is None
            for sighting in (seen, variant):
                if sighting is not None:
                    sighting.count += 1
                    self._note(sighting, index)

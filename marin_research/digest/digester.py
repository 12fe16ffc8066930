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
    from marin_research.digest.reader import Batch

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
        reader = entry.reader
        repeated = next((column for column, field in reader.fields if field.name == REPEATED), None)
        for batch in reader.read(indexes, [block.lines[index] for index in indexes]):
            self.progress.add(reader, batch)
            outcomes = reader.outcome(batch)
            for outcome in dict.fromkeys(outcomes):
                part = batch
                if len(set(outcomes)) > 1:
                    part = batch.part([position for position, other in enumerate(outcomes) if other == outcome])
                first = part.indexes[0]
                template = self.table.template(entry, outcome, block.lines[first], partial(block.place, first))
                self._count(template, len(part.indexes), part.indexes[-1], bit)
                if repeated is not None and part.numbers:
                    template.repeats += sum(map(int, part.numbers[repeated])) - len(part.indexes)
                if template.severity is not Severity.INFO:
                    self._note_grave(template, part, block)

    def _note_grave(self, template: Template, batch: Batch, block: Block) -> None:
        """Remember which hosts showed what."""
        last = dict(zip(batch.hosts, batch.indexes, strict=True))
        for said, count in Counter(batch.hosts).items():
            host = self.hosts.name(said.decode("ascii", "replace"))
            seen = template.hosts.get(host)
            if seen is None:
                seen = template.hosts[host] = Sighting(block.place(batch.indexes[batch.hosts.index(said)]))
            seen.count += count
            self._note(seen, last[said])
        last = dict(zip(batch.messages, batch.indexes, strict=True))
        for message, count in Counter(batch.messages).items():
            variant = template.variants.get(message) or self.table.keep_variant(
                template, message, lambda: block.place(batch.indexes[batch.messages.index(message)])
            )
            if variant is None:
                template.more_variants += count
            else:
                variant.count += count
                self._note(variant, last[message])

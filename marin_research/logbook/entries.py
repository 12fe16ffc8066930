"""What a logbook holds: its logs and their entries, as byte ranges of the file. Knows nothing of writing.

A log is a section named like one (``## Entry Log``, ``## Experiment Log``, ``## Entries``, ``## Log``, ...), or, in a
file without such a section, the dated headings themselves. The bytes are kept as they are and never built anew.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from marin_research.logbook.heading import Moment, closes_with_time, find_time, moment, opens_with_time, read_heading
from marin_research.logbook.markdown import BOLD_LEVEL, Heading, Structure
from marin_research.logbook.structure import structure_of


class Order(StrEnum):
    OLDEST_FIRST = "oldest first"
    NEWEST_FIRST = "newest first"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    heading: str
    """The heading's text without the marks that make it a heading."""
    level: int
    """1 to 6, or 7 for an entry headed by a bold paragraph."""
    start: int
    """Byte offset of its heading."""
    end: int
    """Byte offset of what follows it: the next entry, the next section, or the end of the file."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The experiment IDs in its heading; lists and ranges are written out in full."""
        return read_heading(self.heading).ids

    @property
    def label(self) -> str:
        """Its heading without time and experiment IDs."""
        return read_heading(self.heading).label

    @property
    def time(self) -> str | None:
        """As written in the heading; None where the heading holds no date."""
        found = find_time(self.heading)
        return found[0] if found else None

    @property
    def moment(self) -> Moment | None:
        """The same time in a form that can be compared."""
        found = find_time(self.heading)
        return moment(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    name: str | None
    """The section's heading as it stands in the file; None for dated headings outside of any log section."""
    level: int
    """Heading level of its entries, present or to come."""
    end: int
    """Byte offset of what follows the whole log."""
    entries: tuple[Entry, ...]
    order: Order

    @property
    def latest(self) -> Moment | None:
        """The latest time that any of its entries names."""
        latest: Moment | None = None
        for one in _moments(self.entries):
            if latest is None or latest.is_before(one):
                latest = one
        return latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Logbook:
    data: bytes
    """The file, byte for byte."""
    structure: Structure
    logs: tuple[Log, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for log in self.logs for entry in log.entries)

    @property
    def current_log(self) -> Log | None:
        """The log with the latest entry, of equals the last; None where the file has no log."""
        current: Log | None = None
        for log in self.logs:
            latest = current.latest if current else None
            if latest is None or (log.latest is not None and not log.latest.is_before(latest)):
                current = log
        return current

    def line_of(self, offset: int) -> int:
        """The line, counted from 1, on which the byte at ``offset`` stands."""
        return self.data.count(b"\n", 0, offset) + 1


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FRONT_MATTER = re.compile(
    rb"---[ \t]*\r?\n(?=[ \t\r\n]*(?:[\w\"'-]+[ \t]*:|---|\.\.\.))"
    rb"(?:(?!(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z))[^\n]*\n)*+(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)"
)
_LOG_NAME = re.compile(
    r"[ :*_`]*(?:"
    r"(?:(?:entry|experiments?|research|run|work|activity|session|progress|chronological|append-only|detailed|lab)\s+)?"
    r"log(?:book)?(?:\s+entries)?"
    r"|(?:(?:log|logbook|experiment)\s+)?entries"
    r")[ :*_`]*(?:[(\[].*)?",
    re.IGNORECASE,
)
"""With or without a remark in brackets."""
_PLACEHOLDER = "YYYY-MM-DD"
"""Stands in the heading of a template's sample entry, which is no entry."""


def parse(data: bytes) -> Logbook:
    """The logbook in ``data``; any bytes will do, and ``parse(data).data`` is ``data``."""
    structure = structure_of(data, start=text_start(data))
    headings = structure.headings
    sections = [index for index, heading in enumerate(headings) if _names_a_log(heading)]
    logs: list[Log] = []
    covered = 0
    for index in sections:
        if headings[index].start >= covered and not _within_a_dated_entry(headings, index):
            logs.append(_section_log(headings, index, len(data)))
            covered = logs[-1].end
    if not any(log.entries for log in logs):
        logs = _scattered_log(headings, len(data)) or logs
    return Logbook(data=data, structure=structure, logs=tuple(logs))


def text_start(data: bytes) -> int:
    """Behind a byte order mark and the front matter."""
    start = len(BYTE_ORDER_MARK) if data.startswith(BYTE_ORDER_MARK) else 0
    front_matter = _FRONT_MATTER.match(data, start)
    return front_matter.end() if front_matter else start


def _names_a_log(heading: Heading) -> bool:
    """The title of a file is not a section, whatever it says."""
    return 1 < heading.level < BOLD_LEVEL and bool(_LOG_NAME.fullmatch(heading.text))


def _within_a_dated_entry(headings: tuple[Heading, ...], index: int) -> bool:
    """Whether a heading is part of an entry, which may have a ``### Log`` of its own."""
    level = headings[index].level
    for heading in reversed(headings[:index]):
        if heading.level < level:
            if heading.level > 1 and find_time(heading.text):
                return True
            level = heading.level
    return False


def _section_log(headings: tuple[Heading, ...], index: int, size: int) -> Log:
    section = headings[index]
    inside: list[Heading] = []
    end = size
    for heading in headings[index + 1 :]:
        # Some write their entries as headings of the section's own level.
        flat = heading.level == section.level and (not inside or inside[0].level == section.level)
        if heading.level <= section.level and not (flat and _is_dated(heading)):
            end = heading.start
            break
        inside.append(heading)
    level = _entry_level(inside) or section.level + 1
    chosen = [heading for heading in inside if heading.level == level and _PLACEHOLDER not in heading.text]
    entries = _entries(chosen, inside, end)
    return Log(name=section.text, level=level, end=end, entries=entries, order=_order(entries))


def _entry_level(inside: list[Heading]) -> int | None:
    """The outermost level with dates, unless more undated headings stand above it; without dates the outermost."""
    levels = Counter(heading.level for heading in inside)
    dated = Counter(heading.level for heading in inside if _is_dated(heading) or _PLACEHOLDER in heading.text)
    for level in sorted(dated):
        if dated[level] >= sum(count for other, count in levels.items() if other < level):
            return level
    return min(levels, default=None)


def _is_dated(heading: Heading) -> bool:
    return opens_with_time(heading.text) or closes_with_time(heading.text)


def _scattered_log(headings: tuple[Heading, ...], size: int) -> list[Log]:
    """Headings that open with a date make a log; one that only ends with a date may be anything, two are a habit."""
    below_title = [heading for heading in headings if heading.level > 1]
    dated = [heading for heading in below_title if opens_with_time(heading.text)]
    if not dated:
        dated = [heading for heading in below_title if closes_with_time(heading.text)]
        if len(dated) < 2:
            return []
    level = min(heading.level for heading in dated)
    chosen = [heading for heading in dated if heading.level == level]
    entries = _entries(chosen, list(headings), size)
    return [Log(name=None, level=level, end=entries[-1].end, entries=entries, order=_order(entries))]


def _moments(entries: tuple[Entry, ...]) -> list[Moment]:
    return [one for one in (entry.moment for entry in entries) if one]


def _order(entries: tuple[Entry, ...]) -> Order:
    pairs = list(pairwise(_moments(entries)))
    rises = any(one.is_before(other) for one, other in pairs)
    falls = any(other.is_before(one) for one, other in pairs)
    if rises and falls:
        return Order.MIXED
    return Order.OLDEST_FIRST if rises else Order.NEWEST_FIRST if falls else Order.UNKNOWN


def _entries(chosen: list[Heading], headings: list[Heading], end: int) -> tuple[Entry, ...]:
    """One entry for each chosen heading, all of one level; it ends at the next heading of that level or above."""
    found: list[Entry] = []
    starts = {heading.start for heading in chosen}
    for heading in reversed(headings):
        if heading.start in starts:
            found.append(Entry(heading=heading.text, level=heading.level, start=heading.start, end=end))
        if chosen and heading.level <= chosen[0].level:
            end = heading.start
    return tuple(reversed(found))

"""Reads what matters out of lines that differ only in their digits. Knows what stands where, not what it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marin_research.digest.fields import BAR, REPEATED, STEP, Field, measurements
from marin_research.digest.header import read_header
from marin_research.digest.outcome import Outcome, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST = 4096
"""Bytes of a line that can be like others."""
_COMPILE_AFTER = 32
_HEXADECIMAL = b"0123456789abcdef"
_FIXED = re.compile(rb"[^0-9a-f][^0-9]*$")
"""What cannot vary before a number."""
_NUMBER = re.compile(rb"\d+")
_TELLING = re.compile(rb"\d|nan|inf", re.IGNORECASE)

type Row = tuple[bytes, ...]
"""Of one line: whose it is, as it says; all that stands behind the header; the numbers that were asked for, if it has
them."""
FIRST_NUMBER = 2


class Reader:
    """Reads lines that are alike: slowly at first, and once there are many, with a pattern made for them."""

    __slots__ = (
        *("_host", "_line", "_message", "_numbers", "_outcomes", "_patterns", "_read"),
        *("fields", "finds", "repeats"),
    )

    def __init__(self, line: bytes) -> None:
        header = read_header(line)
        self.finds = _found(line[header.end : header.end + LONGEST])
        """What it asks for, in the order of the columns."""
        columns = list(enumerate(self.finds, FIRST_NUMBER))
        fields = [(column, one) for column, one in columns if isinstance(one, Field)]
        self.fields = [(column, field) for column, field in fields if field.name != REPEATED]
        """Measurements, each with its place in a row."""
        self.repeats = next((column for column, field in fields if field.name == REPEATED), None)
        """The place in a row of how many lines Ray counted instead of printing them."""
        self._outcomes = [(column, one) for column, one in columns if isinstance(one, Outcome)]
        self._line = line[: header.end + LONGEST]
        self._host = header.host_span
        self._message = header.end
        self._numbers = [(one.start + header.end, one.end + header.end) for one in self.finds]
        self._read = 0
        self._patterns: dict[str, re.Pattern[bytes]] = {}

    @property
    def tells_outcome(self) -> bool:
        """Some of the numbers tell success from failure."""
        return bool(self._outcomes)

    @property
    def tells_step(self) -> bool:
        """How far something is."""
        return any(field.name.rpartition("/")[2] in (STEP, BAR) for _, field in self.fields)

    def read(self, lines: Sequence[bytes]) -> list[Row]:
        """What the lines say."""
        return self._find(self._whole, lines) or list(map(self._slowly, lines))

    def numbers(self, lines: Sequence[bytes]) -> list[Row]:
        """Only those that tell success from failure; nothing of a line that has others than it should."""
        found = self._find(self._behind, lines)
        return found or [tuple(row[at] for at, _ in self._outcomes if len(row) > at) for row in self.read(lines)]

    def outcome(self, numbers: Row) -> Row:
        """What they tell: of what is merely counted, whether it is 0."""
        told = zip(numbers, self._outcomes, strict=False)
        return tuple((b"some" if number.strip(b"0") else b"0") if one.counts else number for number, (_, one) in told)

    def _find(self, expression: Callable[[], bytes], lines: Sequence[bytes]) -> list[Row]:
        """The same at once with a pattern, as soon as that is worth it; nothing if it does not fit each of them."""
        self._read += len(lines)
        if self._read < _COMPILE_AFTER:
            return []
        pattern = self._patterns.get(expression.__name__)
        if pattern is None:
            pattern = self._patterns[expression.__name__] = re.compile(expression(), re.MULTILINE)
        found = pattern.findall(b"\n".join(lines))
        if len(found) != len(lines):
            return []
        return found if pattern.groups > 1 else list(zip(found, strict=True))

    def _slowly(self, line: bytes) -> Row:
        like = self if line == self._line else Reader(line)
        host = line[slice(*like._host)] if like._host else b""  # noqa: SLF001 - another one of us
        numbers = [line[start:end] for start, end in like._numbers]  # noqa: SLF001
        return (host, line[like._message :], *(numbers if len(numbers) == len(self._numbers) else []))  # noqa: SLF001

    def _whole(self) -> bytes:
        """Matches such a line; its groups make a row."""
        start, at = self._host or (0, 0)
        host = rb"[^%b\n]*" % re.escape(self._line[at : at + 1]) if start < at else b""
        parts = [b"^", self._skip(0, start), b"(", host, b")", self._skip(at, self._message), b"("]
        return b"".join([*parts, *self._groups(self._message, self._numbers), b".*)$"])

    def _behind(self) -> bytes:
        """Matches the outcomes and all that follows. It begins with fixed text, which is what makes it fast."""
        numbers = [self._numbers[column - FIRST_NUMBER] for column, _ in self._outcomes]
        start = numbers[0][0]
        before = _FIXED.search(self._line, 0, start)
        fixed = re.escape(before[0]) if before else b""
        return b"".join([fixed, *self._groups(start, numbers), b"[^\\n]*"])

    def _groups(self, at: int, numbers: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        for start, end in numbers:
            yield from (self._skip(at, start), b"(", self._alike(start, end), b")")
            at = end

    def _skip(self, start: int, end: int) -> bytes:
        """Passes over a part of the line whose text is known but for its digits, up to its last character."""
        part = self._line[start:end]
        last = part[-1:]
        if not last or last in _HEXADECIMAL:
            return self._alike(start, end)
        return rb"[^%b\n]*%b" % (re.escape(last), re.escape(last)) * part.count(last)

    def _alike(self, start: int, end: int) -> bytes:
        return _NUMBER.sub(rb"[0-9]+", re.escape(self._line[start:end]))


def _found(message: bytes) -> list[Field | Outcome]:
    """What a message measures or tells, in the order of the numbers."""
    if not _TELLING.search(message):
        return []
    fields = measurements(message)
    others = [one for one in outcomes(message) if not any(one.start < f.end and f.start < one.end for f in fields)]
    return sorted([*fields, *others], key=lambda one: one.start)

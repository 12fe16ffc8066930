"""Reads what matters out of lines that differ only in their digits. Knows what stands where, not what it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marin_research.digest.fields import REPEATED, Field, measurements
from marin_research.digest.header import read_header
from marin_research.digest.outcome import Outcome, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 4096
"""Bytes of a line that can be like others."""
_COMPILE_AFTER = 32
_DIGITS = b"0123456789"
_NUMBER = re.compile(rb"\d+")
_TELLING = re.compile(rb"\d|nan|inf", re.IGNORECASE)

type Row = tuple[bytes, ...]
"""Of one line: whose it is, as it says; all that stands behind the header; the numbers that were asked for, if it has
them."""
FIRST_NUMBER = 2


class Reader:
    """Reads lines that are alike: slowly at first, and once there are many, with a pattern made for them."""

    __slots__ = ("_host", "_line", "_message", "_numbers", "_outcomes", "_pattern", "_read", "fields", "repeats")

    def __init__(self, line: bytes) -> None:
        header = read_header(line)
        found = _found(line[header.end : header.end + LONGEST])
        columns = list(enumerate(found, FIRST_NUMBER))
        fields = [(column, one) for column, one in columns if isinstance(one, Field)]
        self.fields = [(column, field) for column, field in fields if field.name != REPEATED]
        """Measurements, each with its place in a row."""
        self.repeats = next((column for column, field in fields if field.name == REPEATED), None)
        """The place in a row of how many lines Ray counted instead of printing them."""
        self._outcomes = [(column, one) for column, one in columns if isinstance(one, Outcome)]
        self._line = line[: header.end + LONGEST]
        self._host = header.host_span
        self._message = header.end
        self._numbers = [(one.start + header.end, one.end + header.end) for one in found]
        self._read = 0
        self._pattern: re.Pattern[bytes] | None = None

    @property
    def tells_outcome(self) -> bool:
        """Some of the numbers tell success from failure."""
        return bool(self._outcomes)

    def read(self, lines: Sequence[bytes]) -> list[Row]:
        """What the lines say."""
        self._read += len(lines)
        if self._pattern is None and self._read >= _COMPILE_AFTER:
            self._pattern = re.compile(self._expression(), re.MULTILINE)
        if self._pattern:
            found: list[Row] = self._pattern.findall(b"\n".join(lines))
            if len(found) == len(lines):
                return found
        return [self._slowly(line) for line in lines]

    def numbers(self, row: Row) -> Row:
        """Those that tell success from failure."""
        return tuple([row[column] for column, _ in self._outcomes]) if len(row) > FIRST_NUMBER else ()

    def outcome(self, numbers: Row) -> Row:
        """What they tell: of what is merely counted, whether it is 0."""
        told = zip(numbers, self._outcomes, strict=False)
        return tuple((b"some" if number.strip(b"0") else b"0") if one.counts else number for number, (_, one) in told)

    def _slowly(self, line: bytes) -> Row:
        like = self if line == self._line else Reader(line)
        host = line[slice(*like._host)] if like._host else b""  # noqa: SLF001 - another one of us
        numbers = [line[start:end] for start, end in like._numbers]  # noqa: SLF001
        return (host, line[like._message :], *(numbers if len(numbers) == len(self._numbers) else []))  # noqa: SLF001

    def _expression(self) -> bytes:
        """Matches such a line; its groups make a row."""
        start, at = self._host or (0, 0)
        parts = [b"^", self._skip(0, start), b"(", self._alike(start, at), b")", self._skip(at, self._message), b"("]
        at = self._message
        for start, end in self._numbers:
            parts += [self._skip(at, start), b"(", self._alike(start, end), b")"]
            at = end
        return b"".join([*parts, b".*)$"])

    def _skip(self, start: int, end: int) -> bytes:
        """Passes over a part of the line whose text is known but for its digits, up to its last character."""
        part = self._line[start:end]
        last = part[-1:]
        if not last or last in _DIGITS:
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

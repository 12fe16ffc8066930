"""Reads what matters out of lines that differ only in their digits. Knows what stands where, not what it means."""

from __future__ import annotations

import re
from typing import NamedTuple

from marin_research.digest.fields import Field, measurements
from marin_research.digest.header import read_header
from marin_research.digest.outcome import Outcome, outcomes

_COMPILE_AFTER = 32
_LONGEST = 4096
_DIGITS = re.compile(rb"\d+")


class Row(NamedTuple):
    """What one line says."""

    host: bytes
    """As the line names it; empty when it does not."""
    message: bytes
    """All that stands behind the header."""
    numbers: tuple[bytes, ...]
    """Those that ``Reader.fields`` and ``Reader.outcomes`` point to; none if one of them is missing."""


class Reader:
    """Reads lines that are alike: slowly at first, and once there are many, with a pattern made for them."""

    def __init__(self, line: bytes) -> None:
        header = read_header(line)
        message = line[header.end : header.end + _LONGEST]
        fields = measurements(message)
        found: list[Field | Outcome] = [
            one for one in outcomes(message) if not any(one.start < f.end and f.start < one.end for f in fields)
        ]
        found = sorted([*fields, *found], key=lambda one: one.start)
        self.fields = [(place, one) for place, one in enumerate(found) if isinstance(one, Field)]
        """Measurements, each with its place among a row's numbers."""
        self.outcomes = [(place, one) for place, one in enumerate(found) if isinstance(one, Outcome)]
        """Numbers that tell success from failure, likewise."""
        self._line = line
        self._hosts = header.host
        self._message = header.end
        self._numbers = [(one.start + header.end, one.end + header.end) for one in found]
        self._read = 0
        self._pattern: re.Pattern[bytes] | None = None

    def rows(self, lines: list[bytes]) -> list[Row]:
        """What each of the lines says."""
        self._read += len(lines)
        if self._pattern is None and self._read >= _COMPILE_AFTER and len(self._line) <= _LONGEST:
            self._pattern = re.compile(self._expression(), re.DOTALL)
        return [self._row(line) for line in lines]

    def outcome(self, row: Row) -> tuple[bytes, ...]:
        """What tells the success of a line from its failure; of what is merely counted, whether it is 0."""
        if not row.numbers:
            return ()
        numbers = [(row.numbers[place], one.counts) for place, one in self.outcomes]
        return tuple((b"some" if number.strip(b"0") else b"0") if counts else number for number, counts in numbers)

    def _row(self, line: bytes) -> Row:
        match = self._pattern.fullmatch(line) if self._pattern else None
        if match:
            hosts = len(self._hosts)
            groups = match.groups()
            return Row(b" ".join(groups[:hosts]), groups[hosts], groups[hosts + 1 :])
        like = self if line == self._line else Reader(line)
        host = b" ".join(line[start:end] for start, end in like._hosts)  # noqa: SLF001 - another one of us
        numbers = tuple(line[start:end] for start, end in like._numbers)  # noqa: SLF001
        return Row(host, line[like._message :], numbers if len(numbers) == len(self._numbers) else ())  # noqa: SLF001

    def _expression(self) -> bytes:
        """Matches what has the same text around its digits; groups are the hosts, the message, and numbers in it."""
        parts: list[bytes] = []
        at = 0
        for start, end in self._hosts:
            parts += [self._alike(at, start), b"(", self._alike(start, end), b")"]
            at = end
        parts += [self._alike(at, self._message), b"("]
        at = self._message
        for start, end in self._numbers:
            parts += [self._alike(at, start), b"(", self._alike(start, end), b")"]
            at = end
        return b"".join([*parts, b".*)"])

    def _alike(self, start: int, end: int) -> bytes:
        return _DIGITS.sub(rb"\\d+", re.escape(self._line[start:end]))

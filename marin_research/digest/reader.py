"""Reads what matters out of lines that differ only in their digits. Knows what stands where, not what it means."""

from __future__ import annotations

import re
from typing import NamedTuple

from marin_research.digest.fields import Field, measurements, outcomes
from marin_research.digest.header import Span, read_header

_COMPILE_AFTER = 32
_MESSAGE = 4096
_DIGITS = re.compile(rb"\d+")


class Row(NamedTuple):
    """What one line says."""

    host: bytes
    """As the line names it; empty when it does not."""
    message: bytes
    """All that stands behind the header."""
    numbers: tuple[bytes, ...] = ()
    """Those that ``Reader.outcomes`` and ``Reader.fields`` point to."""


class Reader:
    """Reads the lines of one key. Slowly at first; once there are many, with a pattern made for them."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        header = read_header(line)
        self._hosts = header.host
        self._message = header.end
        body = line[header.end : header.end + _MESSAGE]
        found: list[Span | Field] = [*measurements(body)]
        found += [span for span in outcomes(body) if not any(_overlap(span, field) for field in found)]
        found.sort(key=lambda one: one[0])
        self._numbers = [(one[0] + header.end, one[1] + header.end) for one in found]
        self.fields = [(place, field) for place, field in enumerate(found) if isinstance(field, Field)]
        """Measurements, each with its place among a row's numbers."""
        self.outcomes = [place for place, field in enumerate(found) if not isinstance(field, Field)]
        """Places among a row's numbers that tell success from failure."""
        self._seen = 0
        self._pattern: re.Pattern[bytes] | None = None

    def rows(self, lines: list[bytes]) -> list[Row]:
        """What each line says; a number that cannot be found is left out with all others of its line."""
        self._seen += len(lines)
        if self._pattern is None and self._seen >= _COMPILE_AFTER and len(self._line) <= _MESSAGE:
            self._pattern = re.compile(self._expression())
        if self._pattern is not None:
            found = self._pattern.findall(b"\n".join(lines))
            if len(found) == len(lines):
                hosts = len(self._hosts)
                return [Row(b" ".join(one[1 : hosts + 1]), one[hosts + 1], one[hosts + 2 :]) for one in found]
        return [self._row(line) for line in lines]

    def _row(self, line: bytes) -> Row:
        """The same without the pattern."""
        like = self if line == self._line else Reader(line)
        host = b" ".join(line[start:end] for start, end in like._hosts)
        if [field for _, field in self.fields] != ...
        return Row(host, line[like._message :], tuple(line[start:end] for start, end in like._numbers))

"""Reads what matters out of lines that differ only in their digits. Knows what stands where, not what it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.fields import Field, measurements
from marin_research.digest.header import read_header
from marin_research.digest.outcome import Outcome, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPILE_AFTER = 32
_LONGEST = 4096
_DIGITS = re.compile(rb"\d+")


class Batch(NamedTuple):
    """What some lines say, in columns."""

    indexes: Sequence[int]
    """Where the lines stand in their block."""
    hosts: Sequence[bytes]
    """Whose lines they are, as they name it; empty when they do not."""
    messages: Sequence[bytes]
    """All that stands behind the headers."""
    numbers: Sequence[Sequence[bytes]]
    """A column for each number of the reader; none at all if the lines lack one of them."""

    def part(self, positions: Sequence[int]) -> Batch:
        """Some of the lines, given by their positions in the columns."""
        columns = (self.indexes, self.hosts, self.messages, *self.numbers)
        indexes, hosts, messages, *numbers = ([column[at] for at in positions] for column in columns)
        return Batch(indexes, hosts, messages, numbers)


class Reader:
    """Reads lines that are alike: slowly at first, and once there are many, with a pattern made for them."""

    def __init__(self, line: bytes) -> None:
        header = read_header(line)
        message = line[header.end : header.end + _LONGEST]
        fields = measurements(message)
        others = [one for one in outcomes(message) if not any(one.start < f.end and f.start < one.end for f in fields)]
        found: list[Field | Outcome] = sorted([*fields, *others], key=lambda one: one.start)
        self.fields = [(column, one) for column, one in enumerate(found) if isinstance(one, Field)]
        """Measurements, each with its column of numbers."""
        self.outcomes = [(column, one) for column, one in enumerate(found) if isinstance(one, Outcome)]
        """Numbers that tell success from failure, likewise."""
        self._line = line
        self._hosts = header.host
        self._message = header.end
        self._numbers = [(one.start + header.end, one.end + header.end) for one in found]
        self._read = 0
        self._pattern: re.Pattern[bytes] | None = None

    def read(self, indexes: Sequence[int], lines: Sequence[bytes]) -> list[Batch]:
        """What the lines say."""
        self._read += len(lines)
        if self._pattern is None and self._read >= _COMPILE_AFTER and len(self._line) <= _LONGEST:
            self._pattern = re.compile(self._expression(), re.MULTILINE)
        if self._pattern:
            found = self._pattern.findall(b"\n".join(lines))
            if len(found) == len(lines):
                _, *columns = zip(*found, strict=True)
                hosts = columns[: len(self._hosts)]
                named = [b" ".join(host) for host in zip(*hosts, strict=True)] if hosts else [b""] * len(lines)
                messages, *numbers = columns[len(hosts) :]
                return [Batch(indexes, named, messages, numbers)]
        return [self._slowly(index, line) for index, line in zip(indexes, lines, strict=True)]

    def outcome(self, batch: Batch) -> list[tuple[bytes, ...]]:
        """For each line what tells its success from its failure; of what is merely counted, whether it is 0."""
        if not (self.outcomes and batch.numbers):
            return [()] * len(batch.indexes)
        columns = (
            [b"some" if number.strip(b"0") else b"0" for number in batch.numbers[column]]
            if outcome.counts
            else batch.numbers[column]
            for column, outcome in self.outcomes
        )
        return list(zip(*columns, strict=True))

    def _slowly(self, index: int, line: bytes) -> Batch:
        like = self if line == self._line else Reader(line)
        host = b" ".join(line[start:end] for start, end in like._hosts)  # noqa: SLF001 - another one of us
        numbers = [[line[start:end]] for start, end in like._numbers]  # noqa: SLF001
        return Batch([index], [host], [line[like._message :]], numbers if len(numbers) == len(self._numbers) else [])  # noqa: SLF001

    def _expression(self) -> bytes:
        """Matches what has the same text around its digits; groups are nothing, hosts, the message, numbers in it."""
        parts: list[bytes] = [b"^()"]
        at = 0
        for start, end in self._hosts:
            parts += [self._alike(at, start), b"(", self._alike(start, end), b")"]
            at = end
        parts += [self._alike(at, self._message), b"("]
        at = self._message
        for start, end in self._numbers:
            parts += [self._alike(at, start), b"(", self._alike(start, end), b")"]
            at = end
        return b"".join([*parts, b".*)$"])

    def _alike(self, start: int, end: int) -> bytes:
        return _DIGITS.sub(rb"\\d+", re.escape(self._line[start:end]))

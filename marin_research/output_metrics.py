"""Metrics that stand in what a command prints: lines that the user names by a pattern. Knows nothing of processes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.clean import clean
from marin_research.errors import UsageError
from marin_research.progress import last_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NAME = re.compile(r"[\w./%-]+(?: [\w./%-]+)*")
_LINE_END = re.compile(rb"[\r\n]+")
_MAX_LINE = 65_536
_EXAMPLE = "for example --metric 'tok/s=([0-9.e+]+)'"


@dataclass(frozen=True, slots=True)
class MetricPattern:
    """A metric and the pattern whose first group is its value."""

    name: str
    pattern: re.Pattern[str]


def parse_pattern(text: str) -> MetricPattern:
    """``tok/s=([0-9.e+]+)``: the metric is called what stands before the group, or like the group if it has a name.

    Raises:
        UsageError: it is no pattern, has no group, or nothing says what the metric is called.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(
            f"--metric {text!r} is not a pattern: {error}; for example --metric 'tok/s=([0-9.e+]+)'"
        ) from error
    if pattern.groups < 1:
        raise UsageError(f"--metric {text!r} has no group for the value; {_EXAMPLE}")
    named = next(iter(pattern.groupindex), "")
    before = _NAME.search(text.partition("(")[0])
    name = named or (before[0] if before else "")
    if not name:
        raise UsageError(f"--metric {text!r} does not say what it measures; name the group: (?P<loss>...)")
    return MetricPattern(name, pattern)


class Value(NamedTuple):
    """One value that stands in an output."""

    name: str
    value: float
    step: int | None
    """The training step that its line tells."""


class OutputMetrics:
    """Finds what patterns name in an output that is read piece by piece, by lines; carriage returns end them, too."""

    def __init__(self, patterns: Sequence[MetricPattern]) -> None:
        self._patterns = patterns
        self._rest = b""

    def read(self, chunks: Iterable[bytes], *, last: bool = False) -> Iterator[Value]:
        """What more of the output holds.

        Args:
            chunks: the output from where the last call stopped.
            last: nothing follows, so a line without an end is one.
        """
        for line in self._lines(chunks, last=last):
            text = clean(line)
            for wanted in self._patterns:
                for found in wanted.pattern.finditer(text):
                    number = _number(wanted, found)
                    if number is not None:
                        yield Value(wanted.name, number, last_step(line))

    def _lines(self, chunks: Iterable[bytes], *, last: bool) -> Iterator[bytes]:
        for chunk in chunks:
            *whole, self._rest = _LINE_END.split(self._rest + chunk)
            yield from whole
            if len(self._rest) > _MAX_LINE:  # a line without an end cannot be waited for
                yield self._rest
                self._rest = b""
        if last and self._rest:
            yield self._rest


def _number(wanted: MetricPattern, found: re.Match[str]) -> float | None:
    text = found[wanted.name] if wanted.name in wanted.pattern.groupindex else found[1]
    try:
        return float(text.replace(",", ""))
    except (ValueError, AttributeError):
        return None

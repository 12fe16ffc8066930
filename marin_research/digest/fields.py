"""Finds the measurements in a message: loss, step, rate. Where they stand and what they are called, and no more."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from marin_research import progress

if TYPE_CHECKING:
    from collections.abc import Iterable

STEP = "step"
BAR = "bar"
REPEATED = "repeated"

_NUMBER = rb"[-+]?(?:\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?|nan\b|inf(?:inity)?\b)"
_NAMED = re.compile(
    rb"(?<![\w./@-])((?:[\w./@-]++ (?=validation )|)(?:(?:validation|eval|train|test) )?[\w./@-]++)"
    rb"[\"']?(?: ?[=:] ?[\"']?| )(" + _NUMBER + rb")",
    re.IGNORECASE,
)
_METRICS = (
    *(b"loss", b"nll", b"ppl", b"perplexity", b"bpb", b"acc", b"accuracy", b"norm", b"lr", b"learning_rate", b"mfu"),
    *(b"throughput", b"tokens_per_second", b"samples_per_second", b"reward", b"kl", b"entropy", b"tflops"),
    *(b"step_avg", b"step_time", b"iter_time", b"train_time"),
)
_METRIC = re.compile(rb"(?:" + b"|".join(_METRICS) + rb")$", re.IGNORECASE)
_RATE = re.compile(
    rb"(?<![\w.])(\d[\d,]*(?:\.\d+)?) ?([kKMG]?) ?(?:(it|step|tok|token|sample|example)s?/s(?:ec)?|s/(it|step))\b"
)
_STALLED = re.compile(rb"([\w ]{0,24}\bstalled) (?:for )?(\d+(?:\.\d+)?) ?s\b")
_REPEATED = re.compile(rb"\[repeated (\d+)x across cluster\]")
_TASK = re.compile(rb"^Progress on:(\S+) |^ *([A-Za-z][\w ./-]{0,40}): +\d+%\|")


class Field(NamedTuple):
    """One measurement in a message, with where its number stands."""

    start: int
    end: int
    name: str
    scale: float = 1.0
    inverse: bool = False
    """It is in seconds per step, and counted as steps per second."""
    commas: bool = False
    """Between thousands."""

    def values(self, numbers: Iterable[bytes]) -> list[float]:
        """What the texts of such numbers mean."""
        if self.commas:
            numbers = [number.replace(b",", b"") for number in numbers]
        values = list(map(float, numbers))
        if self.inverse:
            return [self.scale / value if value else inf for value in values]
        return values if self.scale == 1 else [value * self.scale for value in values]


def measurements(message: bytes) -> list[Field]:
    """The numbers of a progress line, each name once; ``train/loss`` when the line says what it is the progress of.

    A step alone is not progress: ``Saved checkpoint for step 7``.
    """
    task = _TASK.match(message)
    prefix = f"{_text(task[1] or task[2])}/" if task else ""
    found = [
        Field(*match.span(2), prefix + _text(match[1]))
        for match in _NAMED.finditer(message)
        if _METRIC.search(match[1])
    ]
    for match in _RATE.finditer(message) if b"/s" in message or b"s/" in message else ():
        unit = _text(match[3] or match[4])
        found.append(Field(*match.span(1), f"{prefix}{unit}/s", progress.SCALE[match[2]], inverse=bool(match[4])))
    if b"stalled" in message:
        found += [Field(*match.span(2), _text(match[1])) for match in _STALLED.finditer(message)]
    found += [Field(*match.span(1), REPEATED) for match in _REPEATED.finditer(message)]
    found += [Field(*match.span("number"), prefix + BAR) for match in progress.BAR.finditer(message)]
    if found:
        for match in (*progress.NAMED.finditer(message), *progress.LOGGED.finditer(message)):
            found.append(Field(*match.span("number"), prefix + STEP, progress.SCALE[match["unit"]]))
    first = {field.name: field for field in reversed(found)}.values()
    return [field._replace(commas=b"," in message[field.start : field.end]) for field in first]


def _text(name: bytes) -> str:
    return name.decode("ascii", "replace").strip()

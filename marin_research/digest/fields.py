"""Finds the measurements in a message: loss, step, rate. Where they stand and what they are called, and no more."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

STEP = "step"
BAR = "bar"
REPEATED = "repeated"

_NUMBER = rb"[-+]?(?:\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?|nan\b|inf(?:inity)?\b)"
_METRIC = (
    rb"loss|nll|ppl|perplexity|bpb|acc|accuracy|norm|lr|learning_rate|mfu|throughput|tokens_per_second|samples_per_second"
    rb"|tflops|step_avg|step_time|iter_time|train_time|reward|kl|entropy"
)
_NAMED = re.compile(
    rb"((?:[\w./@-]+ (?=validation loss))?(?:(?:validation|eval|train|test) )?[\w./@-]*?(?:" + _METRIC + rb"))"
    rb"[\"']?(?: ?[=:] ?[\"']?| )(" + _NUMBER + rb")",
    re.IGNORECASE,
)
_RATE = re.compile(
    rb"(?<![\w.])(\d[\d,]*(?:\.\d+)?) ?([kKMG]?) ?(?:(it|step|tok|token|sample|example)s?/s(?:ec)?|s/(it|step))\b"
)
_STEP = re.compile(
    rb"\b(?:global_|train_)?(?:step|iteration|iter)[\"']?(?: ?[=:#] ?| |/)(\d[\d,]*)()(?![\d.]*[\w%])"
    rb"|^Progress on:\S+ (\d+(?:\.\d+)?)([kMG]?)(?:it|[a-zA-Z]*)/",
    re.IGNORECASE,
)
_BAR = re.compile(rb"\| *(\d+)/\d+ \[\d|\b(\d+)it \[\d")
_STALLED = re.compile(rb"([\w ]{0,24}\bstalled) (?:for )?(\d+(?:\.\d+)?) ?s\b")
_REPEATED = re.compile(rb"\[repeated (\d+)x across cluster\]")
_TASK = re.compile(rb"^Progress on:(\S+) |^ *([A-Za-z][\w ./-]{0,40}): +\d+%\|")
_HINTS = (*_METRIC.split(b"|"), b"/s", b"s/it", b"it [", b"stalled", b"[repeated", b"Loss", b" [")
_SCALE = {b"": 1.0, b"k": 1e3, b"K": 1e3, b"M": 1e6, b"G": 1e9}


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
    if not any(hint in message for hint in _HINTS):
        return []
    task = _TASK.match(message)
    prefix = f"{_text(task[1] or task[2])}/" if task else ""
    found = [Field(*match.span(2), prefix + _text(match[1])) for match in _NAMED.finditer(message)]
    for match in _RATE.finditer(message):
        unit = _text(match[3] or match[4])
        found.append(Field(*match.span(1), f"{prefix}{unit}/s", _SCALE[match[2]], inverse=bool(match[4])))
    found += [Field(*match.span(2), _text(match[1])) for match in _STALLED.finditer(message)]
    found += [Field(*match.span(1), REPEATED) for match in _REPEATED.finditer(message)]
    found += [Field(*match.span(match.lastindex or 0), prefix + BAR) for match in _BAR.finditer(message)]
    if found:
        for match in _STEP.finditer(message):
            group = 1 if match[1] else 3
            found.append(Field(*match.span(group), prefix + STEP, _SCALE[match[group + 1]]))
    first = {field.name: field for field in reversed(found)}.values()
    return [field._replace(commas=b"," in message[field.start : field.end]) for field in first]


def _text(name: bytes) -> str:
    return name.decode("ascii", "replace").strip()

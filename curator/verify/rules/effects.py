"""Judges whether a setting matters: ``the seed has no effect on the loss``, ``the build time does not depend on M``.

Decided on the pairs of runs that differ in nothing else of their configs. Small differences may be called either way.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING

from curator.verify.known.noise import noise
from curator.verify.known.settings import differing
from curator.verify.known.wording import of_quantities
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_EFFECTS = words.word_set("effect effects impact influence bearing")
_AFFECTING = forms("affect influence matter")
_DEPENDING = forms("depend") | {"sensitive"}
_INDEPENDENT = words.word_set("independent insensitive")
_NONE = words.word_set("no little negligible zero hardly barely scarcely practically virtually almost")
_LARGE = words.word_set(
    "big large strong huge marked clear considerable substantial noticeable pronounced major significant great sizeable"
)
_NEGLIGIBLE = 0.01
"""Relative difference up to which a setting has no large effect."""
_NOTABLE = 5
"""Times the noise from which nobody says that it has none."""


class Effects:
    """The rule for whether a setting has an effect on a metric."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pairs = cache(self._alike_but)

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:  # noqa: ARG002 - as every rule
        for i in range(len(s.tokens)):
            matters = _matters(s, i)
            if matters is None or s.hedged(i) or s.context.cell:
                continue
            keys, names = self._keys(s, i), self._metrics(s, i)
            if not keys or not names:
                continue
            found.judged.add(s.tokens[i].start)
            sides = [side for key in keys for name in names for side in self._sides(key, name)]
            if sides and self._is_false(sides, matters=matters):
                shown = max(sides, key=_apart) if not matters else min(sides, key=_apart)
                found.object_to(FindingKind.COMPARATIVE, s.tokens[i], of_quantities(shown, self._world))

    def _keys(self, s: Sentence, i: int) -> list[str]:
        """The settings that the statement at ``i`` is of: before it, or behind ``depends on``."""
        low, high = s.clause(i)
        depends = s.word(i) in _DEPENDING | _INDEPENDENT
        places = range(i + 1, min(high, i + 6)) if depends else range(i - 1, low - 1, -1)
        for j in places:
            if s.keys(j) and not s.runs(j):
                return sorted(s.keys(j) & self._world.varying)
            if s.runs(j):
                break
        return []

    def _metrics(self, s: Sentence, i: int) -> frozenset[str]:
        """The metrics that are affected: behind ``effect on``, before ``depends on``."""
        low, high = s.clause(i)
        depends = s.word(i) in _DEPENDING | _INDEPENDENT
        for j in range(i - 1, low - 1, -1) if depends else range(i + 1, min(high, i + 6)):
            if s.names(j):
                return s.names(j)
            if s.word(j) == "speed":
                return frozenset(name for name in self._world.metric_names if self._world.speed(name) is Sense.UP)
        return frozenset()

    def _sides(self, key: str, name: str) -> Iterator[tuple[Quantity, Quantity]]:
        for run, other in self._pairs(key):
            mine, theirs = self._world.values.get((run, name)), self._world.values.get((other, name))
            if mine and theirs:
                yield mine, theirs

    def _alike_but(self, key: str) -> list[tuple[str, str]]:
        """The pairs of runs that differ in one setting alone."""
        pairs = itertools.combinations(sorted(run for run in self._world.all_runs if self._world.ended_well(run)), 2)
        return [pair for pair in pairs if differing(self._world, *pair) == {key}]

    def _is_false(self, sides: list[tuple[Quantity, Quantity]], *, matters: bool) -> bool:
        if matters:
            return max(map(_apart, sides)) <= _NEGLIGIBLE
        return any(
            abs(a.value - b.value) >= _NOTABLE * noise(self._world, min(a.runs), min(b.runs), a.name) for a, b in sides
        )


def _apart(sides: tuple[Quantity, Quantity]) -> float:
    a, b = sides[0].value, sides[1].value
    return abs(a - b) / (max(abs(a), abs(b)) or 1)


def _matters(s: Sentence, i: int) -> bool | None:
    """Whether the word at ``i`` says that something has a large effect, or none; None where it says neither."""
    word, near = s.word(i), {s.word(i - 1), s.word(i - 2)}
    none = bool(near & _NONE) or s.negated(i)
    if word in _EFFECTS:
        return False if none else True if near & _LARGE else None
    if word in _INDEPENDENT:
        return None if s.negated(i) else False
    if word in _AFFECTING | _DEPENDING:
        return not none
    return None

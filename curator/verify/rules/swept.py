"""Judges from where to where a setting is said to be moved: ``LR-001 to LR-004 span rates of 0.001 to 0.03``.

The ends must be the least and the greatest value that the setting has among the runs that are spoken of.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit
from curator.verify.known.sweeps import sweeps
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.numbers.statement import numeral_at
from curator.verify.text import words
from curator.verify.text.inflection import forms
from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_COVERING = forms("cover span range sweep scan vary explore extend") | {"swept", "spread"}
_GOING = forms("go run reach")
"""Verbs that are of a whole sweep only behind its name: ``LR-001 to LR-005 go from 0.001 to 0.03``."""
_JOINTS = words.word_set("to up down through and all the way - \u2013 \u2192 ->")
_OTHERS = words.word_set("other others rest remaining except but besides apart without first then later")


class Swept:
    """The rule for ranges of settings."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        if s.context.hypothetical or s.context.cell or s.words & _OTHERS:
            return
        for low, high in itertools.pairwise(s.of_kind(TokenKind.NUMBER)):
            between = {s.word(j) for j in range(low + 1, high)}
            listed = "and" in between and s.word(low - 1) != "between"  # "vary lr: 0.1, 0.01 and 0.001"
            if between and between <= _JOINTS and not listed and _is_span(reader, s, low) and not s.hedged(low):
                self._check_ends(reader, s, (low, high), found)

    def _check_ends(self, reader: Reader, s: Sentence, ends: tuple[int, int], found: Collector) -> None:
        named = [m.meant for m in reader.runs if len(m.meant) > 1 and m.last < ends[0]]
        seen: list[tuple[str, float, float]] = []
        for key in self._keys(s, ends):
            for group in named or self._groups(key):
                settings = [q for q in self._settings(key) if q.runs & group]
                least, most = (of(settings, key=lambda q: q.value, default=None) for of in (min, max))
                if least is None or most is None or least.value == most.value:
                    continue
                if {self._is(s, at, q) for at, q in zip(ends, (least, most), strict=True)} == {True}:
                    return
                if {self._is(s, at, q) for at, q in zip(ends, (most, least), strict=True)} == {True}:
                    return
                seen.append((key, least.value, most.value))
        if seen:
            key, first, last = seen[0]
            found.object_to(FindingKind.ATTRIBUTION, s.tokens[ends[1]], f"{key} goes from {first:g} to {last:g} there")

    def _keys(self, s: Sentence, ends: tuple[int, int]) -> list[str]:
        """The settings that have both values, those that the sentence names if it names any."""
        keys = [key for key in sorted(self._world.varying) if not is_repetition_key(key)]
        having = [k for k in keys if all(any(self._is(s, at, q) for q in self._settings(k)) for at in ends)]
        said = frozenset().union(*(s.keys(j) for j in range(len(s.tokens))))
        return [key for key in having if key in said] or (having if len(having) == 1 else [])

    def _settings(self, key: str) -> list[Quantity]:
        return [q for q in self._world.quantities if q.name == key and q.runs and q.kind is FactKind.CONFIG]

    def _groups(self, key: str) -> Iterator[frozenset[str]]:
        """The runs whose values may be meant where none are named: of one sweep, of all, of all but the baseline."""
        yield from sweeps(self._world, key)
        yield from (self._world.all_runs, self._world.variants)

    @staticmethod
    def _is(s: Sentence, at: int, setting: Quantity) -> bool:
        return fit(numeral_at(s, at), setting) is Fit.MATCH


def _is_span(reader: Reader, s: Sentence, low: int) -> bool:
    """``cover learning rates from``, ``span``, ``The sweep LR-001 to LR-005 goes from``."""
    first, _ = s.clause(low)
    said = {s.word(j) for j in range(first, low) if s.is_word(j)}
    several = any(len(m.meant) > 1 and first <= m.first < low for m in reader.runs)
    return bool(said & _COVERING) or (several and bool(said & _GOING))

"""Judges factors between settings, which what is written settles: ``doubling the workers``, ``seven times that``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.units import FACTOR

if TYPE_CHECKING:
    from curator.verify.report import Collector
    from curator.verify.rules.numbers.statement import Statement

_ORDINALS = words.word_set("first second third last next each every another")
_OF_SETTING = words.ARTICLES | words.ADJECTIVES.keys() | {"of", "number", "again", "to", "as"}


def judge_factor(it: Statement, found: Collector) -> bool:
    """Judge a factor that is said of a setting, or is the ratio of two numerals beside it; whether it is one."""
    token, reading = it.s.tokens[it.i], it.numeral.readings[0]
    if reading.unit is None or reading.unit.dimension != FACTOR:
        return False
    keys = _multiplied_keys(it)
    settings = [q for q in it.world.quantities if q.kind is FactKind.CONFIG and q.name in keys and q.value]
    tolerance = max(reading.quantum / 2, 0.02 * reading.value)
    for a, b in itertools.permutations(settings, 2):
        if a.name == b.name and abs(a.value / b.value - reading.value) <= tolerance:
            found.support(token.start, token.end, [*a.ids, *b.ids])
            return True
    if _is_written_ratio(it):
        return True
    if settings:
        found.object_to(FindingKind.NUMBER, token, f"no two values of {'/'.join(sorted(keys))} have this ratio")
    return bool(settings)


def _multiplied_keys(it: Statement) -> frozenset[str]:
    """The config keys that a factor is said of."""
    s, i, varying = it.s, it.i, it.world.varying
    j = s.skip(i + 1, _OF_SETTING)
    if s.word(i) == "twice" and j == i + 1:
        return frozenset()  # "doubling the batch twice"
    if s.keys(j) and not s.names(j):
        return s.keys(j) & varying
    if _is_of_some_setting(it, j):
        return varying
    if s.word(i).endswith("ing") and s.word(i + 1) in words.ENDINGS | {"and", "once", "again"}:
        return varying  # "the first quadrupling"
    if s.runs(j) and s.numeral(j) and s.word(j - 1) == "to":
        return varying
    return frozenset() if s.names(i - 1) else s.keys(i - 1) & varying


def _is_of_some_setting(it: Statement, j: int) -> bool:
    """``a quadrupled context``, ``doubling the environments``, ``the first doubling``: whatever its key is called."""
    s, i = it.s, it.i
    if not s.word(i).endswith(("ing", "led", "ved")):
        return False
    if s.word(i).endswith("ing") and s.word(i - 1) in _ORDINALS:
        return True
    unknown = s.is_word(j) and s.word(j) not in words.FOLLOWERS
    return unknown and (j == i + 1 or s.word(i).endswith("ing"))


def _is_written_ratio(it: Statement) -> bool:
    """Whether it is the ratio of two other numerals of the sentence: ``at 8 workers, four times that of 2``."""
    s, reading = it.s, it.numeral.readings[0]
    again = [j for j in s.of_kind(TokenKind.METRIC) if j > it.i]
    if s.word(it.i + 1) == "as" and len(again) > 1 and "as" in {s.word(j) for j in range(*again[:2])}:
        return True  # "twice as many errors on test-other as on test-clean"
    if it.side is not None and s.word(it.i + 2) in {"", ".", ",", ";"}:
        return s.word(it.i + 1) in {"that", "those"}  # "more than ten times that": of which two is left open
    if s.word(it.i + 1) not in {"that", "those", "from"}:
        return False
    numerals = [t.numeral for j, t in enumerate(s.tokens) if t.numeral and j != it.i]
    others = [n.value for n in numerals if not n.relative and n.value]
    return any(abs(a / b - reading.value) <= reading.quantum / 2 for a, b in itertools.permutations(others, 2))

"""Judges factors between settings, which what is written settles: ``doubling the workers``, ``seven times that``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.verify.known.quantities import number_of
from curator.verify.reading.holders import by_id
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.numbers.statement import is_about
from curator.verify.text import words
from curator.verify.text.units import FACTOR
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.facts import Fact
    from curator.verify.reading.mentions import Mention
    from curator.verify.report import Collector
    from curator.verify.rules.numbers.statement import Statement

_ORDINALS = words.word_set("first second third last next each every another")
_OF_SETTING = words.ARTICLES | words.ADJECTIVES.keys() | {"of", "number", "again", "to", "as", "many", "much"}
_OWNED = words.BE | words.ARTICLES | words.APPROXIMATE | words.word_set("of 's ' in for exactly only over under and")
"""What stands between a setting and its factor: ``the warmup of LR-002 is``."""
_OTHERS = words.word_set("that those as")

type Values = tuple[float, Fact]


def judge_factor(it: Statement, found: Collector) -> bool:
    """Judge a factor that is said of a setting, or is the ratio of two numerals beside it; whether it is one."""
    token, reading = it.s.tokens[it.i], it.numeral.readings[0]
    if reading.unit is None or reading.unit.dimension != FACTOR:
        return False
    keys = _multiplied_keys(it) or _key_of_subject(it)
    pairs = [pair for key in sorted(keys) for pair in _between(it, key)]
    right = [pair for pair in pairs if _is_factor(it, pair[0][0] / pair[1][0])]
    if right:
        found.support(token.start, token.end, [fact.id for _, fact in right[0]])
        return True
    if _is_written_ratio(it):
        return True
    if pairs and not it.s.hedged(it.i):
        found.object_to(FindingKind.NUMBER, token, _values(pairs))
    return bool(pairs)


def _values(pairs: Sequence[tuple[Values, Values]]) -> str:
    (_, one), (_, other) = pairs[0]
    told = f"{one.name} of {one.subject} is {one.value}, of {other.subject} {other.value}"
    return told if len(pairs) <= 2 else f"no two values of {one.name} have this ratio"


def _is_factor(it: Statement, ratio: float) -> bool:
    """Whether a ratio of two settings is the factor, or keeps it where that is a bound."""
    reading = it.numeral.readings[0]
    factor = 1 / reading.value if _is_turned(it) and reading.value else reading.value
    tolerance = max(reading.quantum / 2 / max(reading.value, 1e-9), 0.25 if is_about(it.s, it.i) else 0.02) * factor
    if it.side is Sense.UP:
        return ratio >= factor - tolerance
    return ratio <= factor + tolerance if it.side is Sense.DOWN else abs(ratio - factor) <= tolerance


def _is_turned(it: Statement) -> bool:
    """``16 times smaller``: the other way round."""
    return it.numeral.value > 1 and words.ADJECTIVES.get(it.s.word(it.i + 1)) is Sense.DOWN


# -- between whom ---------------------------------------------------------------------------------------------------


def _between(it: Statement, key: str) -> Iterator[tuple[Values, Values]]:
    """The pairs of values whose ratio may be meant: those of the runs it names, else any two of which one has one."""
    values = {run: (value, fact) for run, fact in it.world.configs[key].items() if (value := number_of(fact)) and run}
    named = [m for m in it.reader.runs if by_id(it.s, m) and m.meant & values.keys()]
    if len(named) == 2:
        yield from (
            (values[a], values[b])
            for first, last in _sides(it, *named)
            for a in sorted(first.meant & values.keys())
            for b in sorted(last.meant & values.keys())
            if a != b
        )
        return
    alone = named[0].meant if len(named) == 1 else frozenset(values)
    for a, b in itertools.permutations(values, 2):
        if {a, b} & alone:
            yield values[a], values[b]


def _sides(it: Statement, a: Mention, b: Mention) -> list[tuple[Mention, Mention]]:
    """Which of two runs has the factor of the other; both ways where the sentence leaves it open."""
    s = it.s
    if s.word(a.first - 1) == "from" and s.word(b.first - 1) == "to":
        return [(b, a)]
    return [(a, b)] if a.members[0] < it.i < b.first else [(a, b), (b, a)]


# -- of which setting -----------------------------------------------------------------------------------------------


def _multiplied_keys(it: Statement) -> frozenset[str]:
    """The config keys that a factor is said of."""
    s, i, varying = it.s, it.i, it.world.varying
    j = s.skip(i + 1, _OF_SETTING)
    if s.word(i) == "twice" and j == i + 1:
        return frozenset()  # "doubling the batch twice"
    if s.word(j + 1) in {"'s", "'"} and s.runs(j):
        j = s.skip(j + 2, _OF_SETTING)  # "a third of the baseline's learning rate"
    if s.keys(j) and not s.names(j):
        return s.keys(j) & varying
    if _is_of_some_setting(it, j):
        return varying
    if s.word(i).endswith("ing") and s.word(i + 1) in words.ENDINGS | {"and", "once", "again"}:
        return varying  # "the first quadrupling"
    if s.runs(j) and s.numeral(j) and s.word(j - 1) == "to":
        return varying
    return frozenset() if s.names(i - 1) else s.keys(i - 1) & varying


def _key_of_subject(it: Statement) -> frozenset[str]:
    """``the warmup of LR-003 is five times that of LR-002``, ``LR-003's warmup is twice as long as LR-002's``."""
    s, i = it.s, it.i
    j = i - 1
    while s.word(j) in _OWNED or (s.runs(j) and not s.keys(j)):
        j -= 1
    behind = s.skip(i + 1, words.ARTICLES - _OTHERS | {"of"})
    compared = s.word(i + 1) in _OTHERS or s.word(behind) in _OTHERS or bool(s.runs(behind))
    linked = any(s.word(k) in words.BE | {"and"} for k in range(j + 1, i))
    return s.keys(j) & it.world.varying if compared and linked and not s.names(j) else frozenset()


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
    of_numeral = s.word(it.i + 1) == "the" and s.kind(it.i + 2) is TokenKind.NUMBER  # "four times the 16384 of"
    if s.word(it.i + 1) not in {"that", "those", "from"} and not of_numeral:
        return False
    numerals = [t.numeral for j, t in enumerate(s.tokens) if t.numeral and j != it.i]
    others = [n.value for n in numerals if not n.relative and n.value]
    return any(abs(a / b - reading.value) <= reading.quantum / 2 for a, b in itertools.permutations(others, 2))

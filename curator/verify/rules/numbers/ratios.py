"""Judges what the amounts of one sentence are to each other: ``a third of the 0.09 that it gains``, ``larger than``.

Both are written there, so that nothing but the text is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.amounts import amount_at
from curator.verify.reading.roles import Role, role_of
from curator.verify.reading.senses import sense_at
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.units import FACTOR
from curator.verify.text.words import SIZES, Sense

if TYPE_CHECKING:
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.numbers.statement import Statement

_NEAR = 8
_ABOUT = 0.12
"""By how much a factor in words may be off."""
_WITHIN = words.word_set("within inside")


def judge_ratio(it: Statement, found: Collector) -> bool:
    """Judge a factor between two amounts that the sentence states; whether it is one."""
    s, i, reading = it.s, it.i, it.numeral.readings[0]
    if reading.unit is None or reading.unit.dimension != FACTOR:
        return False
    whole = _named_behind(s, i)
    if whole is None:
        return False
    part = _amount_before(s, i)
    if part is None or not _are_alike(s, part, whole):
        return True  # of what, the sentence leaves open
    ratio = _size(s, part) / _size(s, whole)
    near = abs(ratio - reading.value) <= max(reading.quantum / 2, _ABOUT * reading.value)
    holds = near if it.side is None else (ratio > reading.value) is (it.side is Sense.UP)
    if not holds:
        found.object_to(FindingKind.NUMBER, s.tokens[i], f"it is {ratio:.3g} times that")
    return True


def _named_behind(s: Sentence, i: int) -> int | None:
    """The amount that a factor multiplies: ``ten times the spread of 0.01``."""
    for j in s.of_kind(TokenKind.NUMBER, (i + 1, min(i + _NEAR, len(s.tokens)))):
        amount = amount_at(s, j)
        if amount is not None and amount.low <= i + 2 and _size(s, j):
            return j
    return None


def _amount_before(s: Sentence, i: int) -> int | None:
    """The nearest numeral before ``i`` that is an amount of change."""
    told = (j for j in reversed(s.of_kind(TokenKind.NUMBER, (0, i))) if not s.runs(j))
    return next((j for j in told if amount_at(s, j) or role_of(s, j) is Role.CHANGE), None)


def _are_alike(s: Sentence, a: int, b: int) -> bool:
    units = [numeral.unit for j in (a, b) if (numeral := s.numeral(j)) is not None]
    return len({unit.dimension if unit else "" for unit in units}) == 1


def _size(s: Sentence, j: int) -> float:
    numeral = s.numeral(j)
    return abs(numeral.value) if numeral is not None else 0.0


class Ratios:
    """The rule for amounts of which one is said to be larger."""

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:  # noqa: ARG002 - what is written is enough
        for i in range(1, len(s.tokens)):
            sense = Sense.DOWN if s.word(i) in _WITHIN else sense_at(s, i)
            if sense in SIZES and s.is_word(i) and (pair := _compared(s, i)):
                found.judged.add(s.tokens[i].start)
                if not s.hedged(i) and not _holds(s, *pair, upwards=(sense is Sense.UP) is not s.negated(i)):
                    found.object_to(FindingKind.COMPARATIVE, s.tokens[i], "by the amounts that are stated it is not")


def _compared(s: Sentence, i: int) -> tuple[int, int] | None:
    """The two amounts that the word at ``i`` sets against each other: the phrases right before and behind it."""
    behind = next((j for j in s.of_kind(TokenKind.NUMBER, (i + 1, len(s.tokens))) if not s.runs(j)), None)
    before = next((j for j in reversed(s.of_kind(TokenKind.NUMBER, (0, i))) if not s.runs(j)), None)
    if before is None or behind is None:
        return None
    a, b = amount_at(s, before), amount_at(s, behind)
    if a is None or b is None or not _are_alike(s, before, behind):
        return None
    linked = all(s.word(j) in words.BE | words.DEGREES | {"far", "well", ","} for j in range(a.high, i))
    return (before, behind) if linked and a.high <= i and b.low <= i + 2 else None


def _holds(s: Sentence, a: int, b: int, *, upwards: bool) -> bool:
    return _size(s, a) >= _size(s, b) if upwards else _size(s, a) <= _size(s, b)

"""Two numerals that lead from one value to another: ``from X to Y``, ``X -> Y``, ``Y, down from X``, ``Y vs. X``.

Finds them, and judges the word that says which way they lead by the numerals themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.directions import moves, sense_at
from curator.verify.lists import ARROWS, from_of, is_reference_value
from curator.verify.naming import names_of
from curator.verify.nouns import config_of
from curator.verify.report import FindingKind
from curator.verify.tokens import TokenKind
from curator.verify.units import FACTOR, PERCENT, POINTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.index import FactIndex
    from curator.verify.lexicon import Sense
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_VERSUS = frozenset({"vs", "vs.", "versus", "against"})
_NEAR = 12


def steps(s: Sentence) -> Iterator[tuple[int, int]]:
    """Pairs of positions: the numeral that is left behind, and the one that is reached."""
    numbers = [j for j in s.of_kind(TokenKind.NUMBER) if not s.tokens[j].runs and not _is_setting(s, j)]
    for before, j in zip([None, *numbers], numbers, strict=False):
        start = from_of(s, j)
        if start is None and s.word(j - 1) == "to" and s.kind(j - 2) is TokenKind.NUMBER:
            start = j - 2
        if start is not None:
            yield start, j
        elif before is not None and j - before < _NEAR:
            arrow = s.word(j - 1) in ARROWS or (s.word(j - 1) == ">" and s.word(j - 2) in {"-", "="})
            instead = s.word(j - 1) == "of" and s.word(j - 2) == "instead"
            if arrow:
                yield before, j
            elif (is_reference_value(s, j) or instead) and from_of(s, before) is None:
                yield j, before


def _is_setting(s: Sentence, i: int) -> bool:
    bound = config_of(s, i)
    return bound is not None and bound[1]


def settles(s: Sentence, i: int, sense: Sense, index: FactIndex, found: Collector) -> bool:
    """Whether two numerals beside the word at ``i`` say themselves what it says; objects when they say otherwise."""
    low, high = s.clause(i)
    for left, reached in _beside(s, i):
        if not low <= min(left, reached) <= max(left, reached) < high:
            continue
        first, second = s.tokens[left].numeral, s.tokens[reached].numeral
        if first is None or second is None:
            return False
        sign = float(second.value > first.value) - float(second.value < first.value)
        unit = second.unit
        measured = index.in_unit(unit.dimension) if unit and unit.dimension not in {PERCENT, POINTS, FACTOR} else None
        names = measured or names_of(s, reached) or ("",)
        results = {moves(sign, sense, name, index) for name in names}
        if True not in results and None not in results and not s.negated(i):
            word, why = s.tokens[i], f"{s.tokens[left].text} to {s.tokens[reached].text} went the other way"
            found.object_to(FindingKind.DIRECTION, word, why)
        return True
    return False


def _beside(s: Sentence, i: int) -> Iterator[tuple[int, int]]:
    """The steps that the word at ``i`` speaks of."""
    for j in s.of_kind(TokenKind.NUMBER):
        start = from_of(s, j)
        if start is not None and _speaks_of(s, i, start, j):
            yield start, j
    marks = s.word(i + 1) == "(" and s.word(i + 3) in _VERSUS and s.word(i + 5) == ")"
    if marks and s.kind(i + 2) is s.kind(i + 4) is TokenKind.NUMBER:
        yield i + 4, i + 2


def _speaks_of(s: Sentence, i: int, start: int, end: int) -> bool:
    if i < start:
        return not any(s.kind(k) is TokenKind.NUMBER or sense_at(s, k) for k in range(i + 1, start))
    alone = s.word(i - 1) == "(" and s.word(i + 1) in {")", ","}
    return alone and not any(s.kind(k) in {TokenKind.NUMBER, TokenKind.METRIC} for k in range(end + 1, i))

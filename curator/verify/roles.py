"""Whether a numeral is said as a value or as a difference. Reads word order; never looks at a value."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from curator.verify import lexicon
from curator.verify.tokens import TokenKind
from curator.verify.units import FACTOR, PERCENT, POINTS

if TYPE_CHECKING:
    from curator.verify.numerals import Numeral
    from curator.verify.sentences import Sentence


class Role(StrEnum):
    """What a numeral is said to be."""

    ANY = "any"
    VALUE = "value"
    CHANGE = "change"


def role_of(s: Sentence, i: int) -> Role:
    numeral = s.tokens[i].numeral
    before, after = s.word(i - 1), s.word(i + 1)
    if before in lexicon.APPROXIMATE | {"a", "an", "another", "further", "the", "some", "only", "just"}:
        before = s.word(i - 2)
    if s.context.change or _is_by(s, i, before):
        return Role.CHANGE
    if after in lexicon.ADJECTIVES and not (after in {"more", "less", "fewer"} and s.word(i + 2) in lexicon.RUN_NOUNS):
        return Role.CHANGE
    if is_difference(s, i + 1) or _is_placed(s, i):
        return Role.CHANGE
    if is_difference(s, i + 2) and s.kind(i + 1) is TokenKind.METRIC:
        return Role.CHANGE
    if before == "of" and (is_difference(s, i - 2) or is_difference(s, i - 3) or _difference_noun_before(s, i)):
        return Role.CHANGE
    if before in lexicon.INTRANSITIVE or (before in lexicon.TRANSITIVE and _is_relative(numeral)):
        return Role.CHANGE
    if before in {"up", "down"} or (numeral and numeral.sign == "+"):
        return Role.CHANGE
    if before == "of" and s.kind(i - 2) is TokenKind.METRIC:
        before = "was"
    low, _ = s.clause(i)
    differs = any(is_difference(s, j) for j in range(low, i))
    return Role.VALUE if before in lexicon.VALUE_BEFORE and not differs else Role.ANY


def _is_relative(numeral: Numeral | None) -> bool:
    return numeral is not None and numeral.unit is not None and numeral.unit.dimension in {PERCENT, POINTS, FACTOR}


def is_difference(s: Sentence, j: int) -> bool:
    """Whether the word at ``j`` is a noun for a difference, and not a metric's name."""
    return s.word(j) in lexicon.DIFFERENCE_NOUNS and s.kind(j) is TokenKind.WORD


def _is_by(s: Sentence, i: int, before: str) -> bool:
    if before != "by":
        return False
    if i == 1:
        return True
    low, _ = s.clause(i)
    verbs = {"differ", "differs", "differed", "changed", "changes", "moved", "off", "shifted", "varied", "varies"}
    return any(s.word(j) in lexicon.SENSES or s.word(j) in verbs or is_difference(s, j) for j in range(low, i))


def _is_placed(s: Sentence, i: int) -> bool:
    """``3.9 % below the baseline``."""
    k = i + 1
    if s.word(k) == "(":
        k = 1 + next((j for j in range(k, len(s.tokens)) if s.word(j) == ")"), k)
    if s.word(k) not in {"above", "below", "ahead", "behind", "over", "under"}:
        return False
    return any(s.kind(j) is TokenKind.RUN or s.tokens[j].runs for j in range(k + 1, min(k + 8, len(s.tokens))))


def _difference_noun_before(s: Sentence, i: int) -> bool:
    low, _ = s.clause(i)
    near = any(is_difference(s, j) for j in range(max(low, i - 6), i))
    numbers = [j for j in range(max(low, i - 6), i) if s.kind(j) is TokenKind.NUMBER]
    return near and not numbers

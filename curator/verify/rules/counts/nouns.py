"""What a numeral counts: its noun, and the other numeral of ``3 of the 4`` and ``one run in five``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence

ALL = words.word_set("all every each both everything everyone")
NONE = words.word_set("none no neither nothing")
THEM = words.word_set("them these those they which ones")
OTHERS = words.word_set("other others remaining rest else")
DONE = words.word_set("successful succeeded finished completed surviving remaining")
PASSING = words.ARTICLES | words.word_set(
    "of out the all our other more remaining different new such single finished successful completed only -"
)
"""What may stand between a number and its noun."""
_WITHIN = frozenset({"of", "out", "the", "all", "these", "/", "our", "in"}) | words.RUN_NOUNS
_ENDS = frozenset({".", ",", ";", "", ")"})


@dataclass(frozen=True, slots=True)
class Fraction:
    """``3 of the 4 runs``: where its two numerals stand, the second if there is one."""

    part: int
    whole: int | None = None


def fraction_at(s: Sentence, i: int) -> Fraction:
    after, before = _partner(s, i, 1), _partner(s, i, -1)
    if after is not None:
        return Fraction(i, after)
    return Fraction(before, i) if before is not None else Fraction(i)


def _partner(s: Sentence, i: int, step: int) -> int | None:
    """The other numeral of a fraction."""
    j = s.skip(i + step, _WITHIN, step)
    between = {s.word(k) for k in range(min(i, j) + 1, max(i, j))}
    numeral = s.numeral(j) if s.kind(j) is TokenKind.NUMBER else None
    if numeral is None or not numeral.whole or not between & {"of", "/", "in"}:
        return None
    bare = between == {"/"} and s.word(max(i, j) + 1) not in words.RUN_NOUNS | words.COUNTED
    return None if bare else j


def noun_at(s: Sentence, fraction: Fraction) -> int | None:
    """Where the noun stands that a numeral counts; None where it counts nothing by name."""
    i = fraction.whole if fraction.whole is not None else fraction.part
    if fraction.whole is not None and s.word(fraction.part + 1) in words.RUN_NOUNS:
        return fraction.part + 1  # "one run in five"
    j = s.skip(i + 1, PASSING)
    while s.kind(j) in {TokenKind.FACT, TokenKind.IDENTIFIER} or (s.kind(j) is TokenKind.RUN and not s.runs(j)):
        j += 1  # "8 TPU v4 chips", "the three baseline runs"
    while _is_attribute(s, j) or (s.keys(j) and s.word(j + 1) in words.RUN_NOUNS):
        j += 1
    word = s.word(j)
    if word in words.RUN_NOUNS | words.COUNTED | {"scores"}:
        return j
    if not s.is_word(j) or word in words.STATUS_WORDS:
        return None
    return j if word in THEM or (word not in words.FOLLOWERS and word not in words.SENSES) else None


def _is_attribute(s: Sentence, j: int) -> bool:
    """Whether the word only describes the noun behind it: ``three independent runs``."""
    plain = s.is_word(j) and s.word(j) not in words.FOLLOWERS | words.RUN_NOUNS
    return plain and s.word(j + 1) in words.RUN_NOUNS | words.COUNTED


def noun_before(s: Sentence, i: int) -> str:
    """What an earlier numeral counts, for one that leaves it out.

    ``took five attempts, the other three``, ``ran on 4 GPUs, the others on 8``.
    """
    numeral = s.numeral(i)
    if numeral is None or s.word(i + 1) not in _ENDS:
        return ""
    counted = [j for j in s.of_kind(TokenKind.NUMBER, (0, i)) if s.word(j + 1) in words.COUNTED]
    alike = [j for j in counted if numeral.word or s.word(j - 1) == s.word(i - 1)]
    return s.word(alike[-1] + 1) if alike else ""

"""Ellipsis: the numeral whose words another one shares: ``gained 7.6 points with seed 1 and 9.1 with seed 2``.

Word order only; never looks at a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence

_CLOSING = words.word_set("and or / i.e. &")
_PASSING = words.APPROXIMATE | words.ARTICLES | words.word_set("only just another further")
_LONGEST = 8
"""Tokens that a shared verb may be away."""


def shared_from(s: Sentence, i: int) -> int | None:
    """Where the numeral stands whose verb or noun is left out before the one at ``i``; None where nothing is."""
    j = _before_names(s, i)
    if s.word(j) == "," and s.word(j - 1) in {"and", "or"}:
        j -= 1
    if s.word(j) not in _CLOSING and not (s.word(j) == "," and j < s.skip(i - 1, _PASSING, -1)):
        return None  # only a name makes a comma the joint of two statements
    for k in range(j - 1, max(-1, j - _LONGEST), -1):
        if s.kind(k) is TokenKind.NUMBER and not s.runs(k) and not s.keys(k + 1):
            return k
        if s.word(k) in words.BE | words.SENSES.keys() and s.is_word(k):
            return None
    return None


def _before_names(s: Sentence, i: int) -> int:
    """The first place before ``i`` that is neither a name of what the numeral is said of nor a small word."""
    j = i - 1
    while j >= 0 and (s.runs(j) or s.kind(j) in {TokenKind.METRIC, TokenKind.CONFIG} or s.word(j) in _PASSING):
        j -= 1
    return j

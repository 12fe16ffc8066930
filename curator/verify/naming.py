"""Which metric a numeral is said of. Reads word order; where the sentence does not say, it answers None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify import lexicon
from curator.verify.lists import paired
from curator.verify.nouns import noun_after, noun_before
from curator.verify.roles import Role, role_of
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.sentences import Sentence


_SPEEDS = frozenset({"faster", "slower", "quicker", "speedup", "slowdown", "speed-up", "slow-down"})


def names_of(s: Sentence, i: int) -> frozenset[str] | None:
    """The metrics one of which the numeral at ``i`` must be; empty for one that no fact knows; None when left open."""
    behind = _metric_behind(s, i)
    if behind is not None:
        return behind
    if s.word(i + 1) in _SPEEDS:
        return None
    listed = paired(s, i, TokenKind.METRIC)
    if listed is not None:
        return listed
    if noun_before(s, i) or noun_after(s, i):
        return None
    for j in s.leftwards(i):
        if s.kind(j) is TokenKind.METRIC:
            return s.tokens[j].names
        if s.word(j) == ";":
            return _names_before(s, j)
    return s.context.metrics or None


def _names_before(s: Sentence, j: int) -> frozenset[str] | None:
    """What a list goes on about after a semicolon: any metric named before it."""
    return frozenset(name for k in s.of_kind(TokenKind.METRIC, (0, j)) for name in s.tokens[k].names) or None


def _metric_behind(s: Sentence, i: int) -> frozenset[str] | None:
    j = i + 1
    while s.word(j) in lexicon.DIFFERENCE_NOUNS | set(lexicon.ADJECTIVES):
        j += 1
    linked = s.word(j) in {"of", "in", "on", "for"}
    j += linked
    while s.word(j) in lexicon.ARTICLES and (linked or s.word(j) not in {"a", "an"}):
        j += 1
    if linked and s.kind(j) is TokenKind.RUN and s.word(j + 1) == "'s":
        j += 2
    if s.kind(j) is not TokenKind.METRIC:
        return None
    change = role_of(s, i) is Role.CHANGE
    return s.tokens[j].names if change or not _owns_next(s, j) else None


def _owns_next(s: Sentence, j: int) -> bool:
    """Whether the metric at ``j`` has a numeral of its own behind it."""
    k = j + 1
    while s.word(k) in lexicon.LINKS and s.word(k) not in {"and", "or"} and k < j + 5:
        k += 1
    return k > j + 1 and s.kind(k) is TokenKind.NUMBER

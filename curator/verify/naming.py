"""Which metric a numeral is said of, and which metrics a passage speaks of. Never looks at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify import lexicon
from curator.verify.lists import paired
from curator.verify.nouns import noun_after, noun_before
from curator.verify.roles import Role, role_of
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.report import Collector
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
    if noun_before(s, i) or noun_after(s, i) or _changes_other(s, i):
        return None
    for j in s.leftwards(i):
        if s.kind(j) is TokenKind.METRIC:
            # A metric behind a numeral, "1.24x the memory", is that numeral's.
            return s.tokens[j].names if not _is_taken(s, j) else None
        if s.word(j) == ";":
            return _names_before(s, j)
    return s.context.metrics or None


def _changes_other(s: Sentence, i: int) -> bool:
    """``an 88 % longer step``: what changed stands behind the adjective, and it is no metric's name."""
    word = s.word(i + 2)
    plain = s.kind(i + 2) is TokenKind.WORD and word not in lexicon.FOLLOWERS | lexicon.RUN_NOUNS
    return s.word(i + 1) in lexicon.ADJECTIVES and plain and word != "than"


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


def _is_taken(s: Sentence, j: int) -> bool:
    k = j - 1
    while s.word(k) in lexicon.ARTICLES:
        k -= 1
    return k < j - 1 and s.kind(k) is TokenKind.NUMBER


def _owns_next(s: Sentence, j: int) -> bool:
    """Whether the metric at ``j`` has a numeral of its own behind it."""
    k = j + 1
    while s.word(k) in lexicon.LINKS and s.word(k) not in {"and", "or"} and k < j + 5:
        k += 1
    return k > j + 1 and s.kind(k) is TokenKind.NUMBER


def names_of_numbers(s: Sentence, within: tuple[int, int], found: Collector, index: FactIndex) -> frozenset[str]:
    """The metrics that the numerals between two positions are values of."""
    starts = {s.tokens[j].start for j in s.of_kind(TokenKind.NUMBER, within)}
    facts = [index.by_id.get(fact_id) for start, _, ids in found.evidence if start in starts for fact_id in ids]
    return frozenset(fact.name for fact in facts if fact and fact.kind is FactKind.METRIC)


def recent_names(s: Sentence) -> frozenset[str]:
    """The metrics that the nearest sentence before this one in its block speaks of."""
    while s.previous:
        s = s.previous
        named = s.of_kind(TokenKind.METRIC)
        if named:
            return s.tokens[named[-1]].names
    return frozenset()

"""Numerals in company: lists that go side by side with runs or metrics, and ``from X to Y``. Never looks at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify import lexicon
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.sentences import Sentence


_SEPARATORS = frozenset({",", "and", "or", "/", "&", "vs", "vs.", "versus", "against"})
_PAIRING = frozenset({"vs", "vs.", "versus", "against"})
_REFERRING = lexicon.COMPARE_BEFORE | {"from", "below", "above", "under", "instead"}
ARROWS = frozenset({"\u2192", "\u21d2"})


def paired(s: Sentence, i: int, kind: TokenKind) -> frozenset[str] | None:
    """For ``LR-002 and LR-003 reached 2.35 and 2.31``: what the numeral's place in its list gives."""
    numbers = list_around(s, i)
    if len(numbers) < 2:
        return None
    things = _list_before(s, numbers[0], kind)
    if len(things) < 2:
        return None
    if len(things) == len(numbers):
        token = s.tokens[things[numbers.index(i)]]
        return token.runs if kind is TokenKind.RUN else token.names
    tokens = [s.tokens[j] for j in things]
    return frozenset(x for token in tokens for x in (token.runs if kind is TokenKind.RUN else token.names))


def from_of(s: Sentence, i: int) -> int | None:
    """Where the first numeral of ``from X to Y`` stands, when ``i`` is the second."""
    before = i - 1
    while s.word(before) in lexicon.ARTICLES | lexicon.APPROXIMATE or s.kind(before) is TokenKind.METRIC:
        before -= 1
    if s.word(before) not in {"to", "->", "\u2192", "into"}:
        return None
    for j in range(before - 1, max(-1, before - 12), -1):
        if s.word(j) == "from":
            return next((k for k in range(j, before) if s.kind(k) is TokenKind.NUMBER), None)
        if s.word(j) == ";":
            return None
    return None


def is_of_several(s: Sentence, i: int) -> bool:
    """Whether the numeral stands in a list of values of one kind, which cannot all be of one run."""
    units = [numeral.unit for j in list_around(s, i) if (numeral := s.tokens[j].numeral) is not None]
    return len(units) > 2 or (len(units) > 1 and len(set(units)) == 1)


def starts_step(s: Sentence, i: int) -> bool:
    """Whether the numeral is left behind in a step: ``from X``, ``X -> Y``, ``(X to Y)``."""
    arrow = s.word(i + 1) in ARROWS or (s.word(i + 1) in {"-", "="} and s.word(i + 2) == ">")
    return s.word(i - 1) == "from" or arrow or (s.word(i + 1) == "to" and s.kind(i + 2) is TokenKind.NUMBER)


def is_reference_value(s: Sentence, i: int) -> bool:
    """Whether the numeral is the value something is compared with: ``down from 2.40``, ``against a loss of 2.40``."""
    j = i - 1
    while s.word(j) in lexicon.ARTICLES | lexicon.APPROXIMATE | {"of"} or s.kind(j) is TokenKind.METRIC:
        j -= 1
    share = s.word(i - 1) == "of" and s.kind(i - 2) is TokenKind.NUMBER
    return share or starts_step(s, i) or s.word(j) in _REFERRING or (s.word(j - 1), s.word(j)) in lexicon.COMPARE_PAIRS


def list_around(s: Sentence, i: int) -> list[int]:
    """The numerals side by side with the one at ``i``, itself included, in order."""
    found = [i]
    for step in (-1, 1):
        j = i + step
        while s.word(j) in _SEPARATORS or s.kind(j) is TokenKind.NUMBER:
            if s.kind(j) is TokenKind.NUMBER:
                found.append(j)
            j += step
    return sorted(found)


def _list_before(s: Sentence, first: int, kind: TokenKind) -> list[int]:
    for j in range(first - 1, -1, -1):
        if s.kind(j) is kind and (kind is not TokenKind.RUN or s.tokens[j].runs):
            group = s.coordinated(j) if kind is TokenKind.RUN else _joined(s, j, kind)
            versus = s.word(first + 1) in _PAIRING and kind is TokenKind.RUN
            return group if len(group) > 1 or not versus else _two_runs_before(s, first)
        if s.kind(j) is TokenKind.NUMBER or s.word(j) == ";":
            return []
    return []


def _joined(s: Sentence, j: int, kind: TokenKind) -> list[int]:
    group, k = [j], j - 1
    while s.word(k) in {",", "and", "/", "&"} or s.kind(k) is kind:
        if s.kind(k) is kind:
            group.append(k)
        k -= 1
    return sorted(group)


def _two_runs_before(s: Sentence, first: int) -> list[int]:
    """``LR-003 beats LR-001 (2.31 vs. 2.40)``: the run the clause is about, then the other one."""
    found = [j for j in s.of_kind(TokenKind.RUN, (0, first)) if len(s.tokens[j].runs) == 1]
    topic = next((j for j in reversed(found) if not s.is_reference(j)), None)
    if len(found) != 2 or topic is None:
        return []
    return [topic, *(j for j in found if j != topic)]

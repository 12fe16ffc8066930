"""Of which config key a numeral is a value: ``lr=0.01``, ``64 workers``, ``a batch size of 512``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence

JOINTS = words.VERSUS | words.word_set(", and or / to - \u2013 \u2192")
"""What joins two values of one key."""
KEY_LINKS = words.BE | words.word_set('. = : of stayed to at ( ~ \u2248 from -> \u2192 " > set a the')
"""What stands between a key and its value."""
_LISTING = JOINTS | {"instead", "of"}
_LONGEST = 24
"""Tokens up to which a list of values waits for its key."""


def key_of(s: Sentence, i: int) -> frozenset[str] | None:
    """The config keys that a numeral is a value of; None without one."""
    numeral = s.tokens[i].numeral
    before = _key_before(s, i, joints=False)
    if before:
        return before
    after = i + 2 if s.word(i + 1) == "-" and s.kind(i + 2) is TokenKind.CONFIG else i + 1
    if s.kind(after) is TokenKind.CONFIG and s.tokens[after].keys:
        return s.tokens[after].keys
    listed = _key_of_list(s, i) or _key_of_same(s, i)
    spelled = numeral is not None and (numeral.word or numeral.unit is not None)
    return listed or (None if spelled else _key_before(s, i, joints=True)) or None


def _key_before(s: Sentence, i: int, *, joints: bool) -> frozenset[str]:
    """The key that stands before a numeral, or before the list that it stands in."""
    for j in range(i - 1, max(-1, i - 12), -1):
        keys = s.tokens[j].keys
        if keys:
            counted = s.kind(j - 1) is TokenKind.NUMBER or s.word(j - 1) in {*words.ADJECTIVES, *words.SUPERLATIVES}
            if s.word(j).endswith("s") and s.word(j + 1) == "at" and not any(key.endswith("s") for key in keys):
                return frozenset()  # "three seeds at 0.01"
            if not s.word(j).endswith("s") and all(key.endswith("s") for key in keys):
                return frozenset()  # "shard 57" is one of the shards
            named = bool(s.tokens[j].names) and j < i - 2
            return frozenset() if named or (counted and j < i - 1) else keys
        number = s.kind(j) is TokenKind.NUMBER and s.kind(j + 1) is not TokenKind.NUMBER
        listed = joints and (number or s.word(j) in JOINTS | {"between"})
        if not listed and s.word(j) not in KEY_LINKS | words.APPROXIMATE:
            return frozenset()
    return frozenset()


def _key_of_list(s: Sentence, i: int) -> frozenset[str]:
    """The key behind a list of its values: ``from four to eight workers``, ``64 instead of 32 clients``."""
    j = i + 1
    while j < i + _LONGEST and (s.word(j) in _LISTING or s.kind(j) is TokenKind.NUMBER):
        j += 1
    last = s.kind(j - 1) is TokenKind.NUMBER and j > i + 1
    return s.tokens[j].keys if last and s.kind(j) is TokenKind.CONFIG else frozenset()


def _key_of_same(s: Sentence, i: int) -> frozenset[str]:
    """The key of a numeral that stands behind the same small word: ``1.86x with 2, 3.30x with 8 workers``."""
    small = s.word(i - 1)
    numeral = s.tokens[i].numeral
    if small not in {"with", "at", "for", "using"} or numeral is None or numeral.unit is not None:
        return frozenset()
    for j in s.of_kind(TokenKind.NUMBER):
        if j != i and s.word(j - 1) == small and s.kind(j + 1) is TokenKind.CONFIG:
            return s.tokens[j + 1].keys
    return frozenset()

"""Steps from one numeral to another: ``from 2.40 to 2.31``, ``2.40 -> 2.31``, ``2.31, down from 2.40``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.reading.sentences import Sentence

_ONWARD = frozenset({"to", "->", "\u2192", "- >", "= >", "\u21d2", "into"})
_BACKWARD = words.VERSUS | {
    "up from",
    "down from",
    "from",
    "compared to",
    "compared with",
    "rather than",
    "instead",
}
_PASSING = words.ARTICLES | words.APPROXIMATE | {"of", "only", "just"}
_OWNED = words.word_set("in for with at ( ) that those 's")


def steps(s: Sentence) -> Iterator[tuple[int, int]]:
    """Pairs of numerals, the one that is left behind first."""
    for a, b in itertools.pairwise(s.of_kind(TokenKind.NUMBER)):
        between = [j for j in range(a + 1, b) if s.word(j) and s.kind(j) is not TokenKind.METRIC]
        link = " ".join(s.word(j) for j in between if s.word(j) not in _PASSING | _OWNED and not s.runs(j))
        before = s.word(s.skip(a - 1, words.ARTICLES | words.APPROXIMATE | {"of", ""}, -1))
        if link in _ONWARD and (link != "to" or before != "between"):
            yield a, b
        elif link.removeprefix(", ") in _BACKWARD:
            yield b, a


def starts_step(s: Sentence, i: int) -> bool:
    """Whether the numeral is left behind in a step: ``from X``, ``X -> Y``, ``(X to Y)``."""
    arrow = s.word(i + 1) in words.ARROWS or (s.word(i + 1) in {"-", "="} and s.word(i + 2) == ">")
    arrow = arrow and s.word(i + 3) not in words.ADJECTIVES  # "60.1 min, 50.2 min -> 9.9 min less"
    return s.word(i - 1) == "from" or arrow or (s.word(i + 1) == "to" and s.kind(i + 2) is TokenKind.NUMBER)


def ends_step(s: Sentence, i: int) -> bool:
    """Whether the numeral is what a step leads to: ``from X to Y``, ``X -> Y``."""
    j = s.skip(i - 1, words.ARTICLES | words.APPROXIMATE, -1)
    arrow = s.word(j) in words.ARROWS or (s.word(j) == ">" and s.word(j - 1) in {"-", "="})
    onward = s.word(j) == "to" and any(s.word(n) == "from" for n in range(max(0, j - 6), j))
    return arrow or onward

"""Sentences: tokens with a beginning, an end and a context, and the moves a reader's eye makes over them.

Knows English word order and nothing of facts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from curator.verify.reading import mood
from curator.verify.reading.tokens import Token, TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.text.numerals import Numeral
    from curator.verify.text.units import Unit

_LONGEST = 200
"""Tokens after which a sentence is cut: nobody reads one that long, and a runaway text must not take forever."""
_STOPS = frozenset(".!?")
_BREAKS = frozenset({";", "\u2014", "\u2013"})
SUBORDINATORS = words.word_set("while whereas but although though however because since yet where")
_AFTER_COMMA = words.word_set("and but with which while so yet or whereas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the place of a sentence says about it before one word is read."""

    topics: frozenset[str] = frozenset()
    """The runs its heading or table row is about."""
    names: frozenset[str] = frozenset()
    """The metrics its table column or row is about."""
    keys: frozenset[str] = frozenset()
    """The config keys its table column or row is about."""
    unit: Unit | None = None
    """The unit its table column states."""
    change: bool = False
    """Its table column holds differences."""
    cell: bool = False
    header: bool = False
    hypothetical: bool = False
    """It stands under Hypothesis, Next action or the like, so it claims no result."""
    field: str = ""
    """The label it stands under, lower case: ``result``."""


@dataclass(frozen=True, eq=False)
class Sentence:
    """Tokens up to a full stop, the sentence before them in the same block, and their context."""

    tokens: tuple[Token, ...]
    context: Context = field(default_factory=Context)
    previous: Sentence | None = None

    def word(self, i: int) -> str:
        """The i-th token in lower case, or nothing beyond the ends."""
        return self._lower[i] if 0 <= i < len(self._lower) else ""

    @cached_property
    def _lower(self) -> tuple[str, ...]:
        return tuple(token.lower for token in self.tokens)

    def kind(self, i: int) -> TokenKind | None:
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else None

    def is_word(self, i: int) -> bool:
        return self.kind(i) is TokenKind.WORD

    def runs(self, i: int) -> frozenset[str]:
        """The runs that the i-th token stands for."""
        return self.tokens[i].runs if 0 <= i < len(self.tokens) else frozenset()

    def names(self, i: int) -> frozenset[str]:
        """The metrics that the i-th token may mean."""
        return self.tokens[i].names if 0 <= i < len(self.tokens) else frozenset()

    def keys(self, i: int) -> frozenset[str]:
        """The config keys that the i-th token may mean."""
        return self.tokens[i].keys if 0 <= i < len(self.tokens) else frozenset()

    def numeral(self, i: int) -> Numeral | None:
        return self.tokens[i].numeral if 0 <= i < len(self.tokens) else None

    def of_kind(self, kind: TokenKind, within: tuple[int, int] | None = None) -> list[int]:
        low, high = within or (0, len(self.tokens))
        return [i for i in range(low, high) if self.tokens[i].kind is kind]

    def skip(self, i: int, passing: frozenset[str], step: int = 1) -> int:
        """The first position from ``i`` on, in steps, whose word is none of those to be passed over."""
        while 0 <= i < len(self.tokens) and self.word(i) in passing:
            i += step
        return i

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(token.lower for token in self.tokens if token.kind is TokenKind.WORD)

    @cached_property
    def is_question(self) -> bool:
        return bool(self.tokens) and self.tokens[-1].text == "?"

    # -- clauses ------------------------------------------------------------------------------------------------

    def clause(self, i: int) -> tuple[int, int]:
        """The bounds of the clause around ``i``."""
        low = bisect_left(self._cuts, i)
        high = bisect_right(self._cuts, i)
        return (self._cuts[low - 1] + 1 if low else 0), (
            self._cuts[high] if high < len(self._cuts) else len(self.tokens)
        )

    @cached_property
    def _cuts(self) -> list[int]:
        return [j for j in range(len(self.tokens)) if self._breaks(j)]

    def _breaks(self, j: int) -> bool:
        word = self.word(j)
        if word in _BREAKS or (word in SUBORDINATORS and self.is_word(j)):
            return True
        if word == "-":
            return self._spaced(j)
        ranked = self.word(j + 2) in words.SUPERLATIVES or self.kind(j + 2) is TokenKind.NUMBER
        if word == "and" and self.word(j + 1) in {"the", "its", "our"} and not ranked:
            return any(self.kind(k) is TokenKind.NUMBER and not self.runs(k) for k in range(max(0, j - 12), j))
        return word == "," and self.word(j + 1) in _AFTER_COMMA

    def _spaced(self, j: int) -> bool:
        """Whether a hyphen stands alone, as a dash between clauses does."""
        before, after = j - 1, j + 1
        if before < 0 or after >= len(self.tokens):
            return False
        dash = self.tokens[j]
        return self.tokens[before].end < dash.start and dash.end < self.tokens[after].start

    # -- mood ---------------------------------------------------------------------------------------------------

    def hedged(self, i: int) -> bool:
        """Whether what stands at ``i`` is only thought of: a question, a plan, a condition, a purpose."""
        return mood.hedged(self, i)

    def negated(self, i: int, after: int = -1) -> bool:
        """Whether a "not" before ``i``, and behind ``after``, turns what it says."""
        low = max(self.clause(i)[0], after + 1)
        back = i - 9
        for j in range(i - 1, low - 1, -1):
            word = self.word(j)
            if j < back:
                return False
            if self.runs(j):
                continue  # `none`, which is a setting here
            if word in words.FAILED_TO and self.word(j + 1) == "to":
                return True
            if word in {"without", "no"} and self.runs(self.skip(j + 1, words.ARTICLES)):
                back -= 2  # "none of the runs without the bonus": that names runs
                continue
            if word == "without" and j < i - 1 and self.word(j + 1) not in words.ARTICLES:
                continue  # "the run without balancing diverged"
            if word in {"and", "but"} and any(self.names(k) or self.runs(k) for k in range(j + 1, i)):
                return False  # "perplexity didn't budge and MMLU came out lower"
            if word in words.NEGATIONS:
                return not (word in {"not", "no"} and self.word(j + 1) in {"only", "just", "longer"})
            if word == "only" and self.word(j - 1) == "not":
                return False
            numeral = self.tokens[j].numeral
            if (numeral and not numeral.whole) or word in {";", ":", ","}:
                return False
        return False

    def softened(self, i: int) -> bool:
        """Whether an adverb of degree stands near ``i``, so that "not" denies the degree alone."""
        return any(self.word(j) in words.DEGREES for j in range(max(0, i - 4), min(len(self.tokens), i + 3)))


def _abbreviates(tokens: Sequence[Token], i: int) -> bool:
    """Whether a full stop only ends a word: ``KL coef. 0.01``, ``acc. +1.3``."""
    before, after = tokens[max(0, i - 1)], tokens[min(i + 1, len(tokens) - 1)]
    named = before.kind in {TokenKind.CONFIG, TokenKind.METRIC} or before.lower in words.ABBREVIATIONS
    return tokens[i].text == "." and named and after.kind is TokenKind.NUMBER and len(before.lower.split()[-1]) <= 6


def split(tokens: Sequence[Token], context: Context) -> Iterator[Sentence]:
    """The sentences of one block."""
    previous: Sentence | None = None
    start = 0
    for i, token in enumerate(tokens):
        last = i + 1 == len(tokens)
        stops = token.text in _STOPS and token.kind is TokenKind.PUNCT and not _abbreviates(tokens, i)
        if (
            last
            or i + 1 - start >= _LONGEST
            or (stops and tokens[i + 1].start > token.end and not tokens[i + 1].text[:1].islower())
        ):
            if previous is not None and previous.is_question and context.field.startswith("question"):
                context = replace(context, hypothetical=False)  # what follows answers it
            previous = Sentence(tuple(tokens[start : i + 1]), context, previous)
            yield previous
            start = i + 1

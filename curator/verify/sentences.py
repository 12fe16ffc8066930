"""Sentences: tokens with a beginning, an end and a context, and the moves a reader's eye makes over them.

Knows English word order and nothing of facts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from curator.verify import lexicon
from curator.verify.tokens import Token, TokenKind
from curator.verify.units import FACTOR, PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.units import Unit

_LONGEST = 200
"""Tokens after which a sentence is cut: nobody reads one that long, and a runaway text must not take forever."""
_STOPS = frozenset(".!?")
_BREAKS = frozenset({";", "\u2014", "\u2013"})
_SUBORDINATORS = lexicon.word_set("while whereas but although though however because since yet")
_AFTER_COMMA = lexicon.word_set("and but with which while so yet or whereas")
_REFERENCE_SKIP = lexicon.ARTICLES | lexicon.word_set(
    """
    that those what of for in at the with as seen by run counterpart predecessor original default previous other
    best
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the place of a sentence says about it before one word is read."""

    topics: frozenset[str] = frozenset()
    """The runs its heading or table row is about."""
    metrics: frozenset[str] = frozenset()
    """The metrics or config keys its table column or row is about."""
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
    memo: dict[object, object] = field(default_factory=dict)
    """What has been found out about it, so that it is found out once."""

    def word(self, i: int) -> str:
        """The i-th token in lower case, or nothing beyond the ends."""
        return self.tokens[i].lower if 0 <= i < len(self.tokens) else ""

    def kind(self, i: int) -> TokenKind | None:
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else None

    def of_kind(self, kind: TokenKind, within: tuple[int, int] | None = None) -> list[int]:
        low, high = within or (0, len(self.tokens))
        return [i for i in range(low, high) if self.tokens[i].kind is kind]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(token.lower for token in self.tokens if token.kind is TokenKind.WORD)

    @cached_property
    def words_and_names(self) -> frozenset[str]:
        return frozenset(token.lower for token in self.tokens)

    @cached_property
    def is_question(self) -> bool:
        return bool(self.tokens) and self.tokens[-1].text == "?"

    @cached_property
    def runs(self) -> frozenset[str]:
        """Every run it names, by ID, label or config value."""
        return frozenset(run for token in self.tokens for run in token.runs)

    def leftwards(self, i: int) -> Iterator[int]:
        """Positions before ``i``, nearest first, passing over parentheses that closed before it.

        An apposition, ``the winner (LR-003)``, is not passed over: it says what the words before it mean.
        """
        depth = self.tokens[i].depth
        for j in range(i - 1, -1, -1):
            token = self.tokens[j]
            if token.depth > depth and not self._apposed(j):
                continue
            depth = min(depth, token.depth)
            yield j

    def _apposed(self, j: int) -> bool:
        """Whether the token is the only thing in its parentheses."""
        return self.word(j - 1) == "(" and self.word(j + 1) == ")" and bool(self.tokens[j].runs)

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
        if word in _BREAKS or (word in _SUBORDINATORS and self.kind(j) is TokenKind.WORD):
            return True
        if word == "-":
            return self._spaced(j)
        return word == "," and self.word(j + 1) in _AFTER_COMMA

    def _spaced(self, j: int) -> bool:
        """Whether a hyphen stands alone, as a dash between clauses does."""
        before, after = j - 1, j + 1
        if before < 0 or after >= len(self.tokens):
            return False
        dash = self.tokens[j]
        return self.tokens[before].end < dash.start and dash.end < self.tokens[after].start

    def is_reference(self, j: int) -> bool:
        """Whether the run at ``j`` is what something else is compared with: ``than LR-001``, ``beats the baseline``."""
        if self.word(j + 1) == "by" and self.kind(j + 2) is TokenKind.NUMBER and self._is_contested(j):
            return True
        if self._is_measure(j):
            return True
        group = self.coordinated(j)
        for steps, k in enumerate(range(j - 1, max(-1, j - 8), -1)):
            word = self.word(k)
            if (self.word(k - 1), word) in lexicon.COMPARE_PAIRS:
                return True
            if word in {"on", "upon", "over", "against"} and self.word(k - 1) in lexicon.SENSES:
                return True
            if word in lexicon.COMPARE_BEFORE or word in lexicon.COMPARE_PLACES or word in lexicon.CONTESTS:
                return True
            value = self.kind(k) in {TokenKind.METRIC, TokenKind.CONFIG, TokenKind.NUMBER} and not self.tokens[k].runs
            skipped = word in _REFERENCE_SKIP or word in {"'s", "=", "-"} or value
            joined = word in {"and", "or", ","} and k - 1 in group
            if not (skipped or joined or (k in group and steps)):
                return False
        return False

    def _is_measure(self, j: int) -> bool:
        """``0.75x the baseline's throughput``: the run is only a measure for another one."""
        k = j - 1
        while (
            self.word(k) in lexicon.ARTICLES | {"of", "that"}
            or self.kind(k) is TokenKind.METRIC
            or (self.word(k + 1) == "of" and self.kind(k) is TokenKind.WORD)
        ):
            k -= 1
        numeral = self.tokens[k].numeral if 0 <= k < j - 1 else None
        return numeral is not None and numeral.unit is not None and numeral.unit.dimension in {PERCENT, FACTOR}

    def _is_contested(self, j: int) -> bool:
        """``beats LR-004 by 0.04 and the baseline by 0.09``: the second loser."""
        return any(self.word(k) in lexicon.CONTESTS for k in range(j))

    def coordinated(self, j: int) -> list[int]:
        """The run at ``j`` with those it is joined to: ``LR-002, LR-003 and LR-004``."""
        group = [j]
        for step in (-1, 1):
            k = j + step
            while self.word(k) in {",", "and", "or", "nor", "/", "&", "both", "the"} or self.kind(k) is TokenKind.RUN:
                if self.kind(k) is TokenKind.RUN:
                    group.append(k)
                k += step
        joined = {self.word(k) for k in range(min(group), max(group))} & {"and", "or", "nor", "/", "&"}
        return sorted(group) if joined or len(group) > 2 else [j]

    def hedged(self, i: int) -> bool:
        """Whether what stands at ``i`` is only thought of: a question, a plan, a condition, a purpose."""
        if self.context.hypothetical or self.is_question:
            return True
        low, _ = self.clause(i)
        starts_with_condition = self.word(0) in {"if", "whether", "unless", "next", "to", "had", "were"} and not low
        near = {self.word(j) for j in range(low, i) if self.kind(j) is TokenKind.WORD}
        return starts_with_condition or bool(near & lexicon.HEDGES) or self._is_purpose(i)

    def _is_purpose(self, i: int) -> bool:
        """``to lower the loss``, unless it says that this happened: ``continued to fall``."""
        back = i - 1
        while self.word(back).endswith("ly"):
            back -= 1
        if self.word(back) != "to":
            return False
        happened = {
            "continued",
            "continues",
            "found",
            "shown",
            "able",
            "unable",
            "seems",
            "seemed",
            "appears",
            "managed",
            "began",
            "started",
        }
        return self.word(back - 1) not in happened | lexicon.FAILED_TO

    def negated(self, i: int) -> bool:
        """Whether a "not" before ``i`` turns what it says."""
        low, _ = self.clause(i)
        for j in range(i - 1, max(low, i - 7) - 1, -1):
            word = self.word(j)
            if word in lexicon.FAILED_TO and self.word(j + 1) != "to":
                continue
            if word in lexicon.NEGATIONS:
                return not (word in {"not", "no"} and self.word(j + 1) in {"only", "just", "longer"})
            if word == "only" and self.word(j - 1) == "not":
                return False
            numeral = self.tokens[j].numeral
            if (numeral and not numeral.whole) or word in {";", ":", ","}:
                return False
        return False

    def softened(self, i: int) -> bool:
        """Whether an adverb of degree stands near ``i``, so that "not" denies the degree alone."""
        return any(self.word(j) in lexicon.SOFTENERS for j in range(max(0, i - 4), min(len(self.tokens), i + 4)))


def split(tokens: Sequence[Token], context: Context) -> Iterator[Sentence]:
    """The sentences of one block."""
    previous: Sentence | None = None
    start = 0
    for i, token in enumerate(tokens):
        last = i + 1 == len(tokens)
        stops = token.text in _STOPS and token.kind is TokenKind.PUNCT
        if (
            last
            or i + 1 - start >= _LONGEST
            or (stops and tokens[i + 1].start > token.end and not tokens[i + 1].text[:1].islower())
        ):
            previous = Sentence(tuple(tokens[start : i + 1]), context, previous)
            yield previous
            start = i + 1

"""Runs in the order of one metric: who is first, who is second, and from where to where the values range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import Fact, FactKind, render
from curator.verify.directions import moves
from curator.verify.lexicon import Sense, word_set
from curator.verify.matching import Fit, fit, numeric_value
from curator.verify.report import FindingKind
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_RANGES = word_set("ranged ranges range varied varies vary spanned spans span lie lies lay")


def all_ranked(index: FactIndex, sense: Sense, name: str, among: frozenset[str]) -> list[Fact]:
    """The runs' values of a metric, the one that is most so first; empty when nobody said which way that is."""
    upwards = moves(1.0, sense, name, index)
    if upwards is None:
        return []
    facts = [fact for (run, key), fact in index.values.items() if key == name and run in among and _counts(index, fact)]
    return sorted(facts, key=lambda fact: numeric_value(fact) or 0, reverse=upwards)


def is_ranked(  # noqa: PLR0917 - one question in six parts
    index: FactIndex, sense: Sense, name: str, run: str, rank: int, among: frozenset[str]
) -> bool | None:
    """Whether a run is the first, second, ... in that order; None when too few runs were measured."""
    ranked = all_ranked(index, sense, name, among)
    if len(ranked) < max(2, rank):
        return None
    mine = index.values.get((run, name))
    if mine is None or numeric_value(mine) is None:
        return False if sense is Sense.BETTER else None
    return numeric_value(ranked[rank - 1]) == numeric_value(mine)


def _counts(index: FactIndex, fact: Fact) -> bool:
    """A run that did not reach its end lasted as long as it lasted, which ranks nowhere."""
    cut_short = fact.kind is FactKind.DURATION and not index.ended_well(fact.subject)
    return numeric_value(fact) is not None and not cut_short


class Ranges:
    """The rule for ``losses ranged from 2.31 to 2.51``: it names the two ends, where it speaks of no run by name."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, s: Sentence, found: Collector) -> None:
        verbs = [j for j in range(len(s.tokens)) if s.word(j) in _RANGES and s.word(j + 1) in {"from", "between"}]
        if not verbs or s.runs or s.hedged(verbs[0]):
            return
        ends = [j for j in s.of_kind(TokenKind.NUMBER) if verbs[0] < j <= verbs[0] + 6][:2]
        metrics = [s.tokens[j].names for j in s.of_kind(TokenKind.METRIC, (0, verbs[0])) if len(s.tokens[j].names) == 1]
        ranked = (
            all_ranked(self._index, Sense.UP, next(iter(metrics[-1])), frozenset(self._index.runs)) if metrics else []
        )
        met: set[str] = set()
        for j in ends if len(ends) == 2 and len(ranked) > 1 else ():
            numeral = s.tokens[j].numeral
            fitting = {f.id for f in (ranked[0], ranked[-1]) if numeral and fit(numeral, f) is Fit.MATCH} - met
            met |= fitting
            if not fitting:
                why = f"the values go from {render(ranked[-1])} to {render(ranked[0])}"
                found.object_to(FindingKind.SUPERLATIVE, s.tokens[j], why)

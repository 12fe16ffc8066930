"""Judges runs put in order: ``LR-003 < LR-001 < LR-002`` must follow the values of one metric. Knows no words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import render
from curator.verify.matching import numeric_value
from curator.verify.report import FindingKind
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from curator.verify.index import FactIndex
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_SIGNS = frozenset({"<", ">"})


class Rankings:
    """The rule for chains of runs."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, s: Sentence, found: Collector) -> None:
        for chain in _chains(s):
            runs = [next(iter(s.tokens[j].runs)) for j in chain]
            named = [s.tokens[j].names for j in s.of_kind(TokenKind.METRIC)]
            names = named[0] if named else frozenset({self._index.primary})
            facts = [[self._index.values.get((run, name)) for run in runs] for name in names]
            orders = [[numeric_value(fact) if fact else None for fact in row] for row in facts]
            first, last = s.tokens[chain[0]], s.tokens[chain[-1]]
            if any(_in_order(order) for order in orders):
                found.support(first.start, last.end, [fact.id for row in facts for fact in row if fact])
            elif names != {""}:
                said = ", ".join(
                    f"{run} {render(fact) if fact else 'not recorded'}"
                    for run, fact in zip(runs, facts[0], strict=True)
                )
                found.object(FindingKind.SUPERLATIVE, first.start, last.end, f"{min(names)}: {said}")


def _chains(s: Sentence) -> list[list[int]]:
    """Positions of runs or config values joined by one sign."""
    found: list[list[int]] = []
    for j in range(len(s.tokens) - 2):
        linked = len(s.tokens[j].runs) == 1 and s.word(j + 1) in _SIGNS and len(s.tokens[j + 2].runs) == 1
        if linked and found and found[-1][-1] == j and s.word(j - 1) == s.word(j + 1):
            found[-1].append(j + 2)
        elif linked:
            found.append([j, j + 2])
    return found


def _in_order(values: Sequence[Decimal | None]) -> bool:
    """Whether all are there and they rise or fall throughout: "<" may mean lower or worse."""
    known = [value for value in values if value is not None]
    return len(known) == len(values) and known in (sorted(known), sorted(known, reverse=True))

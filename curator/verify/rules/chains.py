"""Judges orders of runs, which must follow the values of one metric, up or down.

``LR-003 < LR-001 < LR-002``; ``ranked by loss: LR-003, LR-001 and LR-002``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.known.wording import of_quantities
from curator.verify.report import FindingKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_RANKED = words.word_set("ranked ranking rank order ordered sorted")
_LISTING = words.ARTICLES | words.word_set(", and then finally last followed by")
_FEWEST = 3
"""Runs of which an order says more than a comparison does."""


class Chains:
    """The rule for chains of runs or config values."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        names = reader.metrics.named[0].meant if reader.metrics.named else frozenset({self._world.primary} - {""})
        for chain in (*_chains(s), *(_ranking(s) if reader.metrics.named else ())) if names else ():
            runs = [next(iter(s.runs(j))) for j in chain]
            orders = [[self._world.values.get((run, name)) for run in runs] for name in sorted(names)]
            known = [q for order in orders for q in order if q]
            start, end = s.tokens[chain[0]].start, s.tokens[chain[-1]].end
            if any(_in_order(order) for order in orders):
                found.support(start, end, [fact_id for q in known for fact_id in q.ids])
            else:
                found.object(FindingKind.SUPERLATIVE, start, end, of_quantities(known, self._world))


def _chains(s: Sentence) -> list[list[int]]:
    """Positions of runs or config values joined by one sign."""
    found: list[list[int]] = []
    for j in range(len(s.tokens) - 2):
        linked = len(s.runs(j)) == 1 and s.word(j + 1) in {"<", ">"} and len(s.runs(j + 2)) == 1
        if linked and found and found[-1][-1] == j and s.word(j - 1) == s.word(j + 1):
            found[-1].append(j + 2)
        elif linked:
            found.append([j, j + 2])
    return found


def _ranking(s: Sentence) -> list[list[int]]:
    """Positions of the runs behind a word that says that they are in order."""
    said = next((j for j in range(len(s.tokens)) if s.word(j) in _RANKED), None)
    if said is None or s.hedged(said):
        return []
    first = next((j for j in range(said, len(s.tokens)) if s.runs(j)), None)
    chain = [first] if first is not None else []
    while chain and len(s.runs(behind := s.skip(chain[-1] + 1, _LISTING))) == 1 and behind > chain[-1] + 1:
        chain.append(behind)
    return [chain] if len(chain) >= _FEWEST and all(len(s.runs(j)) == 1 for j in chain) else []


def _in_order(quantities: Sequence[Quantity | None]) -> bool:
    values = [q.value for q in quantities if q is not None]
    return len(values) == len(quantities) and values in (sorted(values), sorted(values, reverse=True))

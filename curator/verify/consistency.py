"""Judges numerals against each other: a change beside two values, or beside one, must be the change of those values.

Runs after every numeral has been matched to facts by itself. Knows nothing of words but up and down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind
from curator.verify import subjects
from curator.verify.binding import Binder
from curator.verify.lexicon import PLACES, Sense
from curator.verify.lists import is_reference_value
from curator.verify.report import FindingKind
from curator.verify.steps import steps
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_NEAR = 12


class Consistency:
    """The rule for numerals that belong together."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, s: Sentence, found: Collector) -> None:
        numbers = s.of_kind(TokenKind.NUMBER)
        if len(numbers) < 2 or s.context.hypothetical:
            return
        facts = {i: self._facts(s, i, found) for i in numbers}
        binder = Binder(s, self._index)
        pairs = list(steps(s, binder))
        for pair in pairs:
            self._check_particle(s, *pair, found)
            self._check_ends(s, *pair, pairs, facts, found)
        for i in numbers:
            changes = [fact for fact in facts[i] if fact.kind in CHANGES and self._index.reference(fact)]
            if changes and len(changes) == len(facts[i]) and not self._check_steps(s, i, changes, pairs, facts, found):
                self._check_value(s, i, changes, pairs, facts, found, binder)

    def _facts(self, s: Sentence, i: int, found: Collector) -> list[Fact]:
        ids = [x for start, _, ids in found.evidence if start == s.tokens[i].start for x in ids]
        return [self._index.by_id[x] for x in ids if x in self._index.by_id]

    def _check_particle(self, s: Sentence, reference: int, value: int, found: Collector) -> None:
        """``up from``, ``down from``: the numerals themselves say which way it went."""
        first, second = s.tokens[reference].numeral, s.tokens[value].numeral
        for j in range(min(reference, value) - 4, reference):
            if j < 0 or s.word(j) not in {"up", "down"} or s.word(j + 1) != "from" or first is None or second is None:
                continue
            rose = second.value > first.value
            if (PLACES[s.word(j)] is Sense.UP) != rose and first.value != second.value:
                token = s.tokens[j]
                found.object(
                    FindingKind.DIRECTION,
                    token.start,
                    token.end,
                    f"{s.tokens[reference].text} to {s.tokens[value].text} went the other way",
                )

    def _check_ends(
        self,
        s: Sentence,
        reference: int,
        value: int,
        pairs: list[tuple[int, int]],
        facts: dict[int, list[Fact]],
        found: Collector,
    ) -> None:
        """A step leads from one run's value to another's, and from the config of the one to that of the other."""
        token, kinds = s.tokens[value], {FactKind.METRIC, FactKind.DURATION}
        ends = [{f.id for f in facts[i] if f.kind in kinds} for i in (reference, value)]
        if ends[0] and ends[0] == ends[1]:
            found.object(FindingKind.ATTRIBUTION, token.start, token.end, f"both ends are {min(ends[0])}")
            return
        for other in pairs:
            configs = [{f.subject for f in facts[i] if f.kind is FactKind.CONFIG} for i in other]
            runs = [{f.subject for f in facts[i] if f.kind in kinds} for i in (reference, value)]
            if all(configs) and all(runs) and not (configs[0] & runs[0] and configs[1] & runs[1]):
                found.object(
                    FindingKind.ATTRIBUTION,
                    token.start,
                    token.end,
                    "these values are not of the runs with those settings",
                )

    def _check_steps(
        self,
        s: Sentence,
        i: int,
        changes: list[Fact],
        pairs: list[tuple[int, int]],
        facts: dict[int, list[Fact]],
        found: Collector,
    ) -> bool:
        """Whether two values of the same metric stand in the sentence, which the change must then lead between."""
        seen = False
        for reference, value in pairs:
            for change in changes:
                ends = _runs(facts[value], change.name), _runs(facts[reference], change.name)
                if all(ends):
                    seen = True
                    pair = change.subject, self._index.reference(change)
                    if (pair[0] in ends[0] and pair[1] in ends[1]) or (pair[1] in ends[0] and pair[0] in ends[1]):
                        return True
        if seen:
            token = s.tokens[i]
            found.object(
                FindingKind.ATTRIBUTION,
                token.start,
                token.end,
                f"{changes[0].id} is not the change between these two values",
            )
        return seen

    def _check_value(
        self,
        s: Sentence,
        i: int,
        changes: list[Fact],
        pairs: list[tuple[int, int]],
        facts: dict[int, list[Fact]],
        found: Collector,
        binder: Binder,
    ) -> None:
        """The value a change is told of must be of the run that changed."""
        references = {reference for reference, _ in pairs}
        at = self._value_beside(s, i, changes, references, facts, binder)
        if at is None:
            return
        values = [fact for fact in facts[at] if fact.kind in {FactKind.METRIC, FactKind.DURATION}]
        named = subjects.reference(s, i)
        ends = [(c.subject, self._index.reference(c)) for c in changes if c.name in {v.name for v in values}]
        changed = {b if a == named else a for a, b in ends}
        if not {v.subject for v in values} & changed:
            token = s.tokens[at]
            found.object(
                FindingKind.ATTRIBUTION,
                token.start,
                token.end,
                f"this is {values[0].id}, but the change beside it is {changes[0].id}",
            )

    def _value_beside(
        self,
        s: Sentence,
        i: int,
        changes: list[Fact],
        references: set[int],
        facts: dict[int, list[Fact]],
        binder: Binder,
    ) -> int | None:
        """Where the value stands that a change is told of: ``by 7.7 GiB to 39.4 GiB``, or the nearest one before it."""
        names = {change.name for change in changes}
        after = next((j for j in range(i + 1, min(i + 5, len(s.tokens))) if s.kind(j) is TokenKind.NUMBER), None)
        if after is not None and s.word(after - 1) == "to" and any(fact.name in names for fact in facts[after]):
            return after
        skipped: set[int] = set()
        for j in range(i - 1, max(-1, i - _NEAR), -1):
            if s.kind(j) is TokenKind.RUN and j not in skipped and not s.is_reference(j):
                return None
            if (
                s.kind(j) is TokenKind.NUMBER
                and s.kind(j - 1) is TokenKind.RUN
                and s.tokens[j - 1].runs <= self._index.baseline
            ):
                skipped |= {j, j - 1}
                continue
            if s.kind(j) is TokenKind.NUMBER and j not in references and not is_reference_value(s, j):
                own = [
                    f
                    for f in facts[j]
                    if f.name in names and f.kind in {FactKind.METRIC, FactKind.DURATION} and not f.inputs
                ]
                if own:
                    beside = any(s.kind(k) is TokenKind.RUN for k in range(j + 1, min(j + 3, i)))
                    return None if beside else j
        return None


def _runs(facts: list[Fact], name: str) -> set[str]:
    kinds = {FactKind.METRIC, FactKind.DURATION}
    return {fact.subject for fact in facts if fact.kind in kinds and fact.name == name and not fact.inputs}

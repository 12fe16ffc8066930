"""Judges numerals against each other: a change beside two values, or beside one, must be the change of those values.

Runs after every numeral has been matched to facts by itself. Knows nothing of words but up and down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind
from curator.verify.lexicon import PLACES, Sense
from curator.verify.lists import is_reference_value
from curator.verify.report import FindingKind
from curator.verify.steps import steps
from curator.verify.subjects import reference
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.index import FactIndex
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_NEAR = 12
_VALUES = frozenset({FactKind.METRIC, FactKind.DURATION})


class Consistency:
    """The rule for numerals that belong together."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, s: Sentence, found: Collector) -> None:
        if len(s.of_kind(TokenKind.NUMBER)) > 1 and not s.context.hypothetical:
            _Together(s, self._index, found).check()


class _Together:
    """The numerals of one sentence, each with the facts it was matched to."""

    def __init__(self, s: Sentence, index: FactIndex, found: Collector) -> None:
        self._s, self._index, self._found = s, index, found
        starts = {s.tokens[i].start: i for i in s.of_kind(TokenKind.NUMBER)}
        self._facts: dict[int, list[Fact]] = {i: [] for i in starts.values()}
        for start, _, ids in found.evidence:
            if start in starts:
                self._facts[starts[start]] += [index.by_id[x] for x in ids if x in index.by_id]
        self._pairs = list(steps(s))

    def check(self) -> None:
        for left, reached in self._pairs:
            self._check_particle(left, reached)
            self._check_ends(left, reached)
        for i, facts in self._facts.items():
            changes = [fact for fact in facts if fact.kind in CHANGES and self._index.reference(fact)]
            if changes and len(changes) == len(facts) and not self._check_steps(i, changes):
                self._check_value(i, changes)

    def _check_particle(self, left: int, reached: int) -> None:
        """``up from``, ``down from``: the numerals themselves say which way it went."""
        s = self._s
        first, second = s.tokens[left].numeral, s.tokens[reached].numeral
        for j in range(max(0, min(left, reached) - 4), left):
            if s.word(j) not in {"up", "down"} or s.word(j + 1) != "from" or first is None or second is None:
                continue
            rose = second.value > first.value
            if (PLACES[s.word(j)] is Sense.UP) != rose and first.value != second.value:
                why = f"{s.tokens[left].text} to {s.tokens[reached].text} went the other way"
                self._found.object_to(FindingKind.DIRECTION, s.tokens[j], why)

    def _check_ends(self, left: int, reached: int) -> None:
        """A step leads from one run's value to another's, and from the setting of the one to that of the other."""
        token = self._s.tokens[reached]
        ends = [{fact.id for fact in self._facts[i] if fact.kind in _VALUES} for i in (left, reached)]
        runs = [{fact.subject for fact in self._facts[i] if fact.kind in _VALUES} for i in (left, reached)]
        if ends[0] and ends[0] == ends[1]:
            self._found.object_to(FindingKind.ATTRIBUTION, token, f"both ends are {min(ends[0])}")
            return
        for pair in self._pairs:
            settings = [{fact.subject for fact in self._facts[i] if fact.kind is FactKind.CONFIG} for i in pair]
            if all(settings) and all(runs) and not (settings[0] & runs[0] and settings[1] & runs[1]):
                self._found.object_to(FindingKind.ATTRIBUTION, token, "these are not the values of those settings")

    def _check_steps(self, i: int, changes: Sequence[Fact]) -> bool:
        """Whether two values of the same metric stand in the sentence, which the change must then lead between."""
        seen = False
        for left, reached in self._pairs:
            for change in changes:
                ends = self._runs(reached, change.name), self._runs(left, change.name)
                if all(ends):
                    seen = True
                    a, b = change.subject, self._index.reference(change)
                    if (a in ends[0] and b in ends[1]) or (b in ends[0] and a in ends[1]):
                        return True
        if seen:
            why = f"{changes[0].id} is not the change between these two values"
            self._found.object_to(FindingKind.ATTRIBUTION, self._s.tokens[i], why)
        return seen

    def _runs(self, i: int, name: str) -> set[str]:
        return {f.subject for f in self._facts[i] if f.kind in _VALUES and f.name == name and not f.inputs}

    def _check_value(self, i: int, changes: Sequence[Fact]) -> None:
        """The value a change is told of must be of the run that changed."""
        at = self._value_beside(i, {change.name for change in changes})
        if at is None:
            return
        values = [fact for fact in self._facts[at] if fact.kind in _VALUES]
        named = reference(self._s, i)
        ends = [(c.subject, self._index.reference(c)) for c in changes if c.name in {v.name for v in values}]
        if not {value.subject for value in values} & {b if a == named else a for a, b in ends}:
            why = f"this is {values[0].id}, but the change beside it is {changes[0].id}"
            self._found.object_to(FindingKind.ATTRIBUTION, self._s.tokens[at], why)

    def _value_beside(self, i: int, names: set[str]) -> int | None:
        """Where the value stands that a change is told of: ``by 7.7 GiB to 39.4 GiB``, or the nearest one before it."""
        s = self._s
        after = next((j for j in range(i + 1, min(i + 5, len(s.tokens))) if j in self._facts), None)
        if after is not None and s.word(after - 1) == "to" and any(fact.name in names for fact in self._facts[after]):
            return after
        left_behind, skipped = {left for left, _ in self._pairs}, set[int]()
        for j in range(i - 1, max(-1, i - _NEAR), -1):
            if s.kind(j) is TokenKind.RUN and j not in skipped and not s.is_reference(j):
                return None
            if j not in self._facts:
                continue
            owner = j - 2 if s.word(j - 1) in {":", "(", "at", "'s"} else j - 1
            if s.kind(owner) is TokenKind.RUN and s.tokens[owner].runs <= self._index.baseline:
                skipped.add(owner)
            elif j not in left_behind and not is_reference_value(s, j) and any(self._runs(j, name) for name in names):
                return j if self._is_unnamed(j, i) else None
        return None

    def _is_unnamed(self, j: int, i: int) -> bool:
        """Whether no run is named right behind the value: ``2.31 (LR-003)`` needs no inference."""
        near = [k for k in range(j + 1, min(j + 3, i)) if self._s.kind(k) is TokenKind.RUN]
        return all(self._s.tokens[k].runs <= self._index.baseline for k in near)

"""Judges numerals against each other: a change beside two values must be their change, a step must go its way.

Runs after every numeral has been given its meaning. Knows nothing of words but up and down.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.quantities import STATES
from curator.verify.known.wording import named, of_quantities
from curator.verify.reading.phrasing import is_compared_value
from curator.verify.reading.roles import bound_of
from curator.verify.reading.senses import sense_at
from curator.verify.reading.steps import steps
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.units import FACTOR, PERCENT
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_ABOUT = 0.2
"""How far a share in words may lie from the one that the numbers beside it make, as a part of that."""
_THAN_LINKS = words.word_set(", which is was still clearly slightly much far a bit little just already and so")
_NEAR = 12
"""Tokens within which two numerals belong together."""


class Consistency:
    """The rule for numerals that belong together."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        numbers = s.of_kind(TokenKind.NUMBER)
        if len(numbers) < 2 or s.context.hypothetical:
            return
        meant = {i: found.meant.get(s.tokens[i].start, ()) for i in numbers}
        together = _Together(self._world, reader, s, meant, found)
        together.check_steps()
        together.check_changes()
        together.check_lists()
        together.check_signs()
        together.check_sizes()
        together.check_shares()
        together.check_thans()
        together.check_ratios()


@dataclass(frozen=True, eq=False)
class _Together:
    """The numerals of one sentence with what they mean."""

    world: World
    reader: Reader
    s: Sentence
    meant: dict[int, tuple[Quantity, ...]]
    found: Collector

    @cached_property
    def _steps(self) -> list[tuple[int, int]]:
        return [step for step in steps(self.s) if not self._is_range(*step)]

    def _is_range(self, first: int, last: int) -> bool:
        """``all alike, 103.7 to 104.3 tok/s``: what lies between two values, and no way from one to the other."""
        s = self.s
        plain = s.word(last - 1) == "to" and s.word(first - 1) not in {"from", "("}
        return plain and first < last and self._way_word(first) is None

    def _object(self, at: int, why: str, kind: FindingKind = FindingKind.ATTRIBUTION) -> None:
        self.found.object_to(kind, self.s.tokens[at], why)

    def _runs(self, i: int, names: Iterable[str]) -> set[str]:
        """The runs whose values of these metrics the numeral at ``i`` may be."""
        states = [q for q in self.meant[i] if q.kind in STATES and not q.extreme]
        return {run for q in states if q.name in set(names) for run in q.runs}

    # -- from 2.40 to 2.31 ------------------------------------------------------------------------------------------

    def check_steps(self) -> None:
        for left, reached in self._steps:
            self._check_way(left, reached)
            self._check_ends(left, reached)

    def _check_way(self, left: int, reached: int) -> None:
        """``fell from X to Y``: the numerals themselves say which way it went."""
        s = self.s
        first, second = s.tokens[left].numeral, s.tokens[reached].numeral
        at = self._way_word(min(left, reached))
        if at is None or first is None or second is None or s.negated(at):
            return
        values = [n.value * (n.unit.scale if n.unit else 1.0) for n in (first, second)]
        if bool(first.unit) is not bool(second.unit):
            return
        if values[0] == values[1]:
            if sense_at(s, at) in words.SIZES and first.significant > 1 and left < reached:
                self._object(reached, "it says that this moved", FindingKind.DIRECTION)
            return
        backward = left > reached and s.word(at) not in {"up", "down"}
        if backward or first.relative != second.relative or s.tokens[at].start in self.found.judged:
            return
        sense = sense_at(s, at) or words.PLACES.get(s.word(at))
        names = {q.name for i in (left, reached) for q in self.meant[i] if q.kind in STATES}
        told = {self.world.upwards(sense, name) for name in names} if sense else set()
        told = told or ({sense is Sense.UP} if sense in words.SIZES else set())
        if len(told) != 1 or None in told:
            return
        self.found.judged.add(s.tokens[at].start)
        if told != {values[1] > values[0]}:
            why = f"{s.tokens[left].text} to {s.tokens[reached].text} went the other way"
            self._object(at, why, FindingKind.DIRECTION)

    def _way_word(self, first: int) -> int | None:
        """Where the word stands that says which way a step goes, before its first numeral."""
        s = self.s
        low, _ = s.clause(first)
        for j in range(first - 1, max(low, first - 8) - 1, -1):
            if s.word(j) in {"up", "down"} and s.word(j + 1) == "from":
                return j
            if s.kind(j) is TokenKind.NUMBER:
                return None
            moving = s.word(j) in words.MOVES or s.word(j) in words.CAUSES or s.word(j) in {"up", "down"}
            if s.is_word(j) and moving and sense_at(s, j) not in {None, Sense.SAME}:
                of_setting = s.word(j).endswith("ing") and any(s.keys(k) for k in range(j, first))
                return None if of_setting else j
        return None

    def _check_ends(self, left: int, reached: int) -> None:
        """A step leads from one run's value to another's, and from the setting of the one to that of the other."""
        ends = [{q.ids for q in self.meant[i] if q.kind in STATES} for i in (left, reached)]
        runs = [{run for q in self.meant[i] if q.kind in STATES for run in q.runs} for i in (left, reached)]
        if len(ends[0]) == 1 and ends[0] == ends[1]:
            self._object(reached, "both ends are one value of one run")
            return
        for pair in self._steps if all(runs) else ():
            setting = [{run for q in self.meant[i] if q.kind is FactKind.CONFIG for run in q.runs} for i in pair]
            apart = setting[0] != setting[1] and all(setting)
            if apart and not (setting[0] & runs[0] and setting[1] & runs[1]):
                self._object(reached, "these are not the values of those settings")

    # -- by 0.09, to 2.31 -------------------------------------------------------------------------------------------

    def check_changes(self) -> None:
        for i, quantities in self.meant.items():
            changes = [q for q in quantities if q.is_change and q.against]
            said = any(i in m.taken for m in self.reader.runs)  # "and 4.6 times with 1024" says itself of whom
            if changes and len(changes) == len(quantities) and not said and not self._is_of_step(i, changes):
                self._check_value(i, changes)

    def _is_of_step(self, i: int, changes: Sequence[Quantity]) -> bool:
        """Whether two values of the same metric stand nearby, which the change must then lead between."""
        nearby = [p for p in self._steps if min(abs(p[0] - i), abs(p[1] - i)) <= _NEAR]
        nearby = [p for p in nearby if not any(self.s.word(j) == ";" for j in range(min(*p, i), max(*p, i)))]
        if not nearby:
            return False
        left, reached = min(nearby, key=lambda p: min(abs(p[0] - i), abs(p[1] - i)))
        seen = False
        for change in changes:
            begun, ended = self._runs(left, {change.name}), self._runs(reached, {change.name})
            if begun and ended:
                seen = True
                a, b = next(iter(change.runs)), change.against
                if (a in ended and b in begun) or (b in ended and a in begun):
                    return True
        if seen:
            self._object(i, f"it is {named(changes[0])}, not the change between these two values")
        return seen

    def _check_value(self, i: int, changes: Sequence[Quantity]) -> None:
        """The value a change is told of must be of the run that changed, or of the one it is relative to."""
        at = self._value_beside(i, changes)
        if at is None:
            return
        values = self._runs(at, {change.name for change in changes})
        stated = {q.name for q in self.meant[at]}
        ends = {run for change in changes if change.name in stated for run in (*change.runs, change.against)}
        if values and ends and not values & ends:
            why = f"{of_quantities(self.meant[at][:1], self.world)}, but the change beside it is {named(changes[0])}"
            self._object(at, why)

    def _value_beside(self, i: int, changes: Sequence[Quantity]) -> int | None:
        """Where the value stands that a change is told of: ``by 7.7 GiB to 39.4 GiB``, or the nearest one before it."""
        s, meant, names = self.s, self.meant, {change.name for change in changes}
        after = next((j for j in range(i + 1, min(i + 5, len(s.tokens))) if j in meant), None)
        if after is not None and s.word(after - 1) == "to" and self._runs(after, names):
            return after
        left_behind = {left for left, _ in self._steps}
        for j in range(i - 1, max(-1, i - _NEAR), -1):
            if any(m.first <= j <= m.last and not m.reference for m in self.reader.runs):
                return None
            own = j in meant and j not in left_behind and not is_compared_value(self.s, j)
            if own and self._runs(j, names):
                behind = any(j < m.first <= j + 3 for m in self.reader.runs)
                return None if behind else j
        return None

    # -- lists and signs --------------------------------------------------------------------------------------------

    def check_lists(self) -> None:
        """A list of values names each run's once: the same value twice in a row is one too many."""
        for i in self.meant:
            listed = self.reader.lists.around(i)
            if len(listed) < 2 or listed[0] != i:
                continue
            self._check_kinds(listed)
            seen: set[str] = set()
            for j in listed:
                ids = {q.ids[0] for q in self.meant[j] if q.kind in STATES and not q.extreme}
                if len(ids) == 1 and ids <= seen and len(self.meant[j]) == 1:
                    self._object(j, f"{of_quantities(self.meant[j][:1], self.world)}, and stands in this list twice")
                seen |= ids

    def _check_kinds(self, listed: Sequence[int]) -> None:
        """Among values of one metric none is only a change of it."""
        names = [{q.name for q in self.meant[j] if q.kind in STATES} for j in listed if j in self.meant]
        changes = [j for j in listed if self.meant.get(j) and all(q.is_change for q in self.meant[j])]
        valued = [each for each in names if each]
        if len(changes) == 1 and len(valued) == len(listed) - 1 >= 2 and (common := set.intersection(*valued)):
            self._object(changes[0], f"{of_quantities(self.meant[changes[0]][:1], self.world)}, among {min(common)}")

    def check_shares(self) -> None:
        """``nearly half of the crawl (47.1 %)``: the share in words is that in parentheses."""
        s = self.s
        for i in self.meant:
            share = s.numeral(i)
            self._check_written_share(i)
            j = next((j for j in s.of_kind(TokenKind.NUMBER) if j > i), i)
            number = s.numeral(j)
            told = share is not None and share.word and share.relative and share.value < 1 and s.word(i + 1) == "of"
            if not told or share is None or number is None or s.word(j - 1) != "(" or not i < j <= i + _NEAR:
                continue
            percent = number.unit is not None and number.unit.dimension == PERCENT and not number.sign
            if percent and abs(100 * share.value - number.value) > max(number.value / 5, 2):
                self._object(i, f"{s.tokens[j].text} is not {s.tokens[i].text}", FindingKind.NUMBER)

    def _check_written_share(self, i: int) -> None:
        """``to a third (2.08 s against 6.21 s)``: the share is that of the two values behind it."""
        s, share = self.s, self.s.numeral(i)
        a, b = (s.numeral(i + 2), s.numeral(i + 4)) if s.word(i + 3) in words.VERSUS else (None, None)
        if s.word(i + 1) != "(" or share is None or a is None or b is None or not share.word or not share.relative:
            return
        told = (
            min(abs(share.value - ratio) / ratio for ratio in (a.value / b.value, b.value / a.value))
            if a.value * b.value > 0
            else 0
        )
        if told > _ABOUT:
            self._object(i, f"{s.tokens[i + 2].text} is not that of {s.tokens[i + 4].text}", FindingKind.NUMBER)

    def check_ratios(self) -> None:
        """``5,166 s, three times as long as the other (1,719 s)``: the factor is that of the two values."""
        s = self.s
        values = [j for j in self.meant if not s.runs(j) and any(q.kind in STATES for q in self.meant[j])]
        names = [{q.name for q in self.meant[j] if q.kind in STATES} for j in values]
        numerals = [n.value * n.unit.scale for j in values if (n := s.numeral(j)) and n.unit]
        if len(numerals) != len(values) or len(values) != 2 or not set.intersection(*names) or min(numerals) <= 0:
            return
        for i in s.of_kind(TokenKind.NUMBER):
            factor = s.numeral(i)
            told = factor and factor.word and factor.unit and factor.unit.dimension == FACTOR and s.word(i + 1) == "as"
            if factor is None or not told or bound_of(s, i) is not None or not values[0] < i < values[1]:
                continue
            ratio = max(numerals) / min(numerals) if factor.value > 1 else min(numerals) / max(numerals)
            if abs(factor.value - ratio) > _ABOUT * ratio:
                self._object(
                    i, f"{s.tokens[values[0]].text} and {s.tokens[values[1]].text} are {ratio:.3g} times apart"
                )

    def check_thans(self) -> None:
        """``11.6B, which is less than the 12B``: arithmetic."""
        s = self.s
        for j in s.of_kind(TokenKind.NUMBER):
            k = s.skip(j - 1, frozenset({"the"}), -1)
            sense = words.ADJECTIVES.get(s.word(k - 1)) if s.word(k) == "than" else None
            i = s.skip(k - 2, _THAN_LINKS, -1)
            i = next((n for n in range(i, max(-1, i - 3), -1) if s.numeral(n)), i)  # "9.6 GiB of HBM"
            a, b = s.numeral(i), s.numeral(j)
            plain = a is not None and b is not None and not (a.relative or b.relative or s.runs(i) or s.runs(j))
            linked = "," in {s.word(n) for n in range(i + 1, k)}
            if sense not in words.SIZES or not (linked and plain and a and b) or a.unit != b.unit or a.value == b.value:
                continue
            if (a.value > b.value) != (sense is Sense.UP):
                self._object(k - 1, f"{a.value:g} and {b.value:g} are the other way round", FindingKind.COMPARATIVE)

    def check_signs(self) -> None:
        """``2.31 < 2.40`` is arithmetic."""
        s = self.s
        for j in range(1, len(s.tokens) - 1):
            a, b, sign = s.numeral(j - 1), s.numeral(j + 1), s.word(j)
            if sign not in {"<", ">"} or a is None or b is None or s.runs(j - 1) or a.unit != b.unit:
                continue
            if (a.value < b.value) != (sign == "<"):
                self._object(j, f"{a.value:g} is not {sign} {b.value:g}", FindingKind.COMPARATIVE)

    def check_sizes(self) -> None:
        """``2.3, 2.4 and 2.5 for LR-001 to LR-003``: as many values as runs."""
        for m in self.reader.runs:
            sure = len(m.meant) > 1 and (len(m.members) > 1 or not self.s.tokens[m.first].described)
            listed = self.reader.lists.around(max(m.taken)) if m.taken and sure else []
            valued = all(any(q.kind in STATES for q in self.meant.get(j, ())) for j in listed)
            if len(listed) > 1 and valued and len(listed) != len(m.meant):
                why = f"{len(listed)} values stand before {len(m.meant)} runs"
                first, last = self.s.tokens[m.first], self.s.tokens[m.last]
                self.found.object(FindingKind.COUNT, first.start, last.end, why)

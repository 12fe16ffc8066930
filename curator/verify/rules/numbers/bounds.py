"""Judges numerals that bound a value: ``below 2.4``, ``more than 9,000``, ``within 75 seconds``, ``at least 3 %``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import cut_at, stands
from curator.verify.known.quantities import STATES, Quantity, changes
from curator.verify.known.wording import of_quantities
from curator.verify.reading.roles import Role
from curator.verify.reading.senses import factor_sense
from curator.verify.reading.ties import BELIEVABLE, FAR, SLACK
from curator.verify.report import FindingKind
from curator.verify.rules.directions import side_of
from curator.verify.rules.numbers.names import has_other_object
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import FACTOR
from curator.verify.text.words import SIZES, Sense

if TYPE_CHECKING:
    from curator.verify.report import Collector
    from curator.verify.rules.numbers.costs import Costs
    from curator.verify.rules.numbers.statement import Statement

_NEAR = 0.25
_LOOSE = {0: 10, 1: 5}
"""By its digits how many times a spread a bound on it may be, if not twice."""
_AGREEING = forms("agree coincide match")
_CHOOSING = words.word_set("with without at for under using")
_BOUNDING = words.word_set("at most least up to than more less over under below above a an the")
_USING = forms("use try")
_MEANS = words.word_set("mean average averaged averages averaging")
_EVERYONE = words.word_set("all every no never always none throughout")


class Bound:
    """A bound that a sentence states of something."""

    def __init__(self, statement: Statement, costs: Costs, side: Sense) -> None:
        self._it, self._costs, self._side = statement, costs, side

    def judge(self, found: Collector, *, excused: bool) -> bool:
        """Whether that settled it: that what the sentence bounds keeps it, or does not.

        Args:
            found: takes what is wrong.
            excused: the numeral may be a threshold that nothing keeps: the sentence only thinks of it.
        """
        it = self._it
        if it.s.word(it.s.skip(it.i - 1, _BOUNDING, -1)) in _USING:
            return False  # "every run used at most 0.03": a setting
        if self._is_mutual():
            return self._judge_spread(found)
        negated = it.s.negated(it.i)
        bounded = self._bounded(_NEAR)
        holds = {q: kept is not negated for q in bounded if (kept := self._keeps(q)) is not None}
        if not holds:
            return False
        both = any(it.s.word(j) == "both" and it.s.runs(j + 1) for j in range(it.i))  # "both Muon runs"
        clause = {it.s.word(j) for j in range(*it.s.clause(it.i))}
        everyone = (both or bool(clause & _EVERYONE)) and not self._is_of_untold()
        if everyone and it.s.words & words.ENDED_WELL:  # "every run that finished"
            ended = {q: held for q, held in holds.items() if all(map(it.world.ended_well, q.runs))}
            holds = ended or holds
        right = all(holds.values()) if everyone else any(holds.values())
        if not right and not everyone:
            right = any(self._keeps(q) is not negated for q in self._bounded(SLACK))
        if right:
            found.believe(it.s.tokens[it.i], [q for q, held in holds.items() if held])
        elif excused:
            return False
        else:
            broken = next(q for q, held in holds.items() if not held)
            found.object_to(FindingKind.COMPARATIVE, it.s.tokens[it.i], of_quantities([broken], it.world))
        return True

    def _is_mutual(self) -> bool:
        """``within 0.5 points of each other``."""
        s, i = self._it.s, self._it.i
        behind = {s.word(j) for j in range(i + 1, i + 5)}
        within = s.word(s.skip(i - 1, words.ARTICLES, -1)) == "within"
        mutual = {"each", "other"} <= behind or {"one", "another"} <= behind or bool(s.words & _AGREEING)
        return within and mutual

    def _judge_spread(self, found: Collector) -> bool:
        """Whether some runs that may be meant lie as near to each other as it says."""
        it, world = self._it, self._it.world
        named = [m.meant for m in it.reader.runs if len(m.meant) > 1] or [it.reader.named]
        groups = named if len(named[0]) > 1 else [world.repeats(run) for run in world.runs]
        spreads = []
        for name in sorted(self._costs.names.surest or {world.primary}):
            for group in groups:
                values = [world.values[run, name] for run in sorted(group) if (run, name) in world.values]
                if len(values) > 1:
                    low, high = min(values, key=_value), max(values, key=_value)
                    spreads += [q for q in changes(high, low) if q.kind is not FactKind.RATIO]
        holds = [kept and self._is_tight(q) for q in spreads if (kept := self._keeps(q)) is not None]
        if holds and not any(holds):
            found.object_to(FindingKind.COMPARATIVE, it.s.tokens[it.i], of_quantities(spreads[:1], world))
        return bool(holds)

    def _is_tight(self, quantity: Quantity) -> bool:
        """Whether a bound lies so near that it says something: nobody writes "within 0.9" of 0.2."""
        pair = stands(self._it.numeral, quantity)
        if pair is None:
            return True
        bound, value = pair
        return abs(bound) <= _LOOSE.get(self._it.numeral.significant, 2) * abs(value)

    def _is_of_untold(self) -> bool:
        """``none of the runs without the bonus``: of some runs that the words alone do not tell."""
        s = self._it.s
        if any(s.word(j) in words.RUN_NOUNS and self._is_unknown(j - 1) for j in range(1, self._it.i)):
            return True  # "neither of the foreground runs"
        chosen = (j for j in range(len(s.tokens)) if s.word(j) in words.RUN_NOUNS and s.word(j + 1) in _CHOOSING)
        return any(not any(j < m.first <= j + 4 for m in self._it.reader.runs) for j in chosen)

    def _is_unknown(self, j: int) -> bool:
        s = self._it.s
        known = words.FOLLOWERS | words.DETERMINERS | words.STATUS_WORDS.keys() | words.SENSES.keys()
        return s.is_word(j) and not s.runs(j) and s.word(j) not in known

    def _bounded(self, slack: float) -> list[Quantity]:
        """What the sentence may bound: what it speaks of, in a unit that compares."""
        meanings = [
            self._costs.of(q)
            for q in self._it.world.quantities
            if self._may_bound(q) and stands(self._it.numeral, q) is not None
        ]
        cheapest = min((m.said for m in meanings), default=FAR)
        near = [m.quantity for m in meanings if m.said <= cheapest + slack and m.said <= BELIEVABLE]
        if not self._it.s.words & _MEANS:
            near = [q for q in near if len(q.runs) == 1] or near  # and no mean that a run has a part in
        unit = self._it.numeral.unit
        if self._costs.names.all or (unit is not None and not self._it.numeral.relative):
            return near
        if has_other_object(self._it):
            return []
        return [q for q in near if q.name == self._it.world.primary or cut_at(self._it.numeral, q)]

    def _may_bound(self, quantity: Quantity) -> bool:
        it, unit = self._it, self._it.numeral.unit
        reference = next(
            (m for m in it.reader.runs if it.i < m.first <= it.i + 3 and it.s.word(it.i + 1) == "of"), None
        )
        if reference and it.s.word(it.s.skip(it.i - 1, words.ARTICLES, -1)) == "within":
            return quantity.kind in {FactKind.DELTA, FactKind.PERCENT} and quantity.against in reference.meant
        beaten = self._side not in SIZES  # "beats 7.5 %": a value, whatever it is in
        if quantity.is_change:
            factor = unit is not None and unit.dimension == FACTOR
            possible = (factor or quantity.kind is not FactKind.RATIO) and not (beaten and it.role is not Role.CHANGE)
            return (it.numeral.relative or it.role is Role.CHANGE) and possible
        within = it.s.word(it.s.skip(it.i - 1, words.ARTICLES, -1)) == "within" and it.numeral.relative
        bare = unit is None and quantity.kind is FactKind.DURATION
        return quantity.kind in STATES and not quantity.extreme and not within and not bare

    def _keeps(self, quantity: Quantity) -> bool | None:
        it, numeral = self._it, self._it.numeral
        side = side_of(it.world, quantity, self._side)
        if it.role is Role.CHANGE and numeral.word and len(numeral.readings) > 1:
            numeral = replace(numeral, readings=numeral.readings[1:])  # "by at least a tenth": percent, no factor
        pair = stands(numeral, quantity)
        if pair is None:
            return None
        bound, value = pair
        if self._is_turned_over(quantity, bound):
            if quantity.kind is not FactKind.RATIO or not value:
                return None
            value = 1 / value  # "more than five times slower" of a rate
        if quantity.is_change and not it.numeral.sign and quantity.kind is not FactKind.RATIO:
            value = abs(value)
        unit = numeral.unit
        if it.numeral.word and unit is not None and unit.dimension == FACTOR and bound < 1:
            side = words.OPPOSITE[side]  # "more than halved"
        rounding = it.numeral.readings[0].quantum / 2 if it.s.word(it.i - 1) == "within" else 0.0
        return value >= bound if side is Sense.UP else value <= bound + rounding

    def _is_turned_over(self, quantity: Quantity, bound: float) -> bool:
        """Whether a factor above one is said of a metric that goes down by it."""
        it, unit = self._it, self._it.numeral.unit
        sense = factor_sense(it.s, it.i) if unit is not None and unit.dimension == FACTOR else None
        return bound > 1 and sense is not None and it.world.upwards(sense, quantity.name) is False


def _value(quantity: Quantity) -> float:
    return quantity.value

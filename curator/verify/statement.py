"""One numeral in its sentence, set before the facts: which of them it fits, and which of those the sentence means.

What follows from that is decided elsewhere.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind, render
from curator.verify import implied, lexicon
from curator.verify.binding import Binder
from curator.verify.matching import Fit, fact_unit, fit, plausible
from curator.verify.naming import names_of
from curator.verify.nouns import noun_after, noun_before
from curator.verify.roles import Role, role_of
from curator.verify.tokens import TokenKind
from curator.verify.units import FACTOR, PERCENT, POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curator.verify.index import FactIndex
    from curator.verify.numerals import Numeral
    from curator.verify.quoted import QuotedNumbers
    from curator.verify.report import Collector, FindingKind
    from curator.verify.sentences import Sentence
    from curator.verify.tokens import Token
    from curator.verify.units import Unit


class Statement:
    """A numeral, what its sentence says of it, and the facts that fit it."""

    def __init__(self, s: Sentence, i: int, index: FactIndex, quoted: QuotedNumbers) -> None:
        self.s = s
        self.i = i
        self.index = index
        self.quoted = quoted
        self.token = s.tokens[i]
        self.numeral = _in_column_unit(s, self.token)
        self.binder = Binder.of(s, index)
        self.role = role_of(s, i)
        self.runs = self.binder.runs_of(i)
        """The runs it may be about; None for any."""
        self.names = self._noted_names() or names_of(s, i)
        """The metrics it may be a value of; None for any."""

    def _noted_names(self) -> frozenset[str] | None:
        """``168,940 tok/s (-3.6 %)``: what stands in parentheses is said of the value before them."""
        before = self.s.tokens[self.i - 2] if self.i > 1 and self.s.word(self.i - 1) == "(" else None
        unit = before.numeral.unit if before and before.numeral else None
        if unit is None or unit.dimension in {PERCENT, POINTS, FACTOR}:
            return None
        return self.index.in_unit(unit.dimension) or None

    @cached_property
    def fits(self) -> list[tuple[Fact, Fit]]:
        """Every fact that the numeral fits at all, and how well."""
        about = bool({self.s.word(self.i - 1), self.s.word(self.i - 2)} & lexicon.APPROXIMATE)
        numeral = _widened(self.numeral) if about and self.numeral.word else self.numeral
        changes = implied.implied_changes(self.s, numeral, self.role, self.runs, self.index)
        fits = [(fact, fit(numeral, fact, about=about)) for fact in (*self.index.numeric, *changes)]
        return [(fact, quality) for fact, quality in fits if quality]

    @cached_property
    def matches(self) -> list[Fact]:
        return [fact for fact, quality in self.fits if quality is Fit.MATCH]

    # -- what to answer -----------------------------------------------------------------------------------------

    def support(self, found: Collector, facts: Iterable[Fact], quoted: Iterable[str] = ()) -> None:
        ids = [x for fact in facts for x in (fact.inputs if fact.source == implied.SOURCE else (fact.id,))]
        found.support(self.token.start, self.token.end, [*ids, *quoted])

    def object(self, found: Collector, kind: FindingKind, why: str) -> None:
        found.object_to(kind, self.token, why)

    def meant(self) -> str:
        """What the sentence says the numeral is, for a reader."""
        names = "/".join(sorted(self.names)) if self.names else "what the sentence says"
        return f"{names} of {listed(self.runs)}" if self.runs else names

    def known(self, names: Iterable[str], runs: frozenset[str] | None) -> str:
        """What the facts say instead."""
        kinds = CHANGES if self.role is Role.CHANGE else {FactKind.METRIC, FactKind.DURATION, FactKind.CONFIG}
        wanted = set(names)
        facts = [
            f for f in self.index.facts if f.name in wanted and f.kind in kinds and (not runs or f.subject in runs)
        ]
        return ", ".join(dict.fromkeys(render(fact) for fact in facts[:4]))

    # -- which facts the sentence means -------------------------------------------------------------------------

    def is_mine(self, fact: Fact, *, units: bool = True) -> bool:
        """Whether the sentence may mean this fact, by the run and the metric it names.

        Args:
            fact: any.
            units: the numeral's own unit may tell that the metric before it is not meant.
        """
        return self._is_about(fact) and self.is_named(fact, units=units)

    def _is_about(self, fact: Fact) -> bool:
        if self.runs is None or is_of(fact, self.runs):
            return True
        turned = fact.kind in CHANGES and self.index.reference(fact) in self.runs
        return turned and (bool(self.numeral.sign) or fact.subject in self.s.runs | self.s.context.topics)

    def is_named(self, fact: Fact, *, units: bool = True) -> bool:
        if self.names is None or fact.name in self.names:
            return True
        if fact.kind is FactKind.CONFIG and not (self.s.context.cell and self.s.context.metrics):
            return self._is_setting()
        if fact.kind in {FactKind.COUNT, FactKind.NAME}:
            return bool(noun_after(self.s, self.i) or noun_before(self.s, self.i))
        return units and not self.s.context.cell and self._unit_excludes_names()

    def _is_setting(self) -> bool:
        """Whether it may be a config value though a metric is named: ``the loss at 0.01``, ``(0.01)``."""
        if self.token.runs or self.s.context.header:
            return True
        if self.s.word(self.i + 1) in {"vs", "vs.", "versus"}:
            return False
        before = self.i - 2 if self.s.word(self.i - 1) in {"(", "of", ":", "=", "is", "was", "-"} else self.i - 1
        named = self.s.kind(before) is TokenKind.METRIC
        measured = any(
            f.kind in {FactKind.METRIC, FactKind.DURATION} and f.name in (self.names or ()) for f in self.matches
        )
        free = self.role is Role.ANY or (self.role is Role.VALUE and self.s.word(self.i - 1) == "at")
        return free and not named and not measured

    def _unit_excludes_names(self) -> bool:
        """Whether the numeral's unit cannot be that of the metric before it: ``took 43 s`` after the loss."""
        unit = self.numeral.unit
        if unit is None or unit.dimension in {PERCENT, FACTOR}:
            return False
        facts = [f for f in self.index.facts if f.name in (self.names or ()) and f.kind is FactKind.METRIC]
        return bool(facts) and not any(_may_have(fact, unit) for fact in facts)

    def has_role(self, fact: Fact) -> bool:
        """Whether a fact of this kind can be said in this role."""
        if self.role is Role.CHANGE:
            return fact.kind in CHANGES or fact.kind is FactKind.DEVIATION
        if self.role is Role.VALUE and self.names:
            return fact.kind not in {FactKind.DELTA, FactKind.PERCENT}
        return True


def is_of(fact: Fact, runs: frozenset[str] | None) -> bool:
    """Whether a fact is about one of the runs, or about no run."""
    return runs is None or not fact.subject or fact.subject in runs


def listed(runs: Iterable[str] | None) -> str:
    return ", ".join(sorted(set(runs))) if runs else "this run"


def ids(facts: Sequence[Fact]) -> str:
    return " or ".join(fact.id for fact in facts[:3])


def _may_have(fact: Fact, unit: Unit) -> bool:
    own = fact_unit(fact)
    if unit.dimension == POINTS:
        return own is None or own.dimension == PERCENT
    return plausible(unit, fact) if own is None else own.dimension == unit.dimension


def _in_column_unit(s: Sentence, token: Token) -> Numeral:
    numeral, unit = token.numeral, s.context.unit
    if numeral is None:
        raise TypeError(f"{token.text!r} is no numeral")
    if unit is None or numeral.unit is not None:
        return numeral
    return dataclasses.replace(numeral, readings=tuple(dataclasses.replace(r, unit=unit) for r in numeral.readings))


def _widened(numeral: Numeral) -> Numeral:
    """``about half`` reaches twice as far as ``half``."""
    readings = tuple(dataclasses.replace(reading, quantum=2 * reading.quantum) for reading in numeral.readings)
    return dataclasses.replace(numeral, readings=readings)

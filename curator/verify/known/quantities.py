"""Every number that a text may state: those of the facts, and the changes between any two runs.

Knows no text. A change that no fact states is computed here, so that a text may compare any run with any other.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import CHANGES, MEASURED, Fact, FactKind
from curator.verify.text import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from curator.verify.text.units import Unit

_LARGEST = 1e300
"""Beyond it nothing is measured, and a product would overflow."""
_MOST_PAIRED = 24
"""Runs up to which each is compared with each: beyond it, only what the facts compare can be stated as a change."""
STATES = frozenset({FactKind.METRIC, FactKind.DURATION})
"""Kinds whose value is what one run measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One number with what it is a number of."""

    kind: FactKind
    value: float
    unit: Unit | None = None
    name: str = ""
    """Metric, config key or what is counted."""
    runs: frozenset[str] = frozenset()
    """The run it is of; several for a mean, none for a count over the sweep."""
    against: str = ""
    """The run that a change is relative to."""
    extreme: bool = False
    """The first, lowest or highest value of a metric's history, and not its last."""
    ids: tuple[str, ...] = ()
    """The facts it comes from."""

    @property
    def is_change(self) -> bool:
        return self.kind in CHANGES


def quantities(facts: Iterable[Fact], references: Mapping[str, str]) -> tuple[Quantity, ...]:
    """The numbers of the facts, then the changes that they imply.

    Args:
        facts: all of a draft's.
        references: for each fact ID of a change the run it is relative to.
    """
    known = {fact.id: fact for fact in facts}
    stated = [quantity for fact in known.values() if (quantity := _of_fact(fact, known, references)) is not None]
    return (*stated, *_totals(stated), *_implied(stated))


def number_of(fact: Fact) -> float | None:
    """The fact's finite number; numbers that a config keeps as text count too."""
    value = fact.value
    if isinstance(value, str) and fact.kind in {FactKind.CONFIG, FactKind.NAME}:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < _LARGEST else None


def unit_of(fact: Fact) -> Unit | None:
    """The unit a fact is in, by what it says or by its own name; a ratio has none."""
    if fact.kind is FactKind.RATIO:
        return None
    return units.parse(fact.unit or units.implied_by_name(fact.name))


def is_extreme(fact: Fact) -> bool:
    """Whether the fact is from a metric's history: its first value, its lowest or highest."""
    return fact.kind is FactKind.METRIC and any(part in fact.id for part in ("/first/", "/minimum/", "/maximum/"))


def _of_fact(fact: Fact, known: Mapping[str, Fact], references: Mapping[str, str]) -> Quantity | None:
    value = number_of(fact)
    if value is None:
        return None
    return Quantity(
        kind=fact.kind,
        value=value,
        unit=unit_of(fact),
        name=fact.name,
        runs=_runs(fact, known),
        against=references.get(fact.id, ""),
        extreme=is_extreme(fact),
        ids=(fact.id,),
    )


def _runs(fact: Fact, known: Mapping[str, Fact]) -> frozenset[str]:
    """The run that a fact is about; those of its inputs where it is about several."""
    if fact.subject or fact.kind not in MEASURED or not fact.inputs:
        return frozenset({fact.subject} - {""})
    if fact.kind not in CHANGES:
        return frozenset(source.partition("/")[0] for source in fact.inputs)
    changed = known.get(fact.inputs[0])
    return _runs(changed, known) if changed is not None and changed.kind not in CHANGES else frozenset()


def _totals(stated: list[Quantity]) -> Iterator[Quantity]:
    """How long all runs took together."""
    lasting: dict[str, list[Quantity]] = {}
    for quantity in stated:
        if quantity.kind is FactKind.DURATION:
            lasting.setdefault(quantity.name, []).append(quantity)
    for name, each in lasting.items():
        if len(each) > 1:
            total = sum(quantity.value for quantity in each)
            ids = tuple(fact_id for quantity in each for fact_id in quantity.ids)
            yield Quantity(kind=FactKind.DURATION, value=total, unit=each[0].unit, name=name, ids=ids)


def means(stated: Iterable[Quantity], groups: Iterable[frozenset[str]]) -> Iterator[Quantity]:
    """What repetitions measured on average."""
    ends = [q for q in stated if q.kind is FactKind.METRIC and len(q.runs) == 1 and not q.extreme]
    for group in groups:
        for name in dict.fromkeys(q.name for q in ends):
            own = [q for q in ends if q.name == name and q.runs <= group]
            if len(own) == len(group):
                value, ids = sum(q.value for q in own) / len(own), tuple(fact_id for q in own for fact_id in q.ids)
                yield Quantity(kind=FactKind.METRIC, value=value, unit=own[0].unit, name=name, runs=group, ids=ids)


def _implied(stated: list[Quantity]) -> Iterator[Quantity]:
    known = {(q.kind, q.name, *q.runs, q.against) for q in stated if q.is_change}
    by_name: dict[str, list[Quantity]] = {}
    for quantity in stated:
        if quantity.kind in STATES and len(quantity.runs) == 1 and not quantity.extreme:
            by_name.setdefault(quantity.name, []).append(quantity)
    for name, values in by_name.items():
        if len(values) > _MOST_PAIRED:
            continue
        for a, b in itertools.permutations(values, 2):
            for change in changes(a, b):
                if (change.kind, name, *change.runs, change.against) not in known:
                    yield change


def changes(a: Quantity, b: Quantity) -> Iterator[Quantity]:
    """Difference, relative change and ratio of ``a`` against ``b``; a reference of zero has no relative ones."""
    against = next(iter(b.runs), "")

    def change(kind: FactKind, value: float, unit: Unit | None) -> Quantity:
        return Quantity(
            kind=kind, value=value, unit=unit, name=a.name, runs=a.runs, against=against, ids=(*a.ids, *b.ids)
        )

    points = a.unit is not None and a.unit.dimension == units.PERCENT
    yield change(FactKind.DELTA, a.value - b.value, units.parse("points") if points else a.unit)
    if b.value and math.isfinite(a.value / b.value):
        yield change(FactKind.PERCENT, 100 * (a.value - b.value) / abs(b.value), units.parse("%"))
        yield change(FactKind.RATIO, a.value / b.value, None)

"""One numeral in its sentence: how it is written, as what it is said, and of whom."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit
from curator.verify.known.neighbours import neighbours
from curator.verify.reading.amounts import amount_at, is_gap, pair_of
from curator.verify.reading.keys import key_of
from curator.verify.reading.phrasing import is_compared_value
from curator.verify.reading.roles import Role, bound_of, role_of
from curator.verify.reading.ties import Tie, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.text.numerals import Numeral
    from curator.verify.text.words import Sense


_SURE = words.word_set("gain gap margin improvement reduction speedup slowdown saving savings advantage deficit")
"""Nouns of which an amount is always one of change."""


@dataclasses.dataclass(frozen=True, eq=False)
class Statement:
    """One numeral in its sentence."""

    world: World
    reader: Reader
    s: Sentence
    i: int
    """Where the numeral stands."""
    fits: tuple[tuple[Quantity, Fit], ...]
    """What it may be by its digits and unit alone."""
    told: frozenset[str]
    """Runs whose values the sentence states."""
    told_names: frozenset[str]
    """Metrics whose values it states."""

    @cached_property
    def numeral(self) -> Numeral:
        return numeral_at(self.s, self.i)

    @cached_property
    def matching(self) -> tuple[Quantity, ...]:
        found = tuple(quantity for quantity, how in self.fits if how is Fit.MATCH)
        if self.s.context.cell and len(self.s.context.topics) == 1:
            return tuple(q for q in found if q.kind is not FactKind.METRIC or len(q.runs) < 2)  # a row of one run
        return tuple(q for q in found if not self._is_averaged(q)) if is_mean(self.s, self.i) else found

    def _is_averaged(self, quantity: Quantity) -> bool:
        """Whether it is what one run measured, and a mean over it and its repetitions is known."""
        one = quantity.kind is FactKind.METRIC and len(quantity.runs) == 1
        return one and any(
            mean.kind is FactKind.METRIC and mean.name == quantity.name and mean.runs > quantity.runs
            for mean in self.world.quantities
        )

    @cached_property
    def role(self) -> Role:
        amount = amount_at(self.s, self.i)
        named = amount is not None and self.s.word(amount.head) in _SURE
        return Role.CHANGE if named or self.pair is not None else role_of(self.s, self.i)

    @cached_property
    def pair(self) -> tuple[frozenset[str], frozenset[str]] | None:
        """The runs that it is of and those it is over, where the name of the amount says both."""
        amount = amount_at(self.s, self.i)
        pair = None if amount is None else pair_of(self.s, amount, self.reader.runs)
        return (pair[0] | pair[1],) * 2 if pair and amount and is_gap(self.s, amount) else pair

    @cached_property
    def key(self) -> frozenset[str] | None:
        """The config keys that it is a value of; None without one."""
        keys = self.s.context.keys if self.s.context.cell else key_of(self.s, self.i)
        if keys and self.numeral.decimals and not (self.numeral.scaled or self.s.context.cell):
            keys = frozenset(key for key in keys if not self.world.is_whole(key))  # "with another seed (11.574)"
        return keys or None

    @cached_property
    def side(self) -> Sense | None:
        """From which side it bounds a value."""
        return bound_of(self.s, self.i)

    @cached_property
    def compared(self) -> bool:
        """Whether it is the value that something is compared with."""
        return self.role is not Role.CHANGE and self.side is None and is_compared_value(self.s, self.i)

    @cached_property
    def subjects(self) -> Ties:
        """The runs it may be said of; a deviation is of the run of its value."""
        s, i = self.s, self.i
        beside = i - 1 if s.kind(i - 1) is TokenKind.NUMBER else i - 2 if s.word(i - 1) == "(" else i
        deviates = self.numeral.sign == "\u00b1" and s.kind(beside) is TokenKind.NUMBER
        return self.reader.subjects(beside if deviates else i)

    @cached_property
    def references(self) -> Ties:
        """The runs it may be compared with."""
        ties = self.reader.references(self.i)
        return ties if ties.explicit or self.s.context.cell else self._with_counterparts(ties)

    @cached_property
    def owners(self) -> Ties:
        """The runs whose value it may be."""
        if not self.compared:
            return self.subjects
        ties, named = self.reader.compared_with(self.i), self.reader.runs
        told = len(named) > 1 or any(mention.reference for mention in named)
        return ties if told else self._with_counterparts(ties)

    def _with_counterparts(self, ties: Ties) -> Ties:
        """The runs, and those that differ from the numeral's own in the fewest settings."""
        own = self.subjects.surest - self.world.baseline
        beside = frozenset(other for run in own for other in self.world.counterparts(run))
        beside |= frozenset(other for run in own for other in neighbours(self.world, run))
        return Ties([*ties.all, Tie(beside, 0.5)], ties.missing) if beside else ties


def is_about(s: Sentence, i: int) -> bool:
    return bool({s.word(i - 1), s.word(i - 2)} & words.APPROXIMATE)


def is_mean(s: Sentence, i: int) -> bool:
    """Whether it is said to be the mean over some runs: ``mean eval/loss 2.363 over 3 runs``."""
    counted = s.word(i + 1) in {"over", "across"} and s.word(i + 3) in {"runs", "seeds", "repetitions", "replicates"}
    return counted and any(s.word(j) in {"mean", "average"} for j in range(max(0, i - 4), i))


def numeral_at(s: Sentence, i: int) -> Numeral:
    """The numeral, in the unit of its table column if it has none of its own."""
    numeral, unit = s.tokens[i].numeral, s.context.unit
    if numeral is None:
        raise TypeError(f"{s.tokens[i].text!r} is no numeral")
    if unit is None or numeral.unit is not None:
        return numeral
    return dataclasses.replace(numeral, readings=tuple(dataclasses.replace(r, unit=unit) for r in numeral.readings))

"""Judges every numeral.

For each quantity that the numeral fits, a cost says how far-fetched it is that the sentence means that one. The
cheapest decides: cheap enough, and the facts behind it are its evidence; else what made it dear is the finding.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit
from curator.verify.known.quantities import STATES
from curator.verify.reading.holders import by_id
from curator.verify.reading.mentions import is_share_of_expectation
from curator.verify.reading.roles import Role, is_difference
from curator.verify.reading.senses import amount_word, factor_sense, sense_at
from curator.verify.reading.ties import BELIEVABLE, SLACK, Tie, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.counts.bounded import bounds
from curator.verify.rules.directions import went
from curator.verify.rules.numbers.bounds import Bound
from curator.verify.rules.numbers.costs import Costs
from curator.verify.rules.numbers.factors import judge_factor
from curator.verify.rules.numbers.objections import Objections
from curator.verify.rules.numbers.ratios import judge_ratio
from curator.verify.rules.numbers.spreads import judge_spread
from curator.verify.rules.numbers.statement import Statement, is_about, numeral_at
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.numerals import widened
from curator.verify.text.units import FACTOR, PERCENT
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.numbers.costs import Meaning
    from curator.verify.rules.quoted import QuotedNumbers
    from curator.verify.text.numerals import Numeral

_NEAR = 0.25
"""How much dearer than the cheapest a meaning may be and still count as evidence."""
_BACK = 6
"""Tokens within which a bound stands behind its verb."""
_FEW = 12
"""Up to here a plan may count in words: "two more seeds" is no result."""
_ASPIRED = words.word_set(
    """
    threshold target goal tolerance expected bar hypothesis allowed required margin budget predicted prediction hoped
    asked promised criterion
    """
)
_ASKING = words.word_set("we we'd i i'd that had")
"""``more than the 0.03 we'd bet on``"""
_REQUIRING = forms("need require want") | words.word_set("has have must should to")
_THRESHOLD = _ASPIRED | {"least", "most", "limit"}
_COMPLEMENT = words.word_set(
    "never not unused unchanged remaining rest other wrong without incorrect misses missed lost idle"
)


def _is_required(s: Sentence, i: int) -> bool:
    """``if it has to fit in 10 GiB``, ``whether M64 reaches 97 %``: what somebody may ask for."""
    opened = next((j for j in range(i - 1, -1, -1) if s.word(j) in {"if", "whether", "unless", ","}), -1)
    near = {s.word(j) for j in range(opened, i)}
    return s.word(opened) == "whether" or (s.word(opened) in {"if", "unless"} and bool(near & _REQUIRING))


def _is_setting_moved(it: Statement) -> bool:
    """``when ef_search is doubled``, ``with both doubled``: what was done, and no result, if of no two runs."""
    s, i = it.s, it.i
    pronoun = s.word(i - 1) in {"both", "it", "each"} and s.word(i - 2) == "with"
    moved = it.reader.axis_at(i) is not None and len([m for m in it.reader.runs if by_id(s, m)]) != 2
    return it.numeral.word and s.word(i)[-2:] in {"ed", "ng"} and (pronoun or moved)


def _is_counted_by(it: Statement, found: Collector) -> bool:
    """``none of the seeds beats 2.31``: of how many it is so was judged already, and of no single run it is said."""
    judged = (j for j in range(max(0, it.i - _BACK), it.i) if it.s.tokens[j].start in found.judged)
    return any(bounds(it.s, j) == it.i for j in judged)


class Numbers:
    """The rule for numerals."""

    def __init__(self, world: World, quoted: QuotedNumbers) -> None:
        self._world, self._quoted = world, quoted
        self._fitting = lru_cache(maxsize=20_000)(self._find_fitting)

    def check(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        known = [q for j in s.of_kind(TokenKind.NUMBER) for q in found.meant.get(s.tokens[j].start, ())]
        states = [q for q in known if q.kind in STATES]
        told, names = frozenset(run for q in states for run in q.runs), frozenset(q.name for q in states)
        fits = tuple(self._fits(s, i))
        it = Statement(world=self._world, reader=reader, s=s, i=i, fits=fits, told=told, told_names=names)
        if s.context.hypothetical:
            self._judge_plan(it, found)
        elif s.word(i - 1) != "not" and not _is_setting_moved(it) and not self._judge_apart(it, found):
            self._judge(it, found)

    @staticmethod
    def _judge_apart(it: Statement, found: Collector) -> bool:
        """Whether the numeral is none of a single quantity, and has been judged."""
        return judge_spread(it, found) or judge_ratio(it, found) or judge_factor(it, found)

    # -- what it fits -----------------------------------------------------------------------------------------------

    def _fits(self, s: Sentence, i: int) -> Iterator[tuple[Quantity, Fit]]:
        numeral, about = numeral_at(s, i), is_about(s, i)
        if about and numeral.word:
            numeral = widened(numeral)
        yield from self._fitting(numeral, about)
        if numeral.unit is not None and numeral.unit.dimension == FACTOR:
            yield from self._turned(numeral, s, i, about=about)

    def _find_fitting(self, numeral: Numeral, about: bool) -> tuple[tuple[Quantity, Fit], ...]:
        fits = ((quantity, fit(numeral, quantity, about=about)) for quantity in self._world.quantities)
        return tuple((quantity, how) for quantity, how in fits if how)

    def _turned(self, numeral: Numeral, s: Sentence, i: int, *, about: bool) -> Iterator[tuple[Quantity, Fit]]:
        """``3x faster`` of a latency: the ratio turned over, of metrics that go down when things get that way."""
        sense = factor_sense(s, i) or (Sense.FASTER if not numeral.word and numeral.value > 1 else None)
        readings = tuple(
            dataclasses.replace(r, value=1 / r.value, quantum=r.quantum / r.value**2)
            for r in numeral.readings
            if r.value and r.unit is not None and r.unit.dimension == FACTOR
        )
        if sense is None or not readings:
            return
        for quantity, how in self._fitting(dataclasses.replace(numeral, readings=readings), about):
            if quantity.kind is FactKind.RATIO and self._world.upwards(sense, quantity.name) is False:
                yield quantity, how

    # -- the verdict ------------------------------------------------------------------------------------------------

    def _judge(self, it: Statement, found: Collector) -> None:
        costs, token = Costs(it), it.s.tokens[it.i]
        if _is_counted_by(it, found):
            return
        if it.side is not None:
            excused = it.s.hedged(it.i) or bool(it.s.words & _ASPIRED and self._quoted_ids(it, loose=True))
            if Bound(it, costs, it.side).judge(found, excused=excused):
                return
        meanings = sorted((costs.of(q) for q in it.matching), key=lambda m: m.cost)
        believed = [m.quantity for m in meanings if m.cost <= min(BELIEVABLE, meanings[0].cost + _NEAR)]
        believed = self._agreeing(it, meanings) or believed
        if believed:
            found.believe(token, believed)
        elif ids := self._quoted_ids(it, of=costs.holders if costs.is_told_setting else ()):
            found.support(token.start, token.end, ids)
        elif derived := self._per_thing(it, costs):
            found.believe(token, derived)
        elif not self._is_idle(it, costs):
            kind, why = Objections(it, costs).against(meanings[0] if meanings else None)
            found.object_to(kind, token, why)

    def _agreeing(self, it: Statement, meanings: Sequence[Meaning]) -> list[Quantity]:
        """``costs 13 %``, where it is 13 % up on one run and 13 % down on another: the change that the word tells."""
        at = amount_word(it.s, it.i)
        sense = sense_at(it.s, at) if at is not None else None
        if sense is None or not meanings or meanings[0].cost > BELIEVABLE or not meanings[0].quantity.is_change:
            return []
        alike = [m for m in meanings if m.quantity.runs == meanings[0].quantity.runs]
        near = [m.quantity for m in alike if m.cost <= min(BELIEVABLE, meanings[0].cost + SLACK)]
        return [q for q in near if q.is_change and went(self._world, q, sense)]

    def _quoted_ids(self, it: Statement, *, loose: bool = False, of: Sequence[frozenset[str]] = ()) -> tuple[str, ...]:
        """The texts of facts that state it.

        Args:
            it: the numeral.
            loose: it may be a threshold.
            of: the runs whose texts alone may bear it out, if the sentence says whose setting it is.
        """
        s, i = it.s, it.i
        asked = s.word(i - 1) == "the" and (s.word(i - 2) in {"than", "of"} or {s.word(i + 1), s.word(i + 2)} & _ASKING)
        denied = it.numeral.relative and s.negated(i)  # "did not bring another 10 %"
        said = bool(s.words & _THRESHOLD) and not self._is_said_twice(s, i)
        threshold = loose or bool(asked) or denied or said or s.hedged(i)
        if not threshold and it.role is Role.CHANGE:
            return ()
        measured = it.role is Role.VALUE and s.word(i - 1) == "of" and s.kind(i - 2) is TokenKind.METRIC
        if of:
            return self._quoted.match(it.s, it.i, Ties([Tie(runs) for runs in of]))
        runs = None if s.word(i - 1) in _ASPIRED else it.subjects  # "above the required 20 %", whoever asked for it
        return self._quoted.match(it.s, it.i, runs, loose=threshold, measured=measured)

    @staticmethod
    def _is_said_twice(s: Sentence, i: int) -> bool:
        """``a drop of 0.05 exceeds the 0.05 we asked for``: only one of them is the threshold."""
        own = numeral_at(s, i).readings
        return any(j != i and numeral_at(s, j).readings == own for j in s.of_kind(TokenKind.NUMBER))

    def _is_idle(self, it: Statement, costs: Costs) -> bool:
        """Whether it states nothing that a fact could bear out: a share's complement, a small word in a plan."""
        s, i, numeral = it.s, it.i, it.numeral
        if numeral.unit is not None and numeral.unit.dimension == PERCENT and s.words & _COMPLEMENT:
            return self._is_complement(it, costs)
        if _is_required(s, i):
            return True
        if s.word(i) == "twice" and s.word(i + 1) not in {"as", "the", "that", "its", "their"}:
            return True  # "restarted twice"
        if numeral.relative and (s.word(i + 1), s.word(i + 2), s.word(i + 3)) == ("as", "much", "."):
            return True  # "by three times as much": of what, the sentence leaves open
        factor = numeral.unit is not None and numeral.unit.dimension == FACTOR
        multiplied = s.skip(i + 1, words.ARTICLES | {"of", "as", "large", "big"})
        if factor and multiplied > i + 1 and is_difference(s, multiplied):
            return True  # "twice the difference between the seeds"
        if numeral.relative and is_share_of_expectation(s, i):
            return True
        if numeral.whole and numeral.value in self._world.named_numbers:
            return True  # a part of a metric's name: "at 1024 tokens"
        if numeral.whole and i == 0 and s.word(1) == "." and len(s.tokens) == 2:
            return True  # "1. Results"
        if numeral.whole and s.word(i - 1) == "/" and s.kind(i - 2) is TokenKind.RUN:
            return True  # another name: "seed 0 / 1"
        if numeral.whole and numeral.word and s.word(i - 1) == "the" and not s.is_word(i + 1):
            return True  # "the best of the three (LR-002)"
        small = numeral.word and (numeral.whole or numeral.relative) and numeral.value <= _FEW
        return small and s.hedged(i)

    def _per_thing(self, it: Statement, costs: Costs) -> list[Quantity]:
        """``326 docs/s per worker``: a value divided by a setting of the same run."""
        s = it.s
        keys = {key for j in range(len(s.tokens)) if s.word(j - 1) in {"per", "each"} for key in s.keys(j)}
        shared = [q for q in self._world.quantities if q.kind is FactKind.CONFIG and q.name in keys and q.value]
        return [
            q
            for q in self._world.quantities
            for setting in shared
            if q.kind is FactKind.METRIC and q.runs <= setting.runs and costs.of(q).cost <= BELIEVABLE
            if fit(it.numeral, dataclasses.replace(q, value=q.value / setting.value)) is Fit.MATCH
        ]

    def _is_complement(self, it: Statement, costs: Costs) -> bool:
        """``the other 29 %`` where 71 % is known."""
        own = [r for r in it.numeral.readings if r.unit == it.numeral.unit]
        rest = dataclasses.replace(it.numeral, readings=tuple(dataclasses.replace(r, value=100 - r.value) for r in own))
        states = [q for q in self._world.quantities if q.kind in STATES]
        return any(fit(rest, q) is Fit.MATCH and costs.of(q).cost <= BELIEVABLE for q in states)

    def _judge_plan(self, it: Statement, found: Collector) -> None:
        """A plan or a hypothesis claims nothing, but its numerals still come from somewhere."""
        token, numeral = it.s.tokens[it.i], it.numeral
        quoted = self._quoted.match(it.s, it.i, None, loose=True)
        if it.matching or quoted:
            found.support(token.start, token.end, [*(x for q in it.matching[:8] for x in q.ids), *quoted])
        elif not (numeral.word and (numeral.whole or numeral.relative) and numeral.value <= _FEW):
            why = "no fact has this value; a plan or hypothesis may only repeat recorded values"
            found.object_to(FindingKind.NUMBER, token, why)

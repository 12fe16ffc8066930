"""Judges each numeral: is it a fact, of the run and metric the sentence names, in that role and direction?"""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactError, FactKind, delta, percent, ratio, render
from curator.verify import lexicon
from curator.verify.binding import Binder
from curator.verify.lexicon import Sense
from curator.verify.lists import from_of
from curator.verify.matching import Fit, bounds, fact_unit, fit, numeric_value, plausible
from curator.verify.naming import names_of
from curator.verify.nouns import config_of, config_runs, noun_after, noun_before
from curator.verify.report import FindingKind
from curator.verify.roles import Role, role_of
from curator.verify.subjects import reference
from curator.verify.tokens import TokenKind
from curator.verify.units import FACTOR, PERCENT, POINTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.index import FactIndex
    from curator.verify.numerals import Numeral
    from curator.verify.quoted import QuotedNumbers
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence
    from curator.verify.tokens import Token
    from curator.verify.units import Unit

_AT_CONFIG = frozenset({"at", "with", "for", "using", "under", "="})
_THRESHOLD = frozenset(
    {
        "within",
        "least",
        "most",
        "threshold",
        "target",
        "goal",
        "tolerance",
        "limit",
        "expected",
        "bar",
        "hypothesis",
        "outside",
        "inside",
        "allowed",
        "required",
        "margin",
        "budget",
    }
)
_MOST_PAIRED = 4
_FEW = 12
"""Up to here a plan may count in words: "two more seeds" is no result."""


class Values:
    """The rule for numerals that are no counts."""

    def __init__(self, index: FactIndex, quoted: QuotedNumbers) -> None:
        self._index = index
        self._quoted = quoted

    def check(self, sentence: Sentence, i: int, found: Collector) -> None:
        token = sentence.tokens[i]
        numeral = _in_column_unit(sentence, token)
        judge = _Judge(self._index, self._quoted, sentence, i, numeral, found)
        judge.decide()


class _Judge:
    """One numeral before the facts."""

    def __init__(  # noqa: PLR0917 - one private caller, in this order
        self, index: FactIndex, quoted: QuotedNumbers, sentence: Sentence, i: int, numeral: Numeral, found: Collector
    ) -> None:
        self._index, self._quoted, self._s, self._i, self._numeral, self._found = (
            index,
            quoted,
            sentence,
            i,
            numeral,
            found,
        )
        self._token = sentence.tokens[i]
        self._binder = Binder(sentence, index)
        self._role = role_of(sentence, i)
        self._runs = self._binder.runs_of(i)
        self._names = names_of(sentence, i)
        self._fits = self._all_fits()

    def _all_fits(self) -> list[tuple[Fact, Fit]]:
        before = {self._s.word(self._i - 1), self._s.word(self._i - 2)}
        about = bool(before & lexicon.APPROXIMATE)
        facts = [*self._index.facts, *self._implied()]
        numeral = _widened(self._numeral) if about and self._numeral.word else self._numeral
        fits = [(fact, fit(numeral, fact, about=about)) for fact in facts]
        return [(fact, quality) for fact, quality in fits if quality]

    def _implied(self) -> Iterator[Fact]:
        """Changes between runs the sentence names, where nobody stated them as facts."""
        named = self._s.runs
        runs = sorted(
            named
            | (self._index.baseline if len(named) == 1 else frozenset())
            | (self._s.context.topics if named else frozenset())
        )
        unit = self._numeral.unit
        relative = (unit is not None and unit.dimension in {PERCENT, POINTS, FACTOR}) or bool(self._numeral.sign)
        change = self._role is Role.CHANGE or (
            self._role is Role.ANY and (relative or bool(self._s.words & lexicon.DIFFERENCE_NOUNS))
        )
        if len(runs) not in range(2, _MOST_PAIRED + 1) or not change:
            return
        known = {
            (fact.kind, fact.subject, self._index.reference(fact), fact.name)
            for fact in self._index.facts
            if fact.kind in CHANGES
        }
        for a, b in itertools.permutations(runs, 2):
            if (self._runs is not None and a not in self._runs) or (
                a in self._index.baseline and self._runs != frozenset({a})
            ):
                continue
            for (run, name), fact in self._index.values.items():
                other = self._index.values.get((b, name))
                if run == a and other and numeric_value(fact) is not None and numeric_value(other) is not None:
                    yield from _changes(fact, other, known)

    @property
    def _matches(self) -> list[Fact]:
        return [fact for fact, quality in self._fits if quality is Fit.MATCH]

    def decide(self) -> None:
        if self._s.context.hypothetical:
            self._decide_hypothetical()
        elif not (self._decide_step() or self._decide_config() or self._decide_bound()):
            self._decide_value()

    def _support(self, facts: Sequence[Fact]) -> None:
        ids = [x for fact in facts for x in (fact.inputs if fact.source == _IMPLIED else (fact.id,))]
        self._found.support(self._token.start, self._token.end, ids)

    def _object(self, kind: FindingKind, why: str) -> None:
        self._found.object(kind, self._token.start, self._token.end, why)

    def _decide_hypothetical(self) -> None:
        quoted = self._quoted.match(self._s, self._i, loose=True)
        if self._matches or quoted:
            self._found.support(self._token.start, self._token.end, [*(fact.id for fact in self._matches), *quoted])
        elif not (self._numeral.word and self._numeral.whole and self._numeral.value <= _FEW):
            self._object(
                FindingKind.NUMBER, "no fact has this value; a plan or hypothesis may only repeat recorded values"
            )

    # -- values of the config -------------------------------------------------------------------------------------------

    def _decide_config(self) -> bool:
        """Whether the numeral is the value of a config key, which then settles it."""
        bound = config_of(self._s, self._i)
        if self._token.runs and not bound:
            bound = frozenset(self._index.configs), True
        if self._s.context.cell and not bound and self._s.context.metrics & set(self._index.configs):
            bound = self._s.context.metrics, True
        if not bound:
            return False
        names, direct = bound
        values = [fact for fact in self._matches if fact.kind is FactKind.CONFIG and fact.name in names]
        runs = config_runs(self._s, self._i)
        mine = [fact for fact in values if runs is None or fact.subject in runs or not fact.subject]
        if mine:
            self._support(mine)
        elif not direct or self._is_distinct_count(names):
            return bool(mine) or (direct and not values)
        elif values:
            key = "/".join(sorted(names))
            self._object(
                FindingKind.ATTRIBUTION, f"{key} has this value in {_subjects(values)}, not in {_listed(runs or ())}"
            )
        elif self._other_support():
            return True
        else:
            wrong = [fact for fact, quality in self._fits if quality is Fit.WRONG_UNIT and fact.name in names]
            kind = FindingKind.UNIT if wrong else FindingKind.NUMBER
            self._object(kind, f"{'/'.join(sorted(names))} is {self._known(names, runs)}")
        return True

    def _is_distinct_count(self, names: frozenset[str]) -> bool:
        """``three learning rates`` counts the values of a key."""
        if not self._numeral.whole:
            return False
        after = self._i + 2 if self._s.word(self._i + 1) == "-" else self._i + 1
        for name in names if self._s.kind(after) is TokenKind.CONFIG else ():
            facts = [fact for run, fact in self._index.configs.get(name, {}).items() if run]
            if len({repr(fact.value) for fact in facts}) == self._numeral.value:
                self._support(facts)
                return True
        return False

    def _other_support(self) -> bool:
        """A count or a metric of the same words, or a log line that says so."""
        noun = self._s.word(self._i + 1)
        named = [
            f
            for f in self._matches
            if f.kind in {FactKind.COUNT, FactKind.METRIC} and noun and noun.rstrip("s") in f.name.lower()
        ]
        quoted = self._quoted.match(self._s, self._i)
        if named or quoted:
            self._found.support(self._token.start, self._token.end, [*(fact.id for fact in named), *quoted])
        return bool(named or quoted)

    def _decide_step(self) -> bool:
        """Whether two numerals say what a factor in words says: ``doubled from 8 to 16``."""
        if self._numeral.unit is None or self._numeral.unit.dimension != FACTOR:
            return False
        if self._is_config_factor():
            return True
        for j in self._s.of_kind(TokenKind.NUMBER, (self._i + 1, self._s.clause(self._i)[1])):
            start = from_of(self._s, j)
            first, second = (self._s.tokens[start].numeral if start is not None else None), self._s.tokens[j].numeral
            if first and second and first.value:
                reading = self._numeral.readings[0]
                return abs(second.value / first.value - reading.value) <= reading.quantum / 2
        return False

    def _is_config_factor(self) -> bool:
        """``a tenth of the learning rate``: two values of the key stand in this ratio."""
        j = self._i + 1
        while self._s.word(j) in lexicon.ARTICLES | {"of"}:
            j += 1
        reading = self._numeral.readings[0]
        for name in self._s.tokens[j].names if self._s.kind(j) is TokenKind.CONFIG else ():
            values = [(f, numeric_value(f)) for f in self._index.configs[name].values()]
            for (a, x), (b, y) in itertools.permutations(values, 2):
                if x and y and abs(x / y - reading.value) <= reading.quantum / 2:
                    self._support([a, b])
                    return True
        return False

    # -- bounds ---------------------------------------------------------------------------------------------------------

    def _decide_bound(self) -> bool:
        """Whether the numeral bounds a value from one side, ``below 2.4``, which then settles it."""
        side = self._bound_side()
        if not side or self._role is Role.CHANGE:
            return False
        runs = self._binder.runs_of(self._i, bound=True)
        mine = [
            f for f in self._index.facts if f.kind not in CHANGES and self._is_named(f, units=True) and _is_of(f, runs)
        ]
        if self._names is None and self._numeral.unit is not None:
            mine = [
                fact for fact in mine if (unit := fact_unit(fact)) and unit.dimension == self._numeral.unit.dimension
            ]
        upwards = (side is Sense.UP) != self._s.negated(self._i)
        cut = [fact for fact in mine if bounds(self._numeral, fact) == (-1 if upwards else 1)]
        quoted = self._quoted.match(self._s, self._i, loose=True)
        if not (cut or quoted or self._matches):
            return False
        judged = [fact for fact in mine if fact.kind in {FactKind.METRIC, FactKind.DURATION}]
        everyone = runs is None and bool(self._s.words & {"all", "every", "each", "no", "never", "always"})
        single = len({fact.name for fact in judged}) == 1 and (everyone or (runs is not None and len(judged) == 1))
        if single and not self._s.hedged(self._i) and any(self._breaks(side, fact) for fact in judged):
            self._object(FindingKind.COMPARATIVE, f"{judged[0].id} is {render(judged[0])}")
        else:
            self._found.support(self._token.start, self._token.end, [*(f.id for f in cut or self._matches), *quoted])
        return True

    def _bound_side(self) -> Sense | None:
        j = self._i - 1
        while self._s.word(j) in lexicon.ARTICLES:
            j -= 1
        word, pair = self._s.word(j), (self._s.word(j - 1), self._s.word(j))
        if pair in {
            ("more", "than"),
            ("at", "least"),
            ("greater", "than"),
            ("higher", "than"),
            ("larger", "than"),
            ("longer", "than"),
        }:
            return Sense.UP
        if pair in {
            ("less", "than"),
            ("fewer", "than"),
            ("at", "most"),
            ("up", "to"),
            ("lower", "than"),
            ("smaller", "than"),
            ("shorter", "than"),
        }:
            return Sense.DOWN
        if word in lexicon.OVER:
            return Sense.UP
        return Sense.DOWN if word in lexicon.UNDER else None

    def _breaks(self, side: Sense, fact: Fact) -> bool:
        value = numeric_value(fact)
        own, written = fact_unit(fact), self._numeral.readings[0]
        if value is None:
            return False
        scale = written.unit.scale if written.unit else None
        stated = value * own.scale if own and scale else value
        bound = written.value * scale if scale and own else written.value
        holds = stated >= bound if side is Sense.UP else stated <= bound
        return holds == self._s.negated(self._i)

    # -- everything else ------------------------------------------------------------------------------------------------

    def _decide_value(self) -> None:
        matches = self._matches
        mine = [fact for fact in matches if self._is_mine(fact) and self._has_role(fact)]
        against = [fact for fact in mine if self._is_against_named(fact)]
        if mine and not against:
            self._object(FindingKind.ATTRIBUTION, f"{mine[0].id} is relative to {self._index.reference(mine[0])}")
            return
        if mine:
            self._check_direction(against)
            return
        quoted = self._quoted.match(self._s, self._i, loose=bool(self._s.words & _THRESHOLD) or self._s.hedged(self._i))
        if quoted:
            self._found.support(self._token.start, self._token.end, quoted)
            return
        self._object(*self._why_not(matches))

    def _is_against_named(self, fact: Fact) -> bool:
        """Whether a change is relative to the run that the sentence names for it, if it names one."""
        pair = {fact.subject, self._index.reference(fact)}
        if fact.kind not in CHANGES or "" in pair:
            return True
        named = reference(self._s, self._i) if self._role is Role.CHANGE or fact.kind is not FactKind.RATIO else ""
        between = [
            j
            for j in self._s.of_kind(TokenKind.RUN)
            if self._s.word(j - 1) == "between" and self._s.word(j + 1) == "and"
        ]
        if between and between[0] < self._i and self._s.kind(between[0] + 2) is TokenKind.RUN:
            return bool(pair & self._s.tokens[between[0]].runs) and bool(pair & self._s.tokens[between[0] + 2].runs)
        return not named or named in pair

    def _why_not(self, matches: Sequence[Fact]) -> tuple[FindingKind, str]:
        of_role = [fact for fact in matches if self._has_role(fact)]
        of_mine = [fact for fact in matches if self._is_mine(fact)]
        if of_mine and not of_role:
            what = "a value, not a difference" if self._role is Role.CHANGE else "a difference, not a value"
            return FindingKind.ROLE, f"{of_mine[0].id} has this value, and it is {what}"
        if matches:
            return FindingKind.ATTRIBUTION, f"this is {_ids(matches)}, not {self._meant()}"
        for quality, kind in ((Fit.TOO_COARSE, FindingKind.ROUNDING), (Fit.WRONG_UNIT, FindingKind.UNIT)):
            near = [fact for fact, q in self._fits if q is quality and self._is_mine(fact, units=False)]
            if near and (quality is Fit.TOO_COARSE or _is_measured(near[0])):
                return kind, f"{near[0].id} is {render(near[0])}"
        known = self._known(self._names or frozenset(), self._runs)
        return (
            FindingKind.NUMBER,
            f"no fact has this value; {self._meant()} is {known}" if known else "no fact has this value",
        )

    def _meant(self) -> str:
        names = "/".join(sorted(self._names)) if self._names else "what the sentence says"
        return f"{names} of {_listed(self._runs)}" if self._runs else names

    def _known(self, names: frozenset[str], runs: frozenset[str] | None) -> str:
        """What the facts say instead."""
        kinds = CHANGES if self._role is Role.CHANGE else {FactKind.METRIC, FactKind.DURATION, FactKind.CONFIG}
        facts = [
            f for f in self._index.facts if f.name in names and f.kind in kinds and (not runs or f.subject in runs)
        ]
        return ", ".join(dict.fromkeys(render(fact) for fact in facts[:4]))

    def _is_mine(self, fact: Fact, *, units: bool = True) -> bool:
        return self._is_about(fact) and self._is_named(fact, units=units)

    def _is_about(self, fact: Fact) -> bool:
        if self._runs is None or _is_of(fact, self._runs):
            return True
        turned = fact.kind in CHANGES and self._index.reference(fact) in self._runs
        return turned and fact.subject in self._s.runs | self._s.context.topics

    def _is_named(self, fact: Fact, *, units: bool) -> bool:
        if self._names is None or fact.name in self._names:
            return True
        if fact.kind is FactKind.CONFIG and not (self._s.context.cell and self._s.context.metrics):
            alone = self._s.word(self._i - 1) == "(" and self._s.word(self._i + 1) == ")"
            noted = alone and self._s.kind(self._i - 2) is not TokenKind.METRIC
            return (
                bool(self._token.runs)
                or self._s.context.header
                or (self._role is Role.ANY and (noted or self._s.word(self._i - 1) in _AT_CONFIG))
            )
        if fact.kind in {FactKind.COUNT, FactKind.NAME}:
            return bool(noun_after(self._s, self._i) or noun_before(self._s, self._i))
        return units and not self._s.context.cell and self._unit_excludes_names()

    def _unit_excludes_names(self) -> bool:
        """Whether the numeral's unit cannot be that of the metric before it: ``took 43 s`` after the loss."""
        unit = self._numeral.unit
        if unit is None or unit.dimension in {PERCENT, POINTS, FACTOR}:
            return False
        facts = [f for f in self._index.facts if f.name in (self._names or ()) and f.kind is FactKind.METRIC]
        return bool(facts) and not any(_may_have(fact, unit) for fact in facts)

    def _has_role(self, fact: Fact) -> bool:
        if self._role is Role.CHANGE:
            return fact.kind in CHANGES or fact.kind is FactKind.DEVIATION
        if self._role is Role.VALUE and self._names:
            return fact.kind not in {FactKind.DELTA, FactKind.PERCENT, FactKind.DEVIATION}
        return True

    # -- which way ------------------------------------------------------------------------------------------------------

    def _check_direction(self, mine: Sequence[Fact]) -> None:
        at = self._direction_word() if self._role is Role.CHANGE else None
        if at is None or self._s.context.change:
            self._support(mine)
            return
        sense = sense_at(self._s, at)
        self._found.judged.add(self._s.tokens[at].start)
        strict = sense in {Sense.FASTER, Sense.SLOWER}
        results = [(fact, sense is None or agrees(self._turned(fact), sense, self._index)) for fact in mine]
        agreeing = [fact for fact, result in results if result or (result is None and not strict)]
        if agreeing or self._s.negated(at):
            self._support(agreeing or mine)
        else:
            word = self._s.tokens[at]
            self._found.object(FindingKind.DIRECTION, word.start, word.end, f"{mine[0].id} is {render(mine[0])}")

    def _turned(self, fact: Fact) -> Fact:
        """The change seen from its reference when that is what the sentence is about."""
        if self._runs is None or fact.subject in self._runs or self._index.reference(fact) not in self._runs:
            return fact
        value = numeric_value(fact)
        if value is None or not value:
            return fact
        return dataclasses.replace(fact, value=float(1 / value if fact.kind is FactKind.RATIO else -value))

    def _direction_word(self) -> int | None:
        s, i = self._s, self._i
        for j in range(i + 1, min(i + 4, len(s.tokens))):
            passing = (
                s.word(j) in {"relative", "percentage"} | lexicon.ARTICLES
                or s.kind(j) is TokenKind.METRIC
                or s.word(j) in lexicon.SENSES
            )
            if not passing and s.word(j) not in {"above", "below", "ahead", "behind"}:
                break
            if sense_at(s, j) or s.word(j) in {"above", "below", "ahead", "behind"}:
                return j
        low, _ = s.clause(i)
        return next((j for j in range(i - 1, low - 1, -1) if sense_at(s, j)), None)


def _may_have(fact: Fact, unit: Unit) -> bool:
    own = fact_unit(fact)
    return plausible(unit, fact) if own is None else own.dimension == unit.dimension


def _is_of(fact: Fact, runs: frozenset[str] | None) -> bool:
    return runs is None or not fact.subject or fact.subject in runs


_IMPLIED = "implied"


def _changes(a: Fact, b: Fact, known: set[tuple[FactKind, str, str, str]]) -> Iterator[Fact]:
    for make, kind in ((delta, FactKind.DELTA), (percent, FactKind.PERCENT), (ratio, FactKind.RATIO)):
        if (kind, a.subject, b.subject, a.name) not in known:
            try:
                yield dataclasses.replace(make(a, b), source=_IMPLIED)
            except FactError:  # a reference of zero has no relative change
                continue


def names_of_numbers(s: Sentence, within: tuple[int, int], found: Collector, index: FactIndex) -> frozenset[str]:
    """The metrics that the numerals between two positions are values of."""
    starts = {s.tokens[j].start for j in s.of_kind(TokenKind.NUMBER, within)}
    facts = [index.by_id.get(fact_id) for start, _, ids in found.evidence if start in starts for fact_id in ids]
    return frozenset(fact.name for fact in facts if fact and fact.kind is FactKind.METRIC)


def recent_names(s: Sentence) -> frozenset[str]:
    """The metrics that the nearest sentence before this one in its block speaks of."""
    while s.previous:
        s = s.previous
        named = s.of_kind(TokenKind.METRIC)
        if named:
            return s.tokens[named[-1]].names
    return frozenset()


def sense_at(sentence: Sentence, j: int) -> Sense | None:
    """The direction that the word at ``j`` states, if it states one."""
    token = sentence.tokens[j]
    if token.kind is TokenKind.NUMBER and token.lower in {"doubled", "doubles", "tripled"}:
        return Sense.UP
    if token.kind is not TokenKind.WORD:
        return None
    if token.lower in {"up", "down"} and sentence.kind(j + 1) is TokenKind.NUMBER:
        return lexicon.PLACES[token.lower]
    if token.lower in {"above", "below", "ahead", "behind"} and sentence.kind(j - 1) is TokenKind.NUMBER:
        return lexicon.PLACES[token.lower]
    return lexicon.SENSES.get(token.lower)


def agrees(fact: Fact, sense: Sense, index: FactIndex) -> bool | None:
    """Whether a change went the way a word says; None when the facts do not decide it."""
    value = numeric_value(fact)
    if value is None:
        return None
    moved = value - 1 if fact.kind is FactKind.RATIO else value
    return moves(math.copysign(1, moved) if moved else 0, sense, fact.name, index)


def moves(sign: float, sense: Sense, name: str, index: FactIndex) -> bool | None:
    """Whether a change of this sign in a metric is what a word says; None when nobody said which way is better.

    Args:
        sign: of the change; 0 for none.
        sense: what the word says.
        name: of the metric.
        index: tells which way the metric is better, and whether it is a speed.
    """
    if sense is Sense.SAME:
        return sign == 0
    if sense in {Sense.UP, Sense.DOWN}:
        return sign > 0 if sense is Sense.UP else sign < 0
    if sense in {Sense.FASTER, Sense.SLOWER}:
        speed = index.speed(name)
        if speed is None:
            return None
        faster = sign > 0 if speed is Sense.UP else sign < 0
        return bool(sign) and faster == (sense is Sense.FASTER)
    better = index.better(name)
    if better is None:
        return None
    improved = sign > 0 if better.value == "higher" else sign < 0
    return bool(sign) and improved == (sense is Sense.BETTER)


def _in_column_unit(sentence: Sentence, token: Token) -> Numeral:
    numeral = token.numeral
    if numeral is None:
        raise TypeError(f"{token.text!r} is no numeral")
    unit = sentence.context.unit
    if unit is None or numeral.unit is not None:
        return numeral
    return dataclasses.replace(numeral, readings=tuple(dataclasses.replace(r, unit=unit) for r in numeral.readings))


def _widened(numeral: Numeral) -> Numeral:
    """``about half`` reaches twice as far as ``half``."""
    return dataclasses.replace(
        numeral, readings=tuple(dataclasses.replace(r, quantum=2 * r.quantum) for r in numeral.readings)
    )


def _is_measured(fact: Fact) -> bool:
    return fact.kind in {FactKind.METRIC, FactKind.DURATION, FactKind.DEVIATION, *CHANGES} or bool(fact.unit)


def _ids(facts: Sequence[Fact]) -> str:
    return " or ".join(fact.id for fact in facts[:3])


def _subjects(facts: Sequence[Fact]) -> str:
    return _listed(fact.subject for fact in facts)


def _listed(runs: object) -> str:
    return ", ".join(sorted(set(runs))) if runs else "this run"  # type: ignore[call-overload]

"""Judges numerals that bound a value from one side: ``below 2.4``, ``more than 9,000``, ``did not exceed 16 GiB``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind, render
from curator.verify import lexicon
from curator.verify.implied import changes_between
from curator.verify.lexicon import Sense
from curator.verify.matching import bounds, fact_unit, is_multiple, is_within, numeric_value
from curator.verify.report import FindingKind
from curator.verify.roles import Role
from curator.verify.statement import Statement, is_of
from curator.verify.subjects import reference
from curator.verify.units import PERCENT

if TYPE_CHECKING:
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_EVERYONE = frozenset({"all", "every", "each", "no", "never", "always"})
_OVER_PAIRS = {("at", "least"), *((word, "than") for word in ("more", "greater", "higher", "larger", "longer"))}
_UNDER_PAIRS = {
    ("at", "most"),
    ("up", "to"),
    *((word, "than") for word in ("less", "fewer", "lower", "smaller", "shorter")),
}


def judge_bound(st: Statement, found: Collector) -> bool:
    """Judge the numeral if it bounds a value; whether that settled it.

    A bound may be a fact's value, a threshold that a fact's text states, or the bounded value cut to two digits.
    """
    if _is_within(st.s, st.i):
        return _judge_within(st, found)
    side = _side(st.s, st.i)
    if side is Sense.UP and st.numeral.word and st.role is not Role.CHANGE:
        return _judge_multiple(st, found)
    if side is None or st.role is Role.CHANGE or st.numeral.word:
        return False
    runs = st.binder.runs_of(st.i, bound=True)
    bounded = [f for f in _bounded(st) if is_of(f, runs)]
    upwards = (side is Sense.UP) != st.s.negated(st.i)
    cut = [fact for fact in bounded if bounds(st.numeral, fact) == (-1 if upwards else 1)]
    quoted = st.quoted.match(st.s, st.i, loose=True)
    if not (cut or quoted or st.matches):
        return False
    if st.names is None and len({fact.name for fact in cut or st.matches if fact.kind is FactKind.METRIC}) == 1:
        name = next(fact.name for fact in cut or st.matches if fact.kind is FactKind.METRIC)
        bounded = [fact for fact in bounded if fact.name == name]
    known = st.names is not None or st.numeral.unit is not None or len({fact.name for fact in bounded}) == 1
    judged = [fact for fact in bounded if known and fact.kind in {FactKind.METRIC, FactKind.DURATION, FactKind.PERCENT}]
    everyone = runs is None and bool(st.s.words & _EVERYONE)
    clear = len({fact.name for fact in judged}) == 1 and (everyone or (runs is not None and len(judged) == 1))
    broken = [fact for fact in judged if _breaks(st, side, fact)] if clear and not st.s.hedged(st.i) else []
    if broken:
        st.object(found, FindingKind.COMPARATIVE, f"{broken[0].id} is {render(broken[0])}")
    else:
        st.support(found, cut or st.matches, quoted)
    return True


def _judge_multiple(st: Statement, found: Collector) -> bool:
    """``more than doubled``."""
    kinds = {FactKind.RATIO, FactKind.PERCENT}
    factors = [fact for fact in st.index.numeric if fact.kind in kinds and st.is_mine(fact)]
    more = [fact for fact in factors if is_multiple(st.numeral, fact)]
    st.support(found, more)
    return bool(more)


def _is_within(s: Sentence, i: int) -> bool:
    j = i - 1
    while s.word(j) in lexicon.ARTICLES | lexicon.APPROXIMATE:
        j -= 1
    return s.word(j) == "within"


def _judge_within(st: Statement, found: Collector) -> bool:
    """``keeps accuracy within 0.5 points of the baseline``: the change must be no larger, whoever stated the margin."""
    runs = (st.runs or frozenset()) - st.index.baseline or frozenset(st.index.runs) - st.index.baseline
    against = reference(st.s, st.i) or next(iter(sorted(st.index.baseline)), "")
    other = bool(st.s.runs - runs - {against}) or (
        not reference(st.s, st.i) and bool(st.s.runs - runs - st.index.baseline)
    )
    if len(runs) != 1 or not st.names or other or st.s.hedged(st.i):
        return False
    run = next(iter(runs))
    pairs = [(st.index.values.get((run, name)), st.index.values.get((against, name))) for name in st.names]
    changes = [change for a, b in pairs if a and b for change in changes_between(a, b)]
    kinds = {FactKind.DELTA, FactKind.PERCENT}
    margins = [(f, holds) for f in changes if f.kind in kinds and (holds := is_within(st.numeral, f)) is not None]
    if not margins:
        return False
    if all(holds for _, holds in margins) == st.s.negated(st.i):
        st.object(found, FindingKind.COMPARATIVE, f"{margins[0][0].id} is {render(margins[0][0])}")
    else:
        found.support(st.token.start, st.token.end, [x for fact, _ in margins for x in fact.inputs])
    return True


def _bounded(st: Statement) -> list[Fact]:
    """The facts that the sentence may bound: those of the metric it names, or else those in the numeral's unit."""
    unit = st.numeral.unit
    if unit is not None and unit.dimension == PERCENT:
        relative = [f for f in st.index.numeric if f.kind is FactKind.PERCENT and st.is_named(f)]
        shares = [f for f in st.index.numeric if f.kind is FactKind.METRIC and st.is_named(f) and fact_unit(f) == unit]
        return shares or relative
    facts = [fact for fact in st.index.numeric if fact.kind not in CHANGES and st.is_named(fact)]
    if st.names is not None or unit is None:
        return facts
    return [fact for fact in facts if (own := fact_unit(fact)) and own.dimension == unit.dimension]


def _side(s: Sentence, i: int) -> Sense | None:
    """From which side: UP for a value that lies above the numeral."""
    j = i - 1
    while s.word(j) in lexicon.ARTICLES:
        j -= 1
    pair = s.word(j - 1), s.word(j)
    if pair in _OVER_PAIRS or (s.word(j) in lexicon.OVER and pair not in _UNDER_PAIRS):
        return Sense.UP
    return Sense.DOWN if pair in _UNDER_PAIRS or s.word(j) in lexicon.UNDER else None


def _breaks(st: Statement, side: Sense, fact: Fact) -> bool:
    value, own, written = numeric_value(fact), fact_unit(fact), st.numeral.readings[0]
    if value is None:
        return False
    value = abs(value) if fact.kind is FactKind.PERCENT else value
    same = written.unit is not None and own is not None
    stated = value * own.scale if own and same else value
    bound = written.value * written.unit.scale if written.unit and same else written.value
    holds = stated >= bound if side is Sense.UP else stated <= bound
    return holds == st.s.negated(st.i)

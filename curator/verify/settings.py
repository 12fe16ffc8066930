"""Judges numerals that are values of the config: ``lr=0.01``, ``three learning rates``, ``doubled from 8 to 16``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify import lexicon
from curator.verify.lists import from_of
from curator.verify.matching import Fit, numeric_value
from curator.verify.nouns import config_of, config_runs
from curator.verify.report import FindingKind
from curator.verify.statement import Statement, listed
from curator.verify.tokens import TokenKind
from curator.verify.units import FACTOR

if TYPE_CHECKING:
    from curator.verify.report import Collector


def judge_setting(st: Statement, found: Collector) -> bool:
    """Judge the numeral if it is a value of the config; whether that settled it."""
    names, direct = _keys(st)
    if not names:
        return False
    values = [fact for fact in st.matches if fact.kind is FactKind.CONFIG and fact.name in names]
    runs = config_runs(st.s, st.i)
    mine = [fact for fact in values if runs is None or fact.subject in runs or not fact.subject]
    if mine:
        st.support(found, mine)
        return True
    if not direct:
        return False
    if _is_distinct_count(st, names, found) or (not values and _other_support(st, found)):
        return True
    key = "/".join(sorted(names))
    if values:
        subjects = listed(fact.subject for fact in values)
        st.object(found, FindingKind.ATTRIBUTION, f"{key} has this value in {subjects}, not in {listed(runs)}")
    else:
        wrong = any(quality is Fit.WRONG_UNIT and fact.name in names for fact, quality in st.fits)
        st.object(found, FindingKind.UNIT if wrong else FindingKind.NUMBER, f"{key} is {st.known(names, runs)}")
    return True


def _keys(st: Statement) -> tuple[frozenset[str], bool]:
    """The config keys that the numeral is a value of, and whether the sentence leaves no other choice."""
    bound = config_of(st.s, st.i)
    if bound:
        return bound
    if st.token.runs:
        return frozenset(st.index.configs), True
    if st.s.context.cell:
        return st.s.context.metrics & frozenset(st.index.configs), True
    return frozenset(), False


def _is_distinct_count(st: Statement, names: frozenset[str], found: Collector) -> bool:
    """``three learning rates`` counts the values of a key."""
    after = st.i + 2 if st.s.word(st.i + 1) == "-" else st.i + 1
    if not st.numeral.whole or st.s.kind(after) is not TokenKind.CONFIG:
        return False
    for name in names:
        facts = [fact for run, fact in st.index.configs.get(name, {}).items() if run]
        distinct = len({repr(fact.value) for fact in facts})
        some = st.s.word(st.i - 1) not in {"all", "the", "these"} and st.s.word(after).endswith("s")
        if distinct == st.numeral.value or (some and 1 < st.numeral.value < distinct):
            st.support(found, facts)
            return True
    return False


def _other_support(st: Statement, found: Collector) -> bool:
    """A count or a metric of the same words, or a log line that says so."""
    noun = st.s.word(st.i + 1).rstrip("s")
    kinds = {FactKind.COUNT, FactKind.METRIC}
    named = [fact for fact in st.matches if fact.kind in kinds and noun and noun in fact.name.lower()]
    quoted = st.quoted.match(st.s, st.i)
    st.support(found, named, quoted)
    return bool(named or quoted)


def judge_factor(st: Statement, found: Collector) -> bool:
    """Judge a factor that two numerals or two settings bear out: ``doubled from 8 to 16``, ``a tenth of the lr``."""
    if st.numeral.unit is None or st.numeral.unit.dimension != FACTOR:
        return False
    reading = st.numeral.readings[0]
    j = st.i + 1
    while st.s.word(j) in lexicon.ARTICLES | {"of"} or st.s.word(j) in lexicon.ADJECTIVES:
        j += 1
    for name in st.s.tokens[j].names if st.s.kind(j) is TokenKind.CONFIG else ():
        values = [(fact, numeric_value(fact)) for fact in st.index.configs[name].values()]
        for (a, x), (b, y) in itertools.permutations(values, 2):
            if x and y and abs(x / y - reading.value) <= reading.quantum / 2:
                st.support(found, [a, b])
                return True
    for j in st.s.of_kind(TokenKind.NUMBER, (st.i + 1, st.s.clause(st.i)[1])):
        start = from_of(st.s, j)
        first, second = (st.s.tokens[start].numeral if start is not None else None), st.s.tokens[j].numeral
        if first and second and first.value:
            return abs(second.value / first.value - reading.value) <= reading.quantum / 2
    return False

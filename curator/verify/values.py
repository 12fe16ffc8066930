"""Judges each numeral that is no count: is it a fact, of the run and metric named, in that role and direction."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind, render
from curator.verify import lexicon
from curator.verify.bounds import judge_bound
from curator.verify.directions import agrees, sense_at
from curator.verify.lexicon import Sense
from curator.verify.matching import Fit, numeric_value
from curator.verify.report import FindingKind
from curator.verify.roles import Role
from curator.verify.settings import judge_factor, judge_setting
from curator.verify.statement import Statement, ids
from curator.verify.subjects import reference
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.index import FactIndex
    from curator.verify.quoted import QuotedNumbers
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_THRESHOLD = lexicon.word_set(
    """
    within least most threshold target goal tolerance limit expected bar hypothesis outside inside allowed required
    margin budget
    """
)
_PLACES = frozenset({"above", "below", "ahead", "behind", "under"})
_FEW = 12
"""Up to here a plan may count in words: "two more seeds" is no result."""


class Values:
    """The rule for numerals that are no counts."""

    def __init__(self, index: FactIndex, quoted: QuotedNumbers) -> None:
        self._index = index
        self._quoted = quoted

    def check(self, s: Sentence, i: int, found: Collector) -> None:
        st = Statement(s, i, self._index, self._quoted)
        if s.context.hypothetical:
            _judge_plan(st, found)
        elif not (judge_factor(st, found) or judge_setting(st, found) or judge_bound(st, found)):
            _judge_value(st, found)


def _judge_plan(st: Statement, found: Collector) -> None:
    """A plan or a hypothesis claims nothing, but its numerals still come from somewhere."""
    quoted = st.quoted.match(st.s, st.i, loose=True)
    if st.matches or quoted:
        st.support(found, st.matches, quoted)
    elif not (st.numeral.word and st.numeral.whole and st.numeral.value <= _FEW):
        st.object(
            found, FindingKind.NUMBER, "no fact has this value; a plan or hypothesis may only repeat recorded values"
        )


def _judge_value(st: Statement, found: Collector) -> None:
    mine = [fact for fact in st.matches if st.is_mine(fact) and st.has_role(fact)]
    against = [fact for fact in mine if _is_against_named(st, fact)]
    if against:
        _judge_direction(st, against, found)
    elif mine:
        st.object(found, FindingKind.ATTRIBUTION, f"{mine[0].id} is relative to {st.index.reference(mine[0])}")
    elif quoted := st.quoted.match(st.s, st.i, loose=bool(st.s.words & _THRESHOLD) or st.s.hedged(st.i)):
        st.support(found, (), quoted)
    else:
        st.object(found, *_why_not(st))


def _is_against_named(st: Statement, fact: Fact) -> bool:
    """Whether a change is relative to the run that the sentence names for it, if it names one."""
    pair = {fact.subject, st.index.reference(fact)}
    if fact.kind not in CHANGES or "" in pair:
        return True
    s = st.s
    for j in s.of_kind(TokenKind.RUN, (0, st.i)):
        if s.word(j - 1) == "between" and s.word(j + 1) == "and" and s.kind(j + 2) is TokenKind.RUN:
            return bool(pair & s.tokens[j].runs) and bool(pair & s.tokens[j + 2].runs)
    named = reference(s, st.i) if st.role is Role.CHANGE or fact.kind is not FactKind.RATIO else ""
    return not named or named in pair


def _why_not(st: Statement) -> tuple[FindingKind, str]:
    of_mine = [fact for fact in st.matches if st.is_mine(fact)]
    if of_mine and not any(st.has_role(fact) for fact in st.matches):
        what = "a value, not a difference" if st.role is Role.CHANGE else "a difference, not a value"
        return FindingKind.ROLE, f"{of_mine[0].id} has this value, and it is {what}"
    if st.matches:
        return FindingKind.ATTRIBUTION, f"this is {ids(st.matches)}, not {st.meant()}"
    for quality, kind in ((Fit.TOO_COARSE, FindingKind.ROUNDING), (Fit.WRONG_UNIT, FindingKind.UNIT)):
        near = [fact for fact, how in st.fits if how is quality and st.is_mine(fact, units=False)]
        if near and not st.numeral.word and (quality is Fit.TOO_COARSE or _is_measured(near[0])):
            return kind, f"{near[0].id} is {render(near[0])}"
    known = st.known(st.names or (), st.runs)
    return FindingKind.NUMBER, f"no fact has this value{f'; {st.meant()} is {known}' if known else ''}"


def _is_measured(fact: Fact) -> bool:
    return fact.kind in {FactKind.METRIC, FactKind.DURATION, FactKind.DEVIATION, *CHANGES} or bool(fact.unit)


# -- which way --------------------------------------------------------------------------------------------------


def _judge_direction(st: Statement, mine: Sequence[Fact], found: Collector) -> None:
    """A change must have gone the way that the word beside it says."""
    told = st.role is Role.CHANGE or (_is_price(st) and all(fact.kind in CHANGES for fact in mine))
    at = _direction_word(st.s, st.i) if told and not st.s.context.change else None
    if at is None:
        st.support(found, mine)
        return
    sense, word = sense_at(st.s, at), st.s.tokens[at]
    found.judged.add(word.start)
    verdict = sense in {Sense.FASTER, Sense.SLOWER, Sense.BETTER, Sense.WORSE}
    results = [(fact, sense is None or agrees(_turned(st, fact), sense, st.index)) for fact in mine]
    strict = verdict and (sense in {Sense.FASTER, Sense.SLOWER} or any(result is False for _, result in results))
    agreeing = [fact for fact, result in results if result or (result is None and not strict)]
    if agreeing or st.s.negated(at):
        st.support(found, agreeing or mine)
    else:
        found.object_to(FindingKind.DIRECTION, word, f"{mine[0].id} is {render(mine[0])}")


def _is_price(st: Statement) -> bool:
    """``costs 3,753 tok/s``, ``gains only 2.1 %``: an amount behind a verb that says whether it is good."""
    before = {
        st.s.word(st.i - 1),
        st.s.word(st.i - 2) if st.s.word(st.i - 1) in lexicon.APPROXIMATE | {"only", "just"} else "",
    }
    return bool(before & lexicon.PRICES)


def _turned(st: Statement, fact: Fact) -> Fact:
    """The change seen from its reference when that is what the sentence is about."""
    value = numeric_value(fact)
    if st.runs is None or fact.subject in st.runs or st.index.reference(fact) not in st.runs or not value:
        return fact
    return dataclasses.replace(fact, value=float(1 / value if fact.kind is FactKind.RATIO else -value))


def _direction_word(s: Sentence, i: int) -> int | None:
    """Where the word stands that says which way a change went: right behind it, else the nearest before it."""
    for j in range(i + 1, min(i + 4, len(s.tokens))):
        if s.word(j) in _PLACES or sense_at(s, j) not in {None, Sense.SAME}:
            return j
        passing = s.word(j) in {"relative", "percentage"} | lexicon.ARTICLES or s.kind(j) is TokenKind.METRIC
        if not passing:
            break
    low, _ = s.clause(i)
    low = max([low, *(j + 1 for j in range(low, i) if s.word(j) == ":" and j > 2)])
    return next((j for j in range(i - 1, low - 1, -1) if sense_at(s, j) not in {None, Sense.SAME}), None)

"""Of which metrics a numeral may be, with what its unit and the words beside it say of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.known.fits import plausible
from curator.verify.known.quantities import STATES
from curator.verify.reading.senses import amount_word, sense_at
from curator.verify.reading.ties import Tie, Ties
from curator.verify.text import words
from curator.verify.text.units import PERCENT, POINTS
from curator.verify.text.words import SPEEDS

if TYPE_CHECKING:
    from curator.verify.rules.numbers.statement import Statement

_AS_SPEED = words.word_set("fast long speed time quick slow")
_LASTING = words.word_set("run runs job jobs training took takes take it wall")
_BEFORE_AMOUNT = words.word_set("less more than only just about of at least most")


def names_of(it: Statement) -> Ties:
    """The metrics it may be of; one that is never in the numeral's unit does not count."""
    direct = it.reader.metrics.behind(it.i) is not None
    ties = (None if direct else _noted(it) or _of_speed(it)) or it.reader.metrics.of(it.i)
    if it.numeral.relative and not direct and (has_other_object(it) or _is_some_gain(it)):
        return Ties([])
    if it.s.word(it.i + 1) in {"longer", "shorter"} and it.s.words & _LASTING and not direct:
        ties = Ties([*ties.all, Tie(it.world.durations)], ties.missing)
    unit = it.numeral.unit
    changes = it.numeral.relative and unit is not None and unit.dimension != POINTS
    if unit is None or not ties.all or it.s.context.cell or changes:
        return ties
    possible = [tie for tie in ties.all if not tie.meant or any(_may_be_in_unit(it, name) for name in tie.meant)]
    return Ties(possible, ties.missing)


def _of_speed(it: Statement) -> Ties | None:
    """``88 % slower``, ``as fast``: of whatever tells the speed."""
    s, i = it.s, it.i
    at = amount_word(s, i)
    whole = s.skip(i + 2, words.ARTICLES) if s.word(i + 1) == "of" else i + 1  # "60 % of the speed"
    compared = {s.word(i + 1), s.word(i + 2), s.word(whole)} & _AS_SPEED
    if not compared and (at is None or sense_at(s, at) not in SPEEDS):
        return None
    fast = frozenset(name for name in it.world.metric_names if it.world.speed(name))
    said = [tie for tie in it.reader.metrics.of(i).all if tie.meant & fast and tie.cost <= 1.0]
    return Ties(said or [Tie(fast)])


def _noted(it: Statement) -> Ties | None:
    """``168,940 tok/s (-3.6 %)``: what stands in parentheses is said of the value before them."""
    before = it.s.numeral(it.i - 2) if it.s.word(it.i - 1) == "(" else None
    if before is None or before.unit is None or before.relative or not it.numeral.relative:
        return None
    names = it.world.in_unit(before.unit.dimension)
    return Ties([Tie(names)]) if names else None


def _is_some_gain(it: Statement) -> bool:
    """``for a gain of less than 1 %``: of something, not of the metric before."""
    s = it.s
    j = s.skip(it.i - 1, _BEFORE_AMOUNT, -1)
    return j < it.i - 1 and s.word(j) in words.DIFFERENCES and s.is_word(j) and s.word(j - 1) in {"a", "an"}


def has_other_object(it: Statement) -> bool:
    """``an 88 % longer step``, ``1.88x the time``, ``shortens texts by 5 %``: what changed is no metric by name."""
    s, j = it.s, it.i + 1
    if s.word(j) in words.ADJECTIVES:
        j += 1
    elif s.word(j) not in {"the", "as", "of"}:
        verb = amount_word(s, it.i)
        if verb is None or verb >= it.i or s.word(verb) not in words.CAUSES:
            return False
        j = verb + 1
    j = s.skip(j, words.ARTICLES | {"of"})
    known = words.FOLLOWERS | words.RUN_NOUNS | words.SENSES.keys() | {"other", "another"}
    return j != it.i and s.is_word(j) and s.word(j) not in known and not s.runs(j)


def _may_be_in_unit(it: Statement, name: str) -> bool:
    """Whether a metric may be stated in the numeral's unit."""
    written, own = it.numeral.unit, it.world.unit(name)
    if written is None:
        return True
    if written.dimension == POINTS:
        return own is None or own.dimension == PERCENT
    if own is not None:
        return own.dimension == written.dimension or own.dimension.startswith(f"{written.dimension}/")
    fitting = written.dimension == PERCENT or any(quantity.name == name for quantity, _ in it.fits)
    return fitting or any(plausible(written, q) for q in it.world.quantities if q.name == name and q.kind in STATES)

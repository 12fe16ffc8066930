"""Units that several numerals share: ``168,940 vs. 131,280 tok/s``, ``took 61 minutes, CTX-010 only 33``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from curator.verify.reading.keys import JOINTS
from curator.verify.reading.tokens import TokenKind
from curator.verify.text.numerals import with_unit
from curator.verify.text.units import FACTOR, TIME, Unit
from curator.verify.text.words import APPROXIMATE

if TYPE_CHECKING:
    from curator.verify.reading.tokens import Token
    from curator.verify.text.numerals import Numeral

_SMALL = frozenset({"of", "than", "the", ",", "from"})
_INSTEAD = frozenset({"instead", "rather", "not", "vs", "vs.", "against", "versus", "to"})
"""Words between two numerals that are set against each other, so that the second is in the unit of the first."""
_LOOSE = frozenset({",", "and", "or", "/"})
"""What may as well join numerals of different kinds."""


def with_shared_units(tokens: list[Token]) -> list[Token]:
    """The tokens, those numerals that share a unit with it."""
    found = list(tokens)
    for i in range(len(found) - 1, 1, -1):
        last, mark, first = found[i], found[i - 1].lower, found[i - 2]
        if mark in JOINTS and first.kind is last.kind is TokenKind.NUMBER and first.numeral and last.numeral:
            between = i > 2 and found[i - 3].lower == "between"
            loose = mark in _LOOSE and not between
            found[i - 2] = replace(first, numeral=_sharing(first.numeral, last.numeral, loose=loose, word=between))
    for i in range(len(found) - 1, 2, -1):
        of = (found[i - 2].lower, found[i - 1].lower) in {("of", "the"), ("instead", "of"), ("rather", "than")}
        first, last = found[i - 3], found[i]
        if of and first.kind is last.kind is TokenKind.NUMBER and first.numeral and last.numeral:
            found[i - 3] = replace(first, numeral=_sharing(first.numeral, last.numeral, loose=False))
    for i in range(3, len(found)):  # "a factor of about 2.3"
        numeral = found[i].numeral
        back = i - 2 if found[i - 1].lower in APPROXIMATE else i - 1
        if numeral and numeral.unit is None and (found[back - 1].lower, found[back].lower) == ("factor", "of"):
            found[i] = replace(found[i], numeral=with_unit(numeral, Unit(FACTOR, 1.0)))
    return _with_earlier_units(found)


def _with_earlier_units(tokens: list[Token]) -> list[Token]:
    """A time or a relative unit may hold for the next bare numeral as well."""
    found, unit, since, beside = [], None, list[str](), False
    for token in tokens:
        numeral = token.numeral if token.kind is TokenKind.NUMBER else None
        if numeral is None:
            unit = None if token.text == "." else unit
            since.append(token.lower)
            found.append(token)
            continue
        stated = numeral.unit
        if stated is None and unit is not None and not numeral.word:
            against = frozenset(since) <= _INSTEAD | _SMALL and not _INSTEAD.isdisjoint(since)
            own = () if beside and against and unit.dimension == TIME else numeral.readings
            numeral = replace(numeral, readings=(*own, *with_unit(numeral, unit).readings))
        since, beside = [], stated is not None
        unit = (
            stated
            if stated is not None and (stated.dimension == TIME or (numeral.relative and not numeral.word))
            else unit
        )
        found.append(replace(token, numeral=numeral))
    return found


def _sharing(first: Numeral, last: Numeral, *, loose: bool, word: bool = False) -> Numeral:
    """The first of two numerals with the unit of the last; with and without it where the list may be mixed."""
    if first.unit or (first.word and not word):
        return first
    if not last.unit:  # "at 4, 16 and 64 KiB": the last of the list has it
        listed = tuple(replace(first.readings[0], unit=r.unit) for r in last.readings if r.unit)
        return replace(first, readings=(*first.readings, *listed)) if loose else first
    shared = with_unit(first, last.unit)
    pair = (first, shared) if loose else (shared,)
    return replace(first, readings=tuple(reading for numeral in pair for reading in numeral.readings))

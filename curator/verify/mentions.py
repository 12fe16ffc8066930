"""Config values as names of runs: in a sweep over ``lr``, "lr=0.01" and "the 0.01 run" mean the run that has it.

Only marks tokens; whether the value itself is right is judged elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify import lexicon
from curator.verify.matching import Fit, fit
from curator.verify.nouns import config_of
from curator.verify.numerals import with_unit
from curator.verify.sentences import Sentence
from curator.verify.tokens import Token, TokenKind
from curator.verify.units import TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.index import FactIndex
    from curator.verify.numerals import Numeral
    from curator.verify.sentences import Context

_EVERYDAY = lexicon.word_set(
    "linear cosine none auto default constant true false full small large base high low mean sum"
)
"""Config values that are words of their own, so that a capital letter says nothing."""
_VERBS = frozenset(
    {"is", "was", "gives", "gave", "has", "had", "reaches", "reached", "wins", "does", "did", "diverges", "leads"}
)
_LOOSE_JOINTS = frozenset({",", "and", "or", "/"})
_JOINTS = _LOOSE_JOINTS | frozenset({"vs", "vs.", "versus", "to", "/", "-", "\u2013", "\u2192", "against"})
_CALLING = frozenset({"at", "between", "with", "for", "using", "than", "both", "near", "", "."})
_INTRODUCE = _CALLING | lexicon.word_set("the and vs vs. versus under while , ( or of in that :")


def with_shared_units(tokens: Sequence[Token]) -> list[Token]:
    """The tokens, a unit that closes a list of numerals given to all of it: ``168,940 vs. 131,280 tok/s``."""
    found = list(tokens)
    for i in range(len(found) - 1, 1, -1):
        last, mark, first = found[i], found[i - 1].lower, found[i - 2]
        if mark in _JOINTS and first.kind is last.kind is TokenKind.NUMBER and first.numeral and last.numeral:
            found[i - 2] = replace(first, numeral=_sharing(first.numeral, last.numeral, loose=mark in _LOOSE_JOINTS))
    return _with_times(found)


def _with_times(tokens: list[Token]) -> list[Token]:
    """``took 61 minutes, CTX-010 only 33``: a time's unit may hold for the next numeral as well."""
    found, unit = [], None
    for token in tokens:
        if token.numeral and token.kind is TokenKind.NUMBER:
            stated = token.numeral.unit
            if stated is None and unit is not None and not token.numeral.word:
                readings = (*token.numeral.readings, *with_unit(token.numeral, unit).readings)
                token = replace(token, numeral=replace(token.numeral, readings=readings))  # noqa: PLW2901
            unit = stated if stated is not None and stated.dimension == TIME else None
        found.append(token)
    return found


def _sharing(first: Numeral, last: Numeral, *, loose: bool) -> Numeral:
    """The first of two numerals with the unit of the last; with and without it where the list may be mixed."""
    if first.unit or first.word or not last.unit:
        return first
    shared = with_unit(first, last.unit)
    pair = (first, shared) if loose else (shared,)
    return replace(first, readings=tuple(reading for numeral in pair for reading in numeral.readings))


def with_config_runs(tokens: Sequence[Token], context: Context, index: FactIndex) -> list[Token]:
    """The tokens, those that stand for runs by a config value marked with them."""
    sentence = Sentence(tuple(tokens), context)
    found: list[Token] = []
    for i, token in enumerate(tokens):
        found.append(_marked(sentence, i, index, found) if token.numeral else _worded(sentence, i, index))
    return found


def _marked(sentence: Sentence, i: int, index: FactIndex, before: Sequence[Token]) -> Token:
    token = sentence.tokens[i]
    if sentence.context.cell or token.numeral is None or token.kind is not TokenKind.NUMBER or token.numeral.unit:
        return token
    bound = config_of(sentence, i)
    for name in (bound[0] if bound else _bare_keys(sentence, i, index, before)) & index.varying:
        fitting = [run for run, fact in index.configs[name].items() if run and fit(token.numeral, fact) is Fit.MATCH]
        if 0 < len(fitting) < len(index.runs):
            return replace(token, runs=frozenset(fitting))
    return token


def _bare_keys(sentence: Sentence, i: int, index: FactIndex, before: Sequence[Token]) -> frozenset[str]:
    """The varied keys that a numeral without a name may be a value of: ``at 0.01``, ``the 0.01 run``."""
    numeral, last, follows = sentence.tokens[i].numeral, sentence.word(i - 1), sentence.word(i + 1)
    if numeral is None or numeral.word or numeral.unit or last not in _INTRODUCE:
        return frozenset()
    if numeral.whole and follows in lexicon.RUN_NOUNS and follows.endswith("s"):
        return frozenset()
    points = (
        follows in {"\u2192", "->", ":"} and sentence.kind(i + 2 + (sentence.word(i + 2) == ">")) is TokenKind.NUMBER
    )
    listed = last in {"and", "or", ","} and i > 1 and before[i - 2].numeral is not None and bool(before[i - 2].runs)
    called = follows in lexicon.RUN_NOUNS | {"baseline"} or last in _CALLING
    subject = follows in _VERBS and last in {",", "and", "that", ":", "("}
    of_rate = last == "of" and sentence.word(i - 2) in {"rate", "value", "setting"}
    if not (points or listed or called or subject or of_rate):
        return frozenset()
    fitting = [fact for fact in index.numeric if fit(numeral, fact) is Fit.MATCH]
    if any(fact.kind is FactKind.METRIC for fact in fitting):
        return frozenset()
    return frozenset(fact.name for fact in fitting if fact.kind is FactKind.CONFIG)


def _worded(sentence: Sentence, i: int, index: FactIndex) -> Token:
    """A word that is the value of a varied key, beside the key or a word for a run: ``the cosine schedule``."""
    token = sentence.tokens[i]
    if token.kind in {TokenKind.IDENTIFIER, TokenKind.FACT}:
        return replace(token, runs=index.runs_by_value.get(token.lower, frozenset()))
    if token.kind is not TokenKind.WORD or len(token.text) < 3:
        return token
    if token.text != token.lower and token.lower not in _EVERYDAY and (named := index.runs_by_value.get(token.lower)):
        return replace(token, runs=named)
    beside = {j for j in (i - 1, i + 1, i - 2) if 0 <= j < len(sentence.tokens)}
    keys = frozenset(name for j in beside if sentence.kind(j) is TokenKind.CONFIG for name in sentence.tokens[j].names)
    if sentence.word(i + 1) in lexicon.RUN_NOUNS:
        keys |= index.varying
    for key in keys & index.varying:
        runs = index.runs_with(key, token.text)
        if runs or (runs := index.runs_with(key, token.lower)):
            return replace(token, runs=runs)
    return token

"""Amounts with names of their own: ``the gain of LR-003 over LR-001 (0.09)``, ``the 0.09 that LR-003 gains over it``.

Such a phrase says all by itself between which runs it lies, whatever the sentence then does with it: in ``the seed
spread of 0.01 is less than a tenth of the 0.09 that LR-003 gains``, each amount has runs of its own. Word order only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.reading.roles import is_difference
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import FACTOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

REPEATS = words.word_set("seeds repetitions repeats replicates replications reruns")
_OF_REPEATS = REPEATS | words.word_set("seed run-to-run seed-to-seed repetition replicate between-seed inter-seed")
_SPREADS = words.word_set("spread range variation noise scatter variability difference differences gap distance")
_SPREADING = forms("differ vary spread scatter lie range") | {"apart"}
_HEADS = _SPREADS | words.word_set("deviation")
_BY = words.word_set("by within over")
_RANGED = words.word_set("to and - \u2013")
_TO_AMOUNT = words.APPROXIMATE | words.word_set("at most least no more less than only up to just by the a max.")
_SMALL = (
    words.ARTICLES
    | words.RUN_NOUNS
    | _OF_REPEATS
    | words.APPROXIMATE
    | words.word_set("of over against on upon versus vs. in from to between across among and for with at that ' 's ( )")
    | words.word_set("standard seed-to-seed - two three four five all only just observed measured whole")
)
_AGAINST = words.word_set("over against on upon versus vs vs. from")
_GAPS = words.word_set("gap difference margin distance")


@dataclass(frozen=True, slots=True)
class Amount:
    """The phrase of one amount."""

    low: int
    high: int
    """Its tokens are those from ``low`` to before ``high``."""
    head: int
    """Where the word stands that says what it is."""


def amount_at(s: Sentence, i: int) -> Amount | None:
    """The phrase by which the numeral at ``i`` is named; None where it stands in none."""
    numeral = s.numeral(i)
    if (
        numeral is None
        or s.runs(i)
        or _is_of_two(s, i)
        or (numeral.unit is not None and numeral.unit.dimension == FACTOR)
    ):
        return None
    head = _head_before(s, i)
    high = _reach(s, i + 1, 1)
    if head is None and s.word(i - 1) == "the" and s.word(i + 1) in {"that", "between"}:
        verb = next((j for j in range(i + 2, high + 1) if s.word(j) in words.PRICES), None)
        high = high if verb is None or verb < high else _reach(s, verb + 1, 1)
        return Amount(i - 1, high, i + 1 if verb is None else verb) if verb or s.word(i + 1) == "between" else None
    return None if head is None else Amount(_reach(s, head - 1, -1) + 1, high, head)


def _is_of_two(s: Sentence, i: int) -> bool:
    """``no gain over the baseline (3.1 vs 3.2)``: the values that are compared, and not what lies between them."""
    noted = s.word(i - 1) == "(" and s.word(i + 1) != ")"
    return noted or bool({s.word(i - 1), s.word(i + 1)} & (words.VERSUS | words.ARROWS))


def _head_before(s: Sentence, i: int) -> int | None:
    """Where the noun stands that the numeral at ``i`` is an amount of: ``the gain in loss (0.09)``."""
    j = s.skip(i - 1, _TO_AMOUNT, -1)
    j -= s.word(j) in words.BE or (s.word(j) == "," and s.word(i + 1) in words.ENDINGS)  # "the gain of it, 0.09, is"
    while j >= 0 and not _is_head(s, j):
        if not _passes(s, j):
            return None
        j -= 1
    return j if j >= 0 else None


def _is_head(s: Sentence, j: int) -> bool:
    if (s.word(j), s.word(j + 1)) in {("that", "of"), ("that", "between")}:
        return any(is_difference(s, k) for k in range(j))  # "its gain is 0.09, that of LR-004 over it 0.02"
    return is_difference(s, j) or (s.word(j) in _HEADS and s.is_word(j))


def _reach(s: Sentence, j: int, step: int) -> int:
    """The first place from ``j`` on that is no part of the phrase."""
    while 0 <= j < len(s.tokens) and _passes(s, j):
        j += step
    return j


def _passes(s: Sentence, j: int) -> bool:
    named = bool(s.runs(j) or s.keys(j)) or s.kind(j) is TokenKind.METRIC
    return named or s.word(j) in _SMALL or (s.word(j) == "," and s.tokens[j].depth > 0)


def pair_of(s: Sentence, amount: Amount, mentions: Sequence[Mention]) -> tuple[frozenset[str], frozenset[str]] | None:
    """The runs that the amount is of and those it is over, by its own words: ``of LR-003 over LR-001``."""
    inside = [m for m in mentions if amount.low <= m.first < amount.high]
    between = next((m for m in inside if len(m.members) == 2 and s.word(m.first - 1) == "between"), None)
    if between is not None:
        return s.runs(between.members[0]), s.runs(between.members[1])
    over = next((m for m in inside if s.word(s.skip(m.first - 1, words.ARTICLES, -1)) in _AGAINST), None)
    own = next((m for m in inside if over is not None and m is not over and not m.meant & over.meant), None)
    return (own.meant, over.meant) if own is not None and over is not None else None


def is_gap(s: Sentence, amount: Amount) -> bool:
    """Whether it has no direction: ``the gap between LR-003 and LR-001``."""
    return s.word(amount.head) in _GAPS or "between" in {s.word(amount.head), s.word(amount.head + 1)}


def spread_at(s: Sentence, i: int) -> Amount | None:
    """``the seed spread of 0.01``, ``the seeds differ by 0.01``: the phrase of how far repetitions lie apart."""
    if s.word(i + 1) in _RANGED and s.kind(i + 2) is TokenKind.NUMBER:
        return None  # "spread over 2.29 to 2.31"
    amount = amount_at(s, i)
    if amount is not None and s.word(amount.head) in _SPREADS:
        return amount if any(s.word(j) in _OF_REPEATS for j in range(amount.low, amount.high)) else None
    by = s.skip(i - 1, _TO_AMOUNT - {"by"}, -1)
    verb = s.skip(by - 1, words.word_set("only just all in") | {s.word(j) for j in s.of_kind(TokenKind.METRIC)}, -1)
    low, high = s.clause(i)
    spreading = s.word(by) in _BY and s.word(verb) in _SPREADING
    told = any(s.word(j) in REPEATS for j in range(low, verb))
    return Amount(low, high, verb) if spreading and told else None

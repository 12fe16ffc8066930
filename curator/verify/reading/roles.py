"""As what a numeral is said: a value, a difference, or a bound. Reads word order; never looks at a value."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from curator.verify.reading.ellipsis import shared_from
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import BYTE, POINTS, TIME
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence
    from curator.verify.text.numerals import Numeral


class Role(StrEnum):
    """What a numeral is said to be."""

    ANY = "any"
    VALUE = "value"
    CHANGE = "change"
    PRICE = "price"
    """What something cost, which may be all it took or how much more than another."""


_VALUE_BEFORE = words.word_set(
    """
    to at reached reaches reaching reach hit hits scored scores achieved achieves achieving attained was is were stands
    stood ended ends averaged averages equals from touched touches sustained sustains
    """
)
_SMALL = words.word_set("a an another further the some only just about well mere merely")
_MORE = words.word_set("another further additional extra")
_EXTRA = words.word_set("extra additional")
_TO = words.word_set("to and - \u2013")
_POINTS = words.word_set("point points")
_GAPS = words.word_set("gap margin difference deficit advantage lead")
_DELTAS = words.word_set("\u03b4 \u2206 delta diff")
_TO_DELTA = words.word_set("= : eval train in of")
_AMBIGUOUS = words.word_set("loss losses cost price lead change")
_PAID = forms("cost pay")
"""Prices of which a time is as often all that something took: ``cost us two hours``."""
_OF_SETTING = words.word_set("of at to from with for in on under using")
_RATIOS = words.word_set("ratio ratios factor factors multiple")
_MEASURING = forms("measure observe see find get")
_SPANNING = forms("span")
_DIVIDING = forms("divide multiply scale surround") | words.word_set("x \u00d7")
_OVER_PAIRS = {
    ("at", "least"),
    *((word, "than") for word in ("more", "greater", "higher", "larger", "longer")),
}
_UNDER_PAIRS = {
    ("at", "most"),
    ("up", "to"),
    ("short", "of"),
    *((word, "than") for word in ("less", "fewer", "lower", "smaller", "shorter")),
}
_VERDICT_PAIRS = {("better", "than"), ("worse", "than")}
_OVER = words.word_set(
    "over above exceeds exceeded exceeding exceed > \u2265 beyond surpassed surpasses passed tops topped past"
)
_UNDER = words.word_set("under below < \u2264 beneath")


_BEATING = forms("beat clear break crack smash outdo")
"""Verbs that take a value for a mark: ``beats 2.35``, ``breaks the 90 % barrier``."""
_BEYOND = words.ARTICLES | words.APPROXIMATE | words.word_set("just than well far only even through barely easily old")
_MARKS = words.word_set("mark line barrier threshold bar")


_IN_GAP = words.ARTICLES | words.word_set("between and two from to over against")
"""What may stand between a gap and its value in parentheses."""
_FAR_BACK = 40
"""Tokens before a numeral beyond which no noun tells what it is."""
_GOING = forms("go come bring get drift creep edge inch push take move shoot bounce") | {"back", "again", "right"}
_ATTAINED = forms("reach exceed pass surpass top attain")


def role_of(s: Sentence, i: int) -> Role:
    """As what the numeral at ``i`` is said."""
    numeral = s.numeral(i)
    if s.runs(i) and numeral is not None and not (numeral.relative or numeral.sign):
        return Role.ANY  # "blocks of 4 KiB lower the latency"
    j = _governor(s, i)
    whole = s.numeral(i + 2) if s.word(i + 1) == "of" else None
    if whole is not None and whole.unit is not None and whole.unit.dimension == POINTS:
        return Role.CHANGE  # "26.8 of the 32.1 points"
    k = i - 1
    while s.kind(k) is TokenKind.METRIC or s.word(k) in _TO_DELTA:
        k -= 1
    if s.word(k) in _DELTAS and s.word(k + 1) != ":":  # "Result delta:" is the name of a line
        return Role.CHANGE  # "\u0394 eval 0.0022"
    if s.context.change or _is_change_by_governor(s, i, j) or _is_change_by_follower(s, i):
        return Role.CHANGE
    if (headed := _headed(s, i)) is not None:
        return headed
    if _is_noted_gap(s, i):
        return Role.CHANGE
    if _is_held_against(s, i):
        return Role.PRICE
    before = s.word(j)
    if not s.runs(i) and (shared := shared_from(s, i)) is not None:
        return role_of(s, shared)
    if before == "of" and s.kind(j - 1) is TokenKind.METRIC:
        return Role.VALUE
    if before in _PAID and s.numeral(i) is not None:
        return Role.PRICE
    low, _ = s.clause(i)
    if s.word(low) == "which" and low > 1:
        low, _ = s.clause(low - 2)  # "the gap between the two, which is 0.16"
    differences = [k for k in range(max(low, i - _FAR_BACK), i) if is_difference(s, k)]
    if before in {"from", "to"} and any(s.word(k) in _GAPS for k in differences):
        return Role.CHANGE  # "the gap narrowed from 0.26 to 0.16"
    if before in {"is", "was", "equals"} and any(s.word(k) not in _AMBIGUOUS for k in differences):
        return Role.CHANGE  # "the gap between them is 0.01"
    priced = before == "at" and s.kind(j - 1) is TokenKind.METRIC  # "7.6 points of MFU at 9.6 GiB of HBM"
    return Role.VALUE if before in _VALUE_BEFORE and not (differences or priced) else Role.ANY


def _is_held_against(s: Sentence, i: int) -> bool:
    """``0.039 K is short of the 0.05 K we asked for``: a value or a change, as what was asked for is."""
    asked = any(s.word(j) == "the" and s.kind(j + 1) is TokenKind.NUMBER for j in range(i + 2, i + 6))
    return s.word(i - 1) in {"", ":", ";", ","} and s.word(i + 1) in words.BE and asked


def _headed(s: Sentence, i: int) -> Role | None:
    """``Speed-ups over the baseline: 1.25 and 2.1``, ``the expected gain was 0.05: we measured 0.06``."""
    colon = next((j for j in range(i - 1, -1, -1) if s.word(j) == ":"), None)
    if s.word(i - 1) in _MEASURING and s.word(i - 2) in {"we", "i"}:
        return Role.CHANGE if any(is_difference(s, j) for j in range(i - 1)) else None
    if colon is not None and s.word(colon - 1) in {"more", "less", "better", "worse"}:
        return Role.PRICE  # "it gives you more: 22.6 m"
    head = s.skip(0, words.ARTICLES)
    if colon is None or not is_difference(s, head) or s.word(i - 1) in _OF_SETTING or s.keys(i + 1):
        return None
    if any(s.word(j) in words.BE for j in range(head, colon)):
        return None  # "These differences are small: all stay above"
    return Role.PRICE if s.word(head) in _AMBIGUOUS else Role.CHANGE


def _is_noted_gap(s: Sentence, i: int) -> bool:
    """``the difference between the two seeds (0.01)``."""
    if s.word(i - 1) != "(" or s.word(i + 1) not in {")", ","}:
        return False
    j = i - 2
    while j >= 0 and (s.word(j) in _IN_GAP or s.runs(j) or s.keys(j) or s.numeral(j) or s.word(j) in words.RUN_NOUNS):
        j -= 1
    return s.word(j) in _GAPS and is_difference(s, j) and "between" in {s.word(j + 1), s.word(j + 2)}


def _is_priced(s: Sentence, i: int, verb: str) -> bool:
    """Whether the numeral behind a verb of price is what came or went, and not all there is of it."""
    numeral = s.numeral(i)
    if numeral is None or (numeral.unit is None and not numeral.decimals):
        return s.kind(i + 1) is TokenKind.METRIC
    return _is_of_metric(s, i) or not (_is_amount(numeral) and verb in _PAID)


def _is_amount(numeral: Numeral) -> bool:
    """Whether it is in a unit of what a run uses up: time, memory."""
    return numeral.unit is not None and numeral.unit.dimension in {TIME, BYTE}


def _is_of_metric(s: Sentence, i: int) -> bool:
    """``24 ms of time to first token``."""
    return s.word(i + 1) in {"of", "in"} and s.kind(s.skip(i + 2, words.ARTICLES)) is TokenKind.METRIC


def _is_between(s: Sentence, i: int) -> bool:
    """``the 0.012 between LR-001 and LR-003``, ``the 0.096 nats that a rate of 0.1 gains``."""
    if s.word(i - 1) != "the":
        return False
    ends = s.skip(i + 2, words.ARTICLES)
    if s.word(i + 1) == "between" and s.runs(ends):
        return True
    return s.word(i + 1) == "that" and any(s.word(j) in words.PRICES and s.is_word(j) for j in range(i + 2, i + 7))


def is_change(s: Sentence, i: int) -> bool:
    """Whether the numeral tells of a change, by its unit or by the words beside it."""
    numeral = s.numeral(i)
    return (numeral is not None and numeral.relative) or role_of(s, i) is Role.CHANGE


def is_difference(s: Sentence, j: int) -> bool:
    """Whether the word at ``j`` is a noun for a difference, and not a metric's name."""
    return s.word(j) in words.DIFFERENCES and s.is_word(j)


def _governor(s: Sentence, i: int) -> int:
    """Where the word stands that a numeral hangs on: the "by" of ``by at least about 3 %``."""
    small = words.APPROXIMATE | _SMALL
    j = s.skip(i - 1, small, -1)
    if (s.word(j - 1), s.word(j)) in _OVER_PAIRS | _UNDER_PAIRS | _VERDICT_PAIRS and s.skip(j - 2, small, -1) >= 0:
        inner = s.skip(j - 2, small, -1)
        return inner if s.word(inner) in {"by", "of"} else j
    return j


def _is_change_by_governor(s: Sentence, i: int, j: int) -> bool:
    """``by 0.1``, ``a drop of 0.1``, ``fell 0.1``, ``up 3 %``."""
    before, numeral = s.word(j), s.numeral(i)
    if s.word(i - 1) in _MORE and numeral and not numeral.word:
        return True
    ranged = before in _TO and s.kind(j - 1) is TokenKind.NUMBER and s.word(j - 1)[-1:].isdigit()
    if _is_by(s, j) or (ranged and _is_by(s, j - 2)):
        return True  # "by 0.6 to 1.3 points"
    if before == "worth" or (before == "of" and s.word(j - 1) in _RATIOS and s.is_word(j - 1)):
        return True
    if before in {"(", ","} and _is_apposed(s, i):
        return True
    if before == "of" and (is_difference(s, j - 1) or is_difference(s, j - 2) or _difference_before(s, i)):
        return True
    if s.kind(j) is TokenKind.METRIC:
        return False  # "save 75.0 s"
    relative = numeral is not None and numeral.relative
    if before in words.MOVES or (relative and before in words.CAUSES):
        return True
    if before in _SPANNING or (before in words.PRICES and _is_priced(s, i, before)):
        return True
    if before in {"up", "down"} and s.word(j - 1) in words.PARTICLE_VERBS:
        return False  # "blew up 12.7 minutes in"
    return before in {"up", "down"} or (numeral is not None and numeral.sign == "+")


def _is_change_by_follower(s: Sentence, i: int) -> bool:
    """``0.1 lower``, ``3 % better``, ``2 points of gain``, ``0.1 below the baseline``, ``4 GSM8K points``."""
    after, further = s.word(i + 1), s.word(i + 2)
    if after in _EXTRA or (after == "of" and further in _EXTRA):
        return True
    if after in words.ADJECTIVES and not (after in {"more", "less", "fewer"} and further in words.RUN_NOUNS):
        return True
    measured = s.kind(i + 1) is TokenKind.METRIC
    if after == "apart" or (after in {"away", "off"} and further in {"from", *words.ENDINGS}):
        return True
    if measured and (is_difference(s, i + 2) or further in _POINTS):
        return True
    return is_difference(s, i + 1) or _is_placed(s, i) or _is_between(s, i)


def _is_by(s: Sentence, j: int) -> bool:
    """Whether "by" stands at ``j``, and behind it no doer, no divisor and no other side: ``256 by 512``."""
    counted = {s.word(k) for k in range(j + 2, j + 4)} & (words.RUN_NOUNS | words.COUNTED)
    size = s.numeral(j + 1)
    sized = s.kind(j - 1) is TokenKind.NUMBER and (not s.runs(j - 1) or (size is not None and size.whole))
    return s.word(j) == "by" and not (counted or sized or s.word(j - 1) in _DIVIDING)


def _is_placed(s: Sentence, i: int) -> bool:
    """``3.9 % below the baseline``."""
    k = i + 1
    if s.word(k) == "(":
        k = 1 + next((j for j in range(k, len(s.tokens)) if s.word(j) == ")"), k)
    if s.word(k) in {"above", "below", "ahead", "behind"}:
        return True
    if s.word(k) == "off" and s.kind(s.skip(k + 1, words.ARTICLES)) is TokenKind.METRIC:
        return True  # "takes 0.043 off the loss"
    if s.word(k) in {"over", "under"} and s.word(k + 1) == "what":
        return True  # "0.04 under what we get without it"
    j = k + 1
    while s.kind(j) is TokenKind.METRIC or s.word(j) in words.ARTICLES | {"of", "for", "with", "in", "run"}:
        j += 1
    return s.word(k) in {"over", "under", "off"} and bool(s.runs(j))


def _is_apposed(s: Sentence, i: int) -> bool:
    """``the measured drop, 0.09, exceeds``, ``the gain in loss is small (0.02)``."""
    if s.word(i - 1) == ",":
        return is_difference(s, i - 2) and s.word(i + 1) in words.ENDINGS
    earlier = [k for k in s.of_kind(TokenKind.NUMBER, (0, i)) if s.word(k - 1) == "("]
    if earlier and s.numeral(earlier[-1]).unit == s.numeral(i).unit:  # type: ignore[union-attr]
        return role_of(s, earlier[-1]) is Role.CHANGE  # "the gain (0.02) is seven times that of the other (0.003)"
    whole = s.numeral(i).whole  # type: ignore[union-attr]
    return s.word(i + 1) in words.ENDINGS and not whole and _difference_before(s, i)


def _difference_before(s: Sentence, i: int) -> bool:
    low, _ = s.clause(i)
    near = any(is_difference(s, j) for j in range(max(low, i - 6), i))
    return near and not s.of_kind(TokenKind.NUMBER, (max(low, i - 6), i))


def bound_of(s: Sentence, i: int) -> Sense | None:
    """From which side the numeral bounds a value: UP for one that lies above it, BETTER for one that beats it."""
    if s.runs(i) or (s.word(i - 1) == "the" and s.word(i + 1) not in _MARKS):
        return None  # "higher than the 2.40 of the baseline"
    if s.word(s.skip(i - 1, _BEYOND, -1)) in _BEATING:
        return None if s.word(i + 1) in words.COUNTED else Sense.BETTER
    j = s.skip(i - 1, words.ARTICLES | words.APPROXIMATE, -1)
    if s.word(j) == "of" and s.kind(j - 1) is TokenKind.METRIC:
        j = s.skip(j - 2, words.ARTICLES, -1)
    if s.word(j) in {">", "<"} and (s.word(j - 1) in {"-", "=", ")"} or s.kind(j - 1) is TokenKind.NUMBER):
        return None
    pair = s.word(j - 1), s.word(j)
    if pair in _VERDICT_PAIRS:
        return words.SENSES[pair[0]]
    if pair == ("up", "to") and (s.word(j - 2) in _GOING or s.word(j - 2) in words.MOVES):
        return None  # "drifted back up to 2.9"
    counted = s.is_word(i + 1) and s.word(i + 1).endswith("s")
    if (s.word(j) == "over" and counted) or (
        s.word(j) in {"over", "under"} and (s.keys(i + 1) or s.word(i + 1) in words.COUNTED)
    ):
        return None  # "over three seeds", "under 64 clients"
    if pair in _OVER_PAIRS or (s.word(j) in _OVER and pair not in _UNDER_PAIRS):
        return Sense.UP
    if s.word(j) in _ATTAINED and s.negated(j):
        return Sense.UP  # "none of them reached 43 %"
    within = s.word(j) in {"within", "inside"}
    return Sense.DOWN if pair in _UNDER_PAIRS or s.word(j) in _UNDER or within else None

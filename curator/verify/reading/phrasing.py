"""How a comparison is put: whether a word claims one at all, what it is of, and what it is against. Word order only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.mentions import is_unknown
from curator.verify.reading.senses import graded
from curator.verify.reading.steps import starts_step
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

_TAKING = forms("take need run last require")
_FALLING = forms("fall lag")
_OF_OTHERS = words.word_set("of that those what any all every each other plain full")
_OTHERS = words.word_set("others rest everything anything nothing ever usual predecessor previous")
_LEARNING = forms("converge learn improve")
"""``converged more slowly``: of no speed that was measured."""
_SPREADS = words.word_set("spread effect effects gap gaps distance step steps returns")
_STILL = words.word_set("still already slowly steadily quickly only no longer not")
_ALL_OTHERS = words.pairs(
    "any other, any others, all other, all others, every other, anything else, everything else, anything we"
)
_REFERRING = words.COMPARE_BEFORE | words.word_set("from below above under instead to")
_DIFFERING = forms("differ span") | {"apart"}
LONG = words.word_set("longer shorter")
MAIN = words.word_set("it its they their")
"""What the sentence is about."""
_COMMON = words.word_set("time way day token kind sort reason thing place data code commit budget setup script")
"""Nouns of which "the same" says only that there is one."""
_CONJOINING = words.word_set("and but while whereas though although , ; -")
_TO_METRIC = words.word_set("in on by for at 's of")


def claims(s: Sentence, i: int) -> bool:
    """Whether the word at ``i`` says by itself that something was so, and is no part of an amount or a method."""
    word, after = s.word(i), s.word(i + 1)
    behind = range(i + 1, i + 5)
    if word in words.SUPERLATIVES or (word in words.MOVES and s.word(i - 1) == "had"):
        return False  # what it had been before
    if word.endswith("ing") and s.word(s.skip(i - 1, _STILL, -1)) in {"was", "were", "is", "are"}:
        return False  # "was still falling": which way it was going
    if _is_of_setting(s, i) or after == "again" or (word == "same" and _is_identity(s, i)):
        return False  # "and gets worse again after that"
    if _is_of_difference(s, i) or (graded(s, i) and s.word(i - 1) in _LEARNING):
        return False
    if word == "tied" and after in {"on", "in"} and s.kind(i + 2) is TokenKind.METRIC:
        return True
    if words.is_contest(word, after):
        return after in {"it", "them"} or any(s.runs(j) for j in behind)
    paid = word == "up" and s.kind(i + 1) is TokenKind.NUMBER  # "gives up 93 us": the amount is judged
    if paid or word in words.PRICES or s.word(i - 1) in words.SUPERLATIVES:
        return False
    if word in words.NOUNS:
        amount = after == "of" and any(s.kind(j) is TokenKind.NUMBER for j in range(i + 2, i + 6))
        if amount or s.word(i - 1) in {"to", "by"}:
            return False
    measured = any(s.names(j) for j in (i + 1, i + 2) if s.is_word(i + 1) or j == i + 1)
    if word in {"more", "less", "fewer"} and not (measured or graded(s, i)):
        return False
    if word in {"above", "below", "ahead", "behind"}:
        came = word in {"ahead", "behind"} and s.word(i - 1) in {"out", "far", "well", "clearly", "slightly", *_FALLING}
        judged_by = word in {"ahead", "behind"} and after in {"on", "in"} and s.kind(i + 2) is TokenKind.METRIC
        return came or judged_by or any(s.runs(j) for j in behind)
    if word.endswith("ing") and (i == 0 or s.word(i - 1) in {",", "by", "from", "when", "of", "before", "after"}):
        return False
    bound = s.skip(i + 2, words.ARTICLES | words.APPROXIMATE)
    plain = s.kind(bound) is TokenKind.NUMBER and not s.runs(bound)
    return not (after in {"than", "below", "above", "under", "over"} and plain)


def _is_of_difference(s: Sentence, i: int) -> bool:
    """``but the gains shrink``, ``the spread is larger``: said of what lies between two values."""
    if s.word(i) in LONG:
        return False  # "each step is shorter"
    j = s.skip(i - 1, words.BE | words.DEGREES | words.word_set("get gets got become becomes have has far"), -1)
    return (
        s.is_word(j) and not s.names(j) and s.word(j) in words.DIFFERENCES | _SPREADS and s.word(i) not in words.NOUNS
    )


def _is_of_setting(s: Sentence, i: int) -> bool:
    """``when the penalty is reduced``, ``as it grows``: what is said of what has no name here is said of a setting."""
    unnamed = s.word(i - 1) in words.BE and is_unknown(s, i - 2)
    return unnamed or (s.word(i - 2), s.word(i - 1)) == ("as", "it")


def _is_identity(s: Sentence, i: int) -> bool:
    """``from the same run``, ``better all the same``, ``with the same seed``: that says of no metric that it is so."""
    one = s.word(i + 1) in words.RUN_NOUNS or s.word(i + 1) in _COMMON or bool(s.keys(i + 1))
    all_the = (s.word(i - 2), s.word(i - 1)) in {("all", "the"), ("just", "the")}
    idiom = all_the and s.word(i - 3) not in words.BE and s.word(i + 1) in words.ENDINGS
    return (one and not s.names(i + 1)) or idiom


def is_of_time(s: Sentence, i: int) -> bool:
    """``took longer``, ``less time``, ``a shorter run``."""
    word, after = s.word(i), s.word(i + 1)
    if word in {"more", "less"}:
        return after == "time"
    taking = any(s.word(j) in _TAKING for j in range(max(0, i - 4), i))
    return word in LONG and (after in words.RUN_NOUNS or (taking and s.kind(i + 1) is not TokenKind.METRIC))


def is_against_unknown(s: Sentence, within: range) -> bool:
    """``costs more than rounding``: something is compared with what the facts have no name for."""
    for than in (j for j in within if s.word(j) == "than"):
        j = s.skip(than + 1, words.ARTICLES | _OF_OTHERS)
        named = any(s.runs(k) or s.keys(k) or s.numeral(k) for k in range(j, j + 4))
        if s.is_word(j) and not named and s.word(j) not in words.FOLLOWERS | words.RUN_NOUNS | _OTHERS:
            return True
    return False


def is_against_all(s: Sentence, i: int) -> bool:
    """``lower than in any other run``, ``slower than everything else``."""
    than = next((j for j in range(i + 1, i + 6) if s.word(j) == "than"), len(s.tokens))
    first = s.skip(than + 1, _TO_METRIC)
    pair = s.word(first), s.word(first + 1)
    return pair in _ALL_OTHERS or (pair[0] == "the" and pair[1] in {"others", "rest"})


def is_passive(s: Sentence, i: int) -> bool:
    """``was beaten by LR-003``."""
    named = bool(s.runs(s.skip(i + 2, words.ARTICLES)))
    return s.word(i) in words.CONTESTS and s.word(i + 1) == "by" and named


def after_reference(s: Sentence, j: int) -> frozenset[str]:
    """``beats the baseline in loss``, ``better than LR-001 on throughput``."""
    _, high = s.clause(j)
    for k in range(j, min(high, j + 9)):
        if s.kind(k) is TokenKind.METRIC and s.word(s.skip(k - 1, words.ARTICLES, -1)) in _TO_METRIC:
            return s.names(k)
        if s.kind(k) is TokenKind.NUMBER and not s.runs(k):
            break
    return frozenset()


def is_of_several(s: Sentence, low: int, i: int) -> bool:
    """``three got better``: said of things that are counted and not named."""
    numerals = [t.numeral for t in s.tokens[low:i] if t.kind is TokenKind.NUMBER and not t.runs]
    return any(numeral is not None and numeral.word and numeral.whole for numeral in numerals)


def goes_on(s: Sentence, low: int, i: int) -> bool:
    """Whether a clause that names no run has the subject of the one before: ``and the worst score``, ``while it``."""
    first = s.skip(low, _CONJOINING)
    if s.word(s.skip(first, words.ARTICLES)) in words.SUPERLATIVES:
        return True
    verbal = s.word(first) in words.FOLLOWERS | words.SENSES.keys() | words.STATUS_WORDS.keys() | {"with"}
    verbal = verbal and s.word(first) not in words.ARTICLES
    verbal = verbal or any(s.word(j) in {"attempt", "run", "job"} for j in range(first, first + 3))
    return verbal or any(s.word(j) in MAIN or s.word(j) == "which" for j in range(low, i))


def is_compared_value(s: Sentence, i: int) -> bool:
    """Whether something is compared with the numeral: ``down from 2.40``, ``against a loss of 2.40``."""
    j, small = i - 1, words.ARTICLES | words.APPROXIMATE | {"of", "'s", "'"}
    while s.word(j) in small or s.kind(j) is TokenKind.METRIC or s.runs(j):
        j -= 1
    word, pair = s.word(j), (s.word(j - 1), s.word(j))
    if s.word(i - 1) in {"of", "<", ">"} and s.kind(i - 2) is TokenKind.NUMBER:
        return True
    if word == "to":
        return pair in words.COMPARE_PAIRS
    if word in {"below", "above", "under", "over"}:
        return j < i - 1
    return word in _REFERRING or pair in words.COMPARE_PAIRS or starts_step(s, i)


def is_mutual(s: Sentence, mention: Mention) -> bool:
    """``LR-002 and LR-003 differ by``, ``within 1 % of each other``, ``between LR-002 and LR-003``."""
    said = s.words & _DIFFERING or {"each", "other"} <= s.words or {"one", "another"} <= s.words
    return bool(said) or s.word(s.skip(mention.first - 1, words.ARTICLES, -1)) == "between"

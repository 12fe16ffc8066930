"""Senses: which way a word says that something went, and which word says so of an amount: ``fell by 0.09``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.amounts import amount_at
from curator.verify.reading.roles import Role, role_of
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import FACTOR
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence

EFFECTS = words.word_set("effect impact difference change influence")
_NO_EFFECT = words.word_set("no little negligible zero")
_CHANGING = forms("change differ move shift") | {"different"}
"""Words that say little unless a "not" stands before them."""
_GOOD_OR_BAD = {
    **dict.fromkeys(("positive", "beneficial", "favourable", "favorable", "good"), Sense.BETTER),
    **dict.fromkeys(("negative", "adverse", "detrimental", "harmful", "bad"), Sense.WORSE),
}
_MORE = frozenset({"more", "most"})
_LESS = frozenset({"less", "least"})
_PAYING = forms("pay")
_GIVING = forms("give")
_FALLEN = words.word_set("short flat apart through victim")
"""``fell short``: that nothing moved."""
_MULTIPLYING = words.word_set("doubled doubles tripled triples quadrupled quadruples")
_MOVING = words.BE | forms("go come bring stay take creep edge inch drift move tick trend head push")
_KEPT = words.ENDINGS | words.ARTICLES | words.word_set("and but while of compared relative unlike with at")
"""What may stand behind what is kept; else it says how: ``keeps the loss below 3``."""
_NO = words.word_set("no without zero nothing")
_SLIGHT = words.word_set("any extra added additional measurable significant noticeable visible real the a")
_EXTRA = words.word_set("extra additional")
_BURDENS = words.word_set("cost costs price penalty penalties overhead expense sacrifice loss hit")
"""What is paid; ``without any loss in accuracy``, where that is no metric."""
_SETTINGS = words.word_set("penalty penalties")
_GIVING_UP = forms("cost lose sacrifice")
_RIVALS = frozenset({"match", "rival"})
_BOUNDING = words.word_set("at most least only just about no more less than over under some")
_PASSING = words.word_set("relative percentage absolute the") | {""}


def sense_at(s: Sentence, j: int) -> Sense | None:
    """The direction that the word at ``j`` states, if it states one."""
    word = s.word(j)
    if s.kind(j) is TokenKind.NUMBER and word in _MULTIPLYING:
        return Sense.UP
    if s.kind(j) is not TokenKind.WORD:
        return None
    if word in words.MOVES and s.word(j + 1) in {"up", "down"}:
        return None  # "creeps down": the small word says where
    if word in _CHANGING and s.negated(j) and (s.word(j + 1) == "from" or _is_measured(s, j + 1)):
        return Sense.SAME if has_no_effect(s, j) else Sense.OTHER
    if word in EFFECTS:
        said = {s.word(j - 1), s.word(j - 2)}
        return Sense.SAME if has_no_effect(s, j) else next((_GOOD_OR_BAD[w] for w in said if w in _GOOD_OR_BAD), None)
    if word in {"up", "down"} and s.word(j - 1) in _GIVING:
        amount = word == "up" and s.kind(s.skip(j + 1, _BOUNDING)) is TokenKind.NUMBER
        return Sense.WORSE if amount else None  # "gave up 3.4 points"
    if word in {"up", "down"} and s.word(j - 1) in words.PARTICLE_VERBS:
        return None
    if word in {"up", "down"}:
        amount = s.word(j + 1) in {"from", "by"} or s.kind(j + 1) is TokenKind.NUMBER
        return words.PLACES[word] if amount or s.word(j - 1) in _MOVING else None
    if word in _PAYING and s.word(j + 1) == "off":
        return Sense.BETTER
    if word in words.PLACES:
        return words.PLACES[word] if word in {"above", "below", "ahead", "behind", "under"} else None
    if word in words.MOVES and {s.word(j + 1), s.word(j + 2), s.word(j + 3)} & _FALLEN:
        return None
    if word == "top" and s.word(j - 1) in {"on", "at", "the"}:
        return None
    if word == "slow" and s.word(j - 1) in words.BE | {"too", "very", "so", "as", "not"}:
        return None
    if word == "speed" and s.word(j + 1) != "up":
        return None
    return graded(s, j) or words.SENSES.get(word)


def has_no_effect(s: Sentence, j: int) -> bool:
    """Whether the "no" is a part of what the word at ``j`` says: ``no measurable effect``."""
    said = s.word(j - 1) in _NO_EFFECT or (s.word(j - 2) in _NO_EFFECT and _is_measured(s, j + 2))
    return s.word(j) in EFFECTS and said


def _is_measured(s: Sentence, j: int) -> bool:
    return s.kind(s.skip(j, words.ARTICLES)) is TokenKind.METRIC


def graded(s: Sentence, j: int) -> Sense | None:
    """The sense of a degree in two words: ``more slowly``, ``less accurate``, ``most often``."""
    sense = words.GRADES.get(s.word(j + 1)) if s.word(j) in _MORE | _LESS else None
    return words.OPPOSITE[sense] if sense and s.word(j) in _LESS else sense


def equality_at(s: Sentence, i: int) -> Sense | None:
    """The sense of ``as fast as``, ``keeps the accuracy``; after a factor, ``twice as fast as``, that is judged."""
    if free := freed(s, i):
        return free
    if s.word(i) in words.KEEPING:
        return Sense.BETTER if _is_kept(s, i) else None
    if s.word(i) in _RIVALS and s.word(i + 1) == "for":
        return Sense.BETTER  # "no match for the baseline"
    if s.word(i - 1) != "as" or s.word(i) not in words.GRADES or s.kind(i - 2) is TokenKind.NUMBER:
        return None
    compared = any(s.word(j) == "as" for j in range(i + 1, i + 4))
    return words.GRADES[s.word(i)] if compared else None


def freed(s: Sentence, i: int) -> Sense | None:
    """The sense of ``at no cost in throughput``, ``costs no memory``, ``no extra memory``: at least as good."""
    word = s.word(i)
    if word in _EXTRA and s.word(i - 1) in _NO and s.kind(i + 1) is TokenKind.METRIC:
        return Sense.DOWN
    if word in _BURDENS and _is_unburdened(s, i):
        return Sense.BETTER
    if word not in _GIVING_UP:
        return None
    taken = s.skip(i + 1, _NO | _SLIGHT | {"us"})
    taken += s.word(taken - 1) == "nothing" and s.word(taken) == "in"
    denied = s.word(i + 1) in _NO or s.negated(i)
    return Sense.BETTER if denied and s.kind(taken) is TokenKind.METRIC else None


def _is_unburdened(s: Sentence, i: int) -> bool:
    """``at no cost in throughput``, ``without a memory overhead``; but a penalty may be a setting that is left out."""
    of = s.kind(s.skip(i + 2, words.ARTICLES)) is TokenKind.METRIC and s.word(i + 1) in {"in", "of", "on", "to", "for"}
    no = i - 1
    while s.word(no) in _SLIGHT or (s.kind(no) is TokenKind.METRIC and s.word(i) not in _SETTINGS):
        no -= 1
    measured = of or any(s.kind(j) is TokenKind.METRIC for j in range(no + 1, i))
    denied = s.word(s.skip(no - 1, frozenset({"at", "with", "come", "comes"}), -1)) in words.NEGATIONS
    return s.word(no) in _NO and measured and not denied and not s.keys(i) and not s.runs(i)


def _is_kept(s: Sentence, i: int) -> bool:
    """``keeps the accuracy``, ``the accuracy is kept``."""
    metric = s.skip(i + 1, words.ARTICLES)
    if s.kind(metric) is TokenKind.METRIC:
        return s.word(metric + 1) in _KEPT and s.kind(metric + 2) is not TokenKind.NUMBER
    return s.word(i - 1) in words.BE and s.word(i + 1) in words.ENDINGS


def factor_sense(s: Sentence, i: int) -> Sense | None:
    """Which way the factor at ``i`` goes: ``twice as fast``, ``3x faster``."""
    if s.word(i + 1) == "as" and s.word(i + 2) in words.GRADES:
        return words.GRADES[s.word(i + 2)]
    at = amount_word(s, i)
    return sense_at(s, at) if at is not None else None


def _tells(s: Sentence, j: int) -> bool:
    """Whether the word says which way an amount went; no adjective of a setting does: ``the larger cutoff 36.9 %``."""
    sizing = s.word(j) in words.ADJECTIVES and bool(s.keys(j + 1)) and not s.names(j + 1)
    return sense_at(s, j) not in {None, Sense.SAME} and not sizing


def amount_word(s: Sentence, i: int) -> int | None:
    """Where the word stands that says which way the change at ``i`` went: right behind it, else the nearest before."""
    numeral = s.numeral(i)
    if s.word(i - 1) in words.PRICES:
        return i - 1
    if role_of(s, i) is not Role.CHANGE and not (numeral and numeral.relative):
        return None
    if s.word(i - 1) == "of" and s.word(i - 2) in words.NOUNS:
        return i - 2  # "a drop of 0.06"
    relative = numeral is not None and numeral.relative
    for j in range(i + 1, min(i + 5, len(s.tokens))):
        if s.word(j) == "over" or (s.word(j) == "more" and s.word(j + 1) in words.ENDINGS and not relative):
            return None  # "gave us 8 ms more"
        if _tells(s, j) or s.word(j) == "under":
            return j
        if s.word(j) not in _PASSING and s.kind(j) is not TokenKind.METRIC:
            break
    if numeral and numeral.sign in {"+", "-"}:
        return None
    earlier = [j for j in s.of_kind(TokenKind.NUMBER, (0, i)) if _is_factor(s, j)]
    if earlier and _is_factor(s, i):
        return amount_word(s, earlier[-1])  # "three times faster with one and 4.6 times with the other"
    at, amount = _amount_word_before(s, i), amount_at(s, i)
    return at if at is None or amount is None or amount.low <= at else None  # "less than the 0.09 that it gains"


def _amount_word_before(s: Sentence, i: int) -> int | None:
    low, _ = s.clause(i)
    low = max([low, *(j + 1 for j in range(low, i) if s.word(j) == ":" and j > 2)])
    for j in range(i - 1, low - 1, -1):
        if s.word(j) in words.ADJECTIVES and s.keys(j + 1) and not s.names(j + 1):
            continue  # "the larger window 36.9 %"
        if _tells(s, j) and not (s.word(j + 1) == "than" and j + 2 == i):
            return None if s.kind(j - 1) is TokenKind.NUMBER else j
        if s.kind(j) is TokenKind.METRIC and any(_is_other_verb(s, k) for k in range(j + 1, i)):
            return None  # "perplexity climbs and MMLU craters by 9.9 points"
        other = s.kind(j) is TokenKind.NUMBER and role_of(s, j) is Role.CHANGE
        begins = s.word(s.skip(j - 1, words.ARTICLES, -1)) in {",", "and", "while", ";"}
        if other or (s.kind(j) is TokenKind.RUN and s.runs(j) and begins):
            return None
    return None


def _is_other_verb(s: Sentence, k: int) -> bool:
    """Whether the word may be a verb that says nothing to us."""
    return s.is_word(k) and s.word(k) not in words.FOLLOWERS | words.DEGREES | words.DIFFERENCES


def _is_factor(s: Sentence, i: int) -> bool:
    numeral = s.numeral(i)
    return numeral is not None and numeral.unit is not None and numeral.unit.dimension == FACTOR

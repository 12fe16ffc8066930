"""Mood: whether a sentence asserts what stands in it, or only thinks of it: a plan, a hope, a condition, a purpose.

A word of doubt governs the claim that it stands with, and no other: ``As one might hope, LR-004 beats LR-003`` and
``LR-004, which we thought would fail, is better`` assert what stands outside the aside. Knows word order only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence

_CONDITIONS = words.word_set("if whether unless next had were")
"""At the start of a clause; what they say holds of all of it, behind a comma as well."""
_IDIOMS = words.pairs("next to, if anything, if only, if nothing")
_MODALS = words.word_set("may might could should would can will shall must")
_ASIDE = words.word_set("as than what")
"""``as expected``, ``than we had hoped``, ``did what was predicted``: said of what is a fact all the same."""
_BESIDE_ASIDE = words.BE | words.word_set(
    "we i you one they it had have has also was would might could may can will should originally initially first"
    " previously generally widely already well so always naturally fully indeed all rightly correctly"
)
_SAYING = words.word_set("say see note observe state conclude report show read confirm find mention add admit stress")
_SAID = words.word_set("said seen noted observed stated concluded shown read confirmed mentioned added stressed")
_FREELY = words.word_set("can may must should let's could")
"""With a verb of saying they assert what is said: ``we can say``, ``it should be noted``."""
_BESIDE_SAYING = words.word_set("be also now thus therefore safely only clearly easily already however us")
_GOALS = words.word_set("goal target aim plan prediction hypothesis question promise proposal")
_MEETING = words.word_set(
    "meets met hit hits reached reaches missed misses kept keeps fulfilled fulfils exceeded exceeds confirmed confirms"
    " supports supported refutes refuted beat beats contradicts contradicted failed fails"
)
_EXPLAINED = words.word_set("that to of is was were for whether")
_COMING = words.RUN_NOUNS | words.word_set("step steps action actions round week month day thing time sweep up")
_HAPPENED = words.word_set(
    "continued continues found shown able seems seemed appears managed began started due down up went go leads led"
    " out seen observed proved proven proves said known"
)
"""Before "to" and a verb: what follows is said to have happened, not to be a purpose."""
_FINITE = words.BE - {"be", "been", "being"} | words.word_set(
    "has have had does did do doesn't didn't isn't wasn't aren't weren't don't fell rose grew lost won ran led"
    " shrank sank hit got came went took stood"
)
_VERBS = (
    words.MOVES.keys() | words.CAUSES.keys() | words.CONTESTS.keys() | words.STATUS_WORDS.keys()
) - words.NOUNS.keys()
_NO_VERBS = words.word_set("vs versus plus less across as 's its this thus always besides")
_SUBJECTS = words.word_set("it this that they these those we both all none nothing each every no the a an our its")


def hedged(s: Sentence, i: int) -> bool:
    """Whether what stands at ``i`` is only thought of: a question, a plan, a condition, a purpose."""
    if s.context.hypothetical or s.is_question:
        return True
    low = _after_colon(s, i)
    first = s.word(low)
    if first in _CONDITIONS and (first, s.word(low + 1)) not in _IDIOMS:
        return True
    if first == "to" and not _is_over(s, low, i):
        return True
    return any(_governs(s, h, i) for h in range(low, i)) or _is_purpose(s, i)


def _after_colon(s: Sentence, i: int) -> int:
    """Where the clause around ``i`` begins, or what follows a colon in it."""
    low, _ = s.clause(i)
    return max([low, *(j + 1 for j in range(low, i) if s.word(j) == ":")])


def _is_purpose(s: Sentence, i: int) -> bool:
    """``to lower the loss``, unless it says that this happened: ``continued to fall``."""
    back = i - 1
    while s.word(back).endswith("ly"):
        back -= 1
    if s.word(back) != "to" or s.word(i).endswith(("ing", "ed", "er")) or s.word(i) == "completion":
        return False
    return s.word(back - 1) not in _HAPPENED | words.FAILED_TO


def _governs(s: Sentence, h: int, i: int) -> bool:
    """Whether a word of doubt stands at ``h`` and what is said at ``i`` is in doubt by it."""
    word = s.word(h)
    if not s.is_word(h) or word not in words.HEDGES:
        return False
    if word == "next":
        return s.word(h + 1) in _COMING and not any(s.runs(j) for j in range(h, i))
    if word == "if":
        return s.word(h - 1) != "even" and (word, s.word(h + 1)) not in _IDIOMS
    return word == "whether" or not (_is_aside(s, h) or _is_saying(s, h) or _is_met(s, h) or _is_over(s, h, i))


def _is_aside(s: Sentence, h: int) -> bool:
    """``as expected``, ``as we had hoped``, ``than one might think``, ``did what was planned``."""
    back = s.skip(h - 1, _BESIDE_ASIDE, -1)
    return s.word(back) in _ASIDE and not (s.word(back) == "what" and s.word(h + 1) in words.BE)


def _is_saying(s: Sentence, h: int) -> bool:
    """``we can say that``, ``it should be noted that``."""
    said = s.skip(h + 1, _BESIDE_SAYING)
    return s.word(h) in _FREELY | {"let"} and s.word(said) in (
        _SAID if "be" in {s.word(said - 1), s.word(h + 1)} else _SAYING
    )


def _is_met(s: Sentence, h: int) -> bool:
    """``met its target and``: of a goal it says that it was reached, and not what it is."""
    verb = s.word(s.skip(h - 1, words.ARTICLES, -1))
    return s.word(h) in _GOALS and verb in _MEETING and s.word(h + 1) not in _EXPLAINED


def _is_over(s: Sentence, h: int, i: int) -> bool:
    """Whether the part of the sentence that is in doubt by the word at ``h`` ends before ``i``."""
    if s.tokens[h].depth > s.tokens[i].depth:
        return True  # it stands in brackets
    commas = [j for j in range(h + 2, i) if s.word(j) in {",", "("} and not (s.runs(j - 1) and s.runs(j + 1))]
    if any(_is_clause(s, j + 1, i) or _is_apposition(s, j, i) for j in commas):
        return True
    inside = any(s.word(j) == "," and _has_name(s, 0, j) for j in range(max(0, h - 8), h))
    if inside and any(_is_finite(s, _past_adverbs(s, j + 1)) for j in commas):
        return True  # "LR-004, as the hypothesis has it, beats LR-003"
    conjoined = (j for j in range(h + 2, i) if s.word(j) in {"and", "but"})
    return s.word(h) in _MODALS and any(_is_finite(s, _past_adverbs(s, j + 1)) for j in conjoined)


def _is_apposition(s: Sentence, comma: int, i: int) -> bool:
    """``we plan to keep LR-003, the best of the runs``."""
    told = s.word(i) in words.SUPERLATIVES and s.word(comma + 1) in {"the", "our", "with", "having"}
    return told and bool(s.runs(comma - 1)) and i <= comma + 6


def _past_adverbs(s: Sentence, j: int) -> int:
    while s.word(j).endswith("ly") or s.word(j) in {"also", "even", "indeed", "still", "thus"}:
        j += 1
    return j


def _is_clause(s: Sentence, start: int, i: int) -> bool:
    """Whether a subject and its verb stand from ``start`` to ``i``: a claim of its own."""
    verbs = (v for v in range(start + 1, i + 1) if _is_finite(s, v))
    return any(_has_name(s, start, v) for v in verbs)


def _has_name(s: Sentence, low: int, high: int) -> bool:
    return any(s.runs(j) or s.names(j) or s.keys(j) or s.word(j) in _SUBJECTS for j in range(low, high))


def _is_finite(s: Sentence, v: int) -> bool:
    """Whether the word at ``v`` is a verb that says what is or was: no infinitive, no participle in ``-ing``."""
    word, before = s.word(v), s.word(v - 1)
    if before in _MODALS | {"to", "not", "be", "been"} or word.endswith("ing") or not s.is_word(v):
        return False
    if word in _FINITE:
        return True
    if s.runs(v - 1) and word not in _NO_VERBS:
        return word in _VERBS or word.endswith(("s", "ed"))
    return word in _VERBS and word.endswith(("s", "ed"))

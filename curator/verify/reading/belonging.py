"""Of which runs a sentence says that the values of a setting are: ``the seeds of LR-003``. Reads word order only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.mentions import PREPOSITIONS
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

_TO_NAME = (
    words.ARTICLES
    | words.RUN_NOUNS
    | words.word_set("tried used tested with without under using of in at for from ( and we =")
)
_FRONT = 4
_JOINTS = words.word_set(", and &")
_LISTING = words.word_set("( : , of at for with on those that namely i.e. were was run launched tried added 's config")


def of_whom(s: Sentence, noun: int, i: int, mentions: Sequence[Mention]) -> Mention | None:
    """The runs whose values the noun is for: behind it, or in front of what stands at ``i``.

    ``the learning rates in LR-001 to LR-005``, ``At batch 512 the best seed is``
    """
    behind = noun + 1
    while s.word(behind) in _TO_NAME or s.keys(behind):
        behind += 1
    mention = next((m for m in mentions if m.first <= behind <= m.last), None)
    if mention and behind > noun + 1 and s.word(mention.first - 1) not in words.BE:
        return mention
    front = next((m for m in mentions if m.last < i), None)
    return front if front and len(front.meant) > 1 and s.word(0) in PREPOSITIONS and front.first <= _FRONT else None


def listed(s: Sentence, i: int, noun: int) -> tuple[frozenset[str], int]:
    """The runs that a count lists itself, and where the last stands of those behind it; none where it lists none.

    ``three more seeds (LR-006 to LR-008)``, ``LR-003 and LR-004, two runs in all,``
    """
    before = _list(s, i - 2, -1) if s.word(i - 1) in {",", "("} else []
    if len(before) > 1 and s.word(noun + 1) in {",", ")", "in", "altogether"}:
        return _meant(s, before), noun
    behind = _past(s, noun + 1)
    names = _list(s, behind, 1)
    runs, opened = _meant(s, names), {s.word(k) for k in range(noun + 1, behind)}
    told = opened & {"those", "that"}  # "two of them, those of LR-003 and LR-004"
    if not names or (len(runs) < 2 and not told):
        return frozenset(), noun
    apposed = not opened & {"(", ":"} and opened and s.word(names[-1] + 1) not in {",", ".", ";", ""}
    return (frozenset(), noun) if apposed else (runs, names[-1])  # not "With two seeds, LR-003 and LR-004 are"


def listed_behind(s: Sentence, at: int) -> frozenset[str]:
    """The runs that end a statement at the word at ``at``: ``two of them failed, LR-003 and LR-004``."""
    names = _list(s, at + 2, 1) if s.word(at + 1) in {",", ":", "("} and at >= 0 else []
    return _meant(s, names) if names and s.word(names[-1] + 1) in words.ENDINGS - {","} else frozenset()


def _past(s: Sentence, k: int) -> int:
    """Where a list may begin behind a counted noun and what tells of it: ``seeds of LR-003 at 0.01 were run:``."""
    while s.word(k) in _LISTING or s.keys(k) or (s.runs(k) and (s.tokens[k].described or _is_owner(s, k))):
        k += 1
    return k


def _is_owner(s: Sentence, k: int) -> bool:
    """``of LR-003``, and not ``those of LR-003``."""
    return s.word(k - 1) == "of" and s.word(k - 2) not in {"those", "that"}


def _list(s: Sentence, j: int, step: int) -> list[int]:
    """Where the IDs stand that follow one another from ``j`` on."""
    found = list[int]()
    while s.kind(j) is TokenKind.RUN and not s.tokens[j].described:
        found.append(j)
        j = s.skip(j + step, _JOINTS, step)
    return found


def _meant(s: Sentence, names: Sequence[int]) -> frozenset[str]:
    return frozenset().union(*(s.runs(j) for j in names))

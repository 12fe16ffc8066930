"""Of whom a setting is said: ``LR-003 was started with lr=0.01``, ``At a rate of 0.01, LR-003 diverged``.

Only where the sentence makes it plain and names the run by its ID. Reads word order; never looks at a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence

_RUNNING = forms(
    """
    run train start launch use set try enable keep repeat restart add turn switch leave raise lower disable lack omit
    skip drop remove activate deactivate adopt employ apply change do increase decrease double halve combine pair
    """
)
_OWNING = (
    words.LINKS
    | _RUNNING
    | words.word_set(
        '( = : " learning rate command line all both each alone already always otherwise plus only without'
    )
    | {""}
) - words.VERSUS.union(
    {"and", "or", "than", "over", "under", "above", "below", "while", "whereas", "from", "where", "before", "after"}
)
"""What stands between a run and its setting."""
_PASSED = words.word_set("after before since following like unlike besides beyond beside next until")
"""``After LR-003 we ran ...``: of another run."""
_APPOSED = (forms("run train start launch use set")) | {"with", "at", "here"}
"""Behind a comma: ``LR-003, run at 0.01, diverged``."""
_FRONTING = words.word_set("at with using under for given")
_USED_IN = words.word_set("in for by")
_USED = forms("set use try enable disable turn switch test apply keep activate")
_AROUND_USED = words.BE | words.word_set("only just also alone on off has had =  true false")
_BEHIND = 8
_FRONT = 6
"""Tokens within which a sentence begins to tell a setting before it names the run."""
_COPYING = words.BE | words.word_set("just simply basically essentially")
_CHANGED = words.word_set("with plus but at using")


def holders(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """The runs, by ID, that the setting at ``i`` may be said of; several where either of two may be meant."""
    return _behind(reader, s, i) or _fronted(reader, s, i) or _passive(reader, s, i)


def by_id(s: Sentence, mention: Mention) -> bool:
    """Whether runs are named by their IDs, and not by what is set of them."""
    return all(s.kind(j) is TokenKind.RUN and not s.tokens[j].described for j in mention.members)


def _behind(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """``LR-003 uses a learning rate of 0.01``; ``LR-003 repeats LR-002 with seed=1`` leaves open of which."""
    before = [m for m in reader.runs if m.members[-1] < i and by_id(s, m)]
    if not before:
        return []
    last = before[-1]
    if s.word(s.skip(last.first - 1, words.ARTICLES, -1)) in _PASSED:
        return []
    between = range(last.members[-1] + 1, i)  # what is set of a run may be counted to its name
    if len(between) > _BEHIND or not all(_owns(s, j) for j in between):
        return []
    if len(before) == 1 or s.clause(last.first)[0] > before[0].first:
        return [last.meant]
    if _is_copy(s, before[-2], last):
        return [before[-2].meant]
    return [last.meant, before[-2].meant] if last.reference or last.object else [last.meant]


def _owns(s: Sentence, j: int) -> bool:
    return s.word(j) in _OWNING or bool(s.keys(j)) or (s.word(j) == "," and s.word(j + 1) in _APPOSED)


def _is_copy(s: Sentence, subject: Mention, other: Mention) -> bool:
    """``LR-003 is LR-002 with seed=1``: what follows is set of the subject."""
    linked = range(subject.last + 1, other.first)
    return len(linked) > 0 and all(s.word(j) in _COPYING for j in linked) and s.word(other.last + 1) in _CHANGED


def _fronted(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """``At lr=0.01, LR-003 reached 2.31``."""
    if s.word(0) not in _FRONTING or i > _FRONT or not all(s.word(j) in _OWNING or s.keys(j) for j in range(1, i)):
        return []
    first = next((m for m in reader.runs if m.first > i and by_id(s, m)), None)
    if first is None or s.word(first.first - 1) not in {",", "both", "run", "runs"} or s.word(first.last + 1) == "'s":
        return []
    single = not any(s.word(j) == "," for j in range(i, first.first - 1))
    return [first.meant] if single and s.clause(i)[1] > first.first else []


def _passive(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """``lr=0.01 was only used in LR-003``."""
    first = next((m for m in reader.runs if m.first > i and by_id(s, m)), None)
    if first is None or s.word(first.first - 1) not in _USED_IN:
        return []
    between = [s.word(j) for j in range(i + 1, first.first - 1) if s.word(j)]
    used = any(word in _USED for word in between) and all(word in _USED | _AROUND_USED for word in between)
    return [first.meant] if used else []

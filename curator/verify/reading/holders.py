"""Of whom a setting is said: ``LR-003 was started with lr=0.01``, ``At a rate of 0.01, LR-003 diverged``.

Only where the sentence makes it plain and names the run by its ID. Reads word order; never looks at a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.keys import JOINTS, key_of
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
    stop throw hit
    """
)
_OWNING = (
    words.LINKS
    | words.STATUS_WORDS.keys()
    | words.RESIZED.keys()
    | _RUNNING
    | words.word_set(
        '( = : " learning rate command line size value all both each alone already always otherwise plus only without'
    )
    | {""}
) - words.VERSUS.union(
    {"and", "or", "than", "over", "under", "above", "below", "while", "whereas", "from", "where", "before", "after"}
)
"""What stands between a run and its setting."""
_REMAKING = forms("repeat rerun redo replicate reproduce extend change modify restart continue take copy resume")
_MAKING = words.word_set("( is as gives gave makes becomes = in")
"""Between a changed setting and the run that has it."""
_PASSED = words.word_set("after before since following like unlike besides beyond beside next until but except")
"""``After LR-003 we ran ...``: of another run."""
_APPOSED = forms("run train start launch use set") | {"with", "at", "here"}
"""Behind a comma: ``LR-003, run at 0.01, diverged``."""
_FRONTING = words.word_set("at with using under for given")
_LISTING = words.word_set(", and true false on off enabled disabled ) with without no")
_RECORDED = words.word_set(
    "config configuration settings setup hyperparameters command trained launched started run ran"
)
"""Under the heading of a run: ``Run with``, ``Config:``."""
_USED_IN = words.word_set("in for by")
_USED = forms("set use try enable disable turn switch test apply keep activate") | {"on", "off"}
_AROUND_USED = words.BE | words.word_set("only just also alone has had = true false")
_BEHIND = 8
_FRONT = 6
"""Tokens within which a sentence begins to tell a setting before it names the run."""
_COPYING = words.BE | words.ARTICLES | words.word_set("just simply basically essentially")
_CHANGED = words.word_set("with without plus minus but at using")


def holders(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """The runs, by ID, that the setting at ``i`` may be said of; several where either of two may be meant."""
    told = _behind(reader, s, i) or _fronted(reader, s, i) or _passive(reader, s, i)
    return [*told, *_renamed(reader, s, i)] if told else _of_heading(reader, s, i)


def by_id(s: Sentence, mention: Mention) -> bool:
    """Whether runs are named by their IDs, and not by what is set of them."""
    return all(s.kind(j) is TokenKind.RUN and not s.tokens[j].described for j in mention.members)


def _behind(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """``LR-003 uses a learning rate of 0.01``; ``LR-003 repeats LR-002 with seed=1`` leaves open of which."""
    before = [m for m in reader.runs if m.members[-1] < i and by_id(s, m)]
    if before and s.word(before[-1].last + 1) == "to":
        before.pop()  # "raises the rate of LR-003 to 0.01"
    if not before:
        return []
    last = before[-1]
    between = range(last.members[-1] + 1, i)  # what is set of a run may be counted to its name
    if not _owns(s, between) and not _lists(s, between):
        return []
    remade = _is_remade(s, last, i)
    if len(before) == 1 or s.clause(last.first)[0] > before[0].first:
        return [] if remade else [last.meant]
    if is_copy(s, before[-2], last):
        return [before[-2].meant]
    return [last.meant, before[-2].meant] if remade or last.reference or last.object else [last.meant]


def _is_remade(s: Sentence, run: Mention, i: int) -> bool:
    """``After LR-003 we tried 0.01``, ``we repeated LR-003 with seed=1``: a setting of another run."""
    verb = s.word(s.skip(run.first - 1, words.ARTICLES, -1))
    again = any(s.word(j) in words.BE and s.word(j + 1) in _REMAKING for j in range(run.last + 1, i))
    return (verb in _PASSED | _REMAKING and s.word(run.last + 1) != ":") or again


def _renamed(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """``LR-003 with a rate of 0.01 (LR-004)``, ``LR-003 with qk_norm is LR-010``: a run that it makes of another."""
    behind = (m for m in reader.runs if i < m.members[0] <= i + 6 and by_id(s, m))
    return [m.meant for m in behind if s.word(s.skip(m.members[0] - 1, words.ARTICLES, -1)) in _MAKING][:1]


def _of_heading(reader: Reader, s: Sentence, i: int) -> list[frozenset[str]]:
    """``Config: lr=0.01`` under a heading that names one run, or in its row of a table."""
    topics = s.context.topics
    if len(topics) != 1 or any(by_id(s, m) for m in reader.runs) or s.is_question or _is_in_series(s, i):
        return []
    alone = all(_is_listed(s, j) or s.word(j) in words.ENDINGS for j in range(len(s.tokens)))
    opened = s.word(0) in _RECORDED and (s.word(0) not in _RUNNING or s.word(1) in {"with", "at", "as", "by", "using"})
    told = opened and (_owns(s, range(1, i)) or _lists(s, range(1, i)))
    return [topics] if told or (alone and s.word(0) not in _RUNNING) else []


def _is_in_series(s: Sentence, i: int) -> bool:
    """``seeds 1, 2 and 3``: no setting of one run."""
    return any(s.word(i + step) in JOINTS and s.numeral(i + 2 * step) is not None for step in (-1, 1))


def _owns(s: Sentence, between: range) -> bool:
    """``LR-003 was run with a rate of``: whether what follows is set of what stands before."""
    return len(between) <= _BEHIND and all(_is_owning(s, j) for j in between)


def _lists(s: Sentence, between: range) -> bool:
    """``LR-003 (lr=0.01, warmup 1000,``: whether what follows is one more setting of a list, by its key or its name."""
    i = between.stop
    told = {key for j in between[:-1] for key in _keys(s, j)}
    own = key_of(s, i) if s.kind(i) is TokenKind.NUMBER else _keys(s, i)
    apart = s.tokens[i].described if not own else s.kind(i) is TokenKind.NUMBER or not own & told
    starts = s.word(between.start) not in {",", ")", "and"} and s.clause(i)[0] <= between.start
    return apart and starts and all(_is_listed(s, j) for j in between)


def _is_owning(s: Sentence, j: int) -> bool:
    if s.word(j) in {"run", "runs"} and s.word(j - 1) in words.ARTICLES and s.word(j - 2) not in words.BE:
        return False  # "the baseline and the run with lr=0.01"
    return s.word(j) in _OWNING or bool(s.keys(j)) or (s.word(j) == "," and s.word(j + 1) in _APPOSED)


def _is_listed(s: Sentence, j: int) -> bool:
    listed = s.word(j) in _LISTING or _is_owning(s, j) or bool(_keys(s, j)) or s.tokens[j].described
    return listed or (s.kind(j) is TokenKind.NUMBER and bool(key_of(s, j)))


def _keys(s: Sentence, j: int) -> frozenset[str]:
    """The config keys at ``j``, those of ``lr=0.01`` in code among them."""
    key, _, value = s.tokens[j].text.partition("=")
    return frozenset({key}) if s.kind(j) is TokenKind.CODE and value else s.keys(j)


def is_copy(s: Sentence, subject: Mention, other: Mention) -> bool:
    """``LR-003 is LR-002 with seed=1``: what follows is set of the subject."""
    first = subject.members[-1] + 1
    if s.word(first) == ",":  # "LR-003, without warmup, is LR-002 with seed=1"
        first = next((j + 1 for j in range(first + 1, other.first) if s.word(j) == ","), first)
    linked = range(first, other.first)
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
    """``lr=0.01 was only used in LR-003``, ``we turned on qk_norm in LR-003``."""
    first = next((m for m in reader.runs if m.first > i and by_id(s, m)), None)
    if first is None or s.word(first.first - 1) not in _USED_IN:
        return []
    between = [s.word(j) for j in range(i + 1, first.first - 1) if s.word(j)]
    verbs = [*between, *(s.word(j) for j in range(max(0, i - 3), i))]
    used = any(word in _USED for word in verbs) and all(word in _USED | _AROUND_USED for word in between)
    return [first.meant] if used else []

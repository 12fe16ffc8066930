"""Which runs a verb or an adjective is said of: the subject of its clause, or what the sentence before was about.

Reads word order only; knows no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify import lexicon
from curator.verify.binding import Binder
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.sentences import Sentence

_UNIVERSAL = frozenset({"all", "every", "each", "none", "no", "neither"})
_EXCEPT = frozenset({"except", "excluding", "besides", "barring", "but", "save"})
_EXCEPT_PAIRS = {("apart", "from"), ("other", "than"), ("except", "for"), ("aside", "from")}
_BEHIND = frozenset({"for", "in", "with", "of", "under", "at", "from"}) | lexicon.ARTICLES


def subjects(s: Sentence, i: int, index: FactIndex) -> tuple[str, ...]:
    """The runs that the word at ``i`` is said of; empty when the sentence does not pin them down."""
    if s.context.cell:
        return tuple(sorted(s.context.topics))
    binder = Binder.of(s, index)
    low, high = s.clause(i)
    if placed := _placed(s, i):
        return placed
    excepted: set[str] = set()
    for j in s.leftwards(i):
        if binder.is_vague(j) or (s.kind(j) is TokenKind.RUN and not s.tokens[j].runs):
            return ()
        if j < low and (behind := _behind(s, i, high)):
            return behind
        if s.tokens[j].runs and _is_excepted(s, j):
            excepted |= s.tokens[j].runs
        elif s.tokens[j].runs and not s.is_reference(j):
            return _with_joined(s, j)
        elif s.word(j) in _UNIVERSAL and _counts_runs(s, j):
            return tuple(run for run in index.runs if run not in excepted)
        elif s.kind(j) is TokenKind.NUMBER and s.word(j + 1) in lexicon.RUN_NOUNS:
            return ()
    if behind := _behind(s, i, high):
        return behind
    inherited = binder.inherited_topic() or frozenset()
    return tuple(inherited) if len(inherited) == 1 else _under(s, i)


def _under(s: Sentence, i: int) -> tuple[str, ...]:
    """``dropped once the capacity factor was 2.0``: the condition behind, where nothing else is named."""
    at = [j for j in range(i + 1, len(s.tokens)) if s.tokens[j].runs]
    condition = any(
        s.word(j) in {"when", "once", "after", "with", "if", "as"} for j in range(i + 1, at[0] if at else 0)
    )
    lone = len({s.tokens[j].runs for j in at}) == 1 and not any(s.is_reference(j) for j in at)
    return tuple(sorted(s.tokens[at[0]].runs)) if condition and lone else ()


def _placed(s: Sentence, i: int) -> tuple[str, ...]:
    """``rises again at 0.03``: where it happens stands right behind."""
    j = i + 1
    while s.word(j) in {"again", "further", "slightly", "only"}:
        j += 1
    if s.word(j) not in {"at", "for", "with", "in", "under"}:
        return ()
    j += 1
    while s.word(j) in lexicon.ARTICLES or s.word(j) == "=" or s.kind(j) is TokenKind.CONFIG:
        j += 1
    return tuple(sorted(s.tokens[j].runs)) if j < len(s.tokens) and not s.is_reference(j) else ()


def _with_joined(s: Sentence, j: int) -> tuple[str, ...]:
    if s.kind(j) is not TokenKind.RUN:
        low, _ = s.clause(j)
        owners = (s.tokens[k].runs for k in range(j - 1, low - 1, -1) if s.kind(k) is TokenKind.RUN)
        runs = next((owner for owner in owners if owner and owner <= s.tokens[j].runs), s.tokens[j].runs)
        return tuple(runs) if len(runs) == 1 else ()
    group = s.coordinated(j)
    return tuple(sorted({run for k in group for run in s.tokens[k].runs}))


def _behind(s: Sentence, i: int, high: int) -> tuple[str, ...]:
    """``a lower loss in LR-003``."""
    for j in range(i + 1, high):
        if s.tokens[j].runs and not s.is_reference(j) and s.word(j - 1) in _BEHIND:
            return tuple(sorted(s.tokens[j].runs))
    return ()


def _is_excepted(s: Sentence, j: int) -> bool:
    """``all runs except LR-005``."""
    k = j - 1
    while s.word(k) in lexicon.ARTICLES | {",", "and"} or s.kind(k) is TokenKind.RUN:
        k -= 1
    return (s.word(k) in _EXCEPT and s.word(k - 1) != ",") or (s.word(k - 1), s.word(k)) in _EXCEPT_PAIRS


def _counts_runs(s: Sentence, j: int) -> bool:
    """Whether "all" or "no" ranges over runs: the first thing behind it is a word for one."""
    for k in range(j + 1, j + 6):
        if s.word(k) in lexicon.RUN_NOUNS or s.tokens[min(k, len(s.tokens) - 1)].runs:
            return True
        passing = s.word(k) in lexicon.ARTICLES | {"of", "other", "successful", "finished", "remaining"} | set(
            lexicon.STATUS_WORDS
        )
        if not passing and s.kind(k) is not TokenKind.NUMBER:
            return False
    return False


def reference(s: Sentence, i: int) -> str:
    """The run that the word or numeral at ``i`` is set against by name; empty when none is."""
    _, high = s.clause(i)
    if (
        s.word(i - 1) == "by"
        and len(s.tokens[i - 2].runs) == 1
        and any(t.kind is TokenKind.RUN for t in s.tokens[: i - 2])
    ):
        return next(iter(s.tokens[i - 2].runs))
    named = [j for j in range(len(s.tokens)) if s.tokens[j].runs and s.is_reference(j) and not _is_excepted(s, j)]
    right = [j for j in named if i < j < high]
    left = [j for j in reversed(named) if j < i and _reaches(s, j, i)]
    return next((next(iter(s.tokens[j].runs)) for j in (*right, *left) if len(s.tokens[j].runs) == 1), "")


def _reaches(s: Sentence, j: int, i: int) -> bool:
    """Whether a comparison before the word holds for it: in the same breath, or fronted: ``Compared with LR-001,``."""
    if s.word(0) in _FRONTED and not any(s.tokens[k].runs and s.is_reference(k) for k in range(j)):
        return True
    low, _ = s.clause(i)
    return j >= low and not any(s.word(k) == "," for k in range(j, i))


_FRONTED = frozenset({"compared", "relative", "unlike", "against", "versus", "vs", "vs."})

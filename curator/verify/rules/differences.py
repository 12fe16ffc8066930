"""Judges what is said of settings that runs share or differ in.

``LR-002 and LR-003 differ only in the seed``, ``a single change, the codec``, ``the same cutoff as LR-003``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.known.settings import differing, setting
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_ONLY = words.word_set("only just single sole solely alone nothing")
_DIFFERING = forms("differ change vary") | words.word_set("difference differences did")
_EXCEPT = words.word_set("but except besides")
_NEAR = 6
"""Tokens between "only" and the word that says that something differs."""
_FAR = 10
"""From there to the setting: ``the only difference between LR-002 and LR-003 is the seed``."""
_ALIKE = words.word_set("same identical")
_UNLIKE = words.word_set("another different")
_TO = words.word_set("as than from to")
_JOINING = words.ARTICLES | words.word_set("and , nor or")


class Differences:
    """The rule for the settings in which runs differ, and those that they share."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            if s.hedged(i) or s.context.hypothetical:
                continue
            if token.lower in _ONLY and (said := _said_to_differ(s, i)):
                self._check_only(reader, s, i, said, found)
            elif token.lower in _ALIKE | _UNLIKE and s.keys(i + 1) and not s.runs(i + 1):
                self._check_shared(reader, s, i, found)

    # -- differ only in the seed --------------------------------------------------------------------------------

    def _check_only(self, reader: Reader, s: Sentence, i: int, said: list[int], found: Collector) -> None:
        pair = _pair(reader, s, i)
        if pair is None:
            return
        apart = differing(self._world, *pair)
        named = frozenset(key for j in said for key in s.keys(j))
        start, end = s.tokens[said[0]].start, s.tokens[said[-1]].end
        if apart and apart <= named:
            found.support(start, end, self._ids(apart, pair))
        else:
            what = ", ".join(sorted(apart)) or "nothing that was recorded"
            why = f"the configs of {' and '.join(pair)} differ in {what}"
            found.object(FindingKind.COMPARATIVE, start, end, why)

    # -- the same seed as LR-003 --------------------------------------------------------------------------------

    def _check_shared(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        keys = sorted(s.keys(i + 1))
        behind = s.skip(i + 2, words.RUN_NOUNS | {"of", "value"})
        others = s.runs(s.skip(behind + 1, words.ARTICLES)) if s.word(behind) in _TO else frozenset[str]()
        runs = reader.subjects(i).surest
        if not others or not runs:
            return
        pairs = [(key, a, b) for key in keys for a in sorted(runs) for b in sorted(others) if a != b]
        alike = {
            setting(self._world, key, a) == setting(self._world, key, b)
            for key, a, b in pairs
            if setting(self._world, key, b)
        }
        wanted = (s.word(i) in _ALIKE) is not s.negated(i)
        start, end = s.tokens[i].start, s.tokens[i + 1].end
        if wanted in alike:
            found.support(start, end, self._ids(keys, runs | others))
        elif alike:
            is_ = {run: setting(self._world, keys[0], run) for run in sorted(runs | others)}
            why = "; ".join(f"{keys[0]} of {run} is {value}" for run, value in is_.items())
            found.object(FindingKind.COMPARATIVE, start, end, why)

    def _ids(self, keys: Collection[str], runs: Collection[str]) -> Iterator[str]:
        return (f.id for key in keys for run, f in self._world.configs[key].items() if run in runs)


def _said_to_differ(s: Sentence, i: int) -> list[int]:
    """Where the settings stand that alone are said to differ; empty where the "only" at ``i`` is of something else."""
    if s.word(i) == "nothing" and s.word(i + 1) not in _EXCEPT:
        return []
    low, high = max(0, i - _NEAR), min(len(s.tokens), i + _NEAR + 1)
    at = min((j for j in range(low, high) if s.word(j) in _DIFFERING), key=lambda j: abs(j - i), default=None)
    if at is None:
        return []
    first, last = min(i, at), max(i, at)
    named = [j for j in range(first, last) if _names_setting(s, j)]  # "only the batch size changed"
    named = named or _first(s, range(last + 1, last + _FAR)) or _first(s, range(first - 1, first - _NEAR, -1))
    return [*named, *_listed(s, named[-1])] if named else []


def _first(s: Sentence, places: range) -> list[int]:
    """The first setting in some places, before the next statement begins."""
    for j in places:
        if _names_setting(s, j):
            return [j]
        if s.word(j) in {";", ".", ":", "but", "while"}:
            break
    return []


def _listed(s: Sentence, j: int) -> list[int]:
    """The settings that are named after one: ``in the codec and the block size``."""
    behind = s.skip(j + 1, _JOINING)
    return [behind, *_listed(s, behind)] if behind > j + 1 and _names_setting(s, behind) else []


def _names_setting(s: Sentence, j: int) -> bool:
    return 0 <= j < len(s.tokens) and bool(s.keys(j)) and not s.runs(j) and not s.names(j)


def _pair(reader: Reader, s: Sentence, i: int) -> tuple[str, str] | None:
    """The two runs that are compared: those of the clause, else of the sentence; None where it is not just two."""
    low, high = s.clause(i)
    for mentions in ([m for m in reader.runs if low <= m.first < high], reader.runs):
        named = list(dict.fromkeys(run for m in mentions for j in m.members for run in sorted(s.runs(j))))
        if len(named) == 2 and all(len(s.runs(j)) == 1 for m in mentions for j in m.members):
            return named[0], named[1]
    return None

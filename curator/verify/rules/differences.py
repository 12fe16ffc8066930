"""Judges what is said of settings that runs share or differ in.

``LR-002 and LR-003 differ only in the seed``, ``alike but for the codec``, ``LR-003 is LR-002 with seed=1``.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.verify.known.settings import differing, setting
from curator.verify.reading.holders import by_id, is_copy
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from curator.verify.known.vocabulary import Vocabulary
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
_ALIKE = words.word_set("same identical equal alike identically")
_UNLIKE = words.word_set("another different")
_TO = words.word_set("as than from to")
_CHANGING = (
    words.ARTICLES
    | words.ADJECTIVES.keys()
    | words.word_set("with plus but at and of = : true false on off turned switched enabled disabled another different")
    | {"", "instead", "number", "size"}
)
"""What stands around the settings that a copy changes."""
_JOINING = words.ARTICLES | words.word_set("and , nor or")


class Differences:
    """The rule for the settings in which runs differ, and those that they share."""

    def __init__(self, world: World, vocabulary: Vocabulary) -> None:
        self._world, self._vocabulary = world, vocabulary

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        if s.context.hypothetical:
            return
        said = _Settings(s, self._vocabulary)
        for i, token in enumerate(s.tokens):
            if s.hedged(i):
                continue
            word = token.lower
            if told := said.to_differ(i) if word in _ONLY else said.excepted(i) if word in _ALIKE else []:
                self._check_only(reader, said, i, told, found)
            elif word in _ALIKE | _UNLIKE and s.keys(i + 1) and not s.runs(i + 1):
                self._check_shared(reader, s, i, found)
        for a, b in itertools.pairwise(m for m in reader.runs if by_id(s, m)):
            if len(a.meant) == len(b.meant) == 1 and is_copy(s, a, b) and (told := said.changed(b.last + 1)):
                self._check_pair((min(a.meant), min(b.meant)), said, told, found)

    # -- differ only in the seed --------------------------------------------------------------------------------

    def _check_only(self, reader: Reader, said: _Settings, i: int, told: list[int], found: Collector) -> None:
        pair = _pair(reader, said.s, i)
        if pair is not None:
            self._check_pair(pair, said, told, found)

    def _check_pair(self, pair: tuple[str, str], said: _Settings, told: list[int], found: Collector) -> None:
        apart = differing(self._world, *pair)
        named = frozenset(key for j in told for key in said.keys(j))
        start, end = said.s.tokens[told[0]].start, said.s.tokens[told[-1]].end
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


class _Settings:
    """Where a sentence names settings, by their keys or as ``key=value``, switches by what they switch on."""

    def __init__(self, s: Sentence, vocabulary: Vocabulary) -> None:
        self.s, self._vocabulary = s, vocabulary

    def keys(self, j: int) -> frozenset[str]:
        """The config keys that are named at ``j``; none for the name of a run or a metric."""
        s = self.s
        if s.kind(j) is TokenKind.CODE:
            key, _, value = s.tokens[j].text.partition("=")
            return frozenset({key} & self._vocabulary.keys) if value else frozenset()
        if s.kind(j) is TokenKind.CONFIG:
            return s.keys(j)
        return self._vocabulary.set_by(s.word(j)) if j >= 0 and s.runs(j) else frozenset()

    def to_differ(self, i: int) -> list[int]:
        """The settings that alone are said to differ; empty where the "only" at ``i`` is of something else."""
        s = self.s
        if s.word(i) == "nothing" and s.word(i + 1) not in _EXCEPT:
            return []
        low, high = max(0, i - _NEAR), min(len(s.tokens), i + _NEAR + 1)
        at = min((j for j in range(low, high) if s.word(j) in _DIFFERING), key=lambda j: abs(j - i), default=None)
        if at is None:
            return []
        first, last = min(i, at), max(i, at)
        named = [j for j in range(first, last) if self.keys(j)]  # "only the batch size changed"
        named = named or self._first(range(last + 1, last + _FAR)) or self._first(range(first - 1, first - _NEAR, -1))
        return [*named, *self._listed(named[-1])] if named else []

    def excepted(self, i: int) -> list[int]:
        """The settings that "the same" at ``i`` leaves out: ``the same except for the seed``."""
        s = self.s
        for j in range(i + 1, min(i + _NEAR, len(s.tokens))):
            if s.kind(j) is TokenKind.METRIC or self.keys(j):
                return []
            if s.word(j) in _EXCEPT or (s.word(j), s.word(j + 1)) in words.EXCEPTING:
                after = s.skip(j + 1, _EXCEPT | {"for", "from", "than"})
                named = self._first(range(after, after + _NEAR))
                return [*named, *self._listed(named[-1])] if named else []
        return []

    def changed(self, j: int) -> list[int]:
        """The settings that a copy of a run changes, from ``j`` on, where nothing else stands behind it."""
        places, named = range(j, self.s.clause(j)[1]), list[int]()
        for k in places:
            if self.keys(k):
                named.append(k)
            elif self.s.word(k) in words.ENDINGS - {""}:
                break
            elif self.s.word(k) not in _CHANGING and self.s.kind(k) is not TokenKind.NUMBER:
                return []
        return named

    def _first(self, places: range) -> list[int]:
        """The first setting in some places, before the next statement begins."""
        for j in places:
            if self.keys(j):
                return [j]
            if self.s.word(j) in {";", ".", ":", "but", "while"}:
                break
        return []

    def _listed(self, j: int) -> list[int]:
        """The settings that are named after one: ``in the codec and the block size``."""
        behind = self.s.skip(j + 1, _JOINING)
        return [behind, *self._listed(behind)] if behind > j + 1 and self.keys(behind) else []


def _pair(reader: Reader, s: Sentence, i: int) -> tuple[str, str] | None:
    """The two runs that are compared: those of the clause, else of the sentence; None where it is not just two."""
    low, high = s.clause(i)
    runs = [m for m in reader.runs if by_id(s, m)]
    for mentions in ([m for m in runs if low <= m.first < high], runs, reader.runs):
        named = list(dict.fromkeys(run for m in mentions for j in m.members for run in sorted(s.runs(j))))
        if len(named) == 2 and all(len(s.runs(j)) == 1 for m in mentions for j in m.members):
            return named[0], named[1]
    return None

"""Superlatives among the values of a setting: ``the best seed``, ``the worst of the learning rates``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.known.sweeps import sweeps, swept_key, values
from curator.verify.reading.belonging import of_whom
from curator.verify.reading.roles import bound_of
from curator.verify.reading.tokens import TokenKind
from curator.verify.rules.superlatives.phrase import FILLERS
from curator.verify.text import words
from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.rules.superlatives.phrase import Superlative
    from curator.verify.text.numerals import Numeral

_AMONG = words.word_set("of among amongst across over within from")
_REPEATED = frozenset(f"{word}s" for word in words.REPETITIONS - {"trial", "seed"})
_TO_VALUE = words.BE | words.word_set(": = ( number no. seed with on in for the")


@dataclass(frozen=True, slots=True)
class Choice:
    """The values that a superlative chooses among."""

    key: str
    last: int
    """Where the last word stands that tells of them: ``seeds of LR-003``."""
    around: frozenset[str] = frozenset()
    """The runs of which they are the values, where it says so."""
    named_at: int = -1
    """Where these are named."""

    def domains(self, world: World, run: frozenset[str]) -> list[frozenset[str]]:
        """The groups of runs that it may range over."""
        groups = sweeps(world, self.key, (self.around & run) or self.around or run)
        if len(self.around) > 1:
            groups = [inside if len(inside := group & self.around) > 1 else group for group in groups]
        everyone = [] if is_repetition_key(self.key) else [self.around if len(self.around) > 1 else world.all_runs]
        return [*groups, *everyone]

    def widened(self, world: World, runs: frozenset[str], among: frozenset[str]) -> frozenset[str]:
        """The runs that have the same value: a learning rate is the best if any run with it is."""
        if is_repetition_key(self.key):
            return runs
        same = (each for each in values(world, self.key, among).values() if each & runs)
        return runs.union(*same)

    def named(self, it: Superlative, world: World) -> frozenset[str]:
        """The runs of ``the best learning rate is 6e-3``, ``the best seed is number 2``."""
        s, at = it.s, self.last + 1
        while s.word(at) in _TO_VALUE or s.names(at):
            at += 1
        numeral = s.numeral(at)
        told = self.last > it.i and (s.word(at - 1) in _TO_VALUE or s.runs(at))
        return world.runs_with(self.key, numeral.value if numeral else s.word(at)) if told else frozenset()

    def stated(self, it: Superlative) -> Numeral | None:
        """The numeral that is said of the one that it chooses: ``the best seed ends at 2.31``."""
        s, (_, high) = it.s, it.s.clause(it.i)
        at = next((j for j in range(max(it.i, self.last) + 1, high) if s.runs(j) or s.numeral(j)), -1)
        return s.numeral(at) if at > 0 and not s.runs(at) and bound_of(s, at) is None else None


def choice_of(it: Superlative, world: World, reader: Reader) -> Choice | None:
    """The values that it chooses among; None where it is said of runs, or of a setting's size."""
    s, noun = it.s, it.s.skip(it.i + 1, FILLERS)
    key = _key(s, noun, world) if s.word(noun - 1) != "of" else ""
    if not key:
        found = next(_phrases(s, it.i, world), None) or _elided(s, it.i, world)
        if found is None:
            return None
        noun, key = found
    if not sweeps(world, key):
        return None
    of = of_whom(s, noun, it.i, reader.runs)
    return Choice(key, max(noun, of.last), of.meant, of.first) if of else Choice(key, noun)


def _phrases(s: Sentence, i: int, world: World) -> Iterator[tuple[int, str]]:
    """Where ``of the seeds`` stands around a superlative, behind it first, and the setting it is for."""
    low, high = s.clause(i)
    for at in [*range(i + 1, high), *range(low, i)]:
        noun = s.skip(at + 1, words.ARTICLES)
        while s.kind(noun) is TokenKind.NUMBER and not s.keys(noun):
            noun += 1
        plural = s.word(noun).endswith("s")
        if s.word(at) in _AMONG and plural and (key := _key(s, noun, world)):
            yield noun, key


def _elided(s: Sentence, i: int, world: World) -> tuple[int, str] | None:
    """``the best rate is 6e-3, the worst 1e-3``: of what the superlative before it is said."""
    goes_on = s.word(i - 1) == "the" and s.word(i - 2) in {",", "and", "but", ";"}
    if not goes_on or not (s.runs(i + 1) or s.word(i + 1) in words.BE or s.numeral(i + 1)):
        return None
    nouns = [s.skip(j + 1, FILLERS) for j in range(i) if s.word(j) in words.SUPERLATIVES]
    return next(((j, key) for j in reversed(nouns) if (key := _key(s, j, world))), None)


def _key(s: Sentence, j: int, world: World) -> str:
    """The setting whose values the noun at ``j`` is for."""
    if s.names(j):
        return ""
    if s.is_word(j) and s.word(j) in _REPEATED:
        return swept_key(world, frozenset(filter(is_repetition_key, world.configs)))
    return swept_key(world, s.keys(j)) if s.kind(j) is TokenKind.CONFIG else ""

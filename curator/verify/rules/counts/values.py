"""Judges counts of the values of a setting: ``three seeds``, ``two of the five learning rates improve``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.known.sweeps import sweeps, values
from curator.verify.reading.belonging import listed, of_whom
from curator.verify.reading.senses import sense_at
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.counts.bounded import bounds
from curator.verify.rules.counts.nouns import DONE, PASSING, fraction_at
from curator.verify.text import words
from curator.verify.text.inflection import forms
from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.counts.predicates import Predicate, Predicates

_WHOLE = words.word_set("all the these over across of in with for on")
_FURTHER = words.word_set("other further more additional new extra different")
_EXACTLY = words.word_set("all both only just exactly")
_RUNNING = forms("run train start launch try test")
_FRONT = 3
_TO_NOUN = PASSING | _FURTHER


@dataclass(frozen=True, slots=True)
class _Count:
    """One numeral that counts values."""

    reader: Reader
    s: Sentence
    i: int
    whole: int | None
    """Where the second numeral of ``two of the five`` stands."""
    at: int
    """Where the noun stands."""
    key: str


class Values:
    """The rule for counts of the values of a setting."""

    def __init__(self, world: World, predicates: Predicates) -> None:
        self._world, self._predicates = world, predicates

    def check(self, reader: Reader, s: Sentence, i: int, noun: str, found: Collector) -> bool:
        """Judge the count at ``i`` if it is one of values; whether it is."""
        numeral, it = s.numeral(i), self._count(reader, s, i, noun)
        if numeral is None or it is None:
            return False
        allowed = self._allowed(it, found)
        if allowed is None or int(numeral.value) in allowed:
            facts = [fact.id for run, fact in self._world.configs[it.key].items() if run]
            found.support(s.tokens[i].start, s.tokens[i].end, facts)
        else:
            said = " or ".join(map(str, sorted(allowed))) or "none"
            found.object_to(FindingKind.COUNT, s.tokens[i], f"of {it.key} it is {said}")
        return True

    def _count(self, reader: Reader, s: Sentence, i: int, noun: str) -> _Count | None:
        """What the numeral at ``i`` counts, if these are the values of a setting."""
        for whole in (fraction_at(s, i).whole, _fronted(s, i)):
            start = fraction_at(s, i).part if whole is None else whole
            at = s.skip(start + 1, _TO_NOUN)
            key = next(self._keys(s, start, at, noun), "")
            if key:
                return _Count(reader, s, i, whole, at, key)
        return None

    # -- of which setting -------------------------------------------------------------------------------------------

    def _keys(self, s: Sentence, i: int, at: int, noun: str) -> Iterator[str]:
        """The settings whose values may be counted at ``i``."""
        numeral = s.numeral(i)
        for key in self._named(s, i, at, noun):
            facts = [fact for run, fact in self._world.configs[key].items() if run]
            value = any(isinstance(f.value, int | float) and numeral and f.value == numeral.value for f in facts)
            varied = key in self._world.varying or key.rpartition(".")[2] == "seed"
            if varied and (is_repetition_key(key) or not value):
                yield key

    def _named(self, s: Sentence, i: int, at: int, noun: str) -> Iterator[str]:
        numeral = s.numeral(i)
        if s.word(at).endswith("s") or s.word(i + 1) == "-":
            yield from sorted(s.keys(at))
        if noun in {"values", "settings", "points", "levels"} and numeral and numeral.word:
            for key in sorted(self._world.varying):
                if len({repr(f.value) for f in self._world.configs[key].values()}) == numeral.value:
                    yield key
        singular = noun.removesuffix("s")
        yield from (key for key in self._world.configs if key.lower().rpartition(".")[2] == singular)

    # -- how many ---------------------------------------------------------------------------------------------------

    def _allowed(self, it: _Count, found: Collector) -> set[int] | None:
        """The numbers that it may be; None where nothing is known of what is said of them."""
        reader, s, i, at, key = it.reader, it.s, it.i, it.at, it.key
        told, last = listed(s, i, at)
        of = of_whom(s, at, i, reader.runs) if not told else None
        groups = self._groups(key, of.meant if of else frozenset())
        sizes = {len(values(self._world, key, group)) for group in groups}
        if it.whole == i:
            return sizes
        if told and it.whole is None:
            return {len(told), len(values(self._world, key, told))}
        after = max(i, last, of.last if of and of.first > at else at) + 1
        predicate = self._predicate(it, after)
        if predicate is None:
            return None if it.whole is not None else self._plain(s, i, at, sizes)
        if predicate.at >= 0:
            found.judged.add(s.tokens[predicate.at].start)
        whole = s.numeral(it.whole) if it.whole is not None else None
        alike = [group for group in groups if whole and len(values(self._world, key, group)) == whole.value] or groups
        swept = [group for group in alike if group in sweeps(self._world, key)] or alike
        counted = set[int]().union(*(self._satisfied(it, group, predicate) for group in swept))
        sure = whole is not None or s.word(i - 1) in _EXACTLY
        return counted if sure else counted | self._plain(s, i, at, sizes)

    def _predicate(self, it: _Count, after: int) -> Predicate | None:
        """What is said of them; that they "were run" says only that there are so many."""
        predicate = self._predicates.behind(it.reader, it.s, after)
        if predicate and it.s.word(predicate.at) in _RUNNING and it.s.word(predicate.at - 1) in words.BE:
            return None
        return predicate or self._predicates.before(it.reader, it.s, it.i)

    def _groups(self, key: str, of: frozenset[str]) -> list[frozenset[str]]:
        """The runs whose values may be counted: of one sweep, of all that were moved, of all."""
        groups = sweeps(self._world, key, of)
        if len(of) > 1:
            return [inside if len(inside := group & of) > 1 else group for group in groups] or [of]
        return [*groups, frozenset(run for run in self._world.configs[key] if run)]

    def _plain(self, s: Sentence, i: int, at: int, sizes: set[int]) -> set[int]:
        """How many there may be of which nothing is said: all of them, those that were added, some."""
        chosen = s.word(at + 1) in {"that", "which"} or any(s.word(j) in DONE for j in range(i + 1, at))
        further = any(s.word(j) in _FURTHER for j in range(i + 1, at))
        allowed = {n - 1 for n in sizes} if further else set(sizes)
        some = chosen or s.word(i - 1) not in _WHOLE
        return allowed | (set(range(2, max(allowed, default=0))) if some else set())

    def _satisfied(self, it: _Count, group: frozenset[str], predicate: Predicate) -> set[int]:
        """Of how many values it may be so: of those of which every run is so, up to those of which any may be."""
        against = it.reader.references(predicate.at).surest if sense_at(it.s, predicate.at) else frozenset()
        against = frozenset() if bounds(it.s, predicate.at) is not None else against
        each = [runs for runs in values(self._world, it.key, group).values() if not runs & against]
        truths = [[predicate.holds(run) for run in runs] for runs in each]
        sure = sum(all(truth is True for truth in one) for one in truths)
        never = sum(all(truth is False or (truth is None and predicate.decided) for truth in one) for one in truths)
        strictly = sum(any(self._world.statuses.get(run) == predicate.status for run in runs) for runs in each)
        return {strictly or sure, *range(sure, len(truths) - never + 1)}


def _fronted(s: Sentence, i: int) -> int | None:
    """The five of ``Of the five learning rates, two beat the baseline``, for the two."""
    whole = next(iter(s.of_kind(TokenKind.NUMBER, (0, i))), None)
    opened = s.word(0) in {"of", "among"} and whole is not None and whole <= _FRONT
    alone = s.word(s.skip(i - 1, _EXACTLY, -1)) == ","
    return whole if opened and alone else None

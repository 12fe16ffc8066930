"""Judges numerals that stand for several runs at once: lists name each run's value once, ranges their ends.

Runs after every numeral has been given its meaning.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.verify.known.fits import Fit, fit
from curator.verify.known.quantities import STATES
from curator.verify.known.sweeps import sweeps, swept_key
from curator.verify.known.wording import of_quantities
from curator.verify.reading.belonging import of_whom
from curator.verify.reading.roles import Role, role_of
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.numbers.statement import is_about, numeral_at
from curator.verify.text import words
from curator.verify.text.inflection import forms
from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_SPANNING = forms("range spread lie vary scatter") | {"anywhere"}
_OTHERS = words.word_set("other others rest remaining except but besides apart excluding aside without everything")
_NEAR = 6


class Ranges:
    """The rule for lists and ranges of values."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        numbers = [i for i in s.of_kind(TokenKind.NUMBER) if not s.runs(i) and role_of(s, i) is not Role.CHANGE]
        if len(numbers) < 2 or s.context.hypothetical or s.context.cell:
            return
        states = {i: self._states(found, s, i) for i in numbers}
        for low, high in itertools.pairwise(numbers):
            if _is_range(s, low, high) and states[low] and states[high]:
                self._check_ends(reader, s, (low, high), states, found)
        for listed in _lists(reader, s, numbers):
            self._check_distinct([i for i in listed if states.get(i)], s, states, found)

    @staticmethod
    def _states(found: Collector, s: Sentence, i: int) -> list[Quantity]:
        """The single runs' values that the numeral was found to mean; none where it may be more than their mean."""
        meant = found.meant.get(s.tokens[i].start, ())
        states = [q for q in meant if q.kind in STATES and len(q.runs) == 1 and not q.extreme]
        extreme = {(q.name, q.runs) for q in states}
        other = [q for q in meant if q not in states and (q.name, q.runs) not in extreme]
        other = [q for q in other if q.extreme or q.kind not in STATES or len(q.runs) < 2]
        return [] if other else states

    # -- between 40.5 and 42.0 --------------------------------------------------------------------------------------

    def _check_ends(
        self,
        reader: Reader,
        s: Sentence,
        ends: tuple[int, int],
        states: dict[int, list[Quantity]],
        found: Collector,
    ) -> None:
        names = {q.name for q in states[ends[0]]} & {q.name for q in states[ends[1]]}
        numerals = sorted((numeral_at(s, i) for i in ends), key=lambda n: n.value)
        seen: list[Quantity] = []
        for name, group in itertools.product(sorted(names), self._groups(reader, s, ends)):
            values = [q for run in sorted(group) if (q := self._world.values.get((run, name)))]
            if len(values) < 2:
                continue
            seen = [min(values, key=_value), max(values, key=_value)]
            about = any(is_about(s, i) for i in ends)
            if all(fit(n, q, about=about) is Fit.MATCH for n, q in zip(numerals, seen, strict=True)):
                return
        if seen:
            why = f"of those it speaks of, the ends are {of_quantities(seen, self._world)}"
            found.object_to(FindingKind.ATTRIBUTION, s.tokens[ends[1]], why)

    def _groups(self, reader: Reader, s: Sentence, ends: tuple[int, int]) -> Iterator[frozenset[str]]:
        """The sets of runs whose values a range may span."""
        world = self._world
        finished = frozenset(run for run in world.runs if world.ended_well(run))
        named = [m.meant for m in reader.runs] + self._counted(reader, s) + self._between(reader, s)
        tied = [tie.meant for i in ends for tie in reader.subjects(i).all]
        spoken = [*named, *tied, s.context.topics, reader.named_before]
        yield from (group for group in spoken if len(group) > 1)
        yield from (group & finished for group in spoken if len(group & finished) > 1)
        yield from (world.repeats(run) for group in spoken for run in sorted(group))
        yield frozenset().union(*named)
        if any(len(group) > 1 for group in named) and not s.words & _OTHERS:
            return
        for group in (*spoken, frozenset[str]()):
            yield from (rest for rest in (world.all_runs - group, finished - group, finished - group - world.baseline))

    def _counted(self, reader: Reader, s: Sentence) -> list[frozenset[str]]:
        """``over the seeds``: the repetitions of each run, or of those that are named."""
        nouns = [j for j in range(len(s.tokens)) if s.word(j).endswith("s") and not s.names(j)]
        keys = [(j, key) for j in nouns if (key := swept_key(self._world, s.keys(j))) and is_repetition_key(key)]
        of = [(key, of_whom(s, j, j, reader.runs)) for j, key in keys]
        return [group for key, m in of for group in sweeps(self._world, key, m.meant if m else frozenset())]

    def _between(self, reader: Reader, s: Sentence) -> list[frozenset[str]]:
        """``From LR-002 to LR-004 the loss lies between``: with the runs that stand between them."""
        found, runs = [], self._world.runs
        for a, b in itertools.pairwise(reader.runs):
            way = s.word(a.first - 1) == "from" and s.word(a.last + 1) == "to" and b.first == a.last + 2
            if way and len(a.meant) == len(b.meant) == 1:
                first, last = sorted(runs.index(run) for run in (min(a.meant), min(b.meant)))
                found.append(frozenset(runs[first : last + 1]))
        return found

    # -- 80.27, 80.15 and 80.34 -------------------------------------------------------------------------------------

    def _check_distinct(
        self, listed: Sequence[int], s: Sentence, states: dict[int, list[Quantity]], found: Collector
    ) -> None:
        """Each numeral is a value of another run; so many runs must be found for them."""
        if len(listed) < 2 or not set.intersection(*({q.name for q in states[i]} for i in listed)):
            return
        owners = [{run for q in states[i] for run in q.runs} for i in listed]
        order = sorted(range(len(listed)), key=lambda n: -numeral_at(s, listed[n]).significant)
        taken: dict[str, int] = {}
        for n in order:
            if not _assign(n, owners, taken, set()):
                found.object_to(
                    FindingKind.ATTRIBUTION,
                    s.tokens[listed[n]],
                    f"{of_quantities(states[listed[n]][:1], self._world)}, which the sentence states already",
                )


def _assign(n: int, owners: Sequence[set[str]], taken: dict[str, int], tried: set[str]) -> bool:
    """Find a run for the n-th numeral, moving others to further runs of theirs if need be."""
    for run in sorted(owners[n] - tried):
        tried.add(run)
        if run not in taken or _assign(taken[run], owners, taken, tried):
            taken[run] = n
            return True
    return False


def _lists(reader: Reader, s: Sentence, numbers: Sequence[int]) -> Iterator[list[int]]:
    """Numerals side by side, and those with a name each: ``7.62 % with seed 1 and 7.55 % with seed 2``."""
    for i in numbers:
        around = [j for j in reader.lists.around(i) if j in numbers]
        plain = len(around) > 1 and not any(
            s.word(j) in {"to", "vs", "vs.", "against", "->", "\u2192"} for j in range(around[0], around[-1])
        )
        if plain and around[0] == i:
            yield around
    named = [(m, max(m.taken)) for m in reader.runs if m.taken and not m.reference]
    for (a, i), (b, j) in itertools.pairwise(named):
        if i in numbers and j in numbers and i < j and not a.meant & b.meant:
            yield [i, j]


def _is_range(s: Sentence, low: int, high: int) -> bool:
    """``between X and Y``, ``X to Y``, ``range from X to Y``."""
    joint = s.word(high - 1)
    spanning = any(s.word(j) in _SPANNING for j in range(max(0, low - _NEAR), low))
    if high - low != 2 or (s.word(low - 1) in {"over", "through", "via"} and not spanning):
        return False  # "climbs from 9.6 over 21.4 to 68.9"
    if s.word(low - 1) == "between":
        return joint == "and"
    return joint in {"to", "-", "\u2013"} and (spanning or s.word(low - 1) not in {"from", "by", "went", "("})


def _value(quantity: Quantity) -> float:
    return quantity.value

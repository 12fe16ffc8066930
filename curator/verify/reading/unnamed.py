"""Runs that a sentence speaks of by no name: the others, every run, its second seed. Never looks at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.mentions import PREPOSITIONS
from curator.verify.reading.ties import Tie
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.known.world import World
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

_EVERY = words.word_set("every each all")
_OTHER_ONE = words.word_set("second other third another")
_REPETITIONS = words.word_set("seeds repetitions repeats replicates reruns replications")
_ALIKE = words.word_set("same identical equal alike similar")
_APART = words.word_set("apart differ differed spread")


class Unnamed:
    """Finds them in one sentence.

    Args:
        s: the sentence.
        world: the facts.
        runs: those that it names, in order.
        earlier: those that the last sentences name, back to one that speaks of a run.
    """

    def __init__(self, s: Sentence, world: World, runs: Sequence[Mention], earlier: Sequence[Mention]) -> None:
        self._s, self._world, self._runs, self._earlier = s, world, runs, earlier

    def told(self, i: int) -> frozenset[str]:
        """The runs that what stands at ``i`` is said of by such words; none where it is not."""
        return self._rest(i) or self._sibling(i)

    def repeated(self, i: int) -> list[Tie]:
        """``the seeds are 1.7 m apart``, ``Seeds agree. Speed is the same``: the repetitions of each run spoken of."""
        s, (low, high) = self._s, self._s.clause(i)
        inside = {s.word(j) for j in range(low, high)}
        before = s.previous.tokens if s.previous else ()
        told = set[str]() if any(token.runs for token in before) else {token.lower for token in before}
        said = (inside & _REPETITIONS and inside & _APART) or (told & _REPETITIONS and inside & _ALIKE)
        if not said or any(low <= m.first < high for m in self._runs):
            return []
        named = {run for m in self._runs or self._earlier for run in m.meant}
        groups = {self._world.repeats(run): None for run in self._world.runs if run in named or not named}
        return [Tie(group) for group in groups if len(group) > 1]

    def _rest(self, i: int) -> frozenset[str]:
        """``whereas the others stayed below 20 GiB``: the runs that the sentence has not named."""
        s, (low, _) = self._s, self._s.clause(i)
        said = any(s.word(j) in {"others", "rest"} and s.word(j - 1) == "the" for j in range(low, i))
        named = frozenset(run for m in self._runs if m.last < i for run in m.meant)
        any_other = any(s.word(j) == "other" and s.word(j - 1) in _EVERY | {"no", "any"} for j in range(low, i))
        if any_other and not self._runs:  # "No other run has a p99 above"
            said, named = True, frozenset(run for m in self._earlier for run in m.meant)
        return self._world.all_runs - named if said and named else frozenset()

    def everyone(self, i: int) -> frozenset[str]:
        """``every run that finished used 0.05``: all of them, where no name stands between."""
        s, (low, _) = self._s, self._s.clause(i)
        low = max([low, *(m.last for m in self._runs if m.last < i)])
        passed = PREPOSITIONS | {"than"}
        whole = next((j for j in range(low, i) if s.word(j) in _EVERY and s.word(j - 1) not in passed), i)
        noun = s.skip(whole + 1, words.ARTICLES | {"of"} | words.ENDED_WELL)
        if s.word(noun) not in words.RUN_NOUNS or noun >= i or s.word(noun + 1) in PREPOSITIONS:
            return frozenset()
        ended = any(s.word(k) in words.ENDED_WELL for k in (noun - 1, noun + 2))
        return frozenset(filter(self._world.ended_well, self._world.all_runs)) if ended else self._world.all_runs

    def _sibling(self, i: int) -> frozenset[str]:
        """``its second seed ended at 0.0624``: of the run before, the one that repeats it."""
        s = self._s
        other = [j for j in range(i) if s.word(j) in _OTHER_ONE and s.word(j + 1) in words.REPETITIONS]
        at = next((j for j in other if s.word(j - 1) not in PREPOSITIONS), None)  # and not "with another seed"
        if at is None or any(at < m.last < i for m in self._runs):
            return frozenset()
        before = [m.meant for m in self._runs if m.last < at and not m.reference]
        before = before or [m.meant for m in self._earlier if not m.reference] or [s.context.topics]
        first = before[-1]
        repeats = frozenset(other for run in first for other in self._world.repeats(run))
        return repeats - first if len(first) == 1 else repeats

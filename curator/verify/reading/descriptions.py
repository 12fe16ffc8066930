"""Runs that a sentence describes by their place among others: ``the second seed``, ``the larger window``.

Settings are looked up, results never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.known.quantities import number_of
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.words import Sense
from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.sentences import Sentence
    from curator.verify.text.numerals import Numeral

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "other": 2}
_POSITIVE = {
    **dict.fromkeys(("large", "big", "long", "high", "wide", "deep", "great"), Sense.UP),
    **dict.fromkeys(("small", "short", "low", "narrow", "shallow", "little", "fine"), Sense.DOWN),
}
_PARALLEL = words.word_set("with at for using from to than of between and ,")
"""Behind which a bare number may be a value of a setting that was named before."""
_AFTER_PARALLEL = words.ENDINGS | words.VERSUS | words.word_set("to and or than but is was are were as only just")
_THAT = words.word_set("that which")
_NEAR = 14
"""Tokens up to which one value of a setting calls for another."""


def ended_as(word: str, world: World) -> frozenset[str]:
    """The runs that ended as a word says: ``failed``; none where it says nothing of an end."""
    status = words.STATUS_WORDS.get(word)
    return frozenset(run for run, known in world.statuses.items() if known == status)


class Descriptions:
    """The runs that the words of one block describe."""

    def __init__(self, s: Sentence, world: World) -> None:
        self._s, self._world = s, world

    def runs(self, i: int) -> frozenset[str]:
        """The runs that what ends at the word at ``i`` describes."""
        return self._repetition(i) or self._of_status(i) or self._by_size(i)

    # -- the second seed --------------------------------------------------------------------------------------------

    def _repetition(self, i: int) -> frozenset[str]:
        """``the second seed``, ``both seeds``: the runs that were repeated, those of one repetition."""
        s, world = self._s, self._world
        if not any(is_repetition_key(key) and key in world.varying for key in s.keys(i)):
            return frozenset()
        groups = [sorted(group, key=world.runs.index) for group in dict.fromkeys(map(world.repeats, world.runs))]
        groups = [group for group in groups if len(group) > 1]
        rank = _ORDINALS.get(s.word(i - 1))
        if rank is not None and s.kind(i + 1) is not TokenKind.NUMBER:
            return frozenset(group[rank - 1] for group in groups if len(group) >= rank)
        set_apart = (s.word(i - 2), s.word(i - 1)) == ("between", "the")
        several = s.word(i).endswith("s") and (
            s.word(i - 1) == "both" or s.kind(i - 1) is TokenKind.NUMBER or set_apart
        )
        return frozenset(run for group in groups for run in group) if several else frozenset()

    # -- the run that failed ----------------------------------------------------------------------------------------

    def _of_status(self, i: int) -> frozenset[str]:
        """``the run that failed``, ``a trial which was preempted``; but not ``every run that finished``."""
        s = self._s
        if s.word(i) not in words.RUN_NOUNS | {"one"} or s.word(i).endswith("s") or s.word(i + 1) not in _THAT:
            return frozenset()
        ended = s.word(s.skip(i + 2, words.BE | {"had", "has", "been"}))
        known = s.word(i - 1) == "the" or ended not in words.ENDED_WELL
        return ended_as(ended, self._world) if known else frozenset()

    # -- the larger window ------------------------------------------------------------------------------------------

    def _by_size(self, i: int) -> frozenset[str]:
        """``the larger window``, ``the short context``: the runs on that side of the value that is spoken of."""
        s, world = self._s, self._world
        keys = sorted(s.keys(i) & world.varying) if not s.word(i).endswith("s") else []
        sense = _POSITIVE.get(s.word(i - 1)) or words.ADJECTIVES.get(s.word(i - 1))
        if not keys or s.names(i) or sense not in words.SIZES or s.word(i - 2) != "the":
            return frozenset()
        numbers = {run: value for run, f in world.configs[keys[0]].items() if (value := number_of(f)) is not None}
        said = [t.numeral.value for j, t in enumerate(s.tokens[:i]) if t.numeral and self._is_value_of(j, keys[0])]
        based = [numbers[run] for run in world.baseline if run in numbers]
        pivot = next(iter([*reversed(said), *based]), None)
        if pivot is None:
            return frozenset()
        return frozenset(run for run, n in numbers.items() if run and (n > pivot if sense is Sense.UP else n < pivot))

    def _is_value_of(self, j: int, key: str) -> bool:
        s = self._s
        beside = {*s.keys(s.skip(j - 1, frozenset({"of", "=", "is", "at"}), -1)), *s.keys(j + 1)}
        return key in beside

    # -- with four and with sixteen ---------------------------------------------------------------------------------

    def key_of_parallel(self, i: int, numeral: Numeral) -> frozenset[str] | None:
        """The one setting of which a bare number and another one near it are values: ``with four ... with 16``."""
        if not numeral.whole or not self._is_parallel(i):
            return None
        mine = self._keys_with(numeral.value)
        others = [j for j in self._s.of_kind(TokenKind.NUMBER) if j != i and abs(j - i) <= _NEAR]
        for j in sorted(others, key=lambda j: abs(j - i)):
            other = self._s.numeral(j)
            if other is not None and other.whole and other.value != numeral.value and self._is_parallel(j):
                both = mine & self._keys_with(other.value)
                if len(both) == 1:
                    return both
        return None

    def _is_parallel(self, i: int) -> bool:
        s = self._s
        unit = s.is_word(i + 1) and len(s.word(i + 1)) <= 2 and s.word(i + 1) not in words.LINKS  # "from 4 to 5 \u00c5"
        closed = s.word(i + 1) in _AFTER_PARALLEL or unit
        return s.word(i - 1) in _PARALLEL and closed

    def _keys_with(self, value: float) -> frozenset[str]:
        world = self._world
        return frozenset(k for k in world.varying if not is_repetition_key(k) and world.runs_with(k, value))

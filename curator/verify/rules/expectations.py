"""Whether a hypothesis came true, decided on the facts alone: each of its parts is asked of its run.

A part says which way a metric goes, and perhaps by how much: "lowers the loss by at least 0.03", "without hurting
BoolQ", "stays within 1 % of full attention", "fits into 64 GiB". What cannot be decided stays open.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import stands
from curator.verify.known.quantities import changes, number_of
from curator.verify.known.settings import differing
from curator.verify.reading.keys import key_of
from curator.verify.reading.reader import Reader
from curator.verify.reading.roles import Role, bound_of, role_of
from curator.verify.reading.senses import equality_at, sense_at
from curator.verify.reading.tokens import TokenKind
from curator.verify.rules.directions import side_of
from curator.verify.rules.outcomes import outcome_at
from curator.verify.rules.parts import HOW, Part, split_up
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import FACTOR, PERCENT
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.axes import Axis
    from curator.verify.reading.sentences import Sentence
    from curator.verify.text.numerals import Numeral

_DENYING = words.word_set("without no not never neither")
_FOR_FREE = words.word_set("cost loss price penalty")
_KEEPING = words.word_set("keep keeps stay stays remain remains within")
_RETAINING = forms("keep retain preserve leave")
_REACHING = words.word_set("to above below under over reach reaches exceed exceeds than")
_SIDES = {
    ("at", "most"): Sense.DOWN,
    ("or", "less"): Sense.DOWN,
    ("at", "least"): Sense.UP,
    ("or", "more"): Sense.UP,
}
_AGAIN = words.word_set("another further more additional again again, once")
"""``another 2 points``: on top of the run that comes closest, not of the baseline."""
_NEARLY = 0.02
_FEW = 2
"""Settings that may differ from the baseline in a run that is compared with it, although another is nearer."""
_SAME_WITHIN = 0.01


def parts(s: Sentence, world: World, run: str) -> Iterator[Part]:
    """The parts of a hypothesis, and whether they are so of its run."""
    sense: Sense | None = None
    for low, high in split_up(s):
        part = _Expected(world, s, low, high, run, sense)
        sense = part.sense or sense
        if part.says_something:
            yield Part(part.names, part.truth())


@dataclass(frozen=True, eq=False)
class _Expected:
    """One part of a hypothesis."""

    world: World
    s: Sentence
    low: int
    high: int
    run: str
    before: Sense | None
    """Which way the part before it goes, for one that leaves this out."""

    @property
    def says_something(self) -> bool:
        if self.s.word(self.low) == "at" and not self._metrics:
            return False
        return self.sense is not None or self._number is not None or self._outcome is not None or self._denied

    @cached_property
    def _at(self) -> int | None:
        inside = [j for j in range(self.low, self.high) if not self._reader.axis_at(j)]
        return next((j for j in inside if self._says(j)), None)

    def _is_less(self, j: int) -> bool:
        return self.s.word(j) in {"less", "fewer"} and self.s.word(j + 1) != "than"

    def _says(self, j: int) -> bool:
        word = self.s.word(j)
        counted = word in {"more", "less", "fewer"} and not {*range(j + 1, j + 3)} & {*self._metrics}
        noun = self.s.is_word(j + 1) and self.s.word(j + 1) not in words.FOLLOWERS
        gerund = word.endswith("ing") and self.s.word(j - 1) not in _DENYING
        if j <= self.low + 1 and (gerund or (noun and word in words.ADJECTIVES)):
            return False  # "Saving the dot products costs", "a weaker penalty lets"
        return (sense_at(self.s, j) is not None and not counted) or equality_at(self.s, j) is not None

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.s, self.world)

    @cached_property
    def _metrics(self) -> list[int]:
        inside = self.s.of_kind(TokenKind.METRIC, (self.low, self.high))
        hyphened = {j for j in inside if self.s.word(j - 1) == "-" and self.s.numeral(j - 2)}  # "the one-step error"
        return [j for j in inside if not self._reader.axis_at(j) and j not in hyphened]

    @cached_property
    def sense(self) -> Sense | None:
        if self._at is None:
            return None
        if self.s.word(self._at) in words.PRICES and self._is_less(self._at + 1):
            return Sense.BETTER  # "loses less perplexity"
        return sense_at(self.s, self._at) or equality_at(self.s, self._at)

    @cached_property
    def _outcome(self) -> int | None:
        return next((j for j in range(self.low, self.high) if outcome_at(self.s, j)), None)

    @property
    def _words(self) -> set[str]:
        return {self.s.word(j) for j in range(self.low, self.high)}

    @property
    def _denied(self) -> bool:
        denying = (j for j in range(self.low, self.high) if self.s.word(j) in _DENYING)
        return any(not self._is_in_name(j) for j in denying)

    def _is_in_name(self, j: int) -> bool:
        """``lowers the loss versus no warmup``: a "no" that is what something is compared with."""
        pair = (self.s.word(j - 2), self.s.word(j - 1))
        return self.s.word(j - 1) in words.COMPARE_BEFORE | {"with"} or pair in words.COMPARE_PAIRS

    @cached_property
    def _number(self) -> int | None:
        numbers = self.s.of_kind(TokenKind.NUMBER, (self.low, self.high))
        plain = (j for j in reversed(numbers) if not self.s.runs(j) and not self._is_setting(j))
        return next((j for j in plain if not self._reader.axis_at(j)), None)

    def _is_setting(self, j: int) -> bool:
        numeral = self.s.numeral(j)
        plain = numeral is not None and not numeral.relative
        named = bool(key_of(self.s, j)) or self.s.word(j - 1) in {"at", "with", "for", "in"}
        hyphened = self.s.word(j + 1) == "-" and self.s.is_word(j + 2)  # "a 2000-step warmup"
        return plain and (named or hyphened)

    # -- of what ------------------------------------------------------------------------------------------------

    @cached_property
    def _names(self) -> frozenset[str]:
        """The metrics it is about; none where it does not say."""
        if self._metrics:
            return self.s.names(self._metrics[0])
        known = {name for run, name in self.world.values if run == self.run} - self.world.durations
        if self.sense in words.SPEEDS or {"speed", "fast", "slow"} & self._words:
            rates = frozenset(name for name in known if self.world.speed(name) is Sense.UP)
            return rates or frozenset(name for name in known if self.world.speed(name))
        if {"quality", "accuracy"} & self._words:
            kinds = {name for name in known if self.world.upwards(Sense.BETTER, name) is not None}
            return frozenset(name for name in kinds if not self.world.speed(name) and not self._is_size(name))
        numeral = self.s.numeral(self._number) if self._number is not None else None
        if numeral is not None and numeral.unit is not None and not numeral.relative:
            return self.world.in_unit(numeral.unit.dimension) & known
        if self._at is not None and self.s.word(self._at) in {"longer", "shorter"}:
            return self.world.lengths & known
        return frozenset({self.world.primary}) if self.sense in {Sense.BETTER, Sense.WORSE} else frozenset()

    def _is_size(self, name: str) -> bool:
        unit = self.world.unit(name)
        return unit is not None and unit.dimension == "byte"

    @cached_property
    def _against(self) -> frozenset[str]:
        """The runs that it is compared with: those it names, else what the run was made from."""
        if moved := frozenset(run for axis in self._reader.axes for run in self._moved_from(axis)):
            return moved
        if left := self._left():
            return self.world.counterparts(self.run, left)
        named = [m.meant for m in self._reader.runs if self.run not in m.meant]
        if named:
            least = min(self.world.apart(self.run, other) for other in named[-1])
            return frozenset(other for other in named[-1] if self.world.apart(self.run, other) == least)
        if self._is_again and self.run in self.world.runs:
            before = frozenset(self.world.runs[: self.world.runs.index(self.run)]) - self.world.baseline
            return self.world.counterparts(self.run, before)
        near = frozenset(run for run in self.world.baseline if self.world.apart(self.run, run) <= _FEW)
        return self.world.counterparts(self.run) | near - {self.run}

    def _left(self) -> frozenset[str]:
        """``going from four to eight steps``: the runs with the setting that its own run has left."""
        s, numbers = self.s, self.s.of_kind(TokenKind.NUMBER)
        for a, b in itertools.pairwise(numbers):
            old, new = s.numeral(a), s.numeral(b)
            between = [s.word(j) for j in range(a + 1, b) if not s.keys(j)]
            if s.word(a - 1) != "from" or between != ["to"] or old is None or new is None:
                continue
            for key in sorted(self.world.varying):
                if self.run in self.world.runs_with(key, new.value) and (left := self.world.runs_with(key, old.value)):
                    return left
        return frozenset()

    def _moved_from(self, axis: Axis) -> frozenset[str]:
        """The runs that a setting's move leads away from, nearest first of all: ``doubling the batch``."""
        pairs = [pair if axis.sense is Sense.UP else pair[::-1] for pair in self.world.moves[axis.key]]
        left = [b for a, b in pairs if a == self.run]
        facts = self.world.configs[axis.key]
        apart = {run: abs((number_of(facts[self.run]) or 0) - (number_of(facts[run]) or 0)) for run in left}
        return frozenset(run for run in left if apart[run] == min(apart.values()))

    @property
    def _is_again(self) -> bool:
        """``by another 2 points``, ``two more points``."""
        i = self._number
        return i is not None and bool({self.s.word(i - 1), self.s.word(i).split()[-1], self.s.word(i + 1)} & _AGAIN)

    def _pairs(self) -> Iterator[tuple[Quantity, Quantity]]:
        for name in sorted(self._names):
            mine = self.world.values.get((self.run, name))
            for other in sorted(self._against):
                theirs = self.world.values.get((other, name))
                if mine and theirs:
                    yield mine, theirs

    # -- whether ------------------------------------------------------------------------------------------------

    def truth(self) -> bool | None:
        """None where the facts do not decide it."""
        if (at := self._outcome) is not None and (outcome := outcome_at(self.s, at)):
            held = outcome.holds(self.world, self.run)
            if held is False or not self._is_measured(at):
                return held
        results = {self._of(mine, theirs) for mine, theirs in self._pairs()}
        if not results and self._number is not None and self._names:
            results = {self._value(q) for q in self._own()}
        if len(results) > 1:  # what it was made from counts more than the baseline that is near as well
            made_from = self._made_from() - self.world.baseline
            results = {self._of(mine, theirs) for mine, theirs in self._pairs() if theirs.runs <= made_from}
        return results.pop() if len(results) == 1 else None

    @property
    def names(self) -> frozenset[str]:
        """The metrics it is about, and ``HOW`` if it says how its run ends."""
        return self._names | ({HOW} if self._outcome is not None else frozenset())

    def _is_measured(self, outcome: int) -> bool:
        """``fits into 64 GiB``, ``converges to a lower loss``: whether values say more of it than the run's end."""
        bounded = self._number is not None and self._number > outcome
        return bool(self._names) and (bounded or self.sense is not None)

    def _made_from(self) -> frozenset[str]:
        """The nearest runs that are like the baseline in what the run changed of them; none are its rivals."""

        def stepped(other: str) -> bool:
            changed = differing(self.world, self.run, other)
            return not any(changed & differing(self.world, other, base) for base in self.world.baseline)

        return frozenset(filter(stepped, self.world.counterparts(self.run))) or self.world.baseline

    def _own(self) -> Iterable[Quantity]:
        return [q for name in sorted(self._names) if (q := self.world.values.get((self.run, name)))]

    def _of(self, mine: Quantity, theirs: Quantity) -> bool | None:
        if self._number is not None:
            return self._amount(mine, theirs)
        gone = self._went(mine, theirs)
        if self.sense is None and any(self.s.word(j + 1) == "no" for j in self._metrics):
            return mine.value == 0  # "drops no tokens"
        if self._words & _KEEPING or (self._denied and self._words & _FOR_FREE):
            worse = self.world.upwards(Sense.WORSE, mine.name)
            change = (mine.value - theirs.value) / (abs(theirs.value) or 1)
            return None if worse is None else (change if worse else -change) <= _SAME_WITHIN
        if self._at is not None and equality_at(self.s, self._at):
            return None if gone is None else gone >= -_SAME_WITHIN * abs(theirs.value)
        if "than" in self._words and "point" in self._words:
            return None  # "costs less than a point"
        if self.sense is Sense.SAME or self.sense is None:
            near = abs(mine.value - theirs.value) <= _SAME_WITHIN * abs(theirs.value)
            return near if self.sense else None
        if gone is None:
            return None
        return gone <= 0 if self._denied else gone > 0

    def _went(self, mine: Quantity, theirs: Quantity) -> float | None:
        """How far the metric went the way that it says."""
        upwards = self.world.upwards(self.sense or self.before or Sense.BETTER, mine.name)
        if upwards is None:
            return None
        return mine.value - theirs.value if upwards else theirs.value - mine.value

    # -- by how much --------------------------------------------------------------------------------------------

    def _amount(self, mine: Quantity, theirs: Quantity) -> bool | None:
        numeral = self.s.numeral(self._number or 0)
        if numeral is None:
            return None
        share = [reading for reading in numeral.readings if reading.unit and reading.unit.dimension == PERCENT]
        if share and self.s.word(self._number or 0).startswith(("a ", "one ", "two ", "three ")):
            numeral = replace(numeral, readings=tuple(share))
        if self._is_kept(numeral):
            ratio = mine.value / theirs.value if theirs.value else 0.0
            reading = numeral.readings[0]
            percent = reading.unit is not None and reading.unit.dimension == PERCENT
            return self._within(ratio, reading.value / (100 if percent else 1))
        if not self._is_change(numeral):
            return self._value(mine)
        return self._share(numeral, mine, theirs)

    def _is_kept(self, numeral: Numeral) -> bool:
        """``keeps more than half of the throughput``: what is left, and no change."""
        i = self._number or 0
        share = numeral.unit is not None and numeral.unit.dimension in {FACTOR, PERCENT}
        kept = {self.s.word(j) for j in range(self.low, i)} & _RETAINING
        return share and bool(kept) and self.s.word(i + 1) in {"of", "the"} and self.s.word(i - 1) != "within"

    def _is_change(self, numeral: Numeral) -> bool:
        i = self._number or 0
        unit = numeral.unit.dimension if numeral.unit else ""
        own = self.world.unit(next(iter(self._names)))
        plain_percent = unit == PERCENT and own is not None and own.dimension == PERCENT
        priced = any(self.s.word(j) in words.PRICES | {"within", "by"} for j in range(self.low, i))
        priced = priced or self._is_given_up
        return (numeral.relative and not plain_percent) or role_of(self.s, i) is Role.CHANGE or priced

    @property
    def _is_given_up(self) -> bool:
        return self._at is not None and self.s.word(self._at) == "up" and self.sense is Sense.WORSE

    def _share(self, numeral: Numeral, mine: Quantity, theirs: Quantity) -> bool | None:
        """Whether the change is as large, or as small, as it says."""
        unit = numeral.unit.dimension if numeral.unit else ""
        gone = self._went(mine, theirs)
        if gone is None:
            return None
        for change in changes(mine, theirs):
            if change.kind is FactKind.RATIO:
                if unit != FACTOR or not change.value:
                    continue
                wanted = numeral.value if numeral.value > 1 else 1 / numeral.value
                return self._within(max(change.value, 1 / change.value) * (1 if gone > 0 else 0), wanted)
            if unit == FACTOR or (unit == PERCENT) != (change.kind is FactKind.PERCENT):
                continue
            pair = stands(replace(numeral, sign=""), change)
            if pair is not None:
                size = abs(pair[1]) if gone > 0 else -abs(pair[1])
                return self._within(size, abs(pair[0]))
        return None

    @property
    def _side(self) -> Sense | None:
        """Whether the number is a lower bound, or an upper one: ``at least``, ``or less``, ``no more than``."""
        i = self._number or 0
        side = _SIDES.get((self.s.word(i + 1), self.s.word(i + 2))) or bound_of(self.s, i)
        denied = self.s.word(i - 1) == "than" and self.s.word(i - 3) in {"no", "not"}
        return words.OPPOSITE[side] if side and denied else side

    def _within(self, size: float, wanted: float) -> bool:
        i = self._number or 0
        side = self._side
        if self.s.word(self.s.skip(i - 1, words.ARTICLES, -1)) == "within":
            return abs(size) <= wanted
        if side is Sense.DOWN:
            return size <= wanted
        return size >= wanted * (1 if side in {Sense.UP, Sense.BETTER} else 1 - _NEARLY)

    def _value(self, mine: Quantity) -> bool | None:
        """Whether the metric's own value keeps a bound: ``above 90 %``."""
        i = self._number or 0
        numeral, side = self.s.numeral(i), self._side
        pair = stands(numeral, mine) if numeral else None
        if pair is None or side is None:
            return None
        upwards = side_of(self.world, mine, side) is Sense.UP
        return pair[1] >= pair[0] if upwards else pair[1] <= pair[0]

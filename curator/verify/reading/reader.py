"""The reader of one sentence: of which runs a word or a numeral in it may be said.

English ties a number to a name by nearness and by a few small words: ``LR-003 reached 2.31``, ``2.31 in LR-003``,
``LR-002 and LR-003 reached 2.35 and 2.31``, ``2.31 against 2.40 in the baseline``. Each of these patterns gives a tie.
Never looks at a value.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from curator.verify.reading.axes import axes
from curator.verify.reading.earlier import Earlier
from curator.verify.reading.frames import frame
from curator.verify.reading.lists import SIDES, Lists
from curator.verify.reading.mentions import PREPOSITIONS, has_own_number, is_gap, is_unknown, opens_pair, runs_named
from curator.verify.reading.metrics import Metrics
from curator.verify.reading.phrasing import MAIN, goes_on, is_mutual
from curator.verify.reading.roles import Role, bound_of, is_change, role_of
from curator.verify.reading.steps import starts_step
from curator.verify.reading.ties import FAR, PASSED, TAKEN, UNKNOWN, Tie, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.reading.unnamed import Unnamed
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.known.world import World
    from curator.verify.reading.axes import Axis
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

_REFERENCE = 3.0
"""The cost of taking what something is compared with for what is spoken of."""
_OF_RUNS = words.word_set("for with without using under from")
_AHEAD = 2.5
"""Of a name that only comes later."""

_ADJACENT = words.BE | words.word_set(
    "'s ' ( : = - \u2013 \u2014 \" at of reached which has had ~ \u2248 a an the to ends ended"
)
_ADJACENT |= {""}
_MANAGING = forms("manage reach get have need take do show achieve give")
_OWNING = words.word_set("'s ' ( = at with of \u2013 -")
_ADDED = words.pairs("as well, on top, in addition")
"""``with a deeper prefetch as well``: of a run that has more than what is named."""
_PRONOUNS = words.word_set("it its this that they their both")
_COMPARING = words.word_set("compared relative unlike against versus over from")


class Reader:
    """Answers for the words and numerals of one sentence."""

    def __init__(self, s: Sentence, world: World, before: Reader | None = None) -> None:
        self._s, self._world, self._before = s, world, before
        self.lists = Lists(s, world)
        self.metrics: Metrics = Metrics(s, self.lists, before.metrics if before else None)

    @cached_property
    def runs(self) -> list[Mention]:
        """The runs it names, in order."""
        return runs_named(self._s)

    @cached_property
    def _earlier(self) -> Earlier:
        before = self._before
        return Earlier(self._s.previous, before.runs if before else [], before._earlier if before else None)  # noqa: SLF001 - of its own kind

    @cached_property
    def _unnamed(self) -> Unnamed:
        return Unnamed(self._s, self._world, self.runs, list(self._earlier.runs()))

    @cached_property
    def named(self) -> frozenset[str]:
        """Every run it names."""
        return frozenset(run for mention in self.runs for run in mention.meant)

    @cached_property
    def frame(self) -> frozenset[str]:
        """The runs that it sets out to speak of."""
        return frame(self._s, self.runs)

    @cached_property
    def axes(self) -> list[Axis]:
        """The settings it moves, in order."""
        return axes(self._s, frozenset(self._world.moves))

    def axis_at(self, i: int) -> Axis | None:
        """The move that the word at ``i`` is a part of."""
        return next((axis for axis in self.axes if axis.first <= i <= axis.last), None)

    def axis(self, i: int) -> Axis | None:
        """The move that what is said at ``i`` comes of: before it, else behind it, else in the sentence before."""
        if self.axis_at(i):
            return None
        before = [axis for axis in self.axes if axis.last < i]
        _, high = self._s.clause(i)
        behind = [axis for axis in self.axes if i < axis.first < high]
        if before or behind:
            return (before[-1:] or behind)[0]
        earlier = self._before
        return earlier.axes[-1] if earlier and earlier.axes and not self.runs and not earlier.runs else None

    @property
    def named_before(self) -> frozenset[str]:
        """Every run that the sentence before names."""
        return self._before.named if self._before else frozenset()

    def _others(self, i: int) -> list[Mention]:
        """The runs it names by other words than the one at ``i``."""
        return [m for m in self.runs if not m.first <= i <= m.last]

    # -- of which run ---------------------------------------------------------------------------------------------

    def subjects(self, i: int) -> Ties:
        """The runs that what stands at ``i`` may be said of."""
        s = self._s
        if s.context.cell:
            return Ties([Tie(s.context.topics)] if s.context.topics else [])
        low, high = s.clause(i)
        mentions = [m for m in self._others(i) if low <= m.first < high or not is_gap(s, m)]
        if placed := self.lists.placed(i, mentions):
            return Ties(placed)
        if repeated := self._unnamed.repeated(i):
            return Ties(repeated)
        if s.word(i - 1) == "through" or (s.word(i - 1), s.word(i - 3)) == ("to", "through"):
            return Ties([])  # "from 76.8 % at 192 px through 78.9 % to 80.3 %"
        if every := self.everyone(i):
            return Ties([Tie(every)], FAR)
        if told := self._unnamed.told(i):
            return Ties([Tie(told)], 1.5)
        number = s.kind(i) is TokenKind.NUMBER
        if number and s.word(0) in _PRONOUNS and opens_pair(s, i, mentions):
            return self._inherited([])
        ties = self._behind(i, mentions) if number else self._with_name(i, mentions)
        left = self._before_it(i, mentions)
        ahead = [] if ties else self._ahead(i, mentions, far=number and bool(left)) if number or not left else []
        costs = (PASSED if self._is_plain_value(i) else TAKEN) if ties and number else 0.0
        ties += [replace(tie, cost=tie.cost + costs) for tie in left] + ahead
        named = any(m.last < i and not m.reference for m in mentions)
        if number and self._is_of_unknown(i):
            return Ties(ties, UNKNOWN)
        if (
            number
            and any(tie.cost < _REFERENCE for tie in ties)
            and not any(low <= m.first < high for m in mentions)
            and not goes_on(s, low, i)
        ):
            return Ties(ties, UNKNOWN)
        if named or any(tie.cost < _REFERENCE for tie in ties):
            return self._with_repeats(i, mentions, self._narrowed(ties))
        return self._inherited(ties)

    def everyone(self, i: int) -> frozenset[str]:
        """All the runs, where what stands at ``i`` is said of every one of them."""
        return self._unnamed.everyone(i)

    def _is_of_unknown(self, i: int) -> bool:
        """``60.6 % for rounding``, ``that of the rounded one amounted to 5.73``: of what we have no name for."""
        s, (low, _) = self._s, self._s.clause(i)
        behind = s.skip(i + 2, words.ARTICLES)
        if s.word(i + 1) in _OF_RUNS and (is_unknown(s, behind) or self._is_elided(behind)):
            return True
        whole = i - 1 - (s.word(i - 1) == "the")
        if s.word(whole) == "of" and s.kind(whole - 1) is TokenKind.NUMBER and not s.runs(whole - 1):
            return True  # "26.8 of 32.1 points"
        if is_unknown(s, i + 1) and s.word(i + 2) in words.ENDINGS:
            return True  # "48.2 ms plain, 48.9 n-gram"
        first = s.skip(i - 1, frozenset(w for w in (s.word(i - 1), s.word(i - 2)) if w not in {",", ":"}), -1)
        if s.word(first) in {",", ":", ";"} and first >= i - 3 and is_unknown(s, i - 1):
            return True  # "GPTQ 56, plain rounding 23"
        added = any((s.word(j), s.word(j + 1)) in _ADDED for j in range(low, i))
        if added or self._is_left_behind(low, i):
            return True
        owners = (j + 1 for j in range(low, i) if s.word(j) == "of" and s.word(j - 1) in {"that", "those"})
        return any(is_unknown(s, s.skip(j, words.ARTICLES)) for j in owners)

    def _is_elided(self, j: int) -> bool:
        """``from that of sixteen``: with no name of a run behind it."""
        s = self._s
        return s.word(j) == "of" and not s.runs(s.skip(j + 1, words.ARTICLES))

    def _is_left_behind(self, low: int, i: int) -> bool:
        """``climbs from 76.8 % at 192 px to 80.3 %, while throughput falls to``: the clause before has moved on."""
        before = [m for m in self.runs if m.last < i]
        return bool(before) and before[-1].last < low and any(starts_step(self._s, j) for j in before[-1].taken)

    def _behind(self, i: int, mentions: Sequence[Mention], *, references: bool = False) -> list[Tie]:
        """``2.31 in LR-003``."""
        numeral = self._s.numeral(i)
        changed = numeral is not None and (numeral.relative or role_of(self._s, i) is Role.CHANGE)
        return [Tie(m.meant) for m in mentions if i in m.taken and (references or not (m.reference and changed))]

    def _with_name(self, i: int, mentions: Sequence[Mention]) -> list[Tie]:
        """``rises again at 0.03``: a word's run may stand right behind it."""
        near = [m for m in mentions if i < m.first <= i + 4 and not m.reference]
        return [self._tie(m, 0.0) for m in near if self._s.word(m.first - 1) in PREPOSITIONS]

    def _before_it(self, i: int, mentions: Sequence[Mention]) -> list[Tie]:
        """The names before it, the nearest first; "it" means what the sentence is about."""
        left = list(self._leftwards(i, mentions))
        s = self._s
        said = next((j for j in range(i - 1, -1, -1) if s.word(j) in MAIN or s.runs(j)), None)
        which = next((j for j in range(max(s.clause(i)[0], (said or 0) + 1), i) if s.word(j) in {"which", "who"}), None)
        near = [m for m in mentions if which is not None and which - 4 < m.last < which and not m.reference]
        if near:
            return [self._tie(near[-1], 0.0), *(replace(tie, cost=tie.cost + 1.0) for tie in left)]
        if said is None or s.runs(said):
            return left
        low, _ = s.clause(said)
        heads = [m for m in mentions if m.last < said and not m.reference]
        main = next((m for m in heads if m.first >= low), heads[0] if heads else None)
        return [self._tie(main, 0.0), *(replace(tie, cost=tie.cost + 1.0) for tie in left)] if main else left

    def _leftwards(self, i: int, mentions: Sequence[Mention]) -> Iterator[Tie]:
        s, cost = self._s, 0.0
        start = self.lists.around(i)[0] if s.kind(i) is TokenKind.NUMBER else i
        for m in sorted((m for m in mentions if m.last < i), key=lambda m: -m.last)[:6]:
            own = 0.0
            noted = {":"} if s.word(m.first - 1) == "(" else frozenset()
            changed = (m.reference or m.object) and self._may_be_change(i)
            if changed or not self._adjacent(m.last, start, _OWNING | noted if m.reference else _ADJACENT):
                outside = m.aside and s.tokens[m.first].depth > s.tokens[i].depth
                told = m.reference and s.word(m.last + 1) in _MANAGING  # "than batch 512 manages at epsilon 7.92"
                second = (m.reference and not told) or m.object
                own = _REFERENCE if second else TAKEN if m.taken else 1.0 if outside else 0.0
            yield self._tie(m, cost + own)
            cost += 0.5 if own else PASSED

    def _is_plain_value(self, i: int) -> bool:
        """Whether it can be a value alone, so that the name right behind it says of whom."""
        s = self._s
        return role_of(s, i) is not Role.CHANGE and bound_of(s, i) is None and not self._may_be_change(i)

    def _may_be_change(self, i: int) -> bool:
        """Whether the numeral tells of a change by its own looks: a sign, or percent of what is not in percent."""
        numeral = self._s.numeral(i)
        if numeral is None or not numeral.relative:
            return numeral is not None and bool(numeral.sign)
        units = {unit.dimension for name in self.metrics.of(i).surest if (unit := self._world.unit(name)) is not None}
        return bool(numeral.sign) or PERCENT not in units

    def _ahead(self, i: int, mentions: Sequence[Mention], *, far: bool) -> list[Tie]:
        s, (_, high) = self._s, self._s.clause(i)
        behind = [m for m in mentions if i < m.first < high and not (m.reference or m.aside)]
        behind = [m for m in behind if not m.taken or i in m.taken]
        if s.kind(i) is TokenKind.NUMBER:
            behind = [m for m in behind if not has_own_number(s, m)]
        fronted = s.word(0) in {"with", "at"} and i <= 3
        start = _AHEAD if far else 0.0 if fronted else 0.5
        return [self._tie(m, start + 0.5 * n) for n, m in enumerate(behind[:4])]

    def _tie(self, mention: Mention, cost: float) -> Tie:
        parts = tuple(self._s.runs(j) for j in mention.members) if len(mention.members) > 1 else ()
        return Tie(mention.meant, cost, parts)

    def _with_repeats(self, i: int, mentions: Sequence[Mention], ties: list[Tie]) -> Ties:
        """``the baseline reaches 0.61, 0.60 and 0.62``: more values than runs are those of its repetitions, too."""
        left = [m for m in mentions if m.last < i and not m.reference]
        listed = [j for j in self.lists.around(i) if self._is_as_precise(i, j)]
        sides = SIDES.intersection(self._s.word(j) for j in range(listed[0], listed[-1]))
        if not left or sides or len(listed) <= max(1, len(left[-1].meant)):
            return Ties(ties)
        repeated = frozenset(other for run in left[-1].meant for other in self._world.repeats(run))
        if repeated > left[-1].meant:
            return Ties([*ties, Tie(repeated)])
        return Ties(ties, 0.5)

    def _is_as_precise(self, i: int, j: int) -> bool:
        """Whether two numerals may be of one metric: ``0.297, 4.1 ms`` are of two."""
        a, b = self._s.numeral(i), self._s.numeral(j)
        return i == j or (a is not None and b is not None and abs(a.decimals - b.decimals) <= 1)

    def _narrowed(self, ties: list[Tie]) -> list[Tie]:
        """``With 64 clients, int8 serves``: the name in front tells which of several runs the subject is."""
        front = self.runs[0] if self.runs and self._s.word(0) in PREPOSITIONS else None
        if front is None or front.first >= 6 or len(front.members) > 1:
            return ties
        return [replace(tie, meant=tie.meant & front.meant or tie.meant) for tie in ties]

    def _inherited(self, weak: list[Tie]) -> Ties:
        """What a sentence that names no run before this place is about: the sentence before it, or its heading."""
        topics = self._s.context.topics
        ties = [Tie(topics)] if topics else []
        head = next((j for j in range(5) if self._s.word(j) == ":"), 0)
        if any(is_unknown(self._s, j) for j in range(head)) and (self._before or not self._s.context.field):
            return Ties(weak)  # "Weaker penalty: finished."
        goes_on = self._s.word(0) in _PRONOUNS or self._s.kind(0) is TokenKind.METRIC
        told = goes_on or self._s.kind(0) is TokenKind.NUMBER
        told = told or self._s.word(self._s.skip(0, words.ARTICLES)) in words.SUPERLATIVES
        own, presented = 0, self._earlier.presented() if told and not topics else None
        for m in self._earlier.runs():
            cost = 1.5 if m.reference else 0.5 * min(own, 2)
            ties.append(Tie(m.meant, cost if presented is None else 0.0 if m is presented else PASSED))
            own += not m.reference
        if self._s.word(0) in {"that", "this"} and len(ties) == 1 and self._before:  # "A: 912. B: 648. That is 1.41x."
            ties += [Tie(m.meant, 1.0) for m in self._earlier.further()]
        if not ties:
            return Ties([*weak, Tie(frozenset())], 0.5) if weak else Ties([])
        if self._s.word(0) in {"the", "a", "an"} and any(
            self._s.keys(j) or is_unknown(self._s, j) for j in range(1, 5)
        ):
            return Ties([*ties, *weak], 1.0)  # "The next smaller window loses 46.8 points"
        sure = len(topics) == 1 or (goes_on and len(ties) == 1) or presented is not None
        return Ties([*ties, *weak], 3.0 if sure else 1.5)

    def earlier(self) -> Ties:
        """What a pronoun means that stands for no run of its own sentence."""
        return self._inherited([])

    def _adjacent(self, j: int, i: int, links: frozenset[str] = _ADJACENT) -> bool:
        """Whether nothing but links stands between a name and a numeral: ``LR-001's 2.40``, ``the baseline (2.40)``."""
        s, between = self._s, range(j + 1, i)
        if s.word(i - 1) == "(" and len(between) <= 5:  # "BPE with the same vocabulary (1,719 s)"
            plain = words.ARTICLES | {"with", "of", "at", "same", "and"}
            return all(s.word(k) in plain or s.keys(k) or s.names(k) for k in between[:-1])
        return len(between) <= 6 and all(s.word(k) in links or s.kind(k) is TokenKind.METRIC for k in between)

    # -- compared with which run ------------------------------------------------------------------------------------

    def references(self, i: int) -> Ties:
        """The runs that what stands at ``i`` may be compared with."""
        s = self._s
        if mutual := [m for m in self.runs if len(m.meant) > 1 and is_mutual(self._s, m)]:
            return Ties([Tie(m.meant) for m in mutual])
        if repeated := self._unnamed.repeated(i):
            return Ties(repeated)
        low, high = s.clause(i)
        said = [m for m in self._others(i) if m.reference]
        fronted = s.word(0) in _COMPARING
        explicit = [m for m in said if low <= m.first < high and not self._is_of_other_change(m, i)] or [
            m for m in said if m.first < 6 and fronted
        ]
        if explicit:
            ordered = sorted(explicit, key=lambda m: (m.first < i, abs(m.first - i)))
            return Ties([self._tie(m, 0.5 * n) for n, m in enumerate(ordered)], explicit=True)
        if self.frame and any(m.meant < self.frame for m in self._others(i)):
            return Ties([Tie(self.frame)])
        baseline = self._world.baseline
        ties = [Tie(baseline)] if baseline else []
        ties += [Tie(m.meant, 0.5) for m in self.runs]
        ties += [Tie(s.context.topics, 1.0)] if s.context.topics else []
        ties += [Tie(m.meant, 1.0) for m in self._earlier.last]
        ahead_of = any(
            s.word(j) in words.SUPERLATIVES for j in range(high)
        )  # "the highest, by 0.07 points": ahead of the next
        return Ties(ties, 2.5 if baseline and not ahead_of else 1.0)

    def _is_of_other_change(self, mention: Mention, i: int) -> bool:
        """``craters by 9.9 points, for 14 % more speed than its sibling``: only the nearer of them is against that."""
        numbers = self._s.of_kind(TokenKind.NUMBER, (i + 1, mention.first))
        return self._s.kind(i) is TokenKind.NUMBER and any(is_change(self._s, j) for j in numbers)

    def rivals(self, i: int) -> Ties:
        """What the subject at ``i`` is compared with: ``It does not beat LR-002. It is faster, too`` means LR-002."""
        earlier = [m for m in self._earlier.last if m.reference] if self._s.word(0) in _PRONOUNS else []
        ties = self.references(i)
        if not ties.explicit and not self.runs and (pair := self._earlier.pair()):
            return Ties([*(Tie(m.meant) for m in pair), *(replace(tie, cost=tie.cost + 1.0) for tie in ties.all)], 2.5)
        if not earlier or ties.explicit:
            return ties
        return Ties([*(Tie(m.meant) for m in earlier), *(replace(tie, cost=tie.cost + 1.0) for tie in ties.all)], 2.5)

    def compared_with(self, i: int) -> Ties:
        """The runs that a compared value may be of."""
        mentions, stepped = self._others(i), starts_step(self._s, i)
        if placed := self.lists.placed(i, mentions):
            return Ties(placed)
        ties = self._behind(i, mentions, references=True)
        if not ties and not stepped:
            ties = [Tie(m.meant) for m in mentions if m.last < i and self._adjacent(m.last, i)]
        cost = TAKEN if ties else 0.0
        ties += [Tie(m.meant, cost) for m in mentions if m.reference and (not m.taken or i in m.taken)]
        sure, baseline = bool(ties), self._world.baseline
        ties += [Tie(baseline, FAR - 1 if sure else 0.0)] if baseline else []
        if sure:
            return Ties(ties)
        subjects = self.subjects(i)
        if stepped and len(subjects.surest) == 1:
            ties.append(Tie(self._world.counterparts(min(subjects.surest)), 0.5))
        ties += [Tie(m.meant, 2.5 if m.meant == subjects.surest and len(m.meant) == 1 else 0.5) for m in mentions]
        ties += [Tie(m.meant, 0.5) for m in self._earlier.last]
        return Ties(ties, FAR if len(self.named) > 1 else 2.5 if subjects.all and stepped else 1.5)

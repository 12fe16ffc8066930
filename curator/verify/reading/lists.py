"""Lists of numerals, and of what each is by its place: ``LR-002 and LR-003 reached 2.35 and 2.31``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from curator.verify.reading.roles import Role, role_of
from curator.verify.reading.steps import ends_step, starts_step
from curator.verify.reading.ties import FAR, Tie
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.known.world import World
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

SIDES = words.VERSUS | {"\u2192", "->", "<", ">"}
"""What stands between two lists rather than inside one."""
_SEPARATORS = SIDES | words.word_set(", and or / & then")
_LONGEST = 24
"""Numerals side by side beyond which they are a column of data, and nothing is each one's by its place."""
_PARTING = words.word_set(", ; and but while whereas or") - SIDES
"""What ends one pair of a number and its owner, so that the next may begin."""


class Lists:
    """The lists of one sentence."""

    def __init__(self, s: Sentence, world: World) -> None:
        self._s, self._world = s, world
        self._found: dict[int, list[int]] = {}
        self._changes: dict[int, bool] = {}

    def around(self, i: int) -> list[int]:
        """The numerals side by side with the one at ``i``, itself included, in order."""
        if i not in self._found:
            self._found[i] = self._find(i)
        return self._found[i]

    def _find(self, i: int) -> list[int]:
        s, found = self._s, [i]
        for step in (-1, 1):
            j = i + step
            while s.word(j) in _SEPARATORS or (s.kind(j) is TokenKind.NUMBER and self._is_alike(i, j)):
                if s.kind(j) is TokenKind.NUMBER:
                    found.append(j)
                if len(found) > _LONGEST:
                    return [i]
                j += step
        return sorted(found)

    def _is_change(self, i: int) -> bool:
        if i not in self._changes:
            self._changes[i] = role_of(self._s, i) is Role.CHANGE
        return self._changes[i]

    def _is_alike(self, i: int, j: int) -> bool:
        """Whether two numerals may stand in one list: of one kind of unit and in one role."""
        s, a, b = self._s, self._s.numeral(i), self._s.numeral(j)
        if a is None or b is None or (a.relative and a.word) or (b.relative and b.word) or a.word != b.word:
            return False
        if self._is_of_its_own(*sorted((i, j))):
            return False
        if self._is_change(i) != self._is_change(j):
            return False
        dimensions = {r.unit.dimension for n in (a, b) for r in n.readings if r.unit}
        first, second = (a, b) if i < j else (b, a)
        elided = (
            first.unit is None and not first.sign and abs(first.decimals - second.decimals) <= 1
        )  # "80.27, 80.15 and 80.34 %"
        alike = a.relative == b.relative or elided
        return len(dimensions) <= 1 and alike and bool(s.runs(i)) == bool(s.runs(j))

    def _is_of_its_own(self, first: int, second: int) -> bool:
        """``max load 24.7, 61.3 % dropped``, ``42 h, three attempts``: what stands behind the second is its own."""
        s, counts = self._s, words.COUNTED | words.RUN_NOUNS
        named = s.kind(first - 1) is TokenKind.METRIC and s.kind(second + 1) is TokenKind.METRIC
        counted = s.word(second + 1) in counts and s.tokens[first].numeral.unit is not None  # type: ignore[union-attr]
        return named or counted

    def placed(self, i: int, mentions: Sequence[Mention]) -> list[Tie]:
        """The run that the numeral's place gives it to; none where its place says nothing."""
        if found := self._stepped(i, mentions) or self._first_in_pairs(i, mentions):
            return found
        numbers = self.around(i)
        if len(numbers) < 2:
            return []
        return (
            self._along(i, numbers, mentions)
            or self._one_each(i, numbers, mentions)
            or self._split(i, numbers, mentions)
        )

    def placed_metric(self, i: int, mentions: Sequence[Mention]) -> list[Tie]:
        """``with loss and throughput of 2.31 and 9,412 tok/s``: as many metrics side by side before as numerals."""
        numbers, group = self.around(i), list[int]()
        for m in mentions:
            between = {self._s.word(j) for j in range(group[-1] + 1, m.first)} if group else {""}
            if m.last < numbers[0]:
                group = [*group, m.first] if between <= {",", "and", "/", "&", "the"} else [m.first]
        if len(group) != len(numbers) or len(numbers) < 2:
            return []
        return [Tie(self._s.names(group[numbers.index(i)]))]

    def _first_in_pairs(self, i: int, mentions: Sequence[Mention]) -> list[Tie]:
        """``The 2.31 belongs to LR-003, the 2.40 to LR-001``: numbers and names by turns, a number first."""
        s = self._s
        numbers = [j for j in s.of_kind(TokenKind.NUMBER) if not (s.runs(j) or s.numeral(j).word)]  # type: ignore[union-attr]
        if i not in numbers or len(numbers) < 2 or len(numbers) != len(mentions) or any(m.reference for m in mentions):
            return []
        owners = dict(zip(numbers, mentions, strict=True))
        linked = all(j < m.first and self._is_linked(j, m) for j, m in owners.items())
        parted = all(
            _PARTING & {s.word(k) for k in range(m.last + 1, j)} for m, j in zip(mentions, numbers[1:], strict=False)
        )
        if not linked or not parted or not all(self._is_alike(numbers[0], j) for j in numbers[1:]):
            return []
        return [Tie(owners[i].meant), *(Tie(m.meant, FAR) for m in mentions if m is not owners[i])]

    def _is_linked(self, j: int, m: Mention) -> bool:
        """Whether nothing parts a number from the name behind it."""
        between = {self._s.word(k) for k in range(j + 1, m.first)}
        return self._s.clause(j) == self._s.clause(m.first) and not between & (_PARTING | SIDES)

    def _along(self, i: int, numbers: list[int], mentions: Sequence[Mention]) -> list[Tie]:
        """``from lr=0.01 to lr=0.1 the loss is 2.4, 2.35 and 2.31``: one for each run on the way."""
        for a, b in itertools.pairwise(m for m in mentions if m.last < numbers[0]):
            link = [self._s.word(j) for j in range(a.last + 1, b.first) if not self._s.keys(j)]
            if link == ["to"] and len(numbers) > 2:
                runs = self._world.between(a.meant, b.meant)
                if len(runs) == len(numbers):
                    return [Tie(frozenset({runs[numbers.index(i)]})), Tie(frozenset(runs), FAR)]
        return []

    def _one_each(self, i: int, numbers: list[int], mentions: Sequence[Mention]) -> list[Tie]:
        """As many names as numerals: before them, or behind them with a small word."""
        before = [m for m in mentions if m.last < numbers[0] and len(m.meant) > 1]
        after = [m for m in mentions if m.first > numbers[-1] and len(m.meant) > 1 and numbers[-1] in m.taken]
        for m in [*reversed(before), *after]:
            ranged = len(m.members) == 1 and not self._s.tokens[m.first].described
            if ranged and len(m.meant) == len(numbers):  # "LR-001 to LR-003"
                runs = sorted(m.meant, key=self._world.runs.index)
                return [Tie(frozenset({runs[numbers.index(i)]})), Tie(m.meant, FAR)]
            if len(m.members) == len(numbers):
                return [Tie(self._s.runs(m.members[numbers.index(i)])), Tie(m.meant, FAR)]
        return []

    def _split(self, i: int, numbers: list[int], mentions: Sequence[Mention]) -> list[Tie]:
        """``LR-003 and LR-004 beat the baseline (2.31 and 2.35 vs. 2.40)``: the subjects' values stand first."""
        s = self._s
        at = next((j for j in range(numbers[0], numbers[-1]) if s.word(j) in words.VERSUS), None)
        if at is not None and len(numbers) > 2:
            mine = [j for j in numbers if (j < at) == (i < at)]
            named = [m for m in mentions if m.last < numbers[0] and m.reference == (i > at)]
            if named and len(named[-1].members) == len(mine):
                return [Tie(s.runs(named[-1].members[mine.index(i)])), Tie(named[-1].meant, FAR)]
        two = [m for m in mentions if m.last < numbers[0] and len(m.members) == 1][-2:]
        versus = s.word(numbers[0] + 1) in words.VERSUS | {"<", ">"}
        owned = any(j in m.taken for m in mentions for j in numbers)  # "1.83 against 1.92 for the baseline"
        if not versus or owned or len(numbers) != 2 or len(two) != 2 or any(m.taken for m in two):
            return []
        low, _ = s.clause(numbers[0])
        apart = any(s.word(j) == "," for j in range(two[0].last, two[1].first))
        ordered = sorted(two, key=lambda m: (m.reference, m.first < low, -m.first if apart else m.first))
        return [Tie(ordered[numbers.index(i)].meant), *(Tie(m.meant, FAR) for m in two)]

    def _stepped(self, i: int, mentions: Sequence[Mention]) -> list[Tie]:
        """``from LR-001 to LR-003 ... from 2.40 to 2.31``: the numerals go with the runs."""
        s = self._s
        for a, b in itertools.pairwise(mentions):
            link = " ".join(s.word(j) for j in range(a.last + 1, b.first) if s.word(j) not in words.ARTICLES)
            from_one = s.word(s.skip(a.first - 1, words.ARTICLES, -1)) == "from"
            if a.first <= i <= b.last or not (link in {"->", "\u2192", "- >"} or (link == "to" and from_one)):
                continue
            if starts_step(s, i):
                return [Tie(a.meant), Tie(b.meant, FAR)]
            if ends_step(s, i):
                return [Tie(b.meant), Tie(a.meant, FAR)]
        return []

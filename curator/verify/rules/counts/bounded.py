"""Bounds that runs are counted by: ``four of the seven clear 95 % recall``, ``p99 stays under 10 ms in two runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.known.fits import stands
from curator.verify.reading.roles import Role, bound_of, role_of
from curator.verify.reading.tokens import TokenKind
from curator.verify.rules.directions import side_of
from curator.verify.text import words
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Callable

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.text.numerals import Numeral

_AMOUNT = words.ARTICLES | words.APPROXIMATE | words.word_set("just than well far only")
_BARELY = words.word_set("just barely narrowly")
_NEAR = 0.1
_IN_RUNS = words.word_set("in for by with on just only all of exactly")


def bounds(s: Sentence, at: int) -> int | None:
    """Where the numeral stands that the word at ``at`` makes a bound: the 95 of ``clear 95 %``."""
    i = s.skip(at + 1, _AMOUNT)
    numeral = s.numeral(i)
    if numeral is None or s.runs(i) or not s.is_word(at) or role_of(s, i) is Role.CHANGE:
        return None
    return i if bound_of(s, i) is not None else None


def bounded_before(s: Sentence, i: int) -> int | None:
    """The numeral of a bound that runs counted at ``i`` keep: ``under 10 ms in just two runs``."""
    j = s.skip(i - 1, _IN_RUNS, -1)
    near = s.kind(j) is TokenKind.NUMBER and j < i - 1 and not s.runs(j) and role_of(s, j) is not Role.CHANGE
    return j if near and bound_of(s, j) is not None else None


def kept(world: World, reader: Reader, s: Sentence, i: int, *, negated: bool) -> Callable[[str], bool | None] | None:
    """Asks of a run whether it keeps the bound at ``i``; None where no metric is named."""
    numeral, side = s.numeral(i), bound_of(s, i)
    told = any(s.kind(j) is TokenKind.METRIC for j in range(i + 1, s.clause(i)[1]))  # "below 2.31 in loss"
    names = reader.metrics.of(i, ahead=told).surest
    if numeral is not None and numeral.unit is not None and not names:
        names = world.in_unit(numeral.unit.dimension) - world.durations  # "two of our runs got over 97 %"
    names = names or _cut(world, numeral)
    if numeral is None or side is None or not names:
        return None

    def holds(run: str) -> bool | None:
        values = [q for name in sorted(names) if (q := world.values.get((run, name)))]
        compared = [
            (side_of(world, q, side) is Sense.UP, *pair) for q in values if (pair := stands(numeral, q)) is not None
        ]
        if _is_near(s, i):
            return all(abs(value - bound) <= _NEAR * abs(bound) for _, bound, value in compared) if compared else None
        results = {(value >= bound if up else value <= bound) is not negated for up, bound, value in compared}
        return results.pop() if len(results) == 1 else None

    return holds


def _cut(world: World, numeral: Numeral | None) -> frozenset[str]:
    """``three of the seeds end below 2.31``: the primary metric, where the bound lies among its values."""
    values = [q.value for (_, name), q in world.values.items() if name == world.primary]
    near = numeral is not None and numeral.unit is None and values and min(values) <= numeral.value <= max(values)
    return frozenset({world.primary}) if near else frozenset()


def _is_near(s: Sentence, i: int) -> bool:
    """``just under 8``, which 2.03 is not."""
    return bool({s.word(i - 1), s.word(i - 2)} & _BARELY)

"""How far apart two values of a metric may lie and still be called the same: as runs that repeat one another lie."""

from __future__ import annotations

import math
from decimal import Decimal
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curator.verify.known.world import World

_UNKNOWN = 0.02
"""Of the value, where no run is repeated; and the most that few repetitions can be taken to allow."""
_NEGLIGIBLE = 0.002
"""Of the value, whatever the repetitions say: nobody calls that a difference."""
_STUDENT = {1: 12.7, 2: 4.3, 3: 3.2, 4: 2.8}
"""By degrees of freedom how many deviations nineteen of twenty values lie within; 2.5 for more."""


def noise(world: World, run: str, against: str, name: str) -> float:
    """The largest difference that says nothing: 0.015 where four seeds end at 2.306, 2.309, 2.312 and 2.314.

    The repetitions of either run tell, else those of any other; 2 % of the value where there are none.
    """
    size = abs(world.values[against, name].value)
    groups = {world.repeats(each) for each in world.runs}
    own = _measured(world, (group for group in groups if group & {run, against}), name)
    repeated = own or _measured(world, groups, name)
    if not repeated:
        return _UNKNOWN * size
    widest = max(max(values) - min(values) for values in repeated)
    return max(widest, min(_UNKNOWN * size, _by_chance(repeated)), _NEGLIGIBLE * size)


def _measured(world: World, groups: Iterable[frozenset[str]], name: str) -> list[list[float]]:
    """What each group of repetitions measured, of those with more than one value."""
    known = ([world.values[run, name].value for run in group if (run, name) in world.values] for group in groups)
    return [values for values in known if len(values) > 1]


def _by_chance(repeated: Sequence[Sequence[float]]) -> float:
    """How far two runs lie apart by chance, as the repetitions deviate; no less than their digits can show."""
    freedom = sum(len(values) - 1 for values in repeated)
    squares = sum((value - fmean(values)) ** 2 for values in repeated for value in values)
    last_digit = 10.0 ** min(int(Decimal(repr(v)).as_tuple().exponent) for values in repeated for v in values)
    return _STUDENT.get(freedom, 2.5) * math.sqrt(2) * max(math.sqrt(squares / freedom), last_digit / 2)

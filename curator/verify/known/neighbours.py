"""Neighbours: the runs that stand next to a run in a sweep, one value of one setting away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.verify.known.world import World


def neighbours(world: World, run: str) -> frozenset[str]:
    """Of the runs that have less of one setting than this one and are alike in all else those with the most of it.

    ``Quadrupling the batch once more`` sets a run against the one before it, and not against the baseline.
    """
    found = set[str]()
    for key, moves in world.moves.items():
        less = [b for a, b in moves if a == run and world.apart(a, b) == 1]
        values = {b: world.configs[key][b].value for b in less}
        most = max(map(str, values.values()), key=float, default="")
        found |= {b for b, value in values.items() if str(value) == most}
    return frozenset(found)

"""Ties: what something may be said of, each with what it costs to believe so.

The surest tie costs nothing, a far-fetched one costs more. Rules ask which reading of a sentence is true and what it
costs: an error is a text whose true readings are all far-fetched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FAR = 4.0
"""The cost of what the sentence speaks against."""
BELIEVABLE = 2.0
"""What a reading may cost and still be believed."""
SLACK = 0.9
"""How much dearer than the cheapest reading a true one may be, where a sentence leaves it open."""
TAKEN = 1.5
"""The cost of a name that another number beside it has already."""
PASSED = 2.5
"""Of passing over a name on the way to one further off."""
UNKNOWN = 1.0
"""Of anything, where a value is said of something that no fact has a name for."""


@dataclass(frozen=True, slots=True)
class Tie:
    """That something may be said of these runs, or metrics."""

    meant: frozenset[str]
    cost: float = 0.0
    parts: tuple[frozenset[str], ...] = ()
    """The single names of ``LR-002 and LR-003``, of each of which it is said; empty for one name."""


class Ties:
    """All that something may be said of."""

    def __init__(self, ties: list[Tie], missing: float = FAR, *, explicit: bool = False) -> None:
        base = min((tie.cost for tie in ties), default=0.0)
        self.all = [replace(tie, cost=tie.cost - base) for tie in ties]
        self.missing = missing if ties else 0.0
        """The cost of anything that has no tie."""
        self.explicit = explicit
        """The sentence says itself what something is compared with."""

    def cost(self, meant: frozenset[str]) -> float:
        """What it costs to believe that one of ``meant`` is spoken of; nothing for what is nobody's."""
        if not meant:
            return 0.0
        return min([self.missing, *(tie.cost for tie in self.all if tie.meant & meant)])

    @property
    def surest(self) -> frozenset[str]:
        return frozenset(one for tie in self.all if tie.cost == 0 for one in tie.meant)

    def within(self, limit: float) -> Iterator[str]:
        """Everything that has a tie of at most that cost."""
        return iter(dict.fromkeys(one for tie in self.all if tie.cost <= limit for one in sorted(tie.meant)))

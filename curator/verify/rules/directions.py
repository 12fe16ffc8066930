"""Which way a change went, set against the word that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.text.words import SIZES, Sense

if TYPE_CHECKING:
    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World


def went(world: World, quantity: Quantity, sense: Sense | None) -> bool | None:
    """Whether a change went that way; None where nobody said which way that is, and where nothing changed."""
    upwards = world.upwards(sense, quantity.name) if sense else None
    middle = 1.0 if quantity.kind is FactKind.RATIO else 0.0
    if upwards is None or quantity.value == middle:
        return None
    return (quantity.value > middle) == upwards


def side_of(world: World, quantity: Quantity, side: Sense) -> Sense:
    """The side of a bound on which a quantity must lie: a loss that beats 2.35 is below it, an accuracy above 90 %."""
    if side in SIZES:
        return side
    upwards = side is Sense.BETTER if quantity.is_change else world.upwards(side, quantity.name)
    return Sense.DOWN if upwards is False else Sense.UP

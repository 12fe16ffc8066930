"""Which way a change went, set against the word that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import FactKind

if TYPE_CHECKING:
    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.text.words import Sense


def went(world: World, quantity: Quantity, sense: Sense | None) -> bool | None:
    """Whether a change went that way; None where nobody said which way that is, and where nothing changed."""
    upwards = world.upwards(sense, quantity.name) if sense else None
    middle = 1.0 if quantity.kind is FactKind.RATIO else 0.0
    if upwards is None or quantity.value == middle:
        return None
    return (quantity.value > middle) == upwards

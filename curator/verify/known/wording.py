"""How a finding tells a person what the facts say. Knows quantities and no sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import CHANGES, FactKind, render
from marin_research.units import format_number, format_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World

_MOST = 3


def shown(quantity: Quantity, world: World) -> str:
    """The quantity as a text would state it."""
    fact = world.by_id.get(quantity.ids[0]) if len(quantity.ids) == 1 else None
    if fact is not None:
        return render(fact)
    if quantity.kind is FactKind.PERCENT:
        return format_percent(quantity.value)
    if quantity.kind is FactKind.RATIO:
        return f"{format_number(quantity.value)}x"
    sign = "+" if quantity.value > 0 and quantity.kind in CHANGES else ""
    return f"{sign}{format_number(quantity.value)}"


def named(quantity: Quantity) -> str:
    """What the quantity is of: ``eval/loss of LR-003 against LR-001``."""
    runs = ", ".join(sorted(quantity.runs)[:_MOST])
    of = f" of {runs}" if runs else ""
    against = f" against {quantity.against}" if quantity.kind in CHANGES and quantity.against else ""
    return f"{quantity.name or quantity.kind.value}{of}{against}"


def of_quantities(quantities: Sequence[Quantity], world: World) -> str:
    """``eval/loss of LR-003 is 2.309 nats/byte``."""
    return "; ".join(f"{named(q)} is {shown(q, world)}" for q in quantities[:_MOST])

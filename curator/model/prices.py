"""What tokens cost, by a table with a date. A model that the table does not know has no price, not a guessed one."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from marin_research.codec import Unknown

if TYPE_CHECKING:
    from curator.model.port import Usage

_DATED = re.compile(r"-\d{8}$")
_MILLION = 1_000_000


def cost_usd(model: str, usage: Usage) -> float | Unknown:
    """US dollars, by the table's prices.

    Args:
        model: its name; a dated name such as ``claude-haiku-4-5-20251001`` costs what the undated one does.
        usage: the tokens.
    """
    prices = _table()["models"].get(_DATED.sub("", model))
    if prices is None:
        return Unknown(f"the price table of {_table()['date']} does not know {model}")
    spent = (
        usage.input_tokens * prices["input"]
        + usage.output_tokens * prices["output"]
        + usage.cache_read_tokens * prices["cache_read"]
        + usage.cache_written_tokens * prices["cache_write"]
    )
    return float(spent) / _MILLION


def price_date() -> str:
    """The day the table was made: ``2026-11-27``."""
    return str(_table()["date"])


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("curator.model") / "prices.json").read_text(encoding="utf-8"))
    return found

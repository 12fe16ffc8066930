"""Settings that labels state: ``window 1024``, ``four mined negatives``. Knows no text but the labels'."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.verify.text import numerals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from curator.verify.known.world import World

_NO_UNIT = re.compile(r"(?!)")
_MOST = 4


def runs_as_stated(label: str, keys: Mapping[str, frozenset[str]], world: World) -> frozenset[str]:
    """The runs that have the one setting which a label states, whatever else their own labels say; none without one.

    Args:
        label: or a part of one, lower case.
        keys: what config keys are called.
        world: whose runs.
    """
    words = label.split()
    values = [value for word in words if (value := _number(word)) is not None]
    if len(values) != 1 or not 1 < len(words) <= _MOST:
        return frozenset()
    said = (keys.get(word) or keys.get(word.removesuffix("s"), frozenset()) for word in words)
    varied = frozenset().union(*said) & world.varying
    return world.runs_with(next(iter(varied)), values[0]) if len(varied) == 1 else frozenset()


def _number(word: str) -> float | None:
    spoken = numerals.match_word(word, 0, _NO_UNIT)
    if spoken and spoken[0] == len(word):
        return spoken[1].value
    try:
        return float(word)
    except ValueError:
        return None

"""The course of a metric in a few characters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], *, width: int = 8) -> str:
    """Bars from the lowest to the highest finite value, evenly picked, the last one always there.

    A value that is not finite is shown as ``×``; fewer than two finite values have no course.
    """
    step = max(1.0, (len(values) - 1) / (width - 1))
    count = min(width, len(values))
    picked = [values[len(values) - 1 - round(step * back)] for back in reversed(range(count))]
    finite = [value for value in picked if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    scale = (len(_BARS) - 1) / (high - low) if high > low and math.isfinite(high - low) else 0.0
    return "".join(_BARS[round((value - low) * scale)] if math.isfinite(value) else "×" for value in picked)

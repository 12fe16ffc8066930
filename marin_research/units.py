"""How values are written for people: a sensible number of digits, and durations in words. Knows no metric by name."""

from __future__ import annotations

import math
import re

from marin_research.errors import UsageError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?", re.ASCII)
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def format_value(value: float, unit: str = "") -> str:
    """``2.309 nats/byte``, ``12,345 tok/s``, ``nan``: four significant digits, all digits of a whole number."""
    text = format_number(value)
    return f"{text} {unit}" if unit else text


def format_number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    magnitude = abs(value)
    if magnitude < 1e-4 or magnitude >= 1e15:
        return f"{value:.3e}"
    decimals = max(0, 3 - math.floor(math.log10(magnitude)))
    return f"{value:,.{decimals}f}"


def format_percent(value: float) -> str:
    """``+12.3 %``: a relative change, with its sign."""
    return f"{value:+.1f} %" if math.isfinite(value) else f"{format_number(value)} %"


def format_duration(seconds: float) -> str:
    """``43.2 s``, ``12 min 5 s``, ``2 h 31 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_size(size: int) -> str:
    """``512 B``, ``1.4 MB``: decimal units."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < (1000 if unit == "B" else 999.95) or unit == "GB":
            return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError


def parse_duration(text: str) -> float:
    """Seconds in ``90``, ``90s``, ``1.5h``, ``2d``: a number, and a unit unless it is seconds.

    Raises:
        UsageError: it is something else, or no time at all.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not 0 < seconds < math.inf:
        raise UsageError(f"{text!r} is not a duration; write 90s, 30m or 12h")
    return seconds

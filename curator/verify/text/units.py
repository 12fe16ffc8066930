"""Units: which ones a text may write, which measure the same, and by which factor they differ. Knows no fact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

PERCENT = "percent"
POINTS = "points"
FACTOR = "factor"
TIME = "time"
BYTE = "byte"

_PREFIXES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}

_SYMBOLS: dict[str, tuple[str, float]] = {
    "%": (PERCENT, 1.0),
    "pp": (POINTS, 1.0),
    "ppt": (POINTS, 1.0),
    "pt": (POINTS, 1.0),
    "pts": (POINTS, 1.0),
    "x": (FACTOR, 1.0),
    "\u00d7": (FACTOR, 1.0),
    "ns": (TIME, 1e-9),
    "us": (TIME, 1e-6),
    "\u00b5s": (TIME, 1e-6),
    "\u03bcs": (TIME, 1e-6),
    "ms": (TIME, 1e-3),
    "msec": (TIME, 1e-3),
    "s": (TIME, 1.0),
    "sec": (TIME, 1.0),
    "min": (TIME, 60.0),
    "h": (TIME, 3600.0),
    "hr": (TIME, 3600.0),
    "d": (TIME, 86400.0),
    **{f"{p}Hz": ("hertz", float(f)) for p, f in _PREFIXES.items() if p != "K"},
    "W": ("watt", 1.0),
    "kW": ("watt", 1000.0),
    "\u00b0C": ("celsius", 1.0),
    "bpb": ("bit/byte", 1.0),
    **{f"{p}B": (BYTE, float(f)) for p, f in _PREFIXES.items()},
    **{f"{p}iB": (BYTE, float(2 ** (10 * n))) for n, p in enumerate("KMGT", start=1)},
    **{f"{p}FLOP/s": ("flop/time", float(f)) for p, f in _PREFIXES.items()},
    **{f"{p}FLOPS": ("flop/time", float(f)) for p, f in _PREFIXES.items()},
    **{f"{p}FLOPs": ("flop", float(f)) for p, f in _PREFIXES.items()},
    **{f"{p}FLOP": ("flop", float(f)) for p, f in _PREFIXES.items()},
    **{f"{p}tok": ("token", float(f)) for p, f in _PREFIXES.items()},
}

_WORDS: dict[str, tuple[str, float]] = {
    "percent": (PERCENT, 1.0),
    "per cent": (PERCENT, 1.0),
    "pct": (PERCENT, 1.0),
    "percentage point": (POINTS, 1.0),
    "point": (POINTS, 1.0),
    "time": (FACTOR, 1.0),
    "fold": (FACTOR, 1.0),
    "nanosecond": (TIME, 1e-9),
    "microsecond": (TIME, 1e-6),
    "millisecond": (TIME, 1e-3),
    "second": (TIME, 1.0),
    "minute": (TIME, 60.0),
    "hour": (TIME, 3600.0),
    "day": (TIME, 86400.0),
    "week": (TIME, 604800.0),
    "byte": (BYTE, 1.0),
    "kilobyte": (BYTE, 1e3),
    "megabyte": (BYTE, 1e6),
    "gigabyte": (BYTE, 1e9),
    "watt": ("watt", 1.0),
    "nat": ("nat", 1.0),
    "bit": ("bit", 1.0),
}

WORDS = frozenset(_WORDS)
_COUNTED = {
    "token": "token",
    "tok": "token",
    "step": "step",
    "sample": "sample",
    "example": "sample",
    "sequence": "sequence",
    "seq": "sequence",
    "iteration": "iteration",
    "iter": "iteration",
    "it": "iteration",
    "image": "image",
    "img": "image",
    "request": "request",
    "req": "request",
    "query": "request",
    "batch": "batch",
    "device": "device",
    "chip": "device",
    "item": "item",
    "document": "document",
    "doc": "document",
}
"""Nouns that are units only in a rate: ``tokens per second``."""


@dataclass(frozen=True, slots=True)
class Unit:
    dimension: str
    scale: float
    """How many of the dimension's base unit one of this is."""


def _alternatives(*groups: object) -> str:
    names = {name for group in groups for name in group}  # type: ignore[attr-defined]
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_PLURAL = {f"{word}s" for word in _WORDS if len(word) > 2} | {"secs", "mins", "hrs"}
_SIMPLE = _alternatives(_SYMBOLS, _WORDS, _PLURAL)
_RATED = _alternatives(_SYMBOLS, _WORDS, _PLURAL, _COUNTED, {f"{word}s" for word in _COUNTED})
AFTER_NUMBER = re.compile(
    rf"(?:(?:{_RATED})(?:(?:[ ]?/[ ]?|[ ]per[ ]|-per-)(?:{_RATED})){{1,2}}|(?:{_SIMPLE}))(?![\w])",
)
"""A unit as it stands after a number, the space before it excluded."""


@cache
def parse(text: str) -> Unit | None:
    """The unit a text names, or None for one that has no name here and is empty."""
    text = text.strip()
    if not text:
        return None
    if text in _SYMBOLS:
        return Unit(*_SYMBOLS[text])
    parts = re.split(r"\s*/\s*|\s+per\s+|-per-", text, maxsplit=1)
    if len(parts) == 1:
        return _simple(text)
    top, bottom = _simple(parts[0]), parse(parts[1])
    if bottom is None:
        return top
    return Unit(f"{top.dimension}/{bottom.dimension}", top.scale / bottom.scale)


def _simple(text: str) -> Unit:
    for name in (text, text.removesuffix("s"), text.lower(), text.lower().removesuffix("s")):
        if name in _SYMBOLS:
            return Unit(*_SYMBOLS[name])
        if name in _WORDS:
            return Unit(*_WORDS[name])
        if name in _COUNTED:
            return Unit(_COUNTED[name], 1.0)
    return Unit(text.lower().removesuffix("s"), 1.0)


_RATE_SUFFIX = re.compile(
    r"(?P<top>tok|tokens|step|steps|samples|examples|[kmgt]?b|[kmgt]ib)_(?:per_)?(?:s|sec|second)$"
)
_SUFFIX = re.compile(
    r"(?<!per)_(?P<unit>[num]?s|secs?|seconds|min|minutes|h|hours|pct|percent|bytes|[kmgtp]i?b|[kmg]?hz|watts)$"
)
_WRITTEN = {"pct": "%", "bytes": "B", "hz": "Hz", "khz": "kHz", "mhz": "MHz", "ghz": "GHz"}
"""How a unit is written that stands in a name in lower case, where it is not written so."""


def _written(suffix: str) -> str:
    if re.fullmatch(r"[kmgtp]i?b", suffix):
        return f"{suffix[0].upper()}{suffix[1:-1]}B"
    return _WRITTEN.get(suffix, suffix)


@cache
def implied_by_name(name: str) -> str:
    """The unit a metric's or a config key's own name states: ``step_time_ms``, ``block_kib``."""
    lower = name.lower()
    if rate := _RATE_SUFFIX.search(lower):
        return f"{_written(rate['top'])}/s"
    found = _SUFFIX.search(lower)
    return _written(found["unit"]) if found else ""

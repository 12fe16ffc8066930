"""Units: which ones a text may write, which measure the same, and by which factor they differ. Knows no fact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

PERCENT = "percent"
POINTS = "points"
FACTOR = "factor"
TIME = "time"
BYTE = "byte"

_PREFIXES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}

_SYMBOLS: dict[str, tuple[str, Decimal]] = {
    "%": (PERCENT, Decimal(1)),
    "pp": (POINTS, Decimal(1)),
    "ppt": (POINTS, Decimal(1)),
    "x": (FACTOR, Decimal(1)),
    "\u00d7": (FACTOR, Decimal(1)),
    "ns": (TIME, Decimal("1e-9")),
    "us": (TIME, Decimal("1e-6")),
    "\u00b5s": (TIME, Decimal("1e-6")),
    "\u03bcs": (TIME, Decimal("1e-6")),
    "ms": (TIME, Decimal("1e-3")),
    "msec": (TIME, Decimal("1e-3")),
    "s": (TIME, Decimal(1)),
    "sec": (TIME, Decimal(1)),
    "min": (TIME, Decimal(60)),
    "h": (TIME, Decimal(3600)),
    "hr": (TIME, Decimal(3600)),
    "d": (TIME, Decimal(86400)),
    "W": ("watt", Decimal(1)),
    "kW": ("watt", Decimal(1000)),
    "\u00b0C": ("celsius", Decimal(1)),
    "bpb": ("bit/byte", Decimal(1)),
    **{f"{p}B": (BYTE, Decimal(f)) for p, f in _PREFIXES.items()},
    **{f"{p}iB": (BYTE, Decimal(2 ** (10 * n))) for n, p in enumerate("KMGT", start=1)},
    **{f"{p}FLOP/s": ("flop/time", Decimal(f)) for p, f in _PREFIXES.items()},
    **{f"{p}FLOPS": ("flop/time", Decimal(f)) for p, f in _PREFIXES.items()},
    **{f"{p}FLOPs": ("flop", Decimal(f)) for p, f in _PREFIXES.items()},
    **{f"{p}FLOP": ("flop", Decimal(f)) for p, f in _PREFIXES.items()},
    **{f"{p}tok": ("token", Decimal(f)) for p, f in _PREFIXES.items()},
}

_WORDS: dict[str, tuple[str, Decimal]] = {
    "percent": (PERCENT, Decimal(1)),
    "per cent": (PERCENT, Decimal(1)),
    "pct": (PERCENT, Decimal(1)),
    "percentage point": (POINTS, Decimal(1)),
    "point": (POINTS, Decimal(1)),
    "time": (FACTOR, Decimal(1)),
    "fold": (FACTOR, Decimal(1)),
    "nanosecond": (TIME, Decimal("1e-9")),
    "microsecond": (TIME, Decimal("1e-6")),
    "millisecond": (TIME, Decimal("1e-3")),
    "second": (TIME, Decimal(1)),
    "minute": (TIME, Decimal(60)),
    "hour": (TIME, Decimal(3600)),
    "day": (TIME, Decimal(86400)),
    "week": (TIME, Decimal(604800)),
    "byte": (BYTE, Decimal(1)),
    "kilobyte": (BYTE, Decimal(10**3)),
    "megabyte": (BYTE, Decimal(10**6)),
    "gigabyte": (BYTE, Decimal(10**9)),
    "watt": ("watt", Decimal(1)),
    "nat": ("nat", Decimal(1)),
    "bit": ("bit", Decimal(1)),
}

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
    scale: Decimal
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
            return Unit(_COUNTED[name], Decimal(1))
    return Unit(text.lower().removesuffix("s"), Decimal(1))


_SUFFIXES = (
    (re.compile(r"(?:tok|tokens)_(?:per_)?(?:s|sec|second)$"), "tok/s"),
    (re.compile(r"(?:steps)_per_(?:s|sec|second)$"), "step/s"),
    (re.compile(r"(?:samples|examples)_per_(?:s|sec|second)$"), "sample/s"),
    (re.compile(r"_ms$"), "ms"),
    (re.compile(r"(?<!per)_(?:s|sec|secs|seconds)$"), "s"),
    (re.compile(r"_(?:min|minutes)$"), "min"),
    (re.compile(r"_(?:h|hours)$"), "h"),
    (re.compile(r"_gib$"), "GiB"),
    (re.compile(r"_gb$"), "GB"),
    (re.compile(r"_mib$"), "MiB"),
    (re.compile(r"_mb$"), "MB"),
    (re.compile(r"_bytes$"), "B"),
    (re.compile(r"_(?:pct|percent)$"), "%"),
)


@cache
def implied_by_name(name: str) -> str:
    """The unit a metric's or a config key's own name states: ``step_time_ms``."""
    return next((unit for pattern, unit in _SUFFIXES if pattern.search(name.lower())), "")

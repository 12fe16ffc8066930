"""Whether a written numeral stands for a quantity: equal after rounding to the written digits, in a unit that agrees.

Looks at one numeral and one quantity. Knows nothing of the sentence around them.
"""

from __future__ import annotations

import math
import re
from enum import IntEnum
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.text.units import BYTE, FACTOR, PERCENT, POINTS, TIME, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.quantities import Quantity
    from curator.verify.text.numerals import Numeral, Reading

_SHARE_NAME = re.compile(
    r"acc|rate|frac|ratio|util|mfu|share|pct|percent|dropout|warmup|decay|score|match|em$|f1|ece|err|prob|recall|auc|precision|pass"
)
_PLAUSIBLE = {
    TIME: re.compile(r"time|latency|duration|elapsed|second|wall|timeout|interval"),
    BYTE: re.compile(r"mem|bytes|size|rss|hbm|cache|heap"),
    "nat": re.compile(r"loss|nll|entropy|kl|nats"),
    "nat/byte": re.compile(r"loss|nll|entropy|nats"),
    "nat/token": re.compile(r"loss|nll|entropy|nats"),
    "bit/byte": re.compile(r"loss|bpb|bits"),
    "bit": re.compile(r"loss|bpb|bits"),
}
_LASTING_KEY = re.compile(r"(?:time|timeout|latency|duration|interval|seconds|minutes|hours|wait|delay|every|limit)$")
"""Of settings: ``time_masks`` are no time."""
_FACTOR_NAME = re.compile(r"speed-?up|factor|ratio|load|imbalance|amplification|overhead")
_RATE_NAME = re.compile(r"throughput|speed|per_sec|per_s$|_s$|/s|bandwidth|flops")
_EXACT = frozenset({FactKind.CONFIG, FactKind.COUNT, FactKind.NAME})
_TOO_FAR = {
    FactKind.METRIC: 0.1,
    FactKind.DURATION: 0.1,
    FactKind.RATIO: 0.1,
    FactKind.DEVIATION: 0.25,
    FactKind.DELTA: 0.25,
    FactKind.PERCENT: 0.25,
}
_RELATIVE = frozenset({FactKind.PERCENT, FactKind.DEVIATION})
_NEARLY = 0.05
"""By what share of it a setting or a count may be rounded to a power or a scale: a batch of ``1M`` is 1,048,576."""
_SLACK = 1 + 1e-9


class Fit(IntEnum):
    """How well a numeral fits a quantity; more is better."""

    NONE = 0
    WRONG_UNIT = 1
    """The digits are the quantity's and the unit is not."""
    TOO_COARSE = 2
    """It is the quantity's value, at so few digits that it says something else."""
    MATCH = 3


def fit(numeral: Numeral, quantity: Quantity, *, about: bool = False) -> Fit:
    """How well ``numeral`` states ``quantity``.

    Args:
        numeral: as written, with its unit if it has one.
        quantity: any.
        about: the text says "about" or a like word, so it may be rounded further.
    """
    best = Fit.NONE
    for reading in numeral.readings:
        if best is not Fit.MATCH and (_is_share(reading, quantity) or _in_reach(reading, abs(quantity.value))):
            best = max(best, _fit_reading(reading, numeral, quantity, about=about))
    return best


def _in_reach(reading: Reading, size: float) -> bool:
    """Whether rounding could make the one of the other; a quick no for nearly all pairs."""
    return reading.unit is not None or abs(abs(reading.value) - size) <= max(abs(reading.value), reading.quantum) / 2


def _fit_reading(reading: Reading, numeral: Numeral, quantity: Quantity, *, about: bool) -> Fit:
    best = Fit.NONE
    for scale, stated in comparable(reading, quantity):
        best = max(best, _compare(reading, scale, stated, numeral, quantity, about=about))
    if best is Fit.NONE and _compare(reading, 1.0, quantity.value, numeral, quantity, about=about) is not Fit.NONE:
        return Fit.WRONG_UNIT
    return best


def comparable(reading: Reading, quantity: Quantity) -> Iterator[tuple[float, float]]:
    """``(scale, stated)`` for each way the units agree: the numeral times ``scale`` may be ``stated``."""
    value, written, own = quantity.value, reading.unit, quantity.unit
    if written is None:
        if quantity.kind not in {FactKind.PERCENT, FactKind.DURATION}:
            yield 1.0, value
        if _is_share(reading, quantity):
            yield 100.0, value
        return
    if quantity.kind is FactKind.PERCENT:
        if written.dimension == PERCENT:
            yield 1.0, value
        elif written.dimension == FACTOR and value > -100:
            yield 1.0, 1 + value / 100
    elif written.dimension == FACTOR:
        if quantity.kind is FactKind.RATIO or _is_factor(quantity):
            yield 1.0, value
    elif written.dimension == PERCENT and quantity.kind is FactKind.RATIO:
        yield 1.0, 100 * value
    elif written.dimension in {PERCENT, POINTS}:
        if quantity.kind is not FactKind.RATIO:  # "1 points" is no ratio of 1.04
            yield from _as_share(written, own, quantity)
    elif own is None:
        if plausible(written, quantity):
            yield 1.0, value
    elif _agree(written.dimension, own.dimension):
        yield written.scale, value * own.scale


def _is_share(reading: Reading, quantity: Quantity) -> bool:
    """Whether a numeral may be a share of one where percent were measured: ``an MFU of 0.33``."""
    percent = quantity.kind is FactKind.METRIC and quantity.unit is not None and quantity.unit.dimension == PERCENT
    return percent and reading.unit is None and reading.quantum < 0.1 and 0 < reading.value < 1


def _agree(written: str, own: str) -> bool:
    """Whether two dimensions are one, or one of them leaves out per what: ``541 ms/step`` of a step's time."""
    return written == own or own.startswith(f"{written}/") or (written.startswith(f"{own}/") and own == TIME)


def _is_factor(quantity: Quantity) -> bool:
    """Whether "3 times" may state it although it is no ratio of two runs: a measured speed-up, how often it was."""
    if quantity.kind is FactKind.COUNT:
        return quantity.name == "times"
    measured = quantity.kind is FactKind.METRIC and quantity.unit is None
    return measured and bool(_FACTOR_NAME.search(quantity.name.lower()))


def _as_share(written: Unit, own: Unit | None, quantity: Quantity) -> Iterator[tuple[float, float]]:
    """Percent and points: of a quantity in percent as it is, of a fraction a hundredfold."""
    value = quantity.value
    if own is not None:
        dimensions = {PERCENT, POINTS} if written.dimension == POINTS else {PERCENT}
        if own.dimension in dimensions:
            yield 1.0, value
    elif quantity.kind is FactKind.CONFIG or _SHARE_NAME.search(quantity.name.lower()):
        if written.dimension == POINTS and quantity.kind is not FactKind.CONFIG:
            yield 1.0, value
            yield 1.0, 100 * value
        elif abs(value) <= 1:
            yield 1.0, 100 * value
        elif quantity.kind is not FactKind.DELTA and _SHARE_NAME.search(quantity.name.lower()):
            yield 1.0, value
    elif written.dimension == POINTS and quantity.kind is FactKind.DELTA:
        yield 1.0, value


def plausible(written: Unit, quantity: Quantity) -> bool:
    """Whether a quantity that does not say its unit may well have this one."""
    name = quantity.name.lower()
    if quantity.kind is FactKind.RATIO:
        return False
    if quantity.kind is FactKind.CONFIG and written.dimension == TIME:
        return bool(_LASTING_KEY.search(name))
    if written.dimension in _PLAUSIBLE:
        return bool(_PLAUSIBLE[written.dimension].search(name))
    if written.dimension.endswith("/time"):
        return bool(_RATE_NAME.search(name))
    stem = written.dimension.partition("/")[0]
    return len(stem) > 2 and stem in name


def _compare(
    reading: Reading, scale: float, stated: float, numeral: Numeral, quantity: Quantity, *, about: bool
) -> Fit:
    written, step = reading.value * scale, reading.quantum * scale
    if numeral.sign == "\u00b1":
        written = abs(written)
    if quantity.is_change and not numeral.sign:
        stated = abs(stated)
    if numeral.digits_only:
        step = _trailing_zeros(reading, numeral, quantity, about=about) * scale
    if quantity.kind in _EXACT and not (numeral.scaled or about or numeral.significant >= 4 or numeral.word):
        return Fit.MATCH if math.isclose(written, stated, rel_tol=1e-12) else Fit.NONE
    distance = abs(written - stated)
    if quantity.kind in _EXACT and numeral.scaled and not about and distance > _NEARLY * abs(stated):
        return Fit.NONE  # a rate of "1e-2" is no rounded 0.006
    if numeral.cut and 0 <= stated - written < step:
        return Fit.MATCH
    if distance > step / 2 * _SLACK + abs(stated) * 1e-12:
        return Fit.NONE
    limit = _TOO_FAR.get(quantity.kind)
    if limit is None or not stated or (numeral.decimals and quantity.kind in _RELATIVE):
        return Fit.MATCH
    return Fit.TOO_COARSE if distance > limit * abs(stated) and not about else Fit.MATCH


def _trailing_zeros(reading: Reading, numeral: Numeral, quantity: Quantity, *, about: bool) -> float:
    """The quantum of a whole number whose trailing zeros may be rounding: ``412,000`` for 412350."""
    if quantity.kind in _EXACT and not about:
        return 1.0
    zeros = len(text := f"{abs(reading.value):.0f}") - len(text.rstrip("0"))
    enough = 1 if about else 3
    return 10.0**zeros if numeral.significant >= enough else 1.0


def stands(numeral: Numeral, quantity: Quantity) -> tuple[float, float] | None:
    """The numeral and the quantity in one unit, to be set one against the other; None where they do not compare."""
    for reading in numeral.readings:
        for scale, stated in comparable(reading, quantity):
            return reading.value * scale, stated
    return None


def cut_at(numeral: Numeral, quantity: Quantity) -> bool:
    """Whether a numeral of one or two digits is the quantity cut off, as in ``over 9,000`` and ``under 2.4``."""
    if not quantity.value or numeral.significant > 2:
        return False
    for reading in numeral.readings:
        for scale, stated in comparable(reading, quantity):
            size = abs(stated) if quantity.is_change else stated
            if not reading.value or not scale:
                continue
            step = 10.0 ** (math.floor(math.log10(abs(reading.value))) - numeral.significant + 1)
            floor = math.floor(size / scale / step) * step
            if any(math.isclose(reading.value, edge, rel_tol=1e-9) for edge in (floor, floor + step)):
                return True
    return False

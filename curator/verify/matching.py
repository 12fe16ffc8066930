"""Whether a written numeral stands for a fact: equal after rounding to the written digits, in a unit that agrees.

Looks at one numeral and one fact. Knows nothing of the sentence around them.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_DOWN, Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind
from curator.verify import units
from curator.verify.units import BYTE, FACTOR, PERCENT, POINTS, TIME, Unit

if TYPE_CHECKING:
    from curator.verify.numerals import Numeral, Reading

_FRACTION_NAME = re.compile(
    r"acc|rate|frac|ratio|util|mfu|share|pct|percent|dropout|warmup|decay|score|match|em$|f1|ece|err|prob|recall|auc|precision"
)
_TIME_NAME = re.compile(r"time|latency|duration|elapsed|second|wall|timeout|interval")
_MEMORY_NAME = re.compile(r"mem|bytes|size|rss|hbm|cache|heap")
_RATE_NAME = re.compile(r"throughput|speed|per_sec|per_s$|_s$|/s|bandwidth|flops")
_LOSS_NAME = re.compile(r"loss|nll|entropy|bpb|bits|nats")
_EXACT = frozenset({FactKind.CONFIG, FactKind.COUNT, FactKind.NAME})
_TOO_FAR = {
    FactKind.METRIC: 0.1,
    FactKind.DURATION: 0.1,
    FactKind.RATIO: 0.1,
    FactKind.DEVIATION: 0.25,
    FactKind.DELTA: 0.25,
    FactKind.PERCENT: 0.25,
}


_LARGEST = 10**300
"""Beyond it nothing is measured, and a product would overflow."""


class Fit(IntEnum):
    """How well a numeral fits a fact; more is better."""

    NONE = 0
    WRONG_UNIT = 1
    """The digits are the fact's and the unit is not."""
    TOO_COARSE = 2
    """It is the fact's value, at so few digits that it says something else."""
    MATCH = 3


def fit(numeral: Numeral, fact: Fact, *, about: bool = False) -> Fit:
    """How well ``numeral`` states ``fact``.

    Args:
        numeral: as written, with its unit if it has one.
        fact: any fact; one without a finite number fits nothing.
        about: the text says "about" or a like word, so whole numbers may be rounded to one digit.
    """
    value = numeric_value(fact)
    if value is None or not any(_in_reach(reading, abs(value)) for reading in numeral.readings):
        return Fit.NONE
    return max(_fit_reading(reading, numeral, fact, value, about=about) for reading in numeral.readings)


def _in_reach(reading: Reading, size: Decimal) -> bool:
    """Whether rounding could make the one of the other; a quick no for nearly all pairs."""
    written = abs(reading.value)
    return reading.unit is not None or abs(written - size) <= max(written, reading.quantum) / 2


def numeric_value(fact: Fact) -> Decimal | None:
    """The fact's finite numeric value; numbers that a config keeps as text count too."""
    value = fact.value
    if type(value) is float:  # nearly every call
        return Decimal(repr(value)) if math.isfinite(value) and abs(value) < _LARGEST else None
    if isinstance(value, str) and fact.kind in {FactKind.CONFIG, FactKind.NAME}:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return Decimal(repr(value)) if abs(value) < _LARGEST else None


def fact_unit(fact: Fact) -> Unit | None:
    """The unit a fact is in, by what it says or by its own name; a ratio has none."""
    if fact.kind is FactKind.RATIO:
        return None
    return units.parse(fact.unit or units.implied_by_name(fact.name))


def _fit_reading(reading: Reading, numeral: Numeral, fact: Fact, value: Decimal, *, about: bool) -> Fit:
    best = Fit.NONE
    for written, quantum, stated in _comparable(reading, fact, value):
        best = max(best, _compare(written, quantum, stated, numeral, fact, about=about))
    if best is Fit.NONE and _bare_fit(reading, numeral, fact, value, about=about) is not Fit.NONE:
        return Fit.WRONG_UNIT
    return best


def _bare_fit(reading: Reading, numeral: Numeral, fact: Fact, value: Decimal, *, about: bool) -> Fit:
    return _compare(reading.value, reading.quantum, value, numeral, fact, about=about)


def _comparable(reading: Reading, fact: Fact, value: Decimal) -> list[tuple[Decimal, Decimal, Decimal]]:
    """``(written, quantum, stated)`` in one unit, for each way in which the two units agree."""
    plain = (reading.value, reading.quantum, value)
    written, own = reading.unit, fact_unit(fact)
    if written is None:
        return [] if fact.kind is FactKind.PERCENT else [plain]
    if fact.kind is FactKind.PERCENT:
        return _as_percent(reading, written, value)
    if written.dimension == FACTOR:
        return _as_factor(reading, fact, value)
    if written.dimension == PERCENT and fact.kind is FactKind.RATIO:
        return [(reading.value, reading.quantum, 100 * value)]
    if written.dimension in {PERCENT, POINTS}:
        return _as_share(reading, written, own, fact, value)
    if own is None:
        return [plain] if plausible(written, fact) else []
    if own.dimension == written.dimension:
        return [(reading.value * written.scale, reading.quantum * written.scale, value * own.scale)]
    return []


def _as_percent(reading: Reading, written: Unit, value: Decimal) -> list[tuple[Decimal, Decimal, Decimal]]:
    if written.dimension == PERCENT:
        return [(reading.value, reading.quantum, value)]
    if written.dimension == FACTOR and value > -100:
        return [(reading.value, reading.quantum, 1 + value / 100)]
    return []


def _as_factor(reading: Reading, fact: Fact, value: Decimal) -> list[tuple[Decimal, Decimal, Decimal]]:
    plain = (reading.value, reading.quantum, value)
    if fact.kind is FactKind.RATIO:
        return [plain, (reading.value, reading.quantum, 1 / value)] if value else [plain]
    return [plain] if fact.kind in {FactKind.COUNT, FactKind.METRIC} and not fact.unit else []


def _as_share(
    reading: Reading, written: Unit, own: Unit | None, fact: Fact, value: Decimal
) -> list[tuple[Decimal, Decimal, Decimal]]:
    plain = (reading.value, reading.quantum, value)
    if own is not None:
        dimensions = {PERCENT, POINTS} if written.dimension == POINTS else {PERCENT}
        return [plain] if own.dimension in dimensions else []
    if fact.kind is FactKind.CONFIG or _FRACTION_NAME.search(fact.name.lower()):
        hundredfold = (reading.value, reading.quantum, 100 * value)
        if written.dimension == POINTS and fact.kind is not FactKind.CONFIG:
            return [plain, hundredfold]
        if abs(value) <= 1:
            return [hundredfold]
        return [plain] if fact.kind is not FactKind.DELTA else []
    return [plain] if written.dimension == POINTS and fact.kind is FactKind.DELTA else []


def plausible(written: Unit, fact: Fact) -> bool:
    """Whether a fact that does not say its unit may well have this one."""
    name = fact.name.lower()
    if fact.kind is FactKind.RATIO:
        return False
    if fact.kind in {FactKind.CONFIG, FactKind.COUNT, FactKind.NAME}:
        return True
    if written.dimension == TIME:
        return bool(_TIME_NAME.search(name))
    if written.dimension == BYTE:
        return bool(_MEMORY_NAME.search(name))
    if written.dimension.endswith("/time"):
        return bool(_RATE_NAME.search(name))
    return written.dimension.startswith(("nat", "bit")) and bool(_LOSS_NAME.search(name))


def _compare(written: Decimal, quantum: Decimal, stated: Decimal, numeral: Numeral, fact: Fact, *, about: bool) -> Fit:
    if numeral.sign == "\u00b1":
        written = abs(written)
    if fact.kind in CHANGES and not numeral.sign:
        stated = abs(stated)
    step = quantum
    if numeral.whole and not numeral.scaled and written and quantum == 1:
        step = _trailing_zeros(written, numeral, fact, about=about)
    if fact.kind in _EXACT and not (numeral.scaled or about or numeral.significant >= 4 or numeral.word):
        return Fit.MATCH if written == stated else Fit.NONE
    if abs(written - stated) > step / 2:
        return Fit.NONE
    limit = _TOO_FAR.get(fact.kind)
    if limit is None or not stated or (numeral.decimals and fact.kind is FactKind.PERCENT):
        return Fit.MATCH
    return Fit.TOO_COARSE if abs(written - stated) > Decimal(limit) * abs(stated) else Fit.MATCH


def _trailing_zeros(written: Decimal, numeral: Numeral, fact: Fact, *, about: bool) -> Decimal:
    """The quantum of a whole number whose trailing zeros may be rounding: ``412,000`` for 412350."""
    if fact.kind in _EXACT and not about:
        return Decimal(1)
    zeros = max(0, int(written.normalize().as_tuple().exponent))
    enough = 1 if about else 3
    return Decimal(10**zeros) if numeral.significant >= enough else Decimal(1)


def is_multiple(numeral: Numeral, fact: Fact) -> bool:
    """Whether a change multiplies by at least a written factor."""
    value, written = numeric_value(fact), numeral.readings[0]
    if value is None or written.unit is None or written.unit.dimension != FACTOR:
        return False
    return (1 + value / 100 if fact.kind is FactKind.PERCENT else value) >= written.value


def is_within(numeral: Numeral, fact: Fact) -> bool | None:
    """Whether a change is no larger than a written margin; None when their units do not compare."""
    value = numeric_value(fact)
    compared = _comparable(numeral.readings[0], fact, value) if value is not None else []
    return abs(compared[0][2]) <= abs(compared[0][0]) if compared else None


def bounds(numeral: Numeral, fact: Fact) -> int:
    """Whether a numeral of one or two digits is the fact cut off: -1 below it (``over 9,000``), 1 above it, 0 not."""
    value = numeric_value(fact)
    if value is None or not value or numeral.significant > 2:
        return 0
    for reading in numeral.readings:
        for written, _, stated in _comparable(reading, fact, value):
            if not written:
                continue
            step = Decimal(10) ** (reading.value.adjusted() - numeral.significant + 1)
            in_written_unit = stated * reading.value / written
            size = abs(in_written_unit) if fact.kind in CHANGES else in_written_unit
            floor = (size / step).to_integral_value(ROUND_DOWN) * step
            if reading.value in {floor, floor + step}:
                return -1 if reading.value == floor else 1
    return 0

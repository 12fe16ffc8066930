"""Facts: single typed values, each with a pointer to where in which record it stands, and the arithmetic between them.

Knows nothing of how facts are taken out of records, of drafts, or of how a text is checked against them.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from curator.errors import CuratorError
from marin_research.codec import decode, decode_float, encode
from marin_research.thread import Direction  # noqa: TC001 - the codec reads the annotations at run time
from marin_research.units import format_duration, format_number, format_percent, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class FactError(CuratorError):
    """A derived fact cannot be computed from the facts it was asked of."""


class FactKind(StrEnum):
    METRIC = "metric"
    DELTA = "delta"
    RATIO = "ratio"
    PERCENT = "percent"
    DEVIATION = "deviation"
    COUNT = "count"
    CONFIG = "config"
    DURATION = "duration"
    TIME = "time"
    NAME = "name"
    RUN = "run"
    COMMIT = "commit"
    LINK = "link"
    COMMAND = "command"
    PATH = "path"
    DEVICE = "device"
    LABEL = "label"
    STATUS = "status"
    QUOTE = "quote"
    TEXT = "text"


MEASURED = frozenset(
    {
        FactKind.METRIC,
        FactKind.DELTA,
        FactKind.RATIO,
        FactKind.PERCENT,
        FactKind.DEVIATION,
        FactKind.COUNT,
        FactKind.DURATION,
    }
)
"""Kinds whose value is always a number."""

CHANGES = frozenset({FactKind.DELTA, FactKind.RATIO, FactKind.PERCENT})
"""Kinds that set one value against another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One value that a text may state."""

    id: str
    """``LR-003/metric/eval/loss``, ``LR-003/delta/eval/loss``, ``sweep/count/succeeded``."""
    kind: FactKind
    value: bool | int | str | float | None
    """Durations in seconds, times as ISO 8601 text in UTC; may be NaN or infinite, which is a result too."""
    unit: str = ""
    """``nats/byte``, ``tok/s``, ``s``, ``%``; empty where the record does not say."""
    subject: str = ""
    """The run the fact is about; empty for a thread or a sweep."""
    name: str = ""
    """Metric or config key: ``eval/loss``, ``lr``; what is counted: ``succeeded``."""
    better: Direction | None = None
    """For metrics and what is derived from them; None where nobody said."""
    source: str
    """Where it stands: ``LR-003#/metrics/eval~1loss/value`` (run ID and JSON pointer into its record)."""
    formula: str = ""
    """How a derived fact was computed, over fact IDs."""
    inputs: tuple[str, ...] = ()
    """IDs of the facts it is derived from; a change names what changed first and its reference second."""


def pointer(*parts: str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def number(fact: Fact) -> float:
    """The fact's value as a number.

    Raises:
        FactError: it has none.
    """
    if isinstance(fact.value, bool) or not isinstance(fact.value, int | float):
        raise FactError(f"{fact.id} is {fact.value!r}, not a number; leave it out of the computation")
    return float(fact.value)


def delta(a: Fact, b: Fact, *, fact_id: str = "") -> Fact:
    """``a - b``, in their unit; percentages give percentage points.

    Args:
        a: the fact that is judged.
        b: its reference.
        fact_id: ``<run>/delta/<metric>`` unless given.

    Raises:
        FactError: one of the two has no number, or they do not measure the same.
    """
    unit = "points" if _common_unit(a, b) == "%" else a.unit
    value = number(a) - number(b)
    return _change(FactKind.DELTA, a, b, value=value, unit=unit, formula=f"{a.id} - {b.id}", fact_id=fact_id)


def percent(a: Fact, b: Fact, *, fact_id: str = "") -> Fact:
    """The relative change of ``a`` against ``b``, in % of the magnitude of ``b``.

    Raises:
        FactError: as for ``delta``, or ``b`` is zero.
    """
    _common_unit(a, b)
    value = 100 * (number(a) - number(b)) / abs(_divisor(b))
    formula = f"100 * ({a.id} - {b.id}) / |{b.id}|"
    return _change(FactKind.PERCENT, a, b, value=value, unit="%", formula=formula, fact_id=fact_id)


def ratio(a: Fact, b: Fact, *, fact_id: str = "") -> Fact:
    """``a / b``.

    Raises:
        FactError: as for ``percent``.
    """
    _common_unit(a, b)
    value = number(a) / _divisor(b)
    return _change(FactKind.RATIO, a, b, value=value, unit="", formula=f"{a.id} / {b.id}", fact_id=fact_id)


def mean(facts: Sequence[Fact], *, subject: str = "", fact_id: str = "") -> Fact:
    """The arithmetic mean over replicates.

    Raises:
        FactError: there are none, one has no number, or they do not measure the same.
    """
    values = _replicates(facts, 1)
    return _summary("mean", facts, value=sum(values) / len(values), subject=subject, fact_id=fact_id)


def spread(facts: Sequence[Fact], *, subject: str = "", fact_id: str = "") -> Fact:
    """The sample standard deviation over replicates.

    Raises:
        FactError: as for ``mean``, or there are fewer than two.
    """
    values = _replicates(facts, 2)
    value = statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan
    return _summary("stdev", facts, value=value, subject=subject, fact_id=fact_id)


def _replicates(facts: Sequence[Fact], least: int) -> list[float]:
    if len(facts) < least:
        raise FactError(f"{len(facts)} replicates are too few, at least {least} are needed; run the config again")
    for fact in facts[1:]:
        _common_unit(fact, facts[0])
    return [number(fact) for fact in facts]


def _common_unit(a: Fact, b: Fact) -> str:
    if (a.name, a.unit) != (b.name, b.unit):
        raise FactError(f"{a.id} and {b.id} do not measure the same; give two facts of one name and unit")
    return a.unit


def _divisor(fact: Fact) -> float:
    value = number(fact)
    if value == 0:
        raise FactError(f"{fact.id} is 0 and nothing is relative to that; state the difference instead")
    return value


def _change(kind: FactKind, a: Fact, b: Fact, *, value: float, unit: str, formula: str, fact_id: str) -> Fact:
    return Fact(
        id=fact_id or f"{a.subject}/{kind}/{a.name}",
        kind=kind,
        value=value,
        unit=unit,
        subject=a.subject,
        name=a.name,
        better=a.better,
        source=a.source,
        formula=formula,
        inputs=(a.id, b.id),
    )


def _summary(function: str, facts: Sequence[Fact], *, value: float, subject: str, fact_id: str) -> Fact:
    first = facts[0]
    inputs = tuple(fact.id for fact in facts)
    return Fact(
        id=fact_id or f"{subject or 'sweep'}/{function}/{first.name}",
        kind=FactKind.METRIC if function == "mean" else FactKind.DEVIATION,
        value=value,
        unit=first.unit,
        subject=subject,
        name=first.name,
        better=first.better,
        source=first.source,
        formula=f"{function}({', '.join(inputs)})",
        inputs=inputs,
    )


def render(fact: Fact) -> str:
    """The fact as a text states it: four significant digits of what was measured, whole numbers in full, with its unit.

    Changes carry their sign. Config values are written as they are, so that they can be copied.
    """
    value = fact.value
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if fact.kind is FactKind.CONFIG:
        return str(value)
    if fact.kind is FactKind.PERCENT:
        return format_percent(value)
    if fact.kind is FactKind.RATIO:
        return f"{format_number(value)}x"
    if fact.kind is FactKind.DURATION and math.isfinite(value):
        return format_duration(value) if value >= 1 else format_value(1000 * value, "ms")
    sign = "+" if fact.kind is FactKind.DELTA and value > 0 else ""
    return sign + format_value(value, fact.unit)


def to_json(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """The facts as a JSON list, as ``curator show DRAFT --json`` gives them."""
    return [encode(fact) for fact in facts]


def from_json(raw: Sequence[Any]) -> tuple[Fact, ...]:
    """Facts out of their JSON form.

    Raises:
        TypeError, ValueError, KeyError: ``raw`` is not a list of facts.
    """
    return tuple(_numeric(decode(Fact, each)) for each in raw)


def _numeric(fact: Fact) -> Fact:
    """JSON writes a NaN as text; a measured fact never is one."""
    if fact.kind in MEASURED and isinstance(fact.value, str):
        return dataclasses.replace(fact, value=decode_float(fact.value))
    return fact

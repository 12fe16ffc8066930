"""The confidence label of a result: computed from the records, never chosen.

``exploratory`` is one run; ``replicated`` is two or more runs that differ only in seed or repetition and agree within
the tolerance; ``stable`` needs variants that a thread declares, which no thread can do yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from marin_research.replicates import TOLERANCE_PERCENT, replicates, spread_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.record import Run


class Confidence(StrEnum):
    EXPLORATORY = "exploratory"
    REPLICATED = "replicated"
    STABLE = "stable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label with its reason."""

    confidence: Confidence
    reason: str
    runs: tuple[str, ...]
    """The run and its replicates, oldest first."""
    metric: str = ""
    """What they were compared by."""
    spread_percent: float | None = None
    """Sample standard deviation over the replicates, relative to their mean; None for a single run."""


def label(run: Run, of_thread: Sequence[Run], metric: str) -> Label:
    """How well supported ``run``'s value of ``metric`` is.

    Args:
        run: the run that holds the result.
        of_thread: the thread's runs, among which replicates are looked for.
        metric: the primary metric that must agree.
    """
    repeated = replicates(run, of_thread)
    values = [r.metrics[metric].value for r in repeated if metric in r.metrics]
    ids = tuple(r.id for r in repeated)
    if len(values) < 2:
        return Label(confidence=Confidence.EXPLORATORY, reason="a single run", runs=(run.id,))
    spread = spread_percent(values)
    if spread is None:
        return Label(confidence=Confidence.EXPLORATORY, reason="the replicates have no finite mean", runs=ids)
    text = f"{', '.join(ids)} differ only in seed or repetition; their {metric} spreads by {spread:.1f} %"
    agree = spread <= TOLERANCE_PERCENT
    return Label(
        confidence=Confidence.REPLICATED if agree else Confidence.EXPLORATORY,
        reason=text if agree else f"{text}, too far to agree",
        runs=ids,
        metric=metric,
        spread_percent=spread,
    )

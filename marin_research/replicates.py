"""Runs that differ in seed or repetition only, and how far apart their results may lie."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from marin_research.compare import differences, is_repetition_key
from marin_research.record import Status, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.record import Run

TOLERANCE_PERCENT = 2.0
"""How far replicates may lie apart, as sample standard deviation relative to their mean."""


DEVICES = "devices"
"""What runs may differ in that is no config key: the kind and number of devices."""


def replicates(run: Run, of_thread: Sequence[Run], *, apart: str = "") -> list[Run]:
    """The run itself and the succeeded runs that repeat it, oldest first.

    Args:
        run: the run that holds a result.
        of_thread: the thread's runs, oldest first.
        apart: a config key, or ``devices``, in which they may differ besides.
    """
    return [other for other in of_thread if other.id == run.id or _replicates(run, other, apart)]


def spread_percent(values: Sequence[float]) -> float | None:
    """Sample standard deviation relative to the mean; None for fewer than two values, or without a finite mean."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return None
    mean = statistics.fmean(values)
    return 100 * statistics.stdev(values) / abs(mean) if mean else None


def _replicates(run: Run, other: Run, apart: str) -> bool:
    if other.status is not Status.SUCCEEDED or not run.attempts:
        return False
    return all(
        # What a step does is in its config; what a command does is in its line.
        (difference.what == "command" and isinstance(run.step, Step))
        or (difference.what == "config" and (is_repetition_key(difference.key) or difference.key == apart))
        or (difference.what.startswith("device") and apart == DEVICES)
        for difference in differences(run, other)
    )

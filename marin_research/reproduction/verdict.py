"""Whether a repetition gave what the original gave, and what else was not the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from marin_research.compare import Difference, differences
from marin_research.record import Cause, Status
from marin_research.replicates import TOLERANCE_PERCENT, replicates, spread_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.record import Run
    from marin_research.thread import Thread

_NO_RESULT = frozenset({Status.CANCELLED, Status.PREEMPTED, Status.LOST, Status.RUNNING, Status.CACHED})


class Verdict(StrEnum):
    REPRODUCED = "reproduced"
    DIFFERS = "differs"
    COULD_NOT = "could not"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One metric of both."""

    metric: str
    original: float
    repeated: float | None
    """None where the repetition did not measure it."""
    spread_percent: float | None
    """Sample standard deviation of the two, relative to their mean; None where there is none."""
    allowed_percent: float
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of a repetition."""

    verdict: Verdict
    why: str
    metrics: tuple[Agreement, ...] = ()
    differences: tuple[Difference, ...] = ()
    """Of config, command, environment, commit, devices and versions; the command's places apart."""


def judge(
    original: Run, repeated: Run, thread: Thread, of_thread: Sequence[Run], *, tolerance: float | None = None
) -> Judgement:
    """Compare a repetition with its original.

    Args:
        original: the run that was repeated.
        repeated: its repetition.
        thread: names the metrics that count; all that the original measured unless it names any.
        of_thread: the thread's runs, among which earlier repetitions show how far a metric varies by itself.
        tolerance: how far they may lie apart in percent; what replicates may, or do, unless given.
    """
    other = differences(original, repeated)
    if repeated.status in _NO_RESULT or _never_began(repeated):
        why = f"{repeated.id} has no result: {repeated.status}, {repeated.why}"
        return Judgement(verdict=Verdict.COULD_NOT, why=why, differences=other)
    if original.status in _NO_RESULT:
        why = f"{original.id} had no result to compare with: {original.status}, {original.why}"
        return Judgement(verdict=Verdict.COULD_NOT, why=why, differences=other)
    if (how := _ending(original)) != (now := _ending(repeated)):
        return Judgement(verdict=Verdict.DIFFERS, why=f"{original.id} {how}, {repeated.id} {now}", differences=other)
    if original.status is Status.FAILED:
        return Judgement(verdict=Verdict.REPRODUCED, why=f"both {how}", differences=other)
    wanted = [metric.name for metric in thread.metrics if metric.name in original.metrics] or list(original.metrics)
    allowed = {name: _noise(original, of_thread, name) if tolerance is None else tolerance for name in wanted}
    metrics = tuple(_agreement(original, repeated, name, allowed[name]) for name in wanted)
    apart = [each.metric for each in metrics if not each.agrees]
    if apart:
        return Judgement(verdict=Verdict.DIFFERS, why=_names(apart, "differ"), metrics=metrics, differences=other)
    why = _names([each.metric for each in metrics], "agree") if metrics else f"both {how}; nothing was measured"
    return Judgement(verdict=Verdict.REPRODUCED, why=why, metrics=metrics, differences=other)


def _names(metrics: Sequence[str], verb: str) -> str:
    return f"{', '.join(metrics)} {verb}{'s' if len(metrics) == 1 else ''}"


def _never_began(run: Run) -> bool:
    end = run.attempt.end if run.attempt else None
    return end is None or end.cause is Cause.NOT_STARTED


def _ending(run: Run) -> str:
    """``succeeded``, or how it failed."""
    end = run.attempt.end if run.attempt else None
    if run.status is not Status.FAILED or end is None:
        return str(run.status)
    how = f"with {end.exception.type}" if end.exception else f"with exit code {end.exit_code}"
    return f"failed {how}"


def _noise(original: Run, of_thread: Sequence[Run], metric: str) -> float:
    values = [run.metrics[metric].value for run in replicates(original, of_thread) if metric in run.metrics]
    return max(TOLERANCE_PERCENT, spread_percent(values) or 0.0)


def _agreement(original: Run, repeated: Run, metric: str, allowed: float) -> Agreement:
    before, found = original.metrics[metric].value, repeated.metrics.get(metric)
    if found is None:
        return Agreement(
            metric=metric, original=before, repeated=None, spread_percent=None, allowed_percent=allowed, agrees=False
        )
    spread = spread_percent([before, found.value])
    same = before == found.value or (math.isnan(before) and math.isnan(found.value))
    return Agreement(
        metric=metric,
        original=before,
        repeated=found.value,
        spread_percent=spread,
        allowed_percent=allowed,
        agrees=same or (spread is not None and spread <= allowed),
    )

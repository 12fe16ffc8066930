"""What in some runs is worth telling people outside of the thread. Judges records; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.facts import Fact, number
from marin_research.record import Status

if TYPE_CHECKING:
    from curator.evidence import Evidence, Subject
    from marin_research.record import Run
    from marin_research.thread import PrimaryMetric

CLEAR_PERCENT = 5.0
"""A smaller change of the primary metric may well be noise; a post is not the place to find out."""


def explained_failure(subject: Subject, evidence: Evidence) -> bool:
    """A failure that differs from its succeeded siblings in the tested axis, and in nothing else."""
    comparison, own = subject.comparison, wording.setting(subject.result, evidence.axis)
    succeeded = [other for other in evidence.subjects if other.result.status is Status.SUCCEEDED]
    return (
        subject.run.status is Status.FAILED
        and comparison is not None
        and bool(comparison.axis)
        and not comparison.differences
        and bool(succeeded)
        and all(wording.setting(other.result, evidence.axis) != own for other in succeeded)
    )


def clear_win(evidence: Evidence) -> tuple[Subject, Fact] | None:
    """The best variant, where it is clearly better than the baseline, and its change; of repetitions, their mean's."""
    for subject, change in _clear_changes(evidence):
        metric = wording.primary_metrics(evidence)[0]
        if wording.improvement(change) > 0 and wording.best(evidence, metric) is subject:
            repeated = evidence.repeated_of(subject.result.id)
            whole = change if repeated is None else repeated.change
            if whole is not None and wording.improvement(whole) > 0 and _is_clear(whole, evidence, metric):
                return subject, whole
    return None


def clear_losses(evidence: Evidence) -> list[tuple[Subject, Fact]]:
    """The variants that are clearly worse than the baseline, and their changes."""
    return [(subject, change) for subject, change in _clear_changes(evidence) if wording.improvement(change) < 0]


def exception(run: Run) -> str | None:
    """The type of the exception that ended a run."""
    end = run.attempt.end if run.attempt else None
    return end.exception.type if end and end.exception else None


def _clear_changes(evidence: Evidence) -> list[tuple[Subject, Fact]]:
    """Changes of the first metric that are no noise, of runs that differ from the baseline in the tested axis alone."""
    metric = next((metric for metric in wording.primary_metrics(evidence) if metric.direction), None)
    if metric is None:
        return []
    found = []
    for subject in evidence.subjects:
        fair = subject.comparison is not None and not subject.comparison.differences and not subject.repeats
        change = evidence.fact(subject.result.id, "percent", metric.name)
        if (
            fair
            and subject.run.status is Status.SUCCEEDED
            and change is not None
            and _is_clear(change, evidence, metric)
        ):
            found.append((subject, change))
    return found


def _is_clear(change: Fact, evidence: Evidence, metric: PrimaryMetric) -> bool:
    noise = wording.noise(evidence, metric)
    least = max(CLEAR_PERCENT, 2 * abs(number(noise)) if noise is not None else 0.0)
    return wording.is_finite(change) and abs(number(change)) >= least

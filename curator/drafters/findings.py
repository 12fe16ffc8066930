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
    """A failure that differs from a succeeded sibling in nothing but the tested axis."""
    comparison = subject.comparison
    return (
        subject.run.status is Status.FAILED
        and comparison is not None
        and bool(comparison.axis)
        and not comparison.differences
        and any(other.result.status is Status.SUCCEEDED for other in evidence.subjects)
    )


def clear_win(evidence: Evidence) -> tuple[Subject, Fact] | None:
    """The best variant, where it is clearly better than the baseline, and its change."""
    for subject, change in _clear_changes(evidence):
        metric = wording.primary_metrics(evidence)[0]
        if wording.improvement(change) > 0 and wording.best(evidence, metric) is subject:
            return subject, change
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
    least = max(CLEAR_PERCENT, 2 * _noise_percent(evidence, metric))
    found = []
    for subject in evidence.subjects:
        fair = subject.comparison is not None and not subject.comparison.differences and not subject.repeats
        change = evidence.fact(subject.result.id, "percent", metric.name)
        if (
            fair
            and subject.run.status is Status.SUCCEEDED
            and change is not None
            and isinstance(change.value, float)
            and abs(change.value) >= least
        ):
            found.append((subject, change))
    return found


def _noise_percent(evidence: Evidence, metric: PrimaryMetric) -> float:
    noise = wording.noise(evidence, metric)
    return abs(number(noise)) if noise is not None else 0.0

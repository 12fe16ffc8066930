"""The SkillEvolve post: craft knowledge that helps people outside this thread, when the records hold some.

Worth sharing is a failure whose cause the records show (a run that failed where its siblings, alike but for the tested
axis, succeeded), or a clear win over the baseline. Anything else is no post, and the reason is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.drafters.entry import fenced
from curator.drafters.reading import opinion_mark
from curator.facts import number, render
from marin_research.record import Status

if TYPE_CHECKING:
    from curator.confidence import Label
    from curator.drafters.reading import Reading
    from curator.evidence import Evidence, Subject
    from curator.facts import Fact
    from marin_research.thread import PrimaryMetric

CLEAR_WIN_PERCENT = 5.0
"""A smaller change of the primary metric may well be noise; a post is not the place to find out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    title: str
    text: str


def write_post(evidence: Evidence, label: Label, reading: Reading) -> Post | str:
    """The post, or the reason why there is none."""
    if all(subject.run.status is Status.CACHED for subject in evidence.subjects):
        return "every step was served from the cache; what there was to share came with the runs that made the outputs"
    failed = [subject for subject in evidence.subjects if _explained_failure(subject, evidence)]
    if failed:
        return _failure_post(failed[0], evidence, label, reading)
    won = _clear_win(evidence)
    if won is not None:
        return _win_post(*won, evidence, label, reading)
    return (
        "no run failed with a cause that its siblings show, "
        f"and no variant beat the baseline by {CLEAR_WIN_PERCENT:g} %, and by twice what repeating it changes, "
        "in an apples-to-apples comparison"
    )


def _explained_failure(subject: Subject, evidence: Evidence) -> bool:
    """A failure that differs from a succeeded sibling in nothing but the tested axis."""
    comparison = subject.comparison
    return (
        subject.run.status is Status.FAILED
        and comparison is not None
        and bool(comparison.axis)
        and not comparison.differences
        and any(other.result.status is Status.SUCCEEDED for other in evidence.subjects)
    )


def _clear_win(evidence: Evidence) -> tuple[Subject, Fact] | None:
    metrics = [metric for metric in wording.primary_metrics(evidence) if metric.direction]
    for subject in evidence.subjects:
        fair = subject.comparison is not None and not subject.comparison.differences and not subject.repeats
        change = evidence.fact(subject.result.id, "percent", metrics[0].name) if metrics else None
        if (
            fair
            and subject.run.status is Status.SUCCEEDED
            and change is not None
            and isinstance(change.value, float)
            and wording.improvement(change) > 0
            and abs(change.value) >= max(CLEAR_WIN_PERCENT, 2 * _noise_percent(evidence, metrics[0]))
            and wording.best(evidence, metrics[0]) is subject
        ):
            return subject, change
    return None


def _noise_percent(evidence: Evidence, metric: PrimaryMetric) -> float:
    noise = wording.noise(evidence, metric)
    return abs(number(noise)) if noise is not None else 0.0


def _failure_post(subject: Subject, evidence: Evidence, label: Label, reading: Reading) -> Post:
    what = wording.axis_value(subject, evidence.axis)
    alive = [other for other in evidence.subjects if other.result.status is Status.SUCCEEDED]
    survivors = wording.listed([f"`{wording.axis_value(other, evidence.axis)}`" for other in alive])
    lines = [
        "## What happened",
        "",
        f"With `{what}` the run failed: {wording.code(wording.failure(subject))}",
        "",
        f"The runs with {survivors} succeeded. They are alike in everything but {_axis(evidence)}.",
        "",
        *([*fenced(subject.quotes), ""] if subject.quotes else []),
        *_meaning(reading),
        *_setting(subject, evidence, label),
    ]
    return Post(title=f"{_exception(subject)} with {what}, not with its neighbours", text="\n".join(lines) + "\n")


def _win_post(subject: Subject, change: Fact, evidence: Evidence, label: Label, reading: Reading) -> Post:
    assert evidence.baseline is not None  # noqa: S101 - a change has a reference
    value = evidence.fact(subject.result.id, "metric", change.name)
    reference = evidence.fact(evidence.baseline.id, "metric", change.name)
    assert value is not None  # noqa: S101
    assert reference is not None  # noqa: S101
    what = wording.axis_value(subject, evidence.axis)
    lines = [
        "## What we found",
        "",
        f"`{what}` gave {change.name} {render(value)}, against {render(reference)} of the baseline ({render(change)}).",
        f"Nothing but {_axis(evidence)} differs between the two.",
        "",
        *_meaning(reading),
        *_setting(subject, evidence, label),
    ]
    return Post(title=f"{what}: {change.name} {render(change)} against the baseline", text="\n".join(lines) + "\n")


def _meaning(reading: Reading) -> list[str]:
    """What a model makes of it; nothing where none was asked."""
    said = [f"- {opinion_mark(reading.author)} {opinion}" for opinion in reading.opinions]
    return ["## What it may mean", "", *said, ""] if said else []


def _setting(subject: Subject, evidence: Evidence, label: Label) -> list[str]:
    attempt = subject.result.attempt
    # Marin's own packages are released together; one of them says it for all.
    packages = attempt.packages if attempt else {}
    kept = {
        name: version for name, version in packages.items() if name == "marin-core" or not name.startswith("marin-")
    }
    versions = ", ".join(f"{name} {version}" for name, version in kept.items())
    python = f"{attempt.python}; " if attempt else ""
    return [
        "## Setting",
        "",
        f"- Config: {wording.config(subject.result, without=evidence.axis)}",
        f"- Devices: {wording.devices(subject.result)}",
        f"- Versions: {python}{versions}",
        f"- Confidence: {label.confidence} ({label.reason})",
    ]


def _axis(evidence: Evidence) -> str:
    keys = (*evidence.axis, *evidence.seeds)
    return wording.listed([f"`{key}`" for key in keys]) if keys else "what is named here"


def _exception(subject: Subject) -> str:
    end = subject.result.attempt.end if subject.result.attempt else None
    return end.exception.type if end and end.exception else "Failure"

"""The SkillEvolve post: craft knowledge that helps people outside this thread, when the records hold some.

Worth sharing is a failure whose cause the records show (a run that failed where its siblings, alike but for the tested
axis, succeeded), a clear win over the baseline, or, as a question, a failure that came back and that nothing here
explains. Anything else is no post, and the reason is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.confidence import Confidence
from curator.drafters import wording
from curator.drafters.findings import CLEAR_PERCENT, clear_win, exception, explained_failure
from curator.drafters.reading import opinion_mark
from curator.facts import Fact, FactKind, render
from curator.skillevolve import limits
from curator.skillevolve.skills import SkillRef
from marin_research.markdown import fenced
from marin_research.record import Devices, Status

if TYPE_CHECKING:
    from curator.confidence import Label
    from curator.drafters.reading import Reading
    from curator.evidence import Evidence, Subject

_OFTEN = 2
"""A failure that came back is a question worth asking; one that came once may be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    title: str
    fields: dict[str, Any]
    """What is sent beside the text, by the names of the API."""
    text: str


def write_post(evidence: Evidence, label: Label, reading: Reading) -> Post | str:
    """The post, or the reason why there is none."""
    if all(subject.run.status is Status.CACHED for subject in evidence.subjects):
        return "every step was served from the cache; what there was to share came with the runs that made the outputs"
    failed = [subject for subject in evidence.subjects if explained_failure(subject, evidence)]
    if failed:
        return _failure_post(failed[0], evidence, label, reading)
    won = clear_win(evidence)
    if won is not None:
        return _win_post(*won, evidence, label, reading)
    riddles = [subject for subject in evidence.subjects if _is_riddle(subject, evidence)]
    if riddles:
        return _help_post(riddles[0], evidence, reading)
    return (
        "no run failed with a cause that its siblings show, none failed more than once for no reason that is known, "
        f"and no variant beat the baseline by {CLEAR_PERCENT:g} %, and by twice what repeating it changes, "
        "in an apples-to-apples comparison"
    )


def _times_failed(subject: Subject, evidence: Evidence) -> int:
    """How often the thread saw the failure of a run: its own attempts, and the earlier runs that ended alike."""
    failure = next((failure for failure in evidence.failures if failure.run == subject.result.id), None)
    own = sum(a.end is not None and a.end.status is Status.FAILED for a in subject.result.attempts)
    return own + (len(failure.similar) if failure else 0)


def _is_riddle(subject: Subject, evidence: Evidence) -> bool:
    """A failure that came back, and of which no record says the cause."""
    explained = any(f.run == subject.result.id and f.cause is not None for f in evidence.failures)
    return subject.run.status is Status.FAILED and not explained and _times_failed(subject, evidence) >= _OFTEN


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
    title = f"{exception(subject.result) or 'Failure'} with {what}, not with its neighbours"
    told = {"discovery_type": "gotcha", "severity": "medium", "verified": False}
    return _post(title, lines, subject, evidence, {"type": "discovery", **told, **_reproducible(subject, evidence)})


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
    title = f"{what}: {change.name} {render(change)} against the baseline"
    told = {"discovery_type": "insight", "severity": "low", "verified": label.confidence is not Confidence.EXPLORATORY}
    return _post(title, lines, subject, evidence, {"type": "discovery", **told})


def _meaning(reading: Reading) -> list[str]:
    """What a model makes of it; nothing where none was asked."""
    said = [f"- {opinion_mark(reading.author)} {opinion}" for opinion in reading.opinions]
    return ["## What it may mean", "", *said, ""] if said else []


def _help_post(subject: Subject, evidence: Evidence, reading: Reading) -> Post:
    run_id, attempt = subject.result.id, subject.result.attempt
    count = Fact(
        id=f"{run_id}/count/failures",
        kind=FactKind.COUNT,
        value=_times_failed(subject, evidence),
        name="times",
        source=f"counted over attempts of {run_id} and the thread's runs that ended alike",
    )
    evidence.facts[count.id] = count
    lines = [
        "## Problem",
        "",
        f"The run failed: {wording.failure(subject)}",
        "",
        f"It was seen {render(count)} times.",
        "",
        *([*fenced(subject.quotes), ""] if subject.quotes else []),
        "## Reproduction",
        "",
        *(fenced([attempt.command.line]) if attempt else ["It was not started."]),
        "",
        *_meaning(reading),
        *_setting(subject, evidence, None),
    ]
    others = [other for other in evidence.subjects if other is not subject and evidence.axis]
    tried = [
        *(f"{wording.axis_value(other, evidence.axis)}: {other.run.status}" for other in others),
        *(note.text for note in (evidence.craft.notes if evidence.craft else ()) if note.type in ("struggle", "pivot")),
    ]
    name = exception(subject.result) or "Failure"
    title = f"{name}: {subject.run.label} fails, and nothing in the record says why"
    told = {"urgency": "medium", "tried": tried or None} | _reproducible(subject, evidence)
    return _post(title, lines, subject, evidence, {"type": "help_wanted", **told})


def _post(title: str, lines: list[str], subject: Subject, evidence: Evidence, told: dict[str, Any]) -> Post:
    short = limits.shortened(" ".join(title.split()), limits.TITLE)
    fields = {
        "type": told["type"],
        "title": short,
        **_skill(evidence),
        **told,
        "environment": _environment(subject),
        "tags": list(evidence.thread.tags) or None,
    }
    return Post(title=short, fields=fields, text="\n".join(lines) + "\n")


def _skill(evidence: Evidence) -> dict[str, str | None]:
    """The skill by its thread on SkillEvolve where that is known, else by name; a person names it where nothing can."""
    skill = evidence.craft.skill if evidence.craft else None
    if not isinstance(skill, SkillRef):
        return {}
    if isinstance(skill.slug, str):
        return {"skill_slug": skill.slug}
    return {"skill_name": skill.name, "skill_author": skill.author or None}


def _reproducible(subject: Subject, evidence: Evidence) -> dict[str, bool]:
    return {"reproducible": True} if _times_failed(subject, evidence) >= _OFTEN else {}


def _environment(subject: Subject) -> str | None:
    attempt = subject.result.attempt
    if attempt is None:
        return None
    devices = f"{wording.devices(subject.result)}; " if isinstance(attempt.devices, Devices) else ""
    return f"{devices}{_versions(subject)}"


def _versions(subject: Subject) -> str:
    attempt = subject.result.attempt
    if attempt is None:
        return ""
    # Marin's own packages are released together; one of them says it for all.
    kept = {
        name: version
        for name, version in attempt.packages.items()
        if name == "marin-core" or not name.startswith("marin-")
    }
    return "; ".join(part for part in (attempt.python, ", ".join(f"{n} {v}" for n, v in kept.items())) if part)


def _setting(subject: Subject, evidence: Evidence, label: Label | None) -> list[str]:
    lines = [
        "## Setting",
        "",
        f"- Config: {wording.config(subject.result, without=evidence.axis)}",
        f"- Devices: {wording.devices(subject.result)}",
        f"- Versions: {_versions(subject)}",
    ]
    return [*lines, f"- Confidence: {label.confidence} ({label.reason})"] if label is not None else lines


def _axis(evidence: Evidence) -> str:
    keys = (*evidence.axis, *evidence.seeds)
    return wording.listed([f"`{key}`" for key in keys]) if keys else "what is named here"

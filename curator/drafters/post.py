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
    from collections.abc import Iterator

    from curator.confidence import Label
    from curator.drafters.reading import Reading
    from curator.evidence import Evidence, Subject
    from marin_research.record import Run

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
        return _failure_post(failed[0], evidence, reading)
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


def _failure_post(subject: Subject, evidence: Evidence, reading: Reading) -> Post:
    what = wording.axis_value(subject, evidence.axis)
    lines = [
        "## What happened",
        "",
        f"With `{what}` the run failed: {wording.code(wording.failure(subject))}.",
        "",
        *_survivors(evidence),
        "",
        *([*fenced(subject.quotes), ""] if subject.quotes else []),
        *_meaning(reading),
        *_setting(subject, evidence),
        f"- Confidence: {_failure_label(subject, evidence)} (the failure was seen {_seen(subject, evidence)})",
    ]
    title = f"{exception(subject.result) or 'Failure'} with {what}, not with its neighbours"
    told = {"discovery_type": "gotcha", "severity": "medium", "verified": False}
    return _post(title, lines, subject, evidence, {"type": "discovery", **told, **_reproducible(subject, evidence)})


def _survivors(evidence: Evidence) -> Iterator[str]:
    """The settings that succeeded, and how many runs each where some was tried again."""
    alive = [other for other in evidence.subjects if other.result.status is Status.SUCCEEDED]
    by_setting = wording.by_text(alive, lambda other: wording.code(wording.axis_value(other, evidence.axis)))
    alike = f"alike in everything but {_axis(evidence)}"
    if len(by_setting) == len(alive):
        yield f"The runs with {wording.listed(list(by_setting))} succeeded. They are {alike}."
        return
    yield f"These, {alike}, succeeded:"
    yield ""
    yield from (f"- {what}: {len(ids)} run{'s' if len(ids) > 1 else ''}" for what, ids in by_setting.items())


def _win_post(subject: Subject, change: Fact, evidence: Evidence, label: Label, reading: Reading) -> Post:
    what = wording.axis_value(subject, evidence.axis)
    lines = [
        "## What we found",
        "",
        *_win(subject, change, evidence),
        "",
        f"Nothing but {_axis(evidence)} {'differ' if ' and ' in _axis(evidence) else 'differs'}.",
        "",
        *_meaning(reading),
        *_setting(subject, evidence),
        f"- Confidence: {label.confidence} (`{what}`: {label.reason})",
    ]
    title = f"{what}: {change.name} {render(change)} against the baseline"
    told = {"discovery_type": "insight", "severity": "low", "verified": label.confidence is not Confidence.EXPLORATORY}
    return _post(title, lines, subject, evidence, {"type": "discovery", **told})


def _win(subject: Subject, change: Fact, evidence: Evidence) -> Iterator[str]:
    """What a setting gave, and what the baseline gave; of repetitions the mean first, then the best of them."""
    assert evidence.baseline is not None  # noqa: S101 - a change has a reference
    own = wording.axis_value(subject, evidence.axis)
    named = wording.setting(evidence.baseline, evidence.axis)
    repeated = evidence.repeated_of(subject.result.id)
    yield f"- {wording.code(own)}: {_gave(subject.result, change.name, evidence)}"
    if repeated is not None:
        best = evidence.fact(subject.result.id, "metric", change.name)
        yield f"- the best of these {len(repeated.runs)} runs: {change.name} {wording.shown(best)}"
    baseline = f"the baseline, {wording.code(named)}" if named else "the baseline"
    yield f"- {baseline}: {_gave(evidence.baseline, change.name, evidence)}"
    yield f"- change{' of the mean' if repeated else ''}: {render(change)}"
    for other in evidence.subjects:
        if other.run.status is Status.FAILED and wording.axis_value(other, evidence.axis) == own:
            yield f"- another run with {wording.code(own)} failed: {wording.code(wording.failure(other))}"


def _gave(run: Run, metric: str, evidence: Evidence) -> str:
    repeated = evidence.repeated_of(run.id)
    return repeated.said if repeated else f"{metric} {wording.shown(evidence.fact(run.id, 'metric', metric))}"


def _meaning(reading: Reading) -> list[str]:
    """What a model makes of it; nothing where none was asked."""
    said = [f"- {opinion_mark(reading.author)} {opinion}" for opinion in reading.opinions]
    return ["## What it may mean", "", *said, ""] if said else []


def _help_post(subject: Subject, evidence: Evidence, reading: Reading) -> Post:
    attempt = subject.result.attempt
    lines = [
        "## Problem",
        "",
        f"The run failed: {wording.code(wording.failure(subject))}.",
        "",
        f"It was seen {_seen(subject, evidence)}.",
        "",
        *([*fenced(subject.quotes), ""] if subject.quotes else []),
        "## Reproduction",
        "",
        *(fenced([attempt.command.line]) if attempt else ["It was not started."]),
        "",
        *_meaning(reading),
        *_setting(subject, evidence),
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


def _failure_label(subject: Subject, evidence: Evidence) -> Confidence:
    """How well supported it is that the run fails, which becomes a fact: what was seen once may not come back."""
    often = _times_failed(subject, evidence) >= _OFTEN
    confidence = Confidence.REPLICATED if often else Confidence.EXPLORATORY
    run_id, source = subject.result.id, _counted_over(subject)
    fact = Fact(
        id=f"{run_id}/failure/confidence", kind=FactKind.LABEL, value=confidence.value, subject=run_id, source=source
    )
    evidence.facts[fact.id] = fact
    return confidence


def _counted_over(subject: Subject) -> str:
    return f"counted over attempts of {subject.result.id} and the thread's runs that ended alike"


def _seen(subject: Subject, evidence: Evidence) -> str:
    """How often a failure was seen, which becomes a fact."""
    count = Fact(
        id=f"{subject.result.id}/count/failures",
        kind=FactKind.COUNT,
        value=_times_failed(subject, evidence),
        name="times",
        source=_counted_over(subject),
    )
    evidence.facts[count.id] = count
    return "a single time" if count.value == 1 else f"{render(count)} times"


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


def _setting(subject: Subject, evidence: Evidence) -> list[str]:
    seeds = evidence.seeds if evidence.repeated_of(subject.result.id) else ()
    return [
        "## Setting",
        "",
        f"- Config: {wording.config(subject.result, without=(*evidence.axis, *seeds))}",
        f"- Devices: {wording.devices(subject.result)}",
        f"- Versions: {_versions(subject)}",
    ]


def _axis(evidence: Evidence) -> str:
    keys = (*evidence.axis, *evidence.seeds)
    return wording.listed([f"`{key}`" for key in keys]) if keys else "what is named here"

"""The session report: what was worked on, how it went, what was met and what was learned, for the skill's own record.

Drawn from the records and the notes of the session; every sentence is a note's or one that the facts entail.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curator.drafters import wording
from curator.drafters.interpretation import caveats, findings
from curator.facts import Fact, FactKind
from curator.skillevolve import limits
from curator.skillevolve.categories import category_of
from curator.skillevolve.skills import SkillRef
from marin_research.codec import format_time
from marin_research.record import Devices, Status
from marin_research.yaml_text import dump_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.evidence import Evidence
    from curator.skillevolve.craft import Craft
    from curator.skillevolve.memory import Note

_LEARNED = frozenset({"technique", "recipe", "taste", "gotcha", "tip", "breakthrough"})
"""Types of notes that say what others may learn from."""
_UNFINISHED = frozenset({Status.FAILED, Status.LOST, Status.PREEMPTED})


def write_session(evidence: Evidence, craft: Craft) -> dict[str, Any] | str:
    """The fields of the report, or the reason why there is none. What they state becomes facts."""
    if all(subject.run.status is Status.RUNNING for subject in evidence.subjects):
        return "no run has ended yet, so there is nothing to report of this session"
    craft = replace(craft, notes=tuple(note for note in craft.notes if _says_something(note.text)))
    begun, ended = _span(evidence, craft)
    skill = craft.skill if isinstance(craft.skill, SkillRef) else None
    fields = {
        "session_id": _session_id(evidence, craft, begun),
        "agent_id": craft.agent_id if isinstance(craft.agent_id, str) else None,
        "timestamp": format_time(ended.replace(microsecond=0)).replace(".000000Z", "Z"),
        "skill": _skill(skill) if skill else None,
        "task": _task(evidence, craft, skill),
        "outcome": _outcome(evidence, craft),
        "issues_encountered": [*_failed(evidence), *_met(craft)],
        "learnings": [note.text for note in craft.notes if note.type in _LEARNED],
        "community_resources_used": [
            {"type": "post", "id": used.post_id, "helpful": used.helpful} for used in craft.used
        ]
        or None,
        "environment": _environment(evidence),
        "duration_minutes": round((ended - begun).total_seconds() / 60),
    }
    fields = {key: _sendable(value) for key, value in fields.items()}
    evidence.facts.update({fact.id: fact for fact in _facts(fields)})
    return fields


def _sendable(value: Any) -> Any:
    """A tree of values without what cannot be sent: notes and errors hold whatever was on somebody's screen."""
    if isinstance(value, str):
        return limits.sendable(value)
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    return [_sendable(item) for item in value] if isinstance(value, list) else value


def _says_something(text: object) -> bool:
    return isinstance(text, str) and bool(limits.sendable(text).strip())


def _span(evidence: Evidence, craft: Craft) -> tuple[datetime, datetime]:
    """When the session began and when the last thing happened in it."""
    times = [note.time for note in craft.notes if isinstance(note.time, datetime)]
    if craft.session is not None and craft.notes and isinstance(craft.session.started, datetime):
        times.append(craft.session.started)
    for subject in evidence.subjects:
        times.append(subject.run.declared)
        times += [attempt.end.time for attempt in subject.run.attempts if attempt.end is not None]
    return min(times), max(times)


def _session_id(evidence: Evidence, craft: Craft, begun: datetime) -> str:
    """The session's own where there are notes; else always the same for the same runs, so that it is sent once."""
    if craft.session is not None and craft.notes:
        return craft.session.id
    digest = hashlib.sha256("\0".join((evidence.thread.topic, *evidence.runs)).encode()).hexdigest()
    return f"sess-{begun:%Y-%m-%d}-{digest[:8]}"


def _skill(skill: SkillRef) -> dict[str, str]:
    said = {
        "name": skill.name,
        "source_repo": skill.source_repo,
        "source_path": skill.source_path,
        "source_version": skill.version,
    }
    return {key: value for key, value in said.items() if value}


def _task(evidence: Evidence, craft: Craft, skill: SkillRef | None) -> dict[str, Any]:
    thread, session = evidence.thread, craft.session
    told = (session.task if session and craft.notes else "", thread.goal, thread.title, thread.topic)
    about = next(text for text in told if _says_something(text))
    category = category_of(skill.name) if skill else None
    task: dict[str, Any] = {"description": about, "category": category.sessions[0] if category else "training"}
    return task | ({"tags": list(thread.tags)} if thread.tags else {})


def _outcome(evidence: Evidence, craft: Craft) -> dict[str, Any]:
    """A success if anything succeeded; the notes are the last reflection, else what the facts entail."""
    good = [s for s in evidence.subjects if s.result.status is Status.SUCCEEDED]
    partial = {"partial": True} if 0 < len(good) < len(evidence.subjects) else {}
    reflections = [note.text for note in craft.notes if note.type == "reflection"]
    notes = reflections[-1] if reflections else " ".join(map(wording.flat, (*findings(evidence), *caveats(evidence))))
    return {"success": bool(good), **partial, "notes": notes}


def _failed(evidence: Evidence) -> Iterator[dict[str, Any]]:
    lines = {failure.run: failure.line for failure in evidence.failures}
    for subject in evidence.subjects:
        if subject.run.status in _UNFINISHED:
            line = lines.get(subject.result.id)
            how = wording.code(line or wording.failure(subject))
            what = wording.axis_value(subject, evidence.axis)
            yield {"type": "error", "description": f"{what}: {how}", "resolved": False}


def _met(craft: Craft) -> Iterator[dict[str, Any]]:
    """Problems that notes tell of: a fix with what it helped against, a struggle that has no end yet."""
    for note in craft.notes:
        kind = _kind(note)
        if note.type == "fix":
            problem = note.more.get("problem")
            description = problem if _says_something(problem) else note.text
            yield {"type": kind, "description": description, "resolved": True, "resolution": note.text}
        elif note.type == "struggle":
            yield {"type": kind, "description": note.text, "resolved": False}


def _kind(note: Note) -> str:
    said = note.more.get("issue")
    return said if said in ("error", "warning", "confusion", "performance") else "error"


def _environment(evidence: Evidence) -> dict[str, Any] | None:
    attempt = next((s.result.attempt for s in evidence.subjects if s.result.attempt is not None), None)
    if attempt is None:
        return None
    cuda = next((v for name, v in attempt.packages.items() if name.startswith("nvidia-cuda-runtime")), "")
    said = {
        "os": attempt.platform,
        "python": attempt.python.removeprefix("CPython "),
        "cuda": ".".join(cuda.split(".")[:2]),
        "gpus": f"{attempt.devices.count}x {attempt.devices.kind}" if isinstance(attempt.devices, Devices) else "",
    }
    other = {name: version for name, version in attempt.packages.items() if name in ("jax", "torch", "marin-core")}
    return {key: value for key, value in said.items() if value} | ({"other": other} if other else {})


def _facts(fields: dict[str, Any]) -> list[Fact]:
    """What the report says of itself, as it is written there, so that a reader sees where it is from."""
    sources = {
        "session_id": "the work memory, or made from the runs' IDs",
        "agent_id": "the credentials for SkillEvolve",
        "timestamp": "the last thing that happened in the session",
        "duration_minutes": "from the first thing that happened to the last",
    }
    said = [(name, fields[name], source) for name, source in sources.items() if fields[name] is not None]
    said += [(name, value, "the skill itself") for name, value in (fields["skill"] or {}).items()]
    environment = fields["environment"] or {}
    said += [(name, value, "the record") for name, value in (environment | environment.get("other", {})).items()]
    said += [("id", used["id"], "a vote that is out") for used in fields["community_resources_used"] or []]
    said.append(("description", fields["task"]["description"], "the work memory or the thread file"))
    links = {"source_repo": FactKind.LINK, "source_path": FactKind.PATH, "timestamp": FactKind.TIME}
    return [
        Fact(
            id=f"session/{number}/{name}",
            kind=links.get(name, FactKind.TEXT),
            value=value if name in links else dump_yaml({name: value}).strip(),
            source=source,
        )
        for number, (name, value, source) in enumerate(said, start=1)
    ]

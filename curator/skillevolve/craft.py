"""What a post or a session report is made of beside the records: notes, the skill it is about, who tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from curator.draft import DraftKind, DraftStatus
from curator.facts import Fact, FactKind
from curator.front_matter import split
from curator.skillevolve.memory import Note, WorkSession, read_memory
from curator.skillevolve.notebook import is_reported
from curator.skillevolve.skills import SkillRef, choose_skill
from marin_research.codec import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.evidence import Evidence
    from curator.queue import DraftQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Craft:
    """What is known beside the records."""

    session: WorkSession | None
    """The session of work that goes on, or the last one that nobody has reported."""
    notes: tuple[Note, ...]
    """Of that session, what speaks of other runs left out."""
    skill: SkillRef | Unknown
    agent_id: str | Unknown
    used: tuple[Used, ...] = ()
    """What of the community's helped, or did not, by the votes of this session that are out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A post that somebody of us voted for or against."""

    post_id: str
    helpful: bool


def gather_craft(evidence: Evidence, queue: DraftQueue) -> Craft:
    """What there is for a write-up of some runs; the notes become facts that its text may state."""
    memory = read_memory()
    session = next((session for session in reversed(memory.sessions) if not is_reported(session.id)), None)
    ids = {subject.run.id for subject in evidence.subjects} | {subject.result.id for subject in evidence.subjects}
    notes = tuple(note for note in (session.notes if session else ()) if note.more.get("run", "") in {"", *ids})
    evidence.facts.update({fact.id: fact for note in notes for fact in note_facts(note)})
    skill = choose_skill(evidence, notes, session.skill if session else "")
    agent_id = _agent_id()
    if isinstance(skill, SkillRef) and isinstance(agent_id, str):
        from curator.skillevolve.lookup import looked_up  # with a client; only those who take part ask the site

        skill = looked_up(skill)
    used = tuple(_used(session, queue)) if session else ()
    return Craft(session=session, notes=notes, skill=skill, agent_id=agent_id, used=used)


def _used(session: WorkSession, queue: DraftQueue) -> Iterator[Used]:
    """Posts that were voted on since a session began."""
    for draft in queue.all():
        if draft.kind is DraftKind.VOTE and draft.status is DraftStatus.PUBLISHED:
            fields, _ = split(draft.text)
            if isinstance(session.started, datetime) and draft.created >= session.started:
                yield Used(post_id=fields["post_id"], helpful=fields["vote"] == "up")


def note_facts(note: Note) -> list[Fact]:
    """What a note says, so that a text may say it: the word of whoever wrote it, at its place in the memory."""
    texts = {"": note.text, "/problem": note.more.get("problem")}
    return [
        Fact(id=f"{note.id}{part}", kind=FactKind.TEXT, value=text, source=note.source)
        for part, text in texts.items()
        if isinstance(text, str) and text
    ]


def _agent_id() -> str | Unknown:
    from curator.skillevolve.credentials import find_credentials
    from curator.skillevolve.errors import CredentialsError

    try:
        credentials = find_credentials()
    except CredentialsError as error:
        return Unknown(str(error))
    if credentials is None or not credentials.agent_id:
        return Unknown("no agent is registered here (`curator skillevolve register`)")
    return credentials.agent_id

"""What notes of the work memory give for a post: its type, its title, its text. Knows no site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.skillevolve import limits
from curator.skillevolve.craft import note_facts
from curator.skillevolve.memory import read_memory
from marin_research.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.facts import Fact
    from curator.skillevolve.memory import Note

_AS_POST = {
    "technique": ("discovery", "tip"),
    "recipe": ("discovery", "tip"),
    "tip": ("discovery", "tip"),
    "gotcha": ("discovery", "gotcha"),
    "fix": ("discovery", "correction"),
    "taste": ("discussion", None),
    "struggle": ("help_wanted", None),
}
"""Of a type of note, the type of post it makes and of discovery; an insight for any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Nothing of it where there are no notes."""

    type: str | None = None
    discovery_type: str | None = None
    title: str | None = None
    skill: str = ""
    body: str = ""
    facts: tuple[Fact, ...] = ()


def material(ids: Sequence[str]) -> Material:
    """What the notes of these IDs give; the first says what kind of post it is.

    Raises:
        UsageError: there is no such note.
    """
    if not ids:
        return Material()
    memory = read_memory()
    known = {note.id: note for note in memory.notes}
    missing = [note_id for note_id in ids if note_id not in known]
    if missing:
        raise UsageError(f"there is no note {missing[0]}; `curator notes` lists them")
    notes = [known[note_id] for note_id in ids]
    kind, discovery = _AS_POST.get(notes[0].type, ("discovery", "insight"))
    sessions = (session.skill for session in memory.sessions if notes[0] in session.notes)
    return Material(
        type=kind,
        discovery_type=discovery,
        title=limits.shortened(_first_sentence(notes[0].text), limits.TITLE),
        skill=next((note.skill for note in notes if note.skill), "") or next(sessions, ""),
        body="\n\n".join(_paragraphs(note) for note in notes),
        facts=tuple(fact for note in notes for fact in note_facts(note)),
    )


def _paragraphs(note: Note) -> str:
    problem = note.more.get("problem")
    return f"## Problem\n\n{problem}\n\n## What helped\n\n{note.text}" if isinstance(problem, str) else note.text


def _first_sentence(text: str) -> str:
    line = " ".join(text.split())
    return line.partition(". ")[0].rstrip(".")

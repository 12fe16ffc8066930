"""Which skill a finding is about, and the skills that are installed on this machine. Contacts nobody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.errors import CuratorError
from curator.front_matter import split
from curator.skillevolve.categories import names_of, skill_in
from marin_research.checkout import checkout_top
from marin_research.codec import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.evidence import Evidence
    from curator.skillevolve.memory import Note

_FOLDERS = (
    ".claude/skills", ".cursor/skills", ".codex/skills", ".gemini/skills", ".qwen/skills", ".config/opencode/skills",
    ".openclaw/skills", ".agents/skills",
)  # fmt: skip
"""Where agents keep skills, in a project and below the home folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillRef:
    """A skill as posts and session reports name it."""

    name: str
    """As its SKILL.md gives it."""
    slug: str | Unknown
    """Of its thread on SkillEvolve."""
    author: str = ""
    version: str = ""
    source_repo: str = ""
    source_path: str = ""
    folder: Path | None = None
    """Where it is installed here."""
    why: str = ""
    """Why it is this one."""


def choose_skill(evidence: Evidence, notes: Sequence[Note], session_skill: str) -> SkillRef | Unknown:
    """The skill that a finding about some runs belongs to.

    What a person said comes first: the thread's own skill, the notes' and the session's. Then what the runs speak of,
    by the map of the library.
    """
    said = [
        (evidence.thread.skill, "the thread's file says so"),
        (next((note.skill for note in reversed(notes) if note.skill), ""), "a note says so"),
        (session_skill, "the session's notes say so"),
        (skill_in(_told(evidence)) or "", "the runs speak of it"),
    ]
    name, why = next(((name, why) for name, why in said if name), ("", ""))
    if not name:
        return Unknown("nothing in the thread, the notes or the runs names one")
    return local_skill(name, why=why) or SkillRef(name=name, slug=Unknown("it was not looked up"), why=why)


def local_skill(name: str, *, why: str = "it is installed here") -> SkillRef | None:
    """The installed skill of that name, or of another name that the library has for it."""
    wanted = names_of(name)
    for folder in _installed():
        found = read_skill(folder, why=why)
        if found is not None and {found.name.lower(), folder.name.lower()} & wanted:
            return found
    return None


def read_skill(folder: Path, *, why: str = "") -> SkillRef | None:
    """What the SKILL.md in a folder says of itself; None where there is none that says its name."""
    try:
        fields, _ = split((folder / "SKILL.md").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, CuratorError):
        return None
    name = _text(fields.get("name"))
    if not name:
        return None
    about = fields.get("metadata")
    more: dict[str, Any] = about if isinstance(about, dict) else {}
    return SkillRef(
        name=name,
        slug=Unknown("it was not looked up"),
        author=_text(fields.get("author")) or _text(more.get("author")),
        version=_text(fields.get("version")) or _text(more.get("version")),
        folder=folder,
        why=why,
    )


def _installed() -> Iterator[Path]:
    """Folders that hold a SKILL.md: this project's before the account's."""
    for base in (checkout_top() or Path.cwd(), Path.home()):
        for place in _FOLDERS:
            yield from sorted(file.parent for file in (base / place).glob("*/SKILL.md"))


def _told(evidence: Evidence) -> str:
    """What people and programs said about the runs, as one text."""
    thread = evidence.thread
    words = [thread.topic, thread.title, thread.goal, *thread.tags, *evidence.axis]
    for subject in evidence.subjects:
        attempt = subject.result.attempt
        words += [subject.run.label, subject.run.hypothesis or "", *subject.quotes]
        if attempt is not None:
            words += [attempt.command.line, *map(str, attempt.config)]
            if attempt.end is not None and attempt.end.exception is not None:
                words.append(attempt.end.exception.message)
    return "\n".join(words)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""

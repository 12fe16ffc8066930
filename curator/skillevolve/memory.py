"""Work memory: notes made while working, as lines of JSON in ``.skillevolve/memory``. Reads; ``notebook`` writes.

Two shapes are documented. In files that begin with a header a note is ``{"time", "type", "note"}``; in files called
``<date>-session.jsonl``, which have none, it is ``{"type", "skill", "content", "timestamp"}``. Either is read anywhere.
A line that cannot be read is reported and stays where it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marin_research.checkout import WORK_MEMORY, checkout_top
from marin_research.codec import Unknown, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPES = (
    "technique", "recipe", "taste", "gotcha", "fix", "tip", "context", "decision", "struggle", "pivot", "breakthrough",
    "reflection",
)  # fmt: skip
FOLDER = Path(WORK_MEMORY, "memory")
"""In the project, and the same below the home folder."""
_KNOWN = frozenset({"time", "timestamp", "started", "type", "note", "content", "skill"})
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing learned while working."""

    type: str
    """One of ``TYPES``; ``note`` for any other, which ``more`` then keeps."""
    text: str
    time: datetime | Unknown
    skill: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    """Keys of the line that the documents do not name: ``run``, ``issue``, ``problem``."""
    source: str = ""
    """``file:line``; empty before it is written."""

    @property
    def id(self) -> str:
        """``N-1a2b3c4d``: stays the same while time, type and text do."""
        time = format_time(self.time) if isinstance(self.time, datetime) else ""
        key = f"{time}\0{self.type}\0{self.text}".encode("utf-8", "surrogatepass")
        return "N-" + hashlib.sha256(key).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSession:
    """One file of notes."""

    file: Path
    id: str
    """``sess-2026-02-15-1a2b3c4d``; made from the file's place where no header gives one."""
    started: datetime | Unknown
    skill: str = ""
    task: str = ""
    has_header: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A line that is no note; it is left as it is."""

    file: Path
    line: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    sessions: tuple[WorkSession, ...]
    """Oldest first, each session once."""
    damaged: tuple[Damaged, ...]

    @property
    def notes(self) -> list[Note]:
        """Every note once, session by session, in the order they were written."""
        unique: dict[str, Note] = {}
        for session in self.sessions:
            for note in session.notes:
                unique.setdefault(note.id, note)
        return list(unique.values())


def project_folder() -> Path:
    """Where this project's memory is: at the top of the checkout, or here."""
    return (checkout_top() or Path.cwd()) / FOLDER


def read_memory(folders: Iterable[Path] | None = None) -> Memory:
    """Everything that is remembered, here and below the home folder; a note that is in both is there once.

    Args:
        folders: where to look instead.
    """
    sessions: dict[str, WorkSession] = {}
    damaged: list[Damaged] = []
    for folder in folders if folders is not None else (project_folder(), Path.home() / FOLDER):
        for file in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
            session, broken = read_session(file)
            damaged += broken
            sessions[session.id] = _merged(sessions.get(session.id), session)
    ordered = sorted(sessions.values(), key=lambda s: s.started if isinstance(s.started, datetime) else _BEGINNING)
    return Memory(sessions=tuple(ordered), damaged=tuple(damaged))


def _merged(known: WorkSession | None, session: WorkSession) -> WorkSession:
    """Two files of one session: the copy below the home folder is often only the header, but need not be."""
    if known is None:
        return session
    notes = {note.id: note for note in (*known.notes, *session.notes)}
    return replace(known, notes=tuple(notes.values()))


def read_session(file: Path) -> tuple[WorkSession, list[Damaged]]:
    """One file of notes, and the lines of it that are none."""
    header: dict[str, Any] = {}
    notes: list[Note] = []
    damaged: list[Damaged] = []
    try:
        data = file.read_bytes()
    except OSError as error:
        data = b""
        damaged.append(Damaged(file=file, line=0, why=f"cannot be read: {error.strerror}"))
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            raw = _object(line)
            if "type" not in raw and "session_id" in raw:
                header = header or raw
            else:
                notes.append(_note(raw, f"{shown(file)}:{number}"))
        except ValueError as error:
            damaged.append(Damaged(file=file, line=number, why=str(error)))
    started = _time(header.get("started")) if header else next((note.time for note in notes), Unknown("it is empty"))
    session = WorkSession(
        file=file,
        id=_text(header.get("session_id")) or _made_up_id(file, started),
        started=started,
        skill=_text(header.get("skill")),
        task=_text(header.get("task")),
        has_header=bool(header),
        notes=tuple(notes),
    )
    return session, damaged


def _object(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("this is no UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}") from None
    if not isinstance(raw, dict):
        raise ValueError("this is JSON, but no object")  # noqa: TRY004 - a line that is damaged, not a mistake of ours
    return raw


def _note(raw: dict[str, Any], source: str) -> Note:
    text, said = _text(raw.get("note")) or _text(raw.get("content")), _text(raw.get("type"))
    if not text.strip():
        raise ValueError("it says nothing: there is no note and no content")
    more = {key: value for key, value in raw.items() if key not in _KNOWN}
    return Note(
        type=said if said in TYPES else "note",
        text=text,
        time=_time(raw.get("time") or raw.get("timestamp") or raw.get("started")),
        skill=_text(raw.get("skill")),
        more=more if said in TYPES or not said else {"type": said, **more},
        source=source,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(value: Any) -> datetime | Unknown:
    if not value:
        return Unknown("the line gives no time")
    try:
        time = datetime.fromisoformat(str(value))
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        return Unknown(f"the line gives {value!r:.40} as its time")


def shown(file: Path) -> str:
    """The file's place without the folders of this machine."""
    for base, sign in ((checkout_top() or Path.cwd(), ""), (Path.home(), "~/")):
        if file.is_relative_to(base):
            return f"{sign}{file.relative_to(base)}"
    return file.name


def _made_up_id(file: Path, started: datetime | Unknown) -> str:
    named = _DATE.search(file.name)
    day = named[0] if named else f"{started:%Y-%m-%d}" if isinstance(started, datetime) else "1970-01-01"
    place = str(file.absolute()).encode("utf-8", "surrogateescape")  # two projects have files of one name
    return f"sess-{day}-{hashlib.sha256(place).hexdigest()[:8]}"

"""Writes work memory: a line is added whole, by one program at a time, and nothing that was there is touched."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.errors import CuratorError
from curator.skillevolve.memory import Note, project_folder, read_session, shown
from marin_research.checkout import WORK_MEMORY
from marin_research.codec import format_time
from marin_research.places import make_ignored

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable

ARCHIVE = Path(".skillevolve/sessions")
"""Below the home folder: reports that are out, and the memory they were made from."""
_SESSION_LASTS = timedelta(hours=8)
"""A note that comes later than this after the one before it begins a session of its own."""
_WITHOUT_HEADER = re.compile(r"\d{4}-\d\d-\d\d-session\.jsonl")


class NotebookError(CuratorError):
    """The work memory cannot be written; what was there is as it was."""


def write_note(note: Note, file: Path, *, task: str = "") -> Note:
    """Add a note to a file of work memory, in the shape that the file has; a new file gets a header.

    Args:
        note: what to remember.
        file: need not exist.
        task: what the session is about, for the header of a new file.

    Raises:
        NotebookError: the file cannot be written.
    """
    try:
        for folder in (above for above in file.parents if above.name == WORK_MEMORY):
            make_ignored(folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+b", buffering=0) as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)  # goes with the file when it is closed
            opened.seek(0)
            before = opened.read()
            lines = [_line(note, with_header=_has_header(file, before))]
            if not before and not _WITHOUT_HEADER.fullmatch(file.name):
                lines.insert(0, _header(file, note, task))
            if before and not before.endswith(b"\n"):  # somebody was killed in a line; it must cost that line only
                lines.insert(0, "\n")
            _add(opened, "".join(lines).encode("utf-8", "backslashreplace"), len(before))
    except OSError as error:
        raise NotebookError(f"cannot write {file}: {error.strerror}; make room or name another with --file") from error
    return replace(note, source=f"{shown(file)}:{before.count(b'\n') + len(lines)}")


def _add(file: io.FileIO, data: bytes, size: int) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    except OSError:
        file.truncate(size)
        raise


def current_file(now: datetime, folder: Path | None = None) -> Path:
    """The file of the session that goes on, or of a new one."""
    folder = folder or project_folder()
    open_files = (
        file for file in folder.glob("*.jsonl") if file.is_file() and not is_reported(read_session(file)[0].id)
    )
    newest = max(open_files, key=lambda file: file.stat().st_mtime, default=None)
    if newest is not None and now.timestamp() - newest.stat().st_mtime < _SESSION_LASTS.total_seconds():
        return newest
    return folder / f"sess-{now:%Y-%m-%d}-{secrets.token_hex(4)}.jsonl"


def archive(session_id: str, report: dict[str, Any], files: Iterable[Path]) -> None:
    """Keep a report that is out and the memory it was made from below the home folder, as the documents ask.

    The project's own file stays; notes that come later begin a new session.

    Raises:
        NotebookError: the archive cannot be written.
    """
    folder = Path.home() / ARCHIVE
    try:
        make_ignored(folder.parent, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        for file in files:
            _put(folder / f"{session_id}-memory.jsonl", file.read_bytes())
        _put(folder / f"{session_id}.json", (json.dumps(report, ensure_ascii=False, indent=2) + "\n").encode())
    except OSError as error:
        raise NotebookError(f"cannot write {folder}: {error.strerror}; the report is out all the same") from error


def _put(target: Path, data: bytes) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(target)


def is_reported(session_id: str) -> bool:
    """Whether the report of a session is out, so that what is noted later belongs to the next one."""
    return (Path.home() / ARCHIVE / f"{session_id}.json").exists()


def _has_header(file: Path, before: bytes) -> bool:
    """Which of the two shapes a file has: what its lines say, else what its name says."""
    for line in before.split(b"\n"):
        try:
            raw = json.loads(line)
        except ValueError:
            continue
        if isinstance(raw, dict):
            return "content" not in raw
    return _WITHOUT_HEADER.fullmatch(file.name) is None


def _header(file: Path, note: Note, task: str) -> str:
    name = file.name.removesuffix(".jsonl")
    session_id = name if name.startswith("sess-") else f"sess-{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(4)}"
    return _json({"session_id": session_id, "started": _moment(note), "skill": note.skill, "task": task})


def _line(note: Note, *, with_header: bool) -> str:
    if with_header:
        skill = {"skill": note.skill} if note.skill else {}
        return _json({"time": _moment(note), "type": note.type, "note": note.text, **skill, **note.more})
    said = {"type": note.type, "skill": note.skill, "content": note.text, "timestamp": _moment(note)}
    return _json({**said, **note.more})


def _moment(note: Note) -> str:
    time = note.time if isinstance(note.time, datetime) else datetime.now(UTC)
    return format_time(time)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"

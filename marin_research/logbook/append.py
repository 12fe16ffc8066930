"""Adds entries to research logbooks: where they go, how they look, and the file's safe replacement.

Append-only: every byte that was in the file stays in it, around the one insertion; nothing is sorted. An entry ends
with a marker, a hidden HTML comment on a line of its own behind a blank line, by which a second append of it is known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marin_research.errors import LogbookError
from marin_research.logbook.entries import Log, Logbook, Order, parse
from marin_research.logbook.file import rewrite
from marin_research.logbook.heading import read_ids
from marin_research.logbook.markdown import BOLD_LEVEL
from marin_research.logbook.marker import find_marker, has_marker, require_marker
from marin_research.logbook.structure import structure_of
from marin_research.logbook.style import NEW_SECTION, Style, style_of
from marin_research.logbook.text import encoded, missing_line_ends, trimmed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    ids: tuple[str, ...]
    """Experiment IDs such as ``LR-003``, or ranges such as ``LR-003..005``; may be empty."""
    label: str
    """One line that says what the entry is about."""
    time: datetime
    """With a zone; written in UTC."""
    body: str
    """Markdown; headings in it must be below the level of the logbook's entries."""

    def __post_init__(self) -> None:
        """Refuse, with a LogbookError, what could not be read back as one entry."""
        for ids in self.ids:
            if not read_ids(ids):
                raise LogbookError(f"{ids!r} is no experiment ID; name it like LR-003 or LR-003..005")
        if not self.label.strip() or len(self.label.splitlines()) != 1:
            raise LogbookError("an entry's label is one line of text; give it one")
        if self.time.tzinfo is None:
            raise LogbookError("an entry's time needs a zone; give it as UTC")
        if not self.body.strip():
            raise LogbookError("the entry has no text; say what was done and what came out")
        encoded(self.label + self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    data: bytes
    """The whole new file."""
    start: int
    """Byte offset of the new entry's heading in it."""
    end: int
    """Byte offset just behind the new entry."""
    line: int
    """The heading's line, counted from 1."""
    note: str | None
    """What a reader should know about the place that was chosen, if it was a matter of judgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    path: Path
    """The file itself, symbolic links followed."""
    start: int
    """Byte offset of the entry's heading."""
    end: int
    """Byte offset just behind the entry."""
    line: int
    """The heading's line, counted from 1."""
    written: bool
    """False if the marker was in the file already, which was then left as it is."""
    note: str | None


def content_marker(entry: NewEntry) -> str:
    """The marker of an entry that is known by nothing but its IDs, label and body."""
    content = "\0".join([*entry.ids, entry.label.strip(), trimmed(entry.body)])
    return f"<!-- marin-research: entry {hashlib.sha256(content.encode()).hexdigest()} -->"


def entry_text(data: bytes, entry: NewEntry) -> str:
    """The entry as `plan_append` would write it into the logbook ``data``: heading and body, LF, without the marker.

    Raises:
        LogbookError: the entry cannot be written as one entry.
    """
    return _text_of(entry, style_of(parse(data)))


def plan_append(data: bytes, entry: NewEntry | str, *, marker: str) -> Plan:
    """Decide where ``entry`` goes and how it looks. Touches nothing.

    Oldest first (or undecided): at the end of the log section, which need not be the end of the file. Newest first:
    before the first entry. Without any log: in a new section at the end of the file.

    Args:
        data: the logbook as it is.
        entry: what is to be written in the file's style; or a text with its heading, which is written as it is.
        marker: ``<!-- marin-research: ... -->``, see `content_marker`.

    Raises:
        LogbookError: the entry cannot be written as one entry, or the file ends inside an open code fence.
    """
    require_marker(marker)
    logbook = parse(data)
    log = logbook.current_log
    style = style_of(logbook)
    text = _text_of(entry, style)
    at = len(data) if log is None else log.entries[0].start if log.order is Order.NEWEST_FIRST else log.end
    open_at = logbook.structure.open_at
    if open_at is not None and open_at < at:
        line = logbook.line_of(open_at)
        raise LogbookError(f"the logbook's line {line} opens a block that is never closed; close it and try again")

    before, after = data[:at], data[at:]
    section = [] if log else [f"## {NEW_SECTION}", "", ""]
    lead = encoded(style.newline * missing_line_ends(before) + style.newline.join(section))
    new = encoded(style.newline.join([*text.split("\n"), "", marker, *([""] if after else []), ""]))
    start = at + len(lead)
    return Plan(
        data=b"".join([before, lead, new, after]),
        start=start,
        end=start + len(new),
        line=logbook.line_of(at) + lead.count(b"\n"),
        note=_note(logbook, log),
    )


def append(path: Path, entry: NewEntry | str, *, marker: str) -> Appended:
    """Write ``entry`` into the logbook at ``path`` (see `plan_append`), once however often this is called.

    Appenders wait for each other, and an edit by hand up to the moment of the replacement is kept. A crash leaves the
    old file or the new one.

    Raises:
        LogbookError: the file cannot be read, locked or written, or the entry does not fit (see `plan_append`).
    """

    def add(data: bytes) -> Plan | None:
        return None if has_marker(data, marker) else plan_append(data, entry, marker=marker)

    try:
        target, data, plan = rewrite(path, add)
    except FileNotFoundError as error:
        raise LogbookError(f"there is no logbook at {path}; `marin-research init` creates one") from error
    except OSError as error:
        reason = error.strerror or error
        raise LogbookError(f"{path}: {reason}; nothing was written, make it a writable file and try again") from error
    if plan:
        return Appended(path=target, start=plan.start, end=plan.end, line=plan.line, written=True, note=plan.note)
    there = find_marker(data, marker)
    assert there is not None  # noqa: S101 - otherwise there would be a plan
    return Appended(
        path=target,
        start=there.start,
        end=there.end,
        line=there.line,
        written=False,
        note="the entry was there already",
    )


def _text_of(entry: NewEntry | str, style: Style) -> str:
    """Heading and body, in ``style`` unless they are given as a text already."""
    if isinstance(entry, str):
        text = trimmed(entry)
    else:
        gap = "\n\n" if style.blank_after_heading else "\n"
        heading = style.heading(entry.ids, entry.label.strip(), entry.time)
        text = f"{heading}{gap}{style.restyled(trimmed(entry.body))}"
    _check_is_one_entry(text, style)
    return text


def _check_is_one_entry(text: str, style: Style) -> None:
    """A text must open with the entry's heading, open no entry or section after it and swallow nothing behind it."""
    data = encoded(text)
    structure = structure_of(data)
    if structure.open_at is not None:
        line = data.count(b"\n", 0, structure.open_at) + 1
        raise LogbookError(f"line {line} of the entry opens a block that is never closed; close it and try again")
    kind = "a bold line with the date" if style.level == BOLD_LEVEL else f"a heading of level {style.level}"
    opening = [heading for heading in structure.headings if heading.start == 0 and heading.level == style.level]
    if not opening:
        raise LogbookError(f"an entry of this logbook opens with {kind}, and this text does not; give it one")
    if not data[opening[0].end :].strip():
        raise LogbookError("the entry has no text; say what was done and what came out")
    for other in structure.headings[1:]:
        if other.level <= style.level:
            raise LogbookError(
                f"{other.text!r} in the entry would start another one, which {kind} does; make it plain text"
            )


def _note(logbook: Logbook, log: Log | None) -> str | None:
    if log is None:
        return f"the file had no log, so the section `## {NEW_SECTION}` was added at its end"
    notes: list[str] = []
    if len(logbook.logs) > 1:
        notes.append(
            f"the file has {len(logbook.logs)} logs; the entry went to {log.name!r}, which has the latest entry"
        )
    if log.order is Order.MIXED:
        notes.append("the log's entries are in no order; the entry went to its end")
    return "; ".join(notes) or None

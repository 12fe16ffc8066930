"""The hidden HTML comment, on a line of its own, by which what was added to a logbook is known. Knows no drafts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from marin_research.errors import LogbookError
from marin_research.logbook.entries import parse

_MARKER = re.compile(r"<!-- marin-research: (?:(?!--)[^\r\n<>])+ -->")
ANY_MARKER = re.compile(rf"^[ \t]*{_MARKER.pattern}[ \t]*$", re.MULTILINE)
"""A whole line of text that is one."""
_LINE_END = re.compile(rb"[\r\n]|\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What a marker belongs to."""

    start: int
    """Byte offset of the entry that holds the marker, or of the marker itself if no entry does."""
    end: int
    """Byte offset just behind it."""
    line: int
    """Of its start, counted from 1."""


def require_marker(marker: str) -> None:
    """Refuse what could not be found again.

    Raises:
        LogbookError: it is no marker.
    """
    if not _MARKER.fullmatch(marker):
        raise LogbookError(f"{marker!r} is no marker; it must look like '<!-- marin-research: ... -->'")


def has_marker(data: bytes, marker: str) -> bool:
    """Whether ``marker`` stands in ``data`` on a line of its own."""
    return _offset(data, marker) is not None


def find_marker(data: bytes, marker: str) -> Marked | None:
    """Where ``marker`` stands in the logbook ``data``; None where it does not."""
    at = _offset(data, marker)
    if at is None:
        return None
    logbook = parse(data)
    entry = next((entry for entry in logbook.entries if entry.start <= at < entry.end), None)
    start, end = (entry.start, entry.end) if entry else (at, at + len(marker.encode()))
    return Marked(start=start, end=end, line=logbook.line_of(start))


def _offset(data: bytes, marker: str) -> int | None:
    wanted = marker.encode()
    at = data.find(wanted)
    while at >= 0:
        line_start = max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at)) + 1
        line_end = _LINE_END.search(data, at + len(wanted))
        if line_end and not data[line_start:at].strip() and not data[at + len(wanted) : line_end.start()].strip():
            return at
        at = data.find(wanted, at + 1)
    return None

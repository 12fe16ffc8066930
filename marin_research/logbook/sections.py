"""The living index sections of a logbook: found by name and replaced whole. The one part of a logbook that is edited.

A living index is a section outside of the entries that is kept current, such as ``## Decision log``.
Every byte outside of it stays as it is, and so do the blank lines at its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marin_research.errors import LogbookError
from marin_research.logbook.append import Appended, Plan
from marin_research.logbook.entries import Logbook, parse
from marin_research.logbook.file import rewrite
from marin_research.logbook.marker import ANY_MARKER, find_marker, has_marker, require_marker
from marin_research.logbook.structure import structure_of
from marin_research.logbook.text import encoded, missing_line_ends, newline_of, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from marin_research.logbook.markdown import Heading

_ALSO = {
    "currenttldr": {"tldr"},
    "tldr": {"currenttldr"},
    "hypothesisqueue": {"hypotheses"},
    "decisionlog": {"decisions"},
    "negativeresultsindex": {"negativeresults"},
}
_REMARK = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*\Z")
_FIRST = frozenset({"currenttldr", "tldr"})
"""What a reader looks for before anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    heading: str
    """As it stands in the file, without the marks that make it a heading."""
    level: int
    start: int
    """Byte offset of its heading."""
    end: int
    """Byte offset behind its last line of text; blank lines that follow are not part of it."""
    text: str
    """Heading and body with LF line endings, without the marker of whoever wrote it."""


def find_section(data: bytes, name: str) -> Section | None:
    """The section called ``name`` outside of the logbook's entries, in whatever case and with or without a remark."""
    logbook = parse(data)
    headings = logbook.structure.headings
    for index, heading in enumerate(headings):
        if is_called(heading.text, name) and not any(e.start <= heading.start < e.end for e in logbook.entries):
            return _section(data, headings, index)
    return None


def is_called(heading: str, name: str) -> bool:
    """Whether a heading names the section ``name``; remarks in brackets at the end of either say nothing."""
    said, wanted = _key(_REMARK.sub("", heading)), _key(_REMARK.sub("", name))
    return said == wanted or said in _ALSO.get(wanted, ())


def section_name(text: str) -> str:
    """The name of the one section that ``text`` is.

    Raises:
        LogbookError: it is none, or more than one, or swallows what follows it.
    """
    return _only_heading(text).text


def plan_section(data: bytes, text: str, *, replaces: str | None, marker: str) -> Plan:
    """Decide how the section ``text`` takes the place of what stands there. Touches nothing.

    Args:
        data: the logbook as it is.
        text: the whole section, heading included.
        replaces: what stood there when ``text`` was written; None if there was no such section.
        marker: by which the new text is known.

    Raises:
        LogbookError: ``text`` is not one section, or what it replaces was changed meanwhile.
    """
    require_marker(marker)
    name = section_name(text)
    logbook = parse(data)
    newline = newline_of(data)
    current = find_section(data, name)
    if (current.text if current else None) != (trimmed(replaces) if replaces is not None else None):
        raise LogbookError(
            f"the section {name!r} is not what it was when its draft was made; draft it again and look at both"
        )
    new = encoded(newline.join([*trimmed(text).split("\n"), "", marker]))
    if current is not None:
        at, after = current.start, data[current.end :]
        lead = b""
    else:
        at = _place(logbook, name)
        after = data[at:]
        lead = encoded(newline * missing_line_ends(data[:at]))
        new += encoded(newline * (2 if after else 1))
    start = at + len(lead)
    return Plan(
        data=b"".join([data[:at], lead, new, after]),
        start=start,
        end=start + len(new),
        line=logbook.line_of(at) + lead.count(b"\n"),
        note=None if current else f"the logbook had no section {name!r}; it was added",
    )


def edit_section(path: Path, text: str, *, replaces: str | None, marker: str) -> Appended:
    """Put the section ``text`` into the logbook at ``path`` (see `plan_section`), once however often this is called.

    Raises:
        LogbookError: the file cannot be read, locked or written, or the text does not fit.
    """

    def change(data: bytes) -> Plan | None:
        return None if has_marker(data, marker) else plan_section(data, text, replaces=replaces, marker=marker)

    try:
        target, data, plan = rewrite(path, change)
    except OSError as error:
        reason = error.strerror or error
        raise LogbookError(f"{path}: {reason}; nothing was written, make it a writable file and try again") from error
    if plan:
        return Appended(path=target, start=plan.start, end=plan.end, line=plan.line, written=True, note=plan.note)
    there = find_marker(data, marker)
    assert there is not None  # noqa: S101 - otherwise there would be a plan
    note = "the section was there already"
    return Appended(path=target, start=there.start, end=there.end, line=there.line, written=False, note=note)


def _section(data: bytes, headings: tuple[Heading, ...], index: int) -> Section:
    heading = headings[index]
    end = next((other.start for other in headings[index + 1 :] if other.level <= heading.level), len(data))
    whole = data[heading.start : end]
    kept = whole.rstrip(b" \t\r\n")
    text = ANY_MARKER.sub("", trimmed(kept.decode("utf-8", "surrogateescape"))).rstrip()
    return Section(
        heading=heading.text, level=heading.level, start=heading.start, end=heading.start + len(kept), text=text
    )


def _only_heading(text: str) -> Heading:
    data = encoded(trimmed(text))
    structure = structure_of(data)
    if structure.open_at is not None:
        line = data.count(b"\n", 0, structure.open_at) + 1
        raise LogbookError(f"line {line} of the section opens a block that is never closed; close it and try again")
    first, *others = structure.headings or (None,)
    if first is None or first.start != 0:
        raise LogbookError("a section opens with its heading, such as `## Decision log`, and this text does not")
    too_high = next((other for other in others if other is not None and other.level <= first.level), None)
    if too_high is not None:
        raise LogbookError(f"{too_high.text!r} in the section would start another one; make it a lower heading")
    return first


def _place(logbook: Logbook, name: str) -> int:
    """Where a section goes that the file does not have: the summary to the top, the others in front of the log."""
    headings: Iterable[Heading] = logbook.structure.headings
    below_title = [heading for heading in headings if heading.level > 1]
    if _key(_REMARK.sub("", name)) in _FIRST and below_title:
        return below_title[0].start
    log = logbook.current_log
    if log is None:
        return len(logbook.data)
    named = [heading for heading in below_title if heading.text == log.name and heading.start < log.end]
    first = log.entries[0].start if log.entries else log.end
    return named[-1].start if named and log.name else first


def _key(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())

"""How the next entry of a logbook must look to follow the file's own ways. Does not know where the entry goes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from marin_research.logbook.entries import Entry, Log, Logbook, Order
from marin_research.logbook.heading import read_heading, time_format
from marin_research.logbook.markdown import BOLD_LEVEL
from marin_research.logbook.structure import structure_of
from marin_research.logbook.text import newline_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

NEW_SECTION = "Entry Log"
"""The section that a file without any log is given."""

_LATEST = 20
"""So many of the latest entries are asked for their ways; habits change over the life of a file."""
_HEAD = 20_000
"""Bytes at the start of a file that are asked where no entry can answer."""
_DEFAULT_FORM = "{time} - {label}"
_DEFAULT_TIME_FORMAT = "%Y-%m-%d %H:%M UTC"
_SEED_SECTION = "experiment log"
_SEED_TIME_FORMAT = "%Y-%m-%d %H:%M"
"""Marin's first logbook template names no zone and puts no blank line behind the heading."""

_LABEL = rb"[A-Z][\w&/().'\x80-\xff-]*+(?: [\w&/().'\x80-\xff-]++){0,5}"
_FIELD = re.compile(
    rb"^(?P<marker>[-*+] +)(?:\*\*(?P<inside>%b):\*\*|\*\*(?P<outside>%b)\*\*:|(?P<plain>%b):)(?=[ \t\r\n]|\Z)"
    % (_LABEL, _LABEL, _LABEL),
    re.MULTILINE,
)
_FIELD_STYLES = {"inside": b"**%b:**", "outside": b"**%b**:", "plain": b"%b:"}
_HEADING_LINE = re.compile(rb"[^\n]*\n?(?P<blank>[ \t]*\r?\n)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    level: int
    """1 to 6 for a heading, 7 for a bold paragraph."""
    form: str
    """``{time}`` and ``{label}`` with what stands around them, such as ``{time} - {label}``."""
    time_format: str
    """For `datetime.strftime`, of a time in UTC."""
    field: str
    """How a field's label is written: ``inside`` for ``**Result:**``, ``outside`` for ``**Result**:``, ``plain``."""
    blank_after_heading: bool
    newline: str
    """LF or CRLF, whichever the file has more of."""
    order: Order
    """`Order.UNKNOWN` counts as oldest first."""
    section: str | None
    """The log section's heading as it stands in the file; None where the entries are in no section of their own;
    ``Entry Log``, which the next entry will bring along, where there is no log at all."""

    def heading(self, ids: Sequence[str], label: str, time: datetime) -> str:
        """The heading as a line of Markdown, without its line ending."""
        named = f"{', '.join(ids)} {label}" if ids else label
        text = self.form.format(time=time.astimezone(UTC).strftime(self.time_format), label=named)
        return f"**{text}**" if self.level == BOLD_LEVEL else f"{'#' * self.level} {text}"

    def restyled(self, body: str) -> str:
        """``body`` with the labels of its top-level field bullets in this style; fences stay as they are."""
        data = body.encode()
        structure = structure_of(data)
        template = _FIELD_STYLES[self.field]

        def restyle(field: re.Match[bytes]) -> bytes:
            if structure.is_opaque(field.start()):
                return field[0]
            return field["marker"] + template % (field["inside"] or field["outside"] or field["plain"])

        return _FIELD.sub(restyle, data).decode()


def style_of(logbook: Logbook) -> Style:
    """The ways of the log that the next entry goes to, taken from its latest entries or else from its section."""
    data, log = logbook.data, logbook.current_log
    entries = _latest(log) if log else []
    headings = [read_heading(entry.heading) for entry in entries]
    seed = bool(log and log.name and log.name.casefold() == _SEED_SECTION)
    level = log.level if log else 3
    return Style(
        level=level,
        form=_most_common((heading.form for heading in headings), _DEFAULT_FORM),
        time_format=_most_common(
            (time_format(heading.time) for heading in headings if heading.time),
            _SEED_TIME_FORMAT if seed else _DEFAULT_TIME_FORMAT,
        ),
        field=_field_style(logbook, entries),
        # A bold line without a blank line behind it would be part of the text that follows.
        blank_after_heading=level == BOLD_LEVEL
        or _most_common((_has_blank_line(logbook, entry) for entry in entries), not seed),
        newline=newline_of(data),
        order=log.order if log else Order.UNKNOWN,
        section=log.name if log else NEW_SECTION,
    )


def _latest(log: Log) -> list[Entry]:
    """The entries that were added last, the very last one first."""
    return list(log.entries[:_LATEST] if log.order is Order.NEWEST_FIRST else log.entries[: -_LATEST - 1 : -1])


def _most_common[T](found: Iterable[T | None], default: T) -> T:
    """Of equals the first."""
    counted = Counter(value for value in found if value is not None)
    return counted.most_common(1)[0][0] if counted else default


def _has_blank_line(logbook: Logbook, entry: Entry) -> bool:
    line = _HEADING_LINE.match(logbook.data, entry.start, entry.end)
    return bool(line and line["blank"])


def _field_style(logbook: Logbook, entries: Sequence[Entry]) -> str:
    """From the latest entries, or from the head of the file where no entry has fields."""
    styles = (style for entry in entries for style in _fields(logbook, entry.start, entry.end))
    if style := _most_common(styles, ""):
        return style
    return _most_common(_fields(logbook, 0, _HEAD), "plain")


def _fields(logbook: Logbook, start: int, end: int) -> Iterable[str]:
    for field in _FIELD.finditer(logbook.data, start, end):
        if not logbook.structure.is_opaque(field.start()):
            yield field.lastgroup or "plain"

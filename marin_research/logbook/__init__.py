"""Research logbooks, as people really write them: read, listed, appended to. Knows neither runs nor drafts."""

from marin_research.logbook.append import (
    Appended,
    NewEntry,
    Plan,
    append,
    content_marker,
    entry_text,
    plan_append,
)
from marin_research.logbook.entries import Entry, Log, Logbook, Order, parse
from marin_research.logbook.marker import Marked, find_marker, has_marker
from marin_research.logbook.style import Style, style_of

__all__ = [
    "Appended",
    "Entry",
    "Log",
    "Logbook",
    "Marked",
    "NewEntry",
    "Order",
    "Plan",
    "Style",
    "append",
    "content_marker",
    "entry_text",
    "find_marker",
    "has_marker",
    "parse",
    "plan_append",
    "style_of",
]

"""The link from a logbook to its experiment issue: in the front matter where that leaves room, else as an entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marin_research.logbook.append import NewEntry, Plan, content_marker, plan_append
from marin_research.logbook.entries import text_start

if TYPE_CHECKING:
    from datetime import datetime

_OPEN = rb"""["']?(?:not decided yet|tbd|todo|none|null|~|\.\.\.|\?|to be (?:created|filed|decided|filled)|)["']?"""
_ISSUE = re.compile(rb"^(?P<key>issue:)[ \t]*+(?P<value>%b)(?=[ \t]*\r?$)" % _OPEN, re.MULTILINE | re.IGNORECASE)
_SOURCE_REPOSITORY = re.compile(
    rb"^(?P<key>source_repository:)[ \t]*+(?P<value>%b)(?=[ \t]*\r?$)" % _OPEN, re.MULTILINE | re.IGNORECASE
)
_SOURCE_ISSUE = re.compile(
    rb"^(?P<key>source_issue:)[ \t]*+(?P<value>%b)(?=[ \t]*\r?$)" % _OPEN, re.MULTILINE | re.IGNORECASE
)


def names_issue(data: bytes, url: str, repository: str, number: int) -> bool:
    """Whether the logbook says which issue is its own."""
    head = data[: text_start(data)].decode("utf-8", "replace")
    fields = dict(re.findall(r"(?m)^(source_repository|source_issue):[ \t]*[\"']?([^\"'\r\n]*)", head))
    by_parts = (fields.get("source_repository"), fields.get("source_issue")) == (repository, str(number))
    return by_parts or re.search(re.escape(url.encode()) + rb"(?!\d)", data) is not None


def plan_issue_link(data: bytes, url: str, repository: str, number: int, *, time: datetime) -> Plan | None:
    """Say in a logbook which issue is its own; None where it does so already.

    Only a field of the front matter that was left open is filled in; otherwise an entry says it, since nothing that
    stands in a logbook is changed.

    Args:
        data: the logbook as it is.
        url: of the issue.
        repository: ``owner/name``.
        number: of the issue.
        time: of the entry, should one be needed.

    Raises:
        LogbookError: an entry cannot be written (see `plan_append`).
    """
    if names_issue(data, url, repository, number):
        return None
    end = text_start(data)
    head = data[:end]
    filled = _ISSUE.sub(rb"\g<key> " + url.encode(), head, count=1)
    if filled == head and _SOURCE_ISSUE.search(head):
        filled = _SOURCE_REPOSITORY.sub(rb"\g<key> " + repository.encode(), head, count=1)
        filled = _SOURCE_ISSUE.sub(rb"\g<key> " + str(number).encode(), filled, count=1)
    if filled != head:
        return Plan(data=filled + data[end:], start=0, end=len(filled), line=1, note=None)
    entry = NewEntry(ids=(), label="experiment issue", time=time, body=f"- Experiment issue: {url}\n")
    return plan_append(data, entry, marker=content_marker(entry))

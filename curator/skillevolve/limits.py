"""How long the texts of the API may be. The documents do not say in what; JavaScript counts UTF-16 units, so we do."""

from __future__ import annotations

import re

NAME = 150
TITLE = 300
SUBJECT = 300
QUERY = 500
MESSAGE = 10_000
COMMENT = 20_000
CONTENT = 50_000
UPLOAD_BYTES = 10_000_000
"""Of one attachment or archive. Elsewhere the documents allow videos five times that."""


_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def unsendable(text: str) -> int | None:
    """Where the first character stands that JSON or a database would not take, if there is one."""
    found = _UNSENDABLE.search(text)
    return found.start() if found else None


def sendable(text: str) -> str:
    """The text without what would not be taken."""
    return _UNSENDABLE.sub("", text)


def length(text: str) -> int:
    """Of a text as the API counts it; never less than its characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` of ``text``, cut at a word where there is one."""
    if length(text) <= limit:
        return text
    cut = text[: limit - 1]
    while length(cut) > limit - 1:
        cut = cut[:-1]
    head = cut.rpartition(" ")[0]
    return f"{head if len(head) > limit // 2 else cut}…"

"""Texts on their way into a file: line endings, blank lines around them, bytes. Knows no Markdown."""

from __future__ import annotations

import re

from marin_research.errors import LogbookError
from marin_research.logbook.entries import BYTE_ORDER_MARK


def newline_of(data: bytes) -> str:
    """LF or CRLF, whichever ``data`` has more of."""
    return "\r\n" if b"\r" in data and 2 * data.count(b"\r\n") > data.count(b"\n") else "\n"


def missing_line_ends(before: bytes) -> int:
    """How many line endings it takes until ``before`` ends with a blank line."""
    if before in (b"", BYTE_ORDER_MARK):
        return 0
    if not before.endswith((b"\n", b"\r")):
        return 2
    end = len(before) - (2 if before.endswith(b"\r\n") else 1)
    start = max(before.rfind(b"\n", 0, end), before.rfind(b"\r", 0, end)) + 1
    return 1 if before[start:end].strip(b" \t") else 0


def trimmed(text: str) -> str:
    """The text with LF line endings and without blank lines around it."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", text.replace("\r\n", "\n").replace("\r", "\n")).rstrip()


def encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise LogbookError("the text is not valid Unicode; save it as UTF-8 and try again") from error

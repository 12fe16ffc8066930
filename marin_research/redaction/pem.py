"""Private keys in PEM form, the one secret that runs over many lines. Knows no other rule.

A block ends with its END line. Where that is missing (a log cut short) it ends with the last line that can only be
part of a key, so that what the program said next is kept.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from marin_research.redaction.removed import Removed

MAX_LINE = 2048
"""Characters of the longest line that can go on with a block that began before it."""
MAX_BLOCK = 32 * 1024
"""Characters after which a block without an end is over: RSA with 16384 bits takes 13,000."""

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_MARK = re.compile(r"-----(?P<which>BEGIN|END) (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_REST = re.compile(r"(?:\\[nr]|[A-Za-z0-9+/= \t])*")
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=]{32}")
_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Comment|Version|Hash|Charset): [ -~]{1,200}")
_BODY = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_LAST = re.compile(r"=?[A-Za-z0-9+/]{1,40}={0,2}")
_AROUND = " \t\"',|>"


class PemBlocks(NamedTuple):
    """The private keys of a text."""

    found: list[Removed]
    open_at: int | None
    """Start of the line of a block that may go on beyond the end of the text."""


def pem_blocks(text: str) -> PemBlocks:
    """Find the private keys; the text ends with a whole line."""
    found: list[Removed] = []
    open_at, first_line, line_start, at = None, 0, 0, 0
    while "PRIVATE KEY" in text and (begin := _BEGIN.search(text, at)):
        line_start = max(*(text.rfind(end, line_start, begin.start()) + 1 for end in "\n\r"), line_start)
        if line_start >= at:  # else it begins on the line that another one ended on, and needs that one's lines too
            first_line = line_start
        at, is_closed = _block_end(text, begin, indent=begin.start() - line_start)
        found.append(Removed("private-key", begin.start(), at))
        open_at = None if is_closed else first_line
    return PemBlocks(found, open_at)


def _block_end(text: str, begin: re.Match[str], *, indent: int) -> tuple[int, bool]:
    """Where the block ends, and whether that is certain whatever follows the text.

    ``indent``: characters before the block on its first line, which a logger may put before each of its lines.
    """
    line_end = _end_of_line(text, begin.end())
    if (end := _end_mark(text, begin.end(), min(line_end, begin.end() + MAX_BLOCK))) is not None:
        return end, True
    rest = _rest_of_line(text, begin.end(), line_end)
    end = begin.end() + len(rest) if _LONG_RUN.search(rest) else begin.end()
    if text[end:line_end].strip(_AROUND + "\\nr"):
        return end, True
    return _following_lines(text, begin.start(), end, line_end + 1, indent)


def _end_mark(text: str, start: int, end: int) -> int | None:
    """Where the first mark in that range ends, if it is one that ends a block."""
    mark = _MARK.search(text, start, end)
    return mark.end() if mark and mark["which"] == "END" else None


def _end_of_line(text: str, at: int) -> int:
    """Where the line ends, or a place after which it is too long to matter."""
    limit = min(len(text), at + MAX_BLOCK + MAX_LINE)
    for end in "\n\r":
        found = text.find(end, at, limit)
        limit = limit if found < 0 else found
    return limit


def _rest_of_line(text: str, at: int, line_end: int) -> str:
    match = _REST.match(text, at, line_end)
    return match[0] if match else ""


def _following_lines(text: str, start: int, end: int, at: int, indent: int) -> tuple[int, bool]:
    short_lines_left = 0
    while at < len(text):
        line_end = _end_of_line(text, at)
        if line_end - start > MAX_BLOCK or line_end - at > MAX_LINE:
            return end, True
        if (closing := _end_mark(text, at, line_end)) is not None:
            return closing, True
        bodies = {text[at:line_end].strip(_AROUND), text[at + indent : line_end].strip(_AROUND)}
        if any(_BODY.fullmatch(body) for body in bodies):
            short_lines_left = 2  # the last one of the key, and the checksum of a PGP block
        elif short_lines_left and any(_LAST.fullmatch(body) for body in bodies):
            short_lines_left -= 1
        elif bodies != {""} and not any(_HEADER.fullmatch(body) for body in bodies):
            return end, True
        if bodies != {""}:
            end = line_end
        at = line_end + 1
    return end, False

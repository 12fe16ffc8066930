"""Private keys in PEM form, the one secret that runs over many lines. Knows no other rule.

A block ends with its END line, and whatever stands before that goes. Where there is none (a log cut short) or other
lines come first, it ends with the last line that can only be part of a key, so that what the program said is kept.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from marin_research.redaction.removed import Removed

MAX_LINE = 2048
"""Characters of the longest line that can go on with a block that began before it."""
MAX_BLOCK = 32 * 1024
"""Characters after which a block without an end is over: RSA with 16384 bits takes 13,000."""
MAX_OTHER_LINES = 8
"""Lines before an END line that may look like no key: a shortened one, or what others print at the same time."""

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_MARK = re.compile(r"-----(?P<which>BEGIN|END) (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_REST = re.compile(r"(?:\\[nr]|[A-Za-z0-9+/= \t])*")
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=]{32}")
_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Comment|Version|Hash|Charset): [ -~]{1,200}")
_BODY = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_SHORT = re.compile(r"=?[A-Za-z0-9+/]{1,40}={0,2}")
_PIECE = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")
_AROUND = " \t\"',|>"


class PemBlocks(NamedTuple):
    """The private keys of a text."""

    found: list[Removed]
    open_at: int | None
    """Start of the line of a block that may go on beyond the end of the text."""


class _Block(NamedTuple):
    """What the first line tells of a private key."""

    start: int
    end: int
    """Where it ends if none of the following lines are part of it."""
    indent: int
    """Characters before the block on its first line, which a logger may put before each of its lines."""
    is_whole: bool
    """Whether nothing stands on the first line after it, so that lines that can only be part of a key are."""


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
    """Where the block ends, and whether that is certain whatever follows the text; ``indent`` is that of the block."""
    line_end = _end_of_line(text, begin.end())
    mark = _MARK.search(text, begin.end(), min(line_end, begin.end() + MAX_BLOCK))
    if mark and mark["which"] == "END":
        return mark.end(), True
    rest = _rest_of_line(text, begin.end(), line_end)
    end = begin.end() + len(rest) if _LONG_RUN.search(rest) else begin.end()
    if mark:
        return end, True
    is_whole = not text[end:line_end].strip(_AROUND + "\\nr")
    return _following_lines(text, _Block(begin.start(), end, indent, is_whole), line_end + 1)


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


def _following_lines(text: str, block: _Block, at: int) -> tuple[int, bool]:
    """The same, of a block that has no end on its first line; ``at`` is where the second line begins."""
    end, is_whole, short_lines_left, others_left = block.end, block.is_whole, 0, MAX_OTHER_LINES
    while at < len(text):
        line_end = _end_of_line(text, at)
        if line_end - block.start > MAX_BLOCK or line_end - at > MAX_LINE:
            return end, True
        if mark := _MARK.search(text, at, line_end):
            return (mark.end() if mark["which"] == "END" else end), True
        bodies = {text[at:line_end].strip(_AROUND), text[at + block.indent : line_end].strip(_AROUND)} - {""}
        if any(map(_BODY.fullmatch, bodies)):
            short_lines_left = 2  # the last one of the key, and the checksum of a PGP block
        elif short_lines_left and any(map(_SHORT.fullmatch, bodies)):
            short_lines_left -= 1
        elif bodies and not any(map(_HEADER.fullmatch, bodies)):
            is_whole = False
            others_left -= not any(map(_PIECE.fullmatch, bodies))
        if others_left < 0:
            return end, True
        if is_whole and bodies:
            end = line_end
        at = line_end + 1
    return end, False

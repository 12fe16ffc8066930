"""Where a Markdown file has its top-level headings, as byte offsets. Knows nothing of logbooks.

A heading inside a code fence, an HTML block, a list item or a quotation is not a top-level heading. markdown-it knows
that for every file but needs half a second for a megabyte, start included; the line scanner here needs milliseconds. It
decides only what it can decide without parsing lists and paragraphs, and hands the whole file to markdown-it as soon as
it meets something else: a heading underlined with dashes, a fence behind a lazily continued list item, and so on. The
tests hold the scanner against markdown-it on every text that it claims to understand.
"""

from __future__ import annotations

import re
from functools import cache

from marin_research.logbook.markdown import (
    BOLD_LEVEL,
    RAW_HTML,
    Heading,
    Structure,
    atx_text,
    dated_bold_line,
    decoded,
    read_with_markdown_it,
)


def structure_of(data: bytes, *, start: int = 0) -> Structure:
    """The structure of the Markdown that begins at the byte offset ``start``. Any bytes will do."""
    return scan(data, start=start) or read_with_markdown_it(data, start=start)


def scan(data: bytes, *, start: int = 0) -> Structure | None:
    """What the scanner finds, or None where it takes a whole Markdown parser to tell."""
    # A lone CR ends a line as well, and is too rare for the scanner.
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    try:
        return _Scanner(data, start).scan()
    except _UndecidedError:
        return None


class _UndecidedError(Exception):
    """Only a whole Markdown parser can tell."""


_CANDIDATE = re.compile(
    rb"\n( {0,3}+)(?=[#`~<=*-])(?:"
    rb"(?P<heading>#{1,6})(?=[ \t\r\n]|\Z)"
    rb"|(?P<fence>`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})"
    rb"|(?P<html><(?=[A-Za-z/!?]))"
    rb"|(?P<underline>(?:=++|-++)[ \t]*+\r?+(?=\n|\Z))"
    rb"|(?P<bold>\*\*(?=[^\n]*\d{4}-\d\d-\d\d))"
    rb")"
)
"""Every line that may start or end something at the top level. `re` leaps to a literal beginning, and the look ahead
dismisses most lines at once."""

_HTML_NEAR_MISS = re.compile(rb"<(?:script|pre|style|textarea)(?![A-Za-z0-9-])", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\n[ \t]*\r?(?=\n|\Z)")


class _Scanner:
    """One pass over the candidates. A position is that of the newline before a line, in the text led by a newline."""

    def __init__(self, data: bytes, start: int) -> None:
        self._text = b"\n" + data[start:]
        self._base = start
        self._size = len(data)
        self._headings: list[Heading] = []
        self._opaque: list[tuple[int, int]] = []
        self._open_at: int | None = None
        self._lists = _Lists(self._text)

    def scan(self) -> Structure:
        read = {
            "heading": self._heading,
            "fence": self._fence,
            "html": self._html,
            "underline": self._underline,
            "bold": self._bold,
        }
        position = 0
        while match := _CANDIDATE.search(self._text, position):
            position = read[match.lastgroup or ""](match)
        return Structure(headings=tuple(self._headings), opaque=tuple(self._opaque), open_at=self._open_at)

    def _offset(self, position: int) -> int:
        return min(self._base + position, self._size)

    def _line_end(self, position: int) -> int:
        end = self._text.find(b"\n", position)
        return len(self._text) if end < 0 else end

    def _end_of_item(self, match: re.Match[bytes]) -> int:
        """Where the list item around a line ends, or 0. A line without indentation is never inside one."""
        indent = len(match[1])
        return self._lists.end_of_item(match.start(), indent) if indent else 0

    def _heading(self, match: re.Match[bytes]) -> int:
        if item_end := self._end_of_item(match):
            return item_end
        end = self._line_end(match.end())
        self._add(len(match["heading"]), match.start(), end, atx_text(self._text[match.start() + 1 : end]))
        self._lists.restart(end)
        return end

    def _fence(self, match: re.Match[bytes]) -> int:
        if item_end := self._end_of_item(match):
            return item_end
        mark = match["fence"]
        close = re.compile(rb"\n {0,3}%b{%d,}[ \t]*\r?(?=\n|\Z)" % (mark[:1], len(mark)))
        return self._skip(match.start(), close.search(self._text, self._line_end(match.end())))

    def _html(self, match: re.Match[bytes]) -> int:
        end = self._line_end(match.end())
        line = self._text[match.start("html") : end]
        for opening, closing in RAW_HTML:
            if opening.match(line):
                if item_end := self._end_of_item(match):
                    return item_end
                return self._skip(match.start(), closing.search(self._text, match.start("html")))
        if _HTML_NEAR_MISS.match(line):
            raise _UndecidedError
        # Whether this is a block of HTML or a paragraph matters only to what stands before the next blank line.
        blank = _BLANK_LINE.search(self._text, end)
        stop = blank.start() if blank else len(self._text)
        position = end
        while (inner := _CANDIDATE.search(self._text, position)) and inner.start() < stop:
            position = self._line_end(inner.end())
            tag = self._text[inner.start("html") : position] if inner["html"] else b""
            if not tag or _HTML_NEAR_MISS.match(tag) or any(opening.match(tag) for opening, _ in RAW_HTML):
                raise _UndecidedError
        self._lists.html_ends_at(stop)
        return position

    def _underline(self, match: re.Match[bytes]) -> int:
        """Behind a blank line or a finished block it underlines nothing; behind text only a parser can tell what."""
        if self._starts_afresh(match.start()):
            return match.end()
        if item_end := self._end_of_item(match):
            return item_end
        raise _UndecidedError

    def _bold(self, match: re.Match[bytes]) -> int:
        line = dated_bold_line(self._text, match.start("bold"))
        if match[1] or not line:
            return match.end()
        if not self._starts_afresh(match.start()):
            raise _UndecidedError
        end = self._line_end(line.end())
        self._add(BOLD_LEVEL, match.start(), end, decoded(line[1]))
        return end

    def _starts_afresh(self, position: int) -> bool:
        """Whether the line at ``position`` follows a blank line, a heading, a fence or nothing at all."""
        before = self._text[self._text.rfind(b"\n", 0, position) + 1 : position] if position else b""
        offset = self._offset(position)
        return (
            not before.strip(b" \t\r")
            or bool(self._headings and self._headings[-1].end == offset and self._headings[-1].level != BOLD_LEVEL)
            or bool(self._opaque and self._opaque[-1][1] == offset)
        )

    def _skip(self, position: int, closing: re.Match[bytes] | None) -> int:
        end = self._line_end(closing.end()) if closing else len(self._text)
        if not closing:
            self._open_at = self._offset(position)
        self._opaque.append((self._offset(position), self._offset(end)))
        self._lists.restart(end)
        return end

    def _add(self, level: int, start: int, end: int, text: str) -> None:
        self._headings.append(Heading(level=level, start=self._offset(start), end=self._offset(end), text=text))


_LINE = re.compile(
    rb"\n([ \t]*)(?:"
    rb"(?P<blank>\r?(?=\n|\Z))"
    rb"|(?P<rule>(?P<dash>[-*_])[ \t]*(?:(?P=dash)[ \t]*){2,}\r?(?=\n|\Z))"
    rb"|(?P<bullet>[-+*] +)(?=[^ \t\r\n])"
    rb"|(?P<first>0{0,8}1[.)] +)(?=[^ \t\r\n])"
    rb"|(?P<number>\d{1,9}[.)] +)(?=[^ \t\r\n])"
    rb"|(?P<odd>(?:[-+*]|\d{1,9}[.)])(?=[ \t\r\n]|\Z)|[<>])"
    rb"|(?P<text>)"
    rb")"
)


class _Lists:
    """Follows the top-level list items line by line, but only as far as somebody asks about an indented line."""

    _UNCLEAR = -1

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.restart(0)

    def restart(self, position: int) -> None:
        """A top-level block ended at ``position``: no list is open there and no paragraph either."""
        self._position = position
        self._html_end = position
        self._width = 0
        self._fresh = True

    def html_ends_at(self, position: int) -> None:
        """What looks like a list item before ``position`` may be a line of HTML."""
        self._html_end = position

    def end_of_item(self, position: int, indent: int) -> int:
        """Where the item ends that holds the line at ``position``, or 0 if none does; the line is no paragraph text."""
        bullet = self._text.rfind(b"\n- ", max(self._position, self._html_end), position)
        if bullet >= 0:  # whatever stands above it, an unindented bullet outside of HTML starts an item
            self._position, self._width, self._fresh = bullet, 0, True
        for line in _LINE.finditer(self._text, self._position, position):
            self._read(line)
        self._position = position
        if self._width == self._UNCLEAR:
            raise _UndecidedError
        if not 0 < self._width <= indent:
            return 0
        inside = _inside_item(self._width).match(self._text, position)
        return inside.end() if inside else 0

    def _read(self, line: re.Match[bytes]) -> None:
        kind = line.lastgroup
        if kind == "blank":
            self._fresh = True
            return
        indent = len(line[1].expandtabs(4))
        fresh, self._fresh = self._fresh, False
        if 0 < self._width <= indent:
            return
        if indent > 3:  # code, or the rest of a paragraph
            self._width = self._UNCLEAR if self._width else 0
        elif self._width == self._UNCLEAR and not (fresh and indent == 0):
            return  # only an unindented line behind a blank one is sure to have left the list
        elif kind in ("bullet", "first") or (kind == "number" and (fresh or self._width > 0)):
            self._width = indent + _item_width(line[kind])
        elif kind == "rule":
            self._width, self._fresh = 0, True
        elif kind == "text" and (fresh or self._width == 0):
            self._width = 0
        else:  # text right below an item (part of it or not), an empty item, a quotation, HTML
            self._width = self._UNCLEAR


@cache
def _inside_item(width: int) -> re.Pattern[bytes]:
    """Lines that are blank or indented at least as far as an item's content belong to it, whatever they hold."""
    return re.compile(rb"(?:\n(?: {%d}[^\n]*|[ \t]*\r?(?=\n|\Z)))*+" % width)


def _item_width(marker: bytes) -> int:
    """How far the content of an item is indented; more than four spaces behind the marker are code."""
    bare = marker.rstrip(b" ")
    spaces = len(marker) - len(bare)
    return len(bare) + (spaces if spaces <= 4 else 1)

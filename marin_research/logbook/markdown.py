"""The outline of a Markdown file: its top-level headings and its raw blocks, as byte ranges. Knows nothing of logbooks.

`read_with_markdown_it` is right about every file. `marin_research.logbook.structure` is quicker about nearly all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

BOLD_LEVEL = 7
"""The level of a paragraph that opens with one line, all bold, that holds a date: below all six heading levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    level: int
    """1 to 6, or `BOLD_LEVEL`."""
    start: int
    """Byte offset of its first line."""
    end: int
    """Byte offset just behind its last line, line ending included."""
    text: str
    """Its Markdown without the marks that make it a heading; bytes that are not UTF-8 are replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    headings: tuple[Heading, ...]
    opaque: tuple[tuple[int, int], ...]
    """Byte ranges of the top-level code fences and of HTML comments and the like: text that is not read as Markdown."""
    open_at: int | None
    """Byte offset of the fence or HTML block that is still open at the end of the file."""

    def is_opaque(self, offset: int) -> bool:
        """Whether the byte at ``offset`` stands in such a range."""
        index = bisect_right(self.opaque, offset, key=lambda place: place[0]) - 1
        return index >= 0 and offset < self.opaque[index][1]


_BOLD_LINE = re.compile(rb"\*\*(?=[^\s*])((?:(?!\*\*)[^\r\n])++)\*\*[:.]?[ \t]*(?=\r|\n|\Z)")
_DATE = re.compile(rb"\d{4}-\d\d-\d\d")

RAW_HTML = (
    (
        re.compile(rb"<(?:script|pre|style|textarea)(?=[ \t>\r\n]|\Z)", re.IGNORECASE),
        re.compile(rb"</(?:script|pre|style|textarea)>", re.IGNORECASE),
    ),
    (re.compile(rb"<!--"), re.compile(rb"-->")),
    (re.compile(rb"<\?"), re.compile(rb"\?>")),
    (re.compile(rb"<![A-Za-z]"), re.compile(rb">")),
    (re.compile(rb"<!\[CDATA\["), re.compile(rb"\]\]>")),
)
"""HTML blocks that run on to an end mark, over blank lines. All others end at the next blank line."""


def atx_text(line: bytes) -> str:
    """The text of a heading line without its leading and closing number signs."""
    text = line.strip(b" \t\r\n").lstrip(b"#").strip(b" \t")
    bare = text.rstrip(b"#")
    return decoded(text if bare and bare[-1:] not in b" \t" else bare)


def dated_bold_line(data: bytes, start: int) -> re.Match[bytes] | None:
    line = _BOLD_LINE.match(data, start)
    return line if line and _DATE.search(line[1]) else None


def decoded(text: bytes) -> str:
    return text.strip(b" \t\r\n").decode("utf-8", "replace")


_LINE_ENDING = re.compile(rb"\r\n?|\n")


def read_with_markdown_it(data: bytes, *, start: int = 0) -> Structure:
    """The same as `structure_of`, read off markdown-it's tokens."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])  # no inline text: only the lines matter
    starts = [start, *(match.end() for match in _LINE_ENDING.finditer(data, start))]
    offsets = [*starts, len(data), len(data), len(data)]
    headings: list[Heading] = []
    opaque: list[tuple[int, int]] = []
    open_at: int | None = start
    # A heading put behind the end tells whether a block is still open there.
    for token in parser.parse(data[start:].decode("utf-8", "surrogateescape") + "\n\n# probe\n"):
        if token.level or not token.map:
            continue
        first, last = token.map
        begin, end = offsets[first], offsets[min(last, len(starts))]
        if token.type == "heading_open" and first >= len(starts):
            open_at = None
        elif token.type == "heading_open":
            text = atx_text(data[begin:end]) if token.markup[0] == "#" else _underlined_text(data[begin:end])
            headings.append(Heading(level=int(token.tag[1]), start=begin, end=end, text=text))
        elif token.type == "fence" or (token.type == "html_block" and _runs_until_mark(data[begin:end])):
            opaque.append((begin, end))
        elif token.type == "paragraph_open" and (bold := dated_bold_line(data, begin)):
            headings.append(Heading(level=BOLD_LEVEL, start=begin, end=offsets[first + 1], text=decoded(bold[1])))
    if open_at is not None:
        open_at = opaque[-1][0]
    return Structure(headings=tuple(headings), opaque=tuple(opaque), open_at=open_at)


def _runs_until_mark(block: bytes) -> bool:
    return any(opening.match(block.lstrip(b" ")) for opening, _ in RAW_HTML)


def _underlined_text(block: bytes) -> str:
    lines = [line.strip(b" \t") for line in _LINE_ENDING.split(block.rstrip(b"\r\n"))]
    return decoded(b" ".join(lines[:-1]))

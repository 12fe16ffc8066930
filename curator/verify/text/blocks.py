"""A Markdown text as blocks with character offsets: headings, paragraphs, list items, table cells, fences.

Structure (markers, pipes, heading levels, HTML comments) is blanked out here, so that nobody takes a list number for a
claim. Knows nothing of what the words mean.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_NEWLINE = re.compile(r"\r\n?|\n")
_HTML = re.compile(r"<!--.*?(?:-->|\Z)|</?[A-Za-z][^<>]*>|&#?\w{1,12};", re.DOTALL)
_AUTOLINK = re.compile(r"<[a-z][a-z0-9+.-]{1,15}:", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*+|~~|(?<!\w)_+(?=\S)|(?<=\S)_+(?!\w)|\\(?=[!-/:-@\[-`{-~])")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_PIPE = re.compile(r"(?<!\\)\|")
_SIMPLE = str.maketrans(
    {
        "\u2212": "-",  # minus sign
        "\u2010": "-",
        "\u2011": "-",
        "\ufe63": "-",
        "\uff0d": "-",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2009": "\u202f",
        "\u00a0": "\u202f",
        "\u2007": "\u202f",
        "\u03bc": "\u00b5",
        "\u2715": "\u00d7",
        "\u2a2f": "\u00d7",
        "\uff05": "%",
        "\uff0e": ".",
        "\t": " ",
        "\v": " ",
        "\f": " ",
    }
)


_MACROS = {
    r"\times": "\u00d7", r"\%": " %", r"\mu": "\u00b5", r"\pm": "\u00b1", r"\to": "\u2192", r"\rightarrow": "\u2192",
    r"\approx": "\u2248", r"\sim": "~", r"\leq": "\u2264", r"\geq": "\u2265", r"\le": "\u2264", r"\ge": "\u2265",
    r"\cdot": "\u00b7", r"\Delta": "\u0394",
}  # fmt: skip
_LATEX = re.compile(
    r"\\(?:times|%|mu|pm|to|rightarrow|approx|sim|leq|geq|le|ge|cdot|Delta)(?![a-z])|\\[,;!]|\\(?:text|mathrm|mathbf|textbf)\{|(?<=[A-Za-z])_\{[^{}\n]*\}"
)
"""Mathematics as people type it: macros, thin spaces, subscripts."""


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    CELL = "cell"
    FENCE = "fence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of text that is read as a whole."""

    kind: BlockKind
    start: int
    text: str
    """As long as the span it stands for: ``text[i]`` is the character at ``start + i``, or a space for structure."""
    level: int = 0
    """Of a heading, 1 to 6."""
    depth: int = 0
    """How deep in lists it stands."""
    quoted: bool = False
    """Inside a blockquote."""
    info: str = ""
    """A fence's language."""
    table: int = -1
    """Which table of the text a cell belongs to."""
    row: int = 0
    """Of a cell; the header is row 0."""
    column: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def normalise(text: str) -> str:
    """The same text at the same offsets with one character for each thing: ASCII digits, one minus, straight quotes."""
    text = _LATEX.sub(_plain_latex, text.translate(_SIMPLE))
    if text.isascii():
        return text
    return "".join(_ascii_digit(c) if not c.isascii() and c.isdecimal() else c for c in text)


def _plain_latex(found: re.Match[str]) -> str:
    """The sign that a macro stands for, padded to its length; subscripts and the names of fonts say nothing."""
    return _MACROS.get(found.group(), "").ljust(len(found.group()))


def _ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character))


def parse(text: str) -> tuple[Block, ...]:
    """The blocks of a normalised text, in reading order."""
    return tuple(_Reader(text).read(_markdown().parse(text)))


@cache
def _markdown() -> MarkdownIt:
    """A parser that finds blocks and leaves what stands in them alone."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable("table")
    markdown.core.ruler.disable(["inline", "text_join"])
    return markdown


def blank(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda found: " " * len(found.group()), text)


def code_spans(text: str) -> Iterator[re.Match[str]]:
    """Inline code; group 2 is what stands between the backticks."""
    return _CODE.finditer(text)


class _Reader:
    """Turns parser tokens, which know lines, into blocks, which know characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        ends = [found.span() for found in _NEWLINE.finditer(text)]
        starts = [0, *(end for _, end in ends)]
        self._lines = list(zip(starts, [*(start for start, _ in ends), len(text)], strict=True))
        self._depth = self._quote = self._level = 0
        self._tables = -1

    def read(self, tokens: list[Token]) -> Iterator[Block]:
        in_table = False
        for token in tokens:
            self._track(token)
            if token.type == "table_open" and token.map:
                in_table = True
                self._tables += 1
                yield from self._table(*token.map)
            elif token.type == "table_close":
                in_table = False
            elif token.type == "inline" and not in_table and token.map:
                yield from self._prose(token.content.split("\n"), token.map[0])
            elif token.type in {"fence", "code_block"} and token.map:
                yield from self._fence(token, token.map[0])
            elif token.type == "html_block" and token.map:
                yield from self._prose(token.content.rstrip("\n").split("\n"), token.map[0])

    def _track(self, token: Token) -> None:
        if token.type == "list_item_open":
            self._depth += 1
        elif token.type == "list_item_close":
            self._depth -= 1
        elif token.type in {"blockquote_open", "blockquote_close"}:
            self._quote += token.nesting
        elif token.type == "heading_open":
            self._level = int(token.tag[1:])
        elif token.type == "heading_close":
            self._level = 0

    def _prose(self, content: list[str], first: int) -> Iterator[Block]:
        segments = [self._locate(line, first + number) for number, line in enumerate(content)]
        kind = BlockKind.HEADING if self._level else BlockKind.PARAGRAPH
        yield self._block(kind, segments, level=self._level)

    def _locate(self, content: str, line: int) -> tuple[int, int]:
        """Where a line of content stands: the parser strips indentation, list markers and quote signs."""
        if line >= len(self._lines):
            return len(self._text), len(self._text)
        start, end = self._lines[line]
        wanted = content.strip().strip("\x00")
        at = self._text.find(wanted, start, end) if wanted else end
        return (at, at + len(wanted)) if at >= 0 else (start, end)

    def _fence(self, token: Token, first: int) -> Iterator[Block]:
        first += token.type == "fence"
        count = token.content.count("\n")
        segments = [self._lines[n] for n in range(first, min(first + count, len(self._lines)))]
        if segments:
            yield self._block(BlockKind.FENCE, segments, info=token.info.strip().partition(" ")[0].lower())

    def _table(self, first: int, end: int) -> Iterator[Block]:
        rows = [number for number in range(first, min(end, len(self._lines))) if number != first + 1]
        for row, line in enumerate(rows):
            start, stop = self._lines[line]
            pipes = [found.start() for found in _PIPE.finditer(self._text, start, stop)]
            edges = [start - 1, *pipes, stop]
            cells = [(a + 1, b) for a, b in pairwise(edges)]
            if pipes and not self._text[start : pipes[0]].strip(" >"):
                cells = cells[1:]
            for column, (left, right) in enumerate(cells):
                content = self._text[left:right]
                start = left + len(content) - len(content.lstrip())
                span = (start, start + len(content.strip()))
                if content.strip():
                    yield self._block(BlockKind.CELL, [span], table=self._tables, row=row, column=column)

    def _block(self, kind: BlockKind, segments: list[tuple[int, int]], **details: int | str) -> Block:
        start, end = segments[0][0], max(segments[0][0], segments[-1][1])
        pieces, at = [], start
        for left, right in segments:
            pieces += [" " * (left - at), self._text[left:right]]
            at = max(at, right)
        text = "".join(pieces)[: end - start]
        if kind is BlockKind.FENCE:
            text = _NEWLINE.sub(lambda found: "\n" * len(found.group()), self._text[start:end])
        else:
            text = strip_markup(text)
        return Block(kind=kind, start=start, text=text, depth=self._depth, quoted=self._quote > 0, **details)  # type: ignore[arg-type]


def strip_markup(text: str) -> str:
    """Blank what Markdown and HTML add to the words, outside code spans and autolinks."""
    pieces, at = [], 0
    for code in [*_CODE.finditer(text)]:
        pieces += [_outside_code(text[at : code.start()]), code.group()]
        at = code.end()
    pieces.append(_outside_code(text[at:]))
    return "".join(pieces)


def _outside_code(text: str) -> str:
    text = _HTML.sub(lambda f: f.group() if _AUTOLINK.match(f.group()) else " " * len(f.group()), text)
    return blank(text, _EMPHASIS)

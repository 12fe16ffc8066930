"""The fields at the head of a text as blocks, one for each value with its key: none of them speaks of another.

What YAML adds to the words is blanked out, as the structure of Markdown is. Knows no field by name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from curator.front_matter import FrontMatterError, Path, read_head
from curator.verify.text.blocks import Block, BlockKind, normalise, strip_markup

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENING = re.compile(r"\s*(?:- +)*")
_STYLE = re.compile(r"[|>][-+\d]*[ \t]*(?:\r?\n)")
_ESCAPE = re.compile(r"\\(?:\r?\n\s*\\?|.)", re.DOTALL)
_SAID = {"\\n": "  ", "\\t": "  ", '\\"': ' "', "\\\\": " \\"}


def fields(text: str) -> tuple[tuple[Block, ...], int]:
    """The blocks of a text's head, and the offset at which the body begins; none and 0 where there is no head.

    A head that cannot be read is none: who publishes the text says so.
    """
    try:
        head = read_head(text)
    except FrontMatterError:
        return (), 0
    if head is None:
        return (), 0
    spans = [head.span(path) for path in _leaves(head.fields)]
    return tuple(block for start, end in spans for block in _blocks(text, start, end)), head.end


def _leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path


def _blocks(text: str, start: int, end: int) -> Iterator[Block]:
    """A value with its key; each line of its own where a value was written line by line."""
    first = text.rfind("\n", 0, start) + 1
    said = _blank(_OPENING, normalise(text[first:start])) + _value(text[start:end])
    at = first
    for line in said.splitlines(keepends=True) if text[start] == "|" else [said]:
        words = strip_markup(re.sub(r"[\r\n]", " ", line))
        if words.strip():
            yield Block(kind=BlockKind.PARAGRAPH, start=at, text=words)
        at += len(line)


def _value(written: str) -> str:
    """A scalar as YAML writes it, without quotes, escapes and indicators, at the same offsets."""
    if written[:1] == '"':
        return " " + _ESCAPE.sub(_said, normalise(written[1:-1])) + " "
    if written[:1] == "'":
        return " " + normalise(written[1:-1].replace("''", " '")) + " "
    return _blank(_STYLE, normalise(written))


def _said(escape: re.Match[str]) -> str:
    return _SAID.get(escape.group(), " " * len(escape.group()) if "\n" in escape.group() else escape.group())


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with spaces in the place of what it begins with; its lines stay lines."""
    found = pattern.match(text)
    return re.sub(r"[^\r\n]", " ", found.group()) + text[found.end() :] if found else text

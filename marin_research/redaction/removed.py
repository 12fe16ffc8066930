"""A removed piece of text, its placeholder, and what is done with many of them. Knows no rule that finds one.

Where something was removed, or where a placeholder already stands, the rules see NUL characters: no rule's pattern
matches across a NUL, which is what makes redacting a redacted text change nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z0-9-]{1,24}\]")
_MARK = "[REDACTED:"


@dataclass(frozen=True, slots=True)
class Removed:
    """A piece that was taken out; ``start`` and ``end`` are character offsets into the original text."""

    kind: str
    start: int
    end: int


def placeholder(kind: str) -> str:
    return f"{_MARK}{kind}]"


def is_placeholder(text: str) -> bool:
    return _PLACEHOLDER.fullmatch(text) is not None


def hide_placeholders(text: str) -> str:
    """The text with every placeholder blotted out; offsets stay what they were."""
    return _PLACEHOLDER.sub(lambda match: "\0" * len(match[0]), text) if _MARK in text else text


def hide(text: str, spans: Iterable[Removed]) -> str:
    """The text with the spans (in order, apart) blotted out; offsets stay what they were."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], "\0" * (span.end - span.start)]
        at = span.end
    return "".join((*parts, text[at:]))


def merged(spans: Iterable[Removed]) -> list[Removed]:
    """In order and apart: of spans that overlap one is made, of the kind of the one that was found first."""
    result: list[Removed] = []
    ranked = sorted(enumerate(spans), key=lambda each: each[1].start)
    rank = -1
    for found_as, span in ranked:
        if result and span.start < result[-1].end:
            last = result[-1]
            kind = span.kind if found_as < rank else last.kind
            rank = min(rank, found_as)
            result[-1] = Removed(kind, last.start, max(last.end, span.end))
        else:
            result.append(span)
            rank = found_as
    return result


def replaced(text: str, spans: Iterable[Removed], start: int = 0, end: int | None = None) -> str:
    """``text[start:end]`` with a placeholder for each span (in order, apart) that begins in it or reaches into it."""
    end = len(text) if end is None else end
    parts, at = [], start
    for span in spans:
        if span.end <= start or span.start >= end:
            continue
        parts += [text[at : max(span.start, start)], placeholder(span.kind)]
        at = min(span.end, end)
    return "".join((*parts, text[at:end]))

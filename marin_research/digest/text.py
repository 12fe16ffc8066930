"""Writes an index down within a number of bytes, most important things first. Decides how much, not what to say."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from marin_research.digest.sections import sections, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.digest.index import Index
    from marin_research.digest.sections import Section

MOST_BYTES = 32_000
FEWEST_BYTES = 2000
_TITLE_BYTES = 110
"""Enough for any section's title and what it left out."""


def render(index: Index, *, max_bytes: int = MOST_BYTES) -> str:
    """The digest's text: at most ``max_bytes`` of UTF-8, which are at least ``FEWEST_BYTES``.

    Each section says what it left out.
    """
    head = summary(index)
    found = [section for section in sections(index) if section.items]
    needs = [_size(_written(section, len(section.items))) for section in found]
    room = _given(needs, [section.share for section in found], max_bytes - _size(head))
    return "".join([head, *(_fitting(section, given) for section, given in zip(found, room, strict=True))])


def _given(needs: Sequence[int], shares: Sequence[int], room: int) -> list[int]:
    """How many bytes each section gets: enough for its title, its share, and what others do not need."""
    given = [min(need, _TITLE_BYTES) for need in needs]
    rest, whole = max(0, room - sum(given)), sum(shares)
    for number, share in enumerate(shares):
        given[number] += min(needs[number] - given[number], rest * share // whole)
    for number, need in enumerate(needs):
        given[number] += min(need - given[number], max(0, room - sum(given)))
    return given


def _fitting(section: Section, room: int) -> str:
    whole = _written(section, len(section.items))
    if _size(whole) <= room:
        return whole
    items = reversed(section.items) if section.is_tail else section.items
    sizes = accumulate((_size(item) + 1 for item in items), initial=_size(_written(section, 0)))
    return _written(section, max(0, bisect_right(list(sizes), room) - 1))


def _written(section: Section, kept: int) -> str:
    left_out = len(section.items) - kept
    note = [f"… {left_out:,} {section.unit} left out; --json has them"] if left_out else []
    lines = [*note, *section.items[left_out:]] if section.is_tail else [*section.items[:kept], *note]
    return "\n".join([f"\n== {section.title}", *lines, ""])


def _size(text: str) -> int:
    return len(text.encode())

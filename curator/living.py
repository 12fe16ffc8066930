"""Sections that are kept current: what stands there, and the text that takes its place when lines are added."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.draft import DraftKind, DraftStatus
from curator.publish.links import published_forms
from marin_research.logbook.structure import structure_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curator.draft import Draft
    from curator.drafters.sections import Additions

_PLACEHOLDER = re.compile(
    r"[-*+] *(?:not decided yet|nothing yet|none(?: yet| so far)?|tbd|todo|n/?a|to be (?:written|filled in))?\.{0,3}"
    r"|None yet\.",
    re.IGNORECASE,
)
"""A line that only holds the place of the first one."""
_ITEM = re.compile(r"(?P<bullet>[-*+]) ")
SECTIONS = frozenset({DraftKind.INDEX, DraftKind.ISSUE_BODY})


def with_additions(current: str | None, added: Additions, *, earlier: Sequence[str] = (), level: int = 2) -> str | None:
    """The whole section with the new lines in it; None where it holds them all.

    Args:
        current: the section as it stands, heading included; None where there is none.
        added: the new lines.
        earlier: lines that drafts put there before, which new ones replace if they renew.
        level: of the heading of a section that is new.
    """
    lines = current.split("\n") if current is not None else [f"{'#' * level} {added.section}", ""]
    bullet = next((item["bullet"] for line in lines if (item := _ITEM.match(line))), "-")
    items = [f"{bullet} {line}".replace("\n", "\n  ").split("\n") for line in added.lines]
    if all(_stands(item, lines) for item in items):
        return None
    gone = [published_forms(line) for line in earlier] if added.renews else []
    kept = [lines[0], *(line for line in lines[1:] if not _is_any(line, gone) and not _holds_a_place(line))]
    new = [line for item in items if not _stands(item, kept) for line in item]
    at = _top(kept) if added.renews else _end(kept, added.below)
    behind = [""] if at < len(kept) and kept[at].startswith("#") else []
    return _tidy("\n".join([*kept[:at], *new, *behind, *kept[at:]]))


def lines_of_drafts(drafts: Sequence[Draft], kind: DraftKind, section: str) -> list[str]:
    """The lines that published drafts brought into a section."""
    return [
        line
        for draft in drafts
        if draft.kind is kind and draft.title == section and draft.status is DraftStatus.PUBLISHED
        for line in draft.text.split("\n")
        if line not in (draft.replaces or "").split("\n") and not line.startswith("#")
    ]


def _stands(item: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether all lines of an item are among those of a text that may be out."""
    return all(any(map(published_forms(line).fullmatch, lines)) for line in item)


def _is_any(line: str, forms: Iterable[re.Pattern[str]]) -> bool:
    return any(form.fullmatch(line) for form in forms)


def _holds_a_place(line: str) -> bool:
    return _PLACEHOLDER.fullmatch(line.strip()) is not None


def _top(lines: list[str]) -> int:
    """The place of a first item: behind the heading and the blank line that may follow it."""
    return 2 if len(lines) > 1 and not lines[1].strip() else 1


def _end(lines: list[str], below: str) -> int:
    """The place of a last item: at the end of the part called ``below``, else of what comes before the first part."""
    text = "\n".join(lines)
    parts = [text.encode().count(b"\n", 0, heading.start) for heading in structure_of(text.encode()).headings[1:]]
    own = next((index for index in parts if below and lines[index].strip("# ").casefold() == below.casefold()), 0)
    end = next((index for index in parts if index > own), len(lines))
    while end > own + 1 and not lines[end - 1].strip():
        end -= 1
    return max(end, _top(lines)) if own == 0 else end


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"

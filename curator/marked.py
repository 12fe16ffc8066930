"""A text for a terminal, as it is, with what was checked marked in place. Knows nothing of drafts."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from curator.plain import TAKEN_OUT, visible_character

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from curator.verify import Finding, Report

_QUIET = Style(dim=True)
_WRONG = Style(color="red", bold=True)
_MASKED = Style(color="yellow", bold=True)
OPINION = Style(color="magenta", italic=True)
"""A model's own words."""
_LEAD = re.compile(r"\s*(?:[-*+] +|\d+[.)] +|\| +)?")
"""What the rows that a long line is broken into are indented by."""
_ROW = re.compile(r"\s*\|.*\|\s*$")
_WORDS = re.compile(r"\s*\S+\s*|\s+")
_CELLS = re.compile(r"\s*\|[^|]*")


def backed_style(console: Console) -> Style:
    """How a span looks that the record backs; underlined where there are no colours."""
    return Style(color="green") if console.color_system and not console.no_color else Style(underline=True)


def marked(text: str, report: Report, console: Console, *, width: int, opinions: Sequence[str] = ()) -> Iterator[Text]:
    """The lines of ``text``, numbered, with backed spans coloured and each finding underlined by ``^^^`` and its ID.

    Passages that are a model's opinion are in a type of their own, wherever they stand unchanged.
    """
    backed = backed_style(console)
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    gutter = max(3, len(str(len(lines))))
    spans = [(m.start(), m.end(), OPINION) for passage in opinions for m in re.finditer(re.escape(passage), text)]
    spans += [(e.start, e.end, backed) for e in report.evidence]
    spans += [(f.start, f.end, _WRONG + Style(meta={"finding": f.id})) for f in report.findings]
    spans += [(*match.span(), _MASKED) for match in TAKEN_OUT.finditer(text)]
    waiting = list(report.findings)
    for index, line in enumerate(lines):
        styled = _styled(line, starts[index], spans)
        for part, shown in enumerate(wrapped(styled, width - gutter - 4)):
            number = f"{index + 1}" if part == 0 else ""
            yield Text.assemble((f" {number:>{gutter}} │ ", _QUIET), shown)
            yield from _underlines(shown, waiting, " " * (gutter + 2) + "╵ ", width)


def _styled(line: str, start: int, spans: Sequence[tuple[int, int, Style]]) -> Text:
    """One line in which spans, given as offsets into the whole text, are styled."""
    shown = [visible_character(char) for char in line]
    places = [0, *accumulate(len(piece) for piece in shown)]
    styled = Text("".join(shown))
    for span_start, span_end, style in spans:
        first, last = max(span_start - start, 0), min(span_end - start, len(line))
        if first < last:
            styled.stylize(style, places[first], places[last])
    return styled


def wrapped(line: Text, width: int) -> list[Text]:
    """A line as rows of at most ``width`` cells: broken between words, a table's between its cells, and indented."""
    line.expand_tabs(4)
    lead = _LEAD.match(line.plain)
    hang = " " * min(len(lead[0]) if lead else 0, width // 3)
    is_row = _ROW.match(line.plain) is not None
    room = width - len(hang)
    breaks, used, at = [], 0, 0
    for piece in (_CELLS if is_row else _WORDS).findall(line.plain):
        # The spaces that fill a cell count: so all rows of a table are broken at the same places.
        needed = cell_len(piece if is_row else piece.rstrip())
        if used and used + needed > width and needed <= room:
            breaks.append(at)
            used = len(hang)
        for char in piece:
            # Only what is too long for any row gets here with no room left.
            if used + cell_len(char) > width and not char.isspace():
                breaks.append(at)
                used = len(hang)
            used += cell_len(char)
            at += 1
    first, *rest = line.divide(breaks)
    rows = [first, *(Text.assemble(hang, row) for row in rest)]
    for row in rows:
        row.rstrip()
    return rows


def labelled(rows: Iterable[tuple[str | Text, Text]], width: int, *, gap: int = 2) -> Iterator[Text]:
    """Two columns, the right one wrapped; labels given as plain text are dimmed."""
    styled = [(Text(left, style=_QUIET) if isinstance(left, str) else left, right) for left, right in rows]
    indent = 2 + max((left.cell_len for left, _ in styled), default=0) + gap
    for left, right in styled:
        lines = [row for line in right.split("\n") for row in wrapped(line, width - indent)]
        for number, line in enumerate(lines):
            label = Text.assemble("  ", left if number == 0 else "")
            label.pad_right(indent - label.cell_len)
            yield Text.assemble(label, line)


def _underlines(shown: Text, waiting: list[Finding], gutter: str, width: int) -> Iterator[Text]:
    """A line of ``^^^`` below the first row of each waiting finding, with its ID on whichever side there is room."""
    for span in [span for span in shown.spans if isinstance(span.style, Style)]:
        finding_id = span.style.meta.get("finding")  # type: ignore[union-attr]
        finding = next((finding for finding in waiting if finding.id == finding_id), None)
        if finding is None:
            continue
        waiting.remove(finding)
        before = cell_len(shown.plain[: span.start])
        named = "^" * cell_len(shown.plain[span.start : span.end])
        if width - len(gutter) - before - len(named) > len(finding.id):
            named = f"{named} {finding.id}"
        elif before > len(finding.id):
            before -= len(finding.id) + 1
            named = f"{finding.id} {named}"
        yield Text.assemble((gutter, _QUIET), " " * before, (named, _WRONG))

"""A text for a terminal, as it is, with what was checked marked in place. Knows nothing of drafts."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from curator.plain import visible_character

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from curator.verify import Finding, Report

_QUIET = Style(dim=True)
_WRONG = {"color": "red", "bold": True}


def backed_style(console: Console) -> Style:
    """How a span looks that the record backs; underlined where there are no colours."""
    return Style(color="green") if console.color_system and not console.no_color else Style(underline=True)


def marked(text: str, report: Report, console: Console, *, width: int) -> Iterator[Text]:
    """The lines of ``text``, numbered, with backed spans coloured and each finding underlined by ``^^^`` and its ID."""
    backed = backed_style(console)
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    gutter = max(3, len(str(len(lines))))
    for index, line in enumerate(lines):
        found = [f for f in report.findings if f.start < starts[index + 1] and f.end > starts[index]]
        spans: list[tuple[int, int, Style]] = [(e.start, e.end, backed) for e in report.evidence]
        spans += [(f.start, f.end, Style(**_WRONG, meta={"finding": f.id})) for f in found]
        styled = _styled(line, starts[index], spans)
        for part, shown in enumerate(styled.wrap(console, width - gutter - 4, tab_size=4, overflow="fold")):
            number = f"{index + 1}" if part == 0 else ""
            yield Text.assemble((f" {number:>{gutter}} │ ", _QUIET), shown)
            yield from _underlines(shown, found, " " * (gutter + 2) + "╵ ", width)


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


def _underlines(shown: Text, found: Sequence[Finding], gutter: str, width: int) -> Iterator[Text]:
    """A line of ``^^^`` under each finding of one shown line, with its ID on whichever side there is room."""
    for finding in found:
        for span in shown.spans:
            if not isinstance(span.style, Style) or span.style.meta.get("finding") != finding.id:
                continue
            before = cell_len(shown.plain[: span.start])
            carets = "^" * cell_len(shown.plain[span.start : span.end])
            room = width - len(gutter) - before - len(carets)
            named = f"{carets} {finding.id}" if room > len(finding.id) else carets
            if named == carets and before > len(finding.id):
                before -= len(finding.id) + 1
                named = f"{finding.id} {carets}"
            yield Text.assemble((gutter, _QUIET), " " * before, (named, Style(**_WRONG)))

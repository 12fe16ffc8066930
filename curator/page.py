"""What a person sees of a draft: where it goes, the checked text, what stands behind it. Gives lines, prints nothing.

Needs rich; to be imported where something is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.table import Table
from rich.text import Text

from curator.draft import DraftStatus
from curator.drafters.wording import id_range
from curator.facts import MEASURED, FactKind
from curator.marked import backed_style, marked
from curator.plain import KIND_NAMES, counted, decision_line, line_of, one_line, when

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from curator.draft import Draft
    from curator.facts import Fact
    from curator.log import LogEntry
    from curator.verify import Evidence, Report

_WIDEST = 110
"""Columns; longer lines of text are hard to read."""
_QUIET = Style(dim=True)
_STRONG = Style(bold=True)
_WRONG = Style(color="red", bold=True)
_NUMBERS = MEASURED | {FactKind.CONFIG}


def page(
    draft: Draft, report: Report, console: Console, *, place: str = "", full: bool = False
) -> Iterator[RenderableType]:
    """Everything a person needs to decide on a draft.

    Args:
        draft: as it stands.
        report: the verification of its text.
        console: where it will be shown.
        place: stands on the right of the title: ``2 of 3``.
        full: with the evidence for names, links and commands too, and every fact in full.
    """
    width = min(console.width, _WIDEST)
    yield _title(draft, place, width)
    yield _table(_about(draft, report, console))
    yield ""
    yield from marked(draft.text, report, console, width=width)
    yield ""
    yield from _findings(draft, report)
    yield from evidence(draft, report, full=full)


def evidence(draft: Draft, report: Report, *, full: bool) -> Iterator[RenderableType]:
    """What backs the numbers of a text; in full, what backs anything in it."""
    facts = {fact.id: fact for fact in draft.facts}
    backed: dict[tuple[str, tuple[str, ...]], list[Evidence]] = {}
    for each in report.evidence:
        backed.setdefault((each.text, each.fact_ids), []).append(each)
    shown = [each for each in backed.values() if full or _is_number(each[0], facts)]
    rest = len(backed) - len(shown)
    if not backed:
        return
    yield Text("Evidence in full" if full else "Evidence for the numbers", style=_STRONG)
    if full:
        for each in shown:
            yield from _fact_lines(each, facts, draft.text)
    elif shown:
        yield _numbers(shown, facts, draft.text)
    if rest:
        yield Text(f"  and for {rest} names, links, commands and the like", style=_QUIET)
    yield ""


def history(entries: Sequence[LogEntry]) -> Iterator[RenderableType]:
    """What was decided on a draft so far."""
    if not entries:
        return
    yield Text("History", style=_STRONG)
    yield _table([(when(entry.time), Text(decision_line(entry))) for entry in entries])
    yield ""


def _title(draft: Draft, place: str, width: int) -> Text:
    left = f"── {draft.id} · {KIND_NAMES[draft.kind]} "
    right = f" {place} ──" if place else ""
    title = Text(left + "─" * max(0, width - len(left) - len(right)) + right, style=_QUIET)
    title.stylize(_STRONG, 3, 3 + len(draft.id))
    return title


def _about(draft: Draft, report: Report, console: Console) -> Iterator[tuple[str, Text]]:
    yield "about", Text(f"{id_range(draft.runs)} of {draft.thread}: {one_line(draft.title)}")
    yield "goes to", Text(one_line(draft.target))
    edited = f"; edited by {one_line(draft.edited_by)}, {when(draft.changed)}" if draft.edited_by else ""
    yield "written", Text(f"by the {draft.drafter} drafter, {when(draft.created)}{edited}")
    if draft.status is not DraftStatus.DRAFT:
        by = f" by {one_line(draft.by)}" if draft.by else ""
        why = f": {one_line(draft.why)}" if draft.why else ""
        yield (
            "status",
            Text(f"{draft.status}{by if draft.status is not DraftStatus.FAILED else ''}{why}", style=_STRONG),
        )
    if draft.link:
        yield "link", Text(draft.link)
    yield "text", Text(f"sha256 {draft.sha256[:16]}")
    checked = Text()
    checked.append(counted(len(report.evidence), "place"), style=backed_style(console))
    checked.append(" backed by the record, ")
    checked.append(counted(len(report.findings), "finding"), style=_WRONG if report.findings else "")
    yield "checked", checked


def _findings(draft: Draft, report: Report) -> Iterator[RenderableType]:
    if not report.findings:
        return
    yield Text("Findings", style=_STRONG)
    rows = []
    for finding in report.findings:
        said = Text.assemble((one_line(finding.text), _WRONG), f"\n{one_line(finding.why)}")
        rows.append(
            (Text.assemble((finding.id, _WRONG), (f"\nline {line_of(draft.text, finding.start)}", _QUIET)), said)
        )
    yield _table(rows)
    yield ""


def _numbers(backed: Sequence[Sequence[Evidence]], facts: dict[str, Fact], text: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=_QUIET)
    table.add_column("  line")
    table.add_column("stated", overflow="fold", max_width=20)
    table.add_column("in full", overflow="fold")
    table.add_column("where it stands, or how it is computed", overflow="fold")
    for same in backed:
        fact = facts[same[0].fact_ids[0]]
        lines = ", ".join(dict.fromkeys(str(line_of(text, each.start)) for each in same))
        table.add_row(f"  {lines}", one_line(same[0].text), _value(fact), fact.formula or fact.source)
    return table


def _fact_lines(same: Sequence[Evidence], facts: dict[str, Fact], text: str) -> Iterator[Text]:
    lines = ", ".join(dict.fromkeys(str(line_of(text, each.start)) for each in same))
    yield Text.assemble("  ", (one_line(same[0].text), _STRONG), (f"  line {lines}", _QUIET))
    for fact_id in same[0].fact_ids:
        yield from _fact(facts[fact_id], "    ")
        for needed in facts[fact_id].inputs:
            if needed in facts:
                yield from _fact(facts[needed], "      ")


def _fact(fact: Fact, indent: str) -> Iterator[Text]:
    unit = f" {fact.unit}" if fact.unit else ""
    yield Text(f"{indent}{fact.id} = {_value(fact)}{unit}")
    yield Text(f"{indent}{fact.formula or fact.source}", style=_QUIET)


def _value(fact: Fact) -> str:
    return one_line(str(fact.value))


def _is_number(backed: Evidence, facts: dict[str, Fact]) -> bool:
    return any(facts[fact_id].kind in _NUMBERS for fact_id in backed.fact_ids) and any(map(str.isdigit, backed.text))


def _table(
    rows: Sequence[tuple[RenderableType, RenderableType]] | Iterator[tuple[RenderableType, RenderableType]],
) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for left, right in rows:
        table.add_row(Text.assemble("  ", left) if isinstance(left, Text) else Text(f"  {left}", style=_QUIET), right)
    return table

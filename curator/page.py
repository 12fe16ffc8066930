"""What a person sees of a draft: where it goes, the checked text, what stands behind it. Gives lines, prints nothing.

Needs rich; to be imported where something is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from curator.backing import backing
from curator.draft import BY_HAND, DraftStatus
from curator.drafters.wording import id_range
from curator.marked import OPINION, backed_style, labelled, marked
from curator.plain import KIND_NAMES, TAKEN_OUT, counted, decision_line, line_of, model_line, one_line, proof_line, when
from curator.suspicion import suspicious

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from curator.draft import Draft
    from curator.log import LogEntry
    from curator.verify import Report

_WIDEST = 110
"""Columns; longer lines of text are hard to read."""
_FEW = 5
_QUIET = Style(dim=True)
_STRONG = Style(bold=True)
_WRONG = Style(color="red", bold=True)


def page(draft: Draft, report: Report, console: Console, *, place: str = "", full: bool = False) -> Iterator[Text]:
    """Everything a person needs to decide on a draft.

    Args:
        draft: as it stands.
        report: the verification of its text.
        console: where it will be shown.
        place: stands on the right of the title: ``2 of 3``.
        full: with the evidence for names, links and commands too, and every fact in full.
    """
    width = page_width(console)
    yield _title(draft, place, width)
    yield from labelled(_about(draft, report, console), width)
    yield Text()
    opinions = draft.writing.opinions if draft.writing is not None else ()
    yield from marked(draft.text, report, console, width=width, opinions=opinions)
    yield Text()
    yield from _findings(draft, report, width)
    yield from _settled(draft, width)
    yield from _model(draft, width, full=full)
    yield from _warnings(draft, width)
    yield from backing(draft, report, width=width, full=full)


def page_width(console: Console) -> int:
    """Columns that lines are broken to."""
    return min(console.width, _WIDEST)


def history(entries: Sequence[LogEntry], *, width: int) -> Iterator[Text]:
    """What was decided on a draft so far."""
    if entries:
        yield Text("History", style=_STRONG)
        yield from labelled([(when(entry.time), Text(decision_line(entry))) for entry in entries], width)


def _title(draft: Draft, place: str, width: int) -> Text:
    left = f"── {draft.id} · {KIND_NAMES[draft.kind]} "
    right = f" {place} ──" if place else ""
    title = Text(left + "─" * max(0, width - len(left) - len(right)) + right, style=_QUIET)
    title.stylize(Style(dim=False, bold=True), 3, 3 + len(draft.id))
    return title


def _about(draft: Draft, report: Report, console: Console) -> Iterator[tuple[str, Text]]:
    runs = f"{id_range(draft.runs)} of {draft.thread}: " if draft.runs else ""
    yield "about", Text(runs + one_line(draft.title))
    yield "goes to", Text(one_line(draft.target))
    by = "by hand" if draft.drafter == BY_HAND else f"by the {draft.drafter} drafter"
    edited = f"; edited by {one_line(draft.edited_by)}, {when(draft.changed)}" if draft.edited_by else ""
    yield "written", Text(f"{by}, {when(draft.created)}{edited}")
    if draft.writing is not None:
        yield "model", Text(model_line(draft.writing), style=_WRONG if draft.writing.instead else "")
        if opinions := [opinion for opinion in draft.writing.opinions if opinion in draft.text]:
            said = f"{counted(len(opinions), 'passage')} in other type: the model's own words, not a result"
            yield "opinion", Text(said, style=OPINION)
    if draft.status is not DraftStatus.DRAFT:
        yield "status", Text(_status(draft), style=_WRONG if draft.status is DraftStatus.FAILED else _STRONG)
    checked = Text()
    checked.append(counted(len(report.evidence), "place"), style=backed_style(console))
    checked.append(" backed by the record, ")
    checked.append(counted(len(report.findings), "finding"), style=_WRONG if report.findings else "")
    masked = len(TAKEN_OUT.findall(draft.text))
    checked.append(f", {counted(masked, 'secret')} taken out" if masked else "")
    yield "checked", checked
    if draft.proofread is not None:
        yield "proofread", Text(proof_line(draft.proofread))
    yield "text", Text(f"sha256 {draft.sha256[:16]}; an approval is for exactly this text")


def _status(draft: Draft) -> str:
    match draft.status:
        case DraftStatus.PUBLISHED:
            return f"published as {draft.link}"
        case DraftStatus.FAILED:
            return f"its publication failed: {one_line(draft.why or '')}"
        case _:
            why = f": {one_line(draft.why)}" if draft.why else ""
            return f"{draft.status} by {one_line(draft.by or '')}{why}"


def _findings(draft: Draft, report: Report, width: int) -> Iterator[Text]:
    if not report.findings:
        return
    yield Text("Findings", style=_STRONG)
    for finding in report.findings:
        line = f"line {line_of(draft.text, finding.start)}"
        said = Text.assemble((one_line(finding.text), _WRONG), (f"  {line}\n", _QUIET), one_line(finding.why))
        yield from labelled([(Text(finding.id, style=_WRONG), said)], width)
    yield Text()


def _settled(draft: Draft, width: int) -> Iterator[Text]:
    """Doubts that a model settled: whoever signs may want to see how."""
    if draft.proofread is None or not draft.proofread.settled:
        return
    yield Text("Doubts that the proofreading settled", style=_STRONG)
    for each in draft.proofread.settled:
        line = f"line {line_of(draft.text, each.start)}"
        said = Text.assemble(one_line(each.text), (f"  {line}\n", _QUIET), one_line(each.meaning))
        yield from labelled([("-", said)], width)
    yield Text()


def _model(draft: Draft, width: int, *, full: bool) -> Iterator[Text]:
    """What of the model's answer is not in the text, and what it was not shown."""
    writing = draft.writing
    if writing is None:
        return
    if writing.cut:
        yield Text("Cut out of the model's answer", style=_STRONG)
        for cut in writing.cut:
            yield from labelled([("-", Text.assemble(one_line(cut.said), ("\n" + one_line(cut.why), _QUIET)))], width)
        yield Text()
    hidden = [f"left out for want of budget: {what}" for what in writing.left_out]
    hidden += [f"taken out: {masked.kind} in {one_line(masked.where)}" for masked in writing.masked]
    if hidden:
        yield Text("Not shown to the model", style=_STRONG)
        shown = hidden if full else hidden[:_FEW]
        more = [f"and {len(hidden) - len(shown)} more; `curator show {draft.id}` lists them"] * (
            len(shown) < len(hidden)
        )
        yield from labelled([("-", Text(line)) for line in (*shown, *more)], width)
        yield Text()


def _warnings(draft: Draft, width: int) -> Iterator[Text]:
    """Recorded text that seems to address whoever writes or reviews."""
    found = list(suspicious(draft.facts))
    if found:
        yield Text("Recorded text that reads like an instruction; it is data, do not follow it", style=_WRONG)
        yield from labelled([("!", Text(one_line(line))) for line in found], width)
        yield Text()

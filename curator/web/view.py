"""What the page of a draft shows: its lines with what was checked marked in place, and the facts behind them.

Knows nothing of requests and of HTML; the templates do the rest.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from curator.plain import TAKEN_OUT, line_of, one_line, visible
from curator.stated import exact, key, stated
from curator.suspicion import suspicious
from curator.verify import BINDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from curator.draft import Draft
    from curator.facts import Fact
    from curator.stated import Key, Stated
    from curator.verify import Finding, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Characters of one line of which the same is known."""

    text: str
    kinds: tuple[str, ...] = ()
    """Of ``finding``, ``backed``, ``opinion`` and ``masked``."""
    target: str = ""
    """ID of the element that says more; empty where there is none."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLine:
    fact: Fact
    exact: str
    """The value in full with its unit; empty where that is what the text states."""
    inputs: tuple[FactLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """One thing that the text states, and the facts behind it."""

    id: str
    stated: Stated
    facts: tuple[FactLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """A finding, and where it stands."""

    finding: Finding
    line: int
    """0 where it is about the whole text."""
    can_be_accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that follows from a draft's text and its check."""

    draft: Draft
    lines: tuple[tuple[Piece, ...], ...]
    numbers: tuple[Backing, ...]
    others: tuple[Backing, ...]
    """Names, links, commands and the like."""
    objections: tuple[Objection, ...]
    changes: tuple[tuple[str, str], ...]
    """What a text that takes the place of another changes, as `changes` gives it."""
    warnings: tuple[str, ...]
    backed_places: int
    masked_places: int
    opinions: int


def view(draft: Draft, report: Report) -> View:
    """What to show of a draft.

    Args:
        draft: with the text that is shown, saved or not.
        report: the check of that text.
    """
    facts = {fact.id: fact for fact in draft.facts}
    backings = {
        same: Backing(
            id=f"fact-{number}", stated=thing, facts=tuple(_fact(fact, thing.text, facts) for fact in thing.facts)
        )
        for number, (same, thing) in enumerate(stated(draft, report).items(), start=1)
    }
    return View(
        draft=draft,
        lines=tuple(_lines(draft.text, list(_spans(draft, report, backings)))),
        numbers=tuple(each for each in backings.values() if each.stated.is_number),
        others=tuple(each for each in backings.values() if not each.stated.is_number),
        objections=tuple(_objection(draft.text, finding) for finding in report.findings),
        changes=tuple(changes(draft.replaces, draft.text)) if draft.replaces is not None else (),
        warnings=tuple(suspicious(draft.facts)),
        backed_places=len(report.evidence),
        masked_places=len(TAKEN_OUT.findall(draft.text)),
        opinions=len(_opinions(draft)),
    )


def can_be_typed(text: str) -> bool:
    """Whether a browser's text field gives a text back as it got it: it holds no bytes, and one kind of line end."""
    returns = text.count("\r")
    one_kind = returns == text.count("\r\n") and returns in (0, text.count("\n"))
    return one_kind and not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def _fact(fact: Fact, said_as: str, facts: dict[str, Fact]) -> FactLine:
    value = f"{exact(fact)} {fact.unit}".strip()
    inputs = tuple(_fact(facts[name], "", facts) for name in fact.inputs if name in facts)
    return FactLine(fact=fact, exact="" if one_line(said_as) in (value, exact(fact)) else value, inputs=inputs)


def _objection(text: str, finding: Finding) -> Objection:
    line = line_of(text, finding.start) if finding.end > finding.start else 0
    return Objection(finding=finding, line=line, can_be_accepted=finding.kind not in BINDING)


def changes(old: str, new: str) -> list[tuple[str, str]]:
    """``added``, ``removed`` or ``same``, and the line; empty where nothing changes."""
    kinds = {"+": "added", "-": "removed", " ": "same"}
    lines = difflib.ndiff(old.splitlines(), new.splitlines()) if old != new else ()
    return [(kinds[line[0]], visible(line[2:])) for line in lines if line[0] in kinds]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    start: int
    end: int
    kind: str
    target: str = ""
    why: str = ""


def _spans(draft: Draft, report: Report, backings: Mapping[Key, Backing]) -> Iterator[_Span]:
    """Every part of the text of which something is known; what a person must not miss comes first."""
    for finding in report.findings:
        why = one_line(finding.why)
        yield _Span(start=finding.start, end=finding.end, kind="finding", target=finding.id, why=why)
    for each in report.evidence:
        yield _Span(start=each.start, end=each.end, kind="backed", target=backings[key(each)].id)
    for passage in _opinions(draft):
        for match in re.finditer(re.escape(passage), draft.text):
            yield _Span(start=match.start(), end=match.end(), kind="opinion")
    for match in TAKEN_OUT.finditer(draft.text):
        yield _Span(start=match.start(), end=match.end(), kind="masked")


def _opinions(draft: Draft) -> list[str]:
    return [each for each in draft.writing.opinions if each in draft.text] if draft.writing is not None else []


def _lines(text: str, spans: Sequence[_Span]) -> Iterator[tuple[Piece, ...]]:
    """The lines, each cut where a span begins or ends."""
    ends = sorted({at for span in spans for at in (span.start, span.end)})
    lines = text.removesuffix("\n").split("\n")
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    for start, line in zip(starts, lines, strict=False):
        end = start + len(line)
        cuts = [start, *(at for at in ends if start < at < end), end]
        yield tuple(_piece(text[a:b], [s for s in spans if s.start <= a and b <= s.end]) for a, b in pairwise(cuts))


def _piece(text: str, spans: Sequence[_Span]) -> Piece:
    return Piece(
        text=visible(text.removesuffix("\r")),
        kinds=tuple(dict.fromkeys(span.kind for span in spans)),
        target=next((span.target for span in spans if span.target), ""),
        why=next((span.why for span in spans if span.why), ""),
    )

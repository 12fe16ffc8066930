"""What stands behind a checked text, as lines for a terminal: which fact a number is, and where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from curator.facts import MEASURED, FactKind
from curator.marked import labelled, wrapped
from curator.plain import line_of, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.draft import Draft
    from curator.facts import Fact
    from curator.verify import Evidence, Report

_NUMBERS = MEASURED | {FactKind.CONFIG}
_QUIET = Style(dim=True)
_STRONG = Style(bold=True)
_STATED, _EXACT = 18, 20
"""Columns, at most, for a number as it is stated and for its value in full."""


def backing(draft: Draft, report: Report, *, width: int, full: bool) -> Iterator[Text]:
    """The facts behind the numbers of a text; in full, behind anything in it, with where in which record they stand."""
    facts = {fact.id: fact for fact in draft.facts}
    places: dict[tuple[str, tuple[str, ...]], list[Evidence]] = {}
    for each in report.evidence:
        places.setdefault((each.text, each.fact_ids), []).append(each)
    if not places:
        return
    yield Text("Evidence in full" if full else "Evidence for the numbers", style=_STRONG)
    if full:
        for same in places.values():
            yield from _in_full(same, facts, draft.text, width)
    else:
        numbers = [same for same in places.values() if _is_number(same[0], facts)]
        yield from _in_short(numbers, facts, draft.text, width)
        if len(places) > len(numbers):
            rest = f"{len(places) - len(numbers)} names, links, commands and the like are backed too"
            yield Text(f"  {rest}; v shows everything", style=_QUIET)
    yield Text()


def _in_short(numbers: Sequence[Sequence[Evidence]], facts: dict[str, Fact], text: str, width: int) -> Iterator[Text]:
    """A row per number: its line, as it is stated, in full where that differs, and its fact; formulas below."""
    rows = []
    for same in numbers:
        stated = one_line(same[0].text)
        fact = next(facts[fact_id] for fact_id in same[0].fact_ids if facts[fact_id].kind in _NUMBERS)
        exact = _exact(fact)
        others = len(same[0].fact_ids) - 1
        name = fact.id + (f" +{others} more" if others else "")
        rows.append(
            (f"{line_of(text, same[0].start):>4}", stated, "" if exact == stated else exact, name, fact.formula)
        )
    stated_width = min(_STATED, max((len(row[1]) for row in rows), default=0))
    exact_width = min(_EXACT, max((len(row[2]) for row in rows), default=0))
    for line, stated, exact, name, formula in rows:
        left = Text.assemble((line, _QUIET), f"  {stated:<{stated_width}}  {exact:<{exact_width}}")
        yield from labelled([(left, Text(name))], width)
        if formula:
            yield from labelled([(" " * 6, Text(f"= {formula}", style=_QUIET))], width)


def _in_full(same: Sequence[Evidence], facts: dict[str, Fact], text: str, width: int) -> Iterator[Text]:
    """One stated thing with every fact behind it, where each stands, and what it is computed from."""
    lines = ", ".join(dict.fromkeys(str(line_of(text, each.start)) for each in same))
    yield from wrapped(Text.assemble("  ", (one_line(same[0].text), _STRONG), (f"  line {lines}", _QUIET)), width)
    for fact in (facts[fact_id] for fact_id in same[0].fact_ids):
        yield from _fact(fact, same[0].text, 2, width)
        for needed in fact.inputs:
            if needed in facts:
                yield from _fact(facts[needed], "", 6, width)


def _fact(fact: Fact, stated: str, indent: int, width: int) -> Iterator[Text]:
    unit = f" {fact.unit}" if fact.unit else ""
    value = "" if _exact(fact) == one_line(stated) else f" = {_exact(fact)}{unit}"
    origin = f"\n= {fact.formula}" if fact.formula else f"  from {fact.source}"
    said = Text.assemble(f"{fact.id}{value}", (origin, _QUIET))
    yield from labelled([(" " * indent, said)], width, gap=0)


def _exact(fact: Fact) -> str:
    return one_line(str(fact.value))


def _is_number(backed: Evidence, facts: dict[str, Fact]) -> bool:
    return any(facts[fact_id].kind in _NUMBERS for fact_id in backed.fact_ids) and any(map(str.isdigit, backed.text))

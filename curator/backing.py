"""What stands behind a checked text, as lines for a terminal: which fact a number is, and where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from curator.marked import labelled, wrapped
from curator.plain import one_line
from curator.stated import exact, stated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.draft import Draft
    from curator.facts import Fact
    from curator.stated import Stated
    from curator.verify import Report

_QUIET = Style(dim=True)
_STRONG = Style(bold=True)
_STATED, _EXACT = 18, 20
"""Columns, at most, for a number as it is stated and for its value in full."""


def backing(draft: Draft, report: Report, *, width: int, full: bool) -> Iterator[Text]:
    """The facts behind the numbers of a text; in full, behind anything in it, with where in which record they stand."""
    things = list(stated(draft, report).values())
    if not things:
        return
    yield Text("Evidence in full" if full else "Evidence for the numbers", style=_STRONG)
    if full:
        facts = {fact.id: fact for fact in draft.facts}
        for thing in things:
            yield from _in_full(thing, facts, width)
    else:
        numbers = [thing for thing in things if thing.is_number]
        yield from _in_short(numbers, width)
        if len(things) > len(numbers):
            rest = f"{len(things) - len(numbers)} names, links, commands and the like are backed too"
            yield Text(f"  {rest}; v shows everything", style=_QUIET)
    yield Text()


def _in_short(numbers: Sequence[Stated], width: int) -> Iterator[Text]:
    """A row per number: its line, as it is stated, in full where that differs, and its fact; formulas below."""
    rows = []
    for thing in numbers:
        shown, value = one_line(thing.text), exact(thing.number)
        others = len(thing.facts) - 1
        name = thing.number.id + (f" +{others} more" if others else "")
        rows.append((f"{thing.lines[0]:>4}", shown, "" if value == shown else value, name, thing.number.formula))
    stated_width = min(_STATED, max((len(row[1]) for row in rows), default=0))
    exact_width = min(_EXACT, max((len(row[2]) for row in rows), default=0))
    for line, shown, value, name, formula in rows:
        left = Text.assemble((line, _QUIET), f"  {shown:<{stated_width}}  {value:<{exact_width}}")
        yield from labelled([(left, Text(name))], width)
        if formula:
            yield from labelled([(" " * 6, Text(f"= {formula}", style=_QUIET))], width)


def _in_full(thing: Stated, facts: dict[str, Fact], width: int) -> Iterator[Text]:
    """One stated thing with every fact behind it, where each stands, and what it is computed from."""
    lines = ", ".join(map(str, thing.lines))
    yield from wrapped(Text.assemble("  ", (one_line(thing.text), _STRONG), (f"  line {lines}", _QUIET)), width)
    for fact in thing.facts:
        yield from _fact(fact, thing.text, 2, width)
        for needed in fact.inputs:
            if needed in facts:
                yield from _fact(facts[needed], "", 6, width)


def _fact(fact: Fact, said_as: str, indent: int, width: int) -> Iterator[Text]:
    unit = f" {fact.unit}" if fact.unit else ""
    value = "" if exact(fact) == one_line(said_as) else f" = {exact(fact)}{unit}"
    origin = f"\n= {fact.formula}" if fact.formula else f"  from {fact.source}"
    said = Text.assemble(f"{fact.id}{value}", (origin, _QUIET))
    yield from labelled([(" " * indent, said)], width, gap=0)

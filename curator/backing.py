"""What stands behind a checked text, as lines for a terminal: which fact each number is, and where that fact comes from."""

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
_STATED, _EXACT = 20, 22
"""Columns for a number as it is stated, and for its value in full."""


def backing(draft: Draft, report: Report, *, width: int, full: bool) -> Iterator[Text]:
    """The facts behind the numbers of a text; in full, behind anything in it, with where in which record they stand."""
    facts = {fact.id: fact for fact in draft.facts}
    places: dict[tuple[str, tuple[str, ...]], list[Evidence]] = {}
    for each in report.evidence:
        places.setdefault((each.text, each.fact_ids), []).append(each)
    shown = [same for same in places.values() if full or _is_number(same[0], facts)]
    if not places:
        return
    yield Text("Evidence in full" if full else "Evidence for the numbers", style=_STRONG)
    for same in shown:
        backed = [facts[fact_id] for fact_id in same[0].fact_ids]
        yield from (_in_full if full else _in_short)(same, backed, facts, draft.text, width)
    if len(places) > len(shown):
        rest = f"  {len(places) - len(shown)} names, links, commands and the like are backed too (v shows everything)"
        yield Text(rest, style=_QUIET)
    yield Text()


def _in_short(
    same: Sequence[Evidence], backed: Sequence[Fact], _: dict[str, Fact], text: str, width: int
) -> Iterator[Text]:
    stated, exact = one_line(same[0].text), _exact(backed[0])
    where = f"= {backed[0].formula}" if backed[0].formula else backed[0].id
    more = f" and {len(backed) - 1} more" if len(backed) > 1 else ""
    left = Text.assemble((f"{line_of(text, same[0].start):>4}  ", _QUIET), f"{stated:<{_STATED}} {exact:<{_EXACT}}")
    yield from labelled([(left, Text.assemble((where + more, _QUIET)))], width, gap=1)


def _in_full(
    same: Sequence[Evidence], backed: Sequence[Fact], facts: dict[str, Fact], text: str, width: int
) -> Iterator[Text]:
    lines = ", ".join(dict.fromkeys(str(line_of(text, each.start)) for each in same))
    yield from wrapped(Text.assemble("  ", (one_line(same[0].text), _STRONG), (f"  line {lines}", _QUIET)), width)
    for fact in backed:
        yield from _fact(fact, same[0].text, 4, width)
        for needed in fact.inputs:
            if needed in facts:
                yield from _fact(facts[needed], "", 8, width)


def _fact(fact: Fact, stated: str, indent: int, width: int) -> Iterator[Text]:
    unit = f" {fact.unit}" if fact.unit else ""
    value = "" if _exact(fact) == one_line(stated) else f" = {_exact(fact)}{unit}"
    yield from wrapped(Text(f"{' ' * indent}{fact.id}{value}"), width)
    said = f"computed as {fact.formula}" if fact.formula else f"at {fact.source}"
    yield from wrapped(Text(f"{' ' * indent}{said}", style=_QUIET), width)


def _exact(fact: Fact) -> str:
    return one_line(str(fact.value))


def _is_number(backed: Evidence, facts: dict[str, Fact]) -> bool:
    return any(facts[fact_id].kind in _NUMBERS for fact_id in backed.fact_ids) and any(map(str.isdigit, backed.text))

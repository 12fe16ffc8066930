"""What a text states that the record backs: each thing once, with its lines and the facts behind it. Shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import MEASURED, FactKind
from curator.plain import line_of, one_line

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.facts import Fact
    from curator.verify import Evidence, Report

type Key = tuple[str, tuple[str, ...]]
"""What two spans of a text have in common that state the same: their characters, and the IDs of their facts."""
_NUMBERS = MEASURED | {FactKind.CONFIG}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    text: str
    """As it stands in the draft."""
    lines: tuple[int, ...]
    """Where, counted from 1."""
    facts: tuple[Fact, ...]
    """Those that have this value; at least one."""

    @property
    def is_number(self) -> bool:
        return any(fact.kind in _NUMBERS for fact in self.facts) and any(map(str.isdigit, self.text))

    @property
    def number(self) -> Fact:
        """The first fact that is a number, where one is."""
        return next(fact for fact in self.facts if fact.kind in _NUMBERS)


def key(evidence: Evidence) -> Key:
    return evidence.text, evidence.fact_ids


def stated(draft: Draft, report: Report) -> dict[Key, Stated]:
    """Everything that is backed, in reading order."""
    facts = {fact.id: fact for fact in draft.facts}
    places: dict[Key, list[Evidence]] = {}
    for each in report.evidence:
        places.setdefault(key(each), []).append(each)
    return {
        (text, fact_ids): Stated(
            text=text,
            lines=tuple(dict.fromkeys(line_of(draft.text, place.start) for place in same)),
            facts=tuple(facts[fact_id] for fact_id in fact_ids),
        )
        for (text, fact_ids), same in places.items()
    }


def exact(fact: Fact) -> str:
    """A fact's value in full, without its unit."""
    return one_line(str(fact.value))

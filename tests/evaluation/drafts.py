"""Drafts of every kind that the template writes from records: those of our own experiments, and perturbed ones.

Knows where a draft states a value, and no kind of error.
"""

from __future__ import annotations

import copy
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from curator.draft import DraftKind
from curator.drafting import make_drafts
from curator.facts import Fact, FactKind, render
from tests.evaluation import records
from tests.evaluation.annotated import states

_ROW = re.compile(r"(?m)^ *\| (?P<run>[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d+)[^|\n]*\|.*$")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_INTERPRETATION = re.compile(
    r"(?m)^- Interpretation:\n  - |^- Result delta:\n  - |^## (?:What happened|What we found|Problem)\n\n(?:- )?"
    r"|^  notes: (?:>-\n    |')?"
)
"""Behind it a kind of draft says in its first sentence what was found."""

KINDS = (DraftKind.LOGBOOK, DraftKind.ISSUE, DraftKind.POST, DraftKind.SESSION)


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """One draft as it was proposed."""

    kind: DraftKind
    text: str
    facts: tuple[Fact, ...]

    @cached_property
    def metrics(self) -> dict[tuple[str, str], Fact]:
        """The last value of each metric, by run and name."""
        ends = (f for f in self.facts if f.kind is FactKind.METRIC and "/metric/" in f.id and f.subject)
        return {(f.subject, f.name): f for f in ends if isinstance(f.value, int | float) and math.isfinite(f.value)}

    @cached_property
    def statuses(self) -> dict[str, str]:
        return {fact.subject: str(fact.value) for fact in self.facts if fact.kind is FactKind.STATUS}

    @cached_property
    def baseline(self) -> str:
        found = re.search(r"the baseline ([A-Z0-9-]+\d)", self.text)
        return found[1] if found else ""

    def of(self, run: str, name: str) -> list[float]:
        """All numbers that the record has of a run's metric: the last, its history, its changes."""
        kinds = {FactKind.METRIC, FactKind.DELTA, FactKind.PERCENT, FactKind.RATIO}
        own = (fact.value for fact in self.facts if fact.subject == run and fact.name == name and fact.kind in kinds)
        return [float(value) for value in own if isinstance(value, int | float)]

    def ranked(self, name: str) -> list[str]:
        """The runs by a metric, the best first; without an order where nobody said which way is better."""
        found = {run: fact for (run, metric), fact in self.metrics.items() if metric == name}
        better = next((fact.better for fact in found.values()), None)
        if better is None:
            return []
        return sorted(found, key=lambda run: float(found[run].value), reverse=better.value == "higher")  # type: ignore[arg-type]

    def with_sentence(self, sentence: str) -> str:
        """The text with a sentence that somebody put before what it says first."""
        return _INTERPRETATION.sub(lambda found: f"{found.group()}{sentence} ", self.text, count=1)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Where a draft states a metric's last value, or the mean over repetitions."""

    draft: Drafted
    start: int
    end: int
    fact: Fact

    @property
    def written(self) -> str:
        return self.draft.text[self.start : self.end]

    def instead(self, number: str) -> str:
        """The draft with another number in this place."""
        return self.draft.text[: self.start] + number + self.draft.text[self.end :]

    def is_wrong(self, number: str) -> bool:
        """Whether nothing that the record has of this run and metric rounds to the number."""
        return number != self.written and not any(
            states(number, value) for value in self.draft.of(self.fact.subject, self.fact.name)
        )


def drafts(thread_name: str, *, kinds: Sequence[DraftKind] = KINDS, seeds: range = range(3)) -> Iterator[Drafted]:
    """A thread's drafts, of the whole sweep and of each run: as recorded, then with every measurement moved."""
    for seed in seeds:
        raw = perturbed(records.table(thread_name), seed) if seed else records.table(thread_name)
        thread, store = records.stored(raw)
        runs = [row["id"] for row in raw["runs"]]
        for each in (False, True):
            for outcome in make_drafts(runs, thread, store, kinds=kinds, each=each):
                if outcome.draft is not None:
                    yield Drafted(kind=outcome.kind, text=outcome.draft.text, facts=tuple(outcome.draft.facts))


def perturbed(raw: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same thread with each measurement moved by up to a fifth."""
    rng, other = random.Random(seed), copy.deepcopy(raw)  # noqa: S311 - no secret
    for row in other["runs"]:
        for name, value in row.get("metrics", {}).items():
            factor = rng.uniform(0.8, 1.2)
            moved = [_moved(each, factor) for each in (value if isinstance(value, list) else [value])]
            row["metrics"][name] = moved if isinstance(value, list) else moved[0]
    return other


def _moved(value: Any, factor: float) -> Any:
    return round(value * factor) if isinstance(value, int) else float(value) * factor


def cells(draft: Drafted) -> list[Cell]:
    """Every value of a metric in the draft's table."""
    found = []
    for row in _ROW.finditer(draft.text):
        for (run, _), fact in draft.metrics.items():
            written = render(fact).split()[0]
            at = row.group().find(f"| {written} ") if run == row["run"] and _NUMBER.fullmatch(written) else -1
            if at >= 0:
                start = row.start() + at + 2
                found.append(Cell(draft=draft, start=start, end=start + len(written), fact=fact))
    return found


def said(draft: Drafted) -> list[Cell]:
    """Every value of a metric, and every mean, that the draft states in a sentence with the metric's name."""
    means = [fact for fact in draft.facts if fact.kind is FactKind.METRIC and not fact.subject]
    found = []
    for fact in (*draft.metrics.values(), *means):
        written = render(fact)
        near = rf"{re.escape(fact.name)}(?:: \S+(?: \([^()]*\))?, at| of)?\s+(?P<value>{re.escape(written)})(?![\d.])"
        for place in re.finditer(near, draft.text):
            if fact.subject and fact.subject not in place.group() and draft.kind is not DraftKind.POST:
                continue
            start = place.start("value")
            found.append(Cell(draft=draft, start=start, end=start + len(written.split()[0]), fact=fact))
    return found

"""What every claim stands on: the facts, the runs behind them, and the log lines that may be quoted.

Knows no kind of claim.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict  # noqa: TID253 - a claim is what a model answers; loaded with the drafter

from curator.drafters import wording
from curator.facts import Fact, FactKind, number, percent
from marin_research.compare import compare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curator.evidence import Evidence, Subject
    from marin_research.compare import Difference
    from marin_research.record import Run


class RefusedError(Exception):
    """The facts contradict a claim, or do not bear on it; the message tells the model what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A claim in words, all of them from code."""

    text: str
    derived: tuple[Fact, ...] = ()
    """Facts that were computed for it."""
    uses: tuple[str, ...] = ()
    """IDs of the facts it says, for the draft's evidence."""


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What may be claimed of some runs."""

    evidence: Evidence
    more: Mapping[str, Fact] = field(default_factory=dict)
    """Facts beside those of the evidence: of earlier runs and of similar failures."""
    earlier: tuple[Run, ...] = ()
    """Runs of the thread's launch before this one."""

    def fact(self, fact_id: str, *kinds: FactKind) -> Fact:
        """The fact with that ID.

        Raises:
            RefusedError: there is none, or it is of another kind.
        """
        found = self.facts.get(fact_id)
        if found is None:
            near = difflib.get_close_matches(fact_id, self.facts, n=1, cutoff=0.8)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise RefusedError(f"there is no fact {fact_id!r}{hint}")
        if kinds and found.kind not in kinds:
            raise RefusedError(f"{fact_id} is a {found.kind} fact; a {' or '.join(kinds)} fact belongs here")
        return found

    def measured(self, fact_id: str) -> Fact:
        """A metric of one run with a finite value.

        Raises:
            RefusedError: it is none.
        """
        found = self.fact(fact_id, FactKind.METRIC)
        if not math.isfinite(number(found)):
            raise RefusedError(f"{fact_id} is {found.value}, which compares with nothing")
        if found.subject not in self.runs:
            raise RefusedError(f"{fact_id} is about no single run")
        return found

    @cached_property
    def facts(self) -> dict[str, Fact]:
        return {**self.more, **self.evidence.facts}

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Every run that facts are about, by ID."""
        shown = [*self.earlier, *(subject.result for subject in self.evidence.subjects)]
        return {run.id: run for run in (*shown, *([self.evidence.baseline] if self.evidence.baseline else []))}

    @cached_property
    def lines(self) -> dict[str, tuple[Fact, str]]:
        """Log lines that may be quoted, by ``<fact ID>#<line>``, each with its fact."""
        found = {}
        for fact in self.evidence.facts.values():
            if fact.kind is FactKind.QUOTE and fact.subject and isinstance(fact.value, str):
                for index, line in enumerate(fact.value.splitlines(), start=1):
                    if line.strip():
                        found[f"{fact.id}#{index}"] = (fact, line)
        return found

    @property
    def baseline(self) -> str:
        return self.evidence.baseline.id if self.evidence.baseline else ""

    def subject(self, run_id: str) -> Subject | None:
        """What the write-up knows of a run; None for the baseline of another launch and for earlier runs."""
        return next((s for s in self.evidence.subjects if run_id in (s.run.id, s.result.id)), None)

    def name(self, run_id: str, more: str = "") -> str:
        """``the baseline LR-001``, ``LR-003 (learning_rate=0.06)``, and in the brackets whatever more is to be said."""
        subject = self.subject(run_id) if run_id != self.baseline else None
        value = wording.axis_value(subject, self.evidence.axis) if subject and self.evidence.axis else ""
        brackets = "; ".join(part for part in (value, more) if part)
        role = "the baseline " if run_id == self.baseline else ""
        return f"{role}{run_id}" + (f" ({brackets})" if brackets else "")

    def change(self, value: Fact, reference: Fact) -> Fact | None:
        """The relative change between two facts; None where there is none, as against zero."""
        known = self.facts.get(f"{value.subject}/percent/{value.name}")
        if known is not None and known.inputs == (value.id, reference.id):
            return known
        if number(reference) == 0:
            return None
        fact_id = f"{value.subject}/percent-against-{reference.subject}/{_path(value)}"
        return percent(value, reference, fact_id=fact_id)

    def noise(self, name: str) -> float | None:
        """How far repeating the baseline moves a metric, in %; None where nothing was repeated."""
        metric = next((m for m in wording.primary_metrics(self.evidence) if m.name == name), None)
        found = wording.noise(self.evidence, metric) if metric is not None else None
        return abs(number(found)) if found is not None else None

    def unfair(self, run_id: str, reference: str) -> tuple[Difference, ...]:
        """What sets two runs apart beside the tested axis."""
        varied = (*self.evidence.axis, *self.evidence.seeds)
        return compare(self.runs[reference], self.runs[run_id], axis=varied).differences


class Claim(BaseModel):
    """Base of every kind of claim: closed, so that nothing is said on the side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def state(self, grounds: Grounds) -> Statement:
        """The claim in words.

        Raises:
            RefusedError: the facts contradict it or do not bear on it.
        """
        raise NotImplementedError


def same_measure(facts: Sequence[Fact]) -> None:
    """Refuse to set unlike things against each other.

    Raises:
        RefusedError: the facts do not measure one thing, or two of them are of one run.
    """
    if len({_path(fact) for fact in facts}) > 1 or len({fact.unit for fact in facts}) > 1:
        raise RefusedError(f"{' and '.join(fact.id for fact in facts)} do not measure the same")
    if len({fact.subject for fact in facts}) < len(facts):
        raise RefusedError("a run is compared with itself")


def _path(fact: Fact) -> str:
    """A fact's ID without its run: ``metric/eval/loss``."""
    return fact.id.removeprefix(f"{fact.subject}/")

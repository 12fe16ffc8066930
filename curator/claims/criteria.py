"""What a hypothesis comes down to: tests over facts that code can decide. Knows no hypothesis."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field  # noqa: TID253

from curator.causes import DIVERGENCE
from curator.claims.base import RefusedError, same_measure
from curator.claims.comparison import SAME_WITHIN_PERCENT, rivals
from curator.drafters import wording
from curator.facts import FactKind, number, render
from curator.verify.text.units import PERCENT, POINTS
from marin_research.record import Status
from marin_research.thread import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from curator.claims.base import Grounds
    from curator.facts import Fact
    from curator.verify.text.numerals import Numeral


class Decided(BaseModel):
    """How a test came out, in words that claim nothing but what was measured."""

    model_config = ConfigDict(frozen=True)
    holds: bool | None
    """None where the record leaves it open."""
    expected: str
    """Fits behind "it expected"."""
    name: str
    """The metric it is about; empty where it is about none."""
    found: str
    """What was measured, without the metric's name."""
    uses: tuple[str, ...]


class Test(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def decide(self, grounds: Grounds, threshold: Callable[[str], Numeral]) -> Decided:
        """Whether it holds.

        Args:
            grounds: the facts.
            threshold: reads a threshold as the hypothesis words it.

        Raises:
            RefusedError: it cannot be applied to these facts.
        """
        raise NotImplementedError

    @property
    def thresholds(self) -> tuple[str, ...]:
        return ()


class Compared(Test):
    """One run against another by one metric; with a threshold also by how much."""

    test: Literal["compared"]
    value: str = Field(description="the metric fact that is judged")
    reference: str = Field(description="the metric fact of the run it is compared with")
    relation: Literal["better", "worse", "higher", "lower", "same", "not_worse"]
    amount: Literal["any", "at_least", "at_most"] = "any"
    threshold: str = Field(
        default="", description="for at_least and at_most: the amount, word for word as hypothesised"
    )

    def decide(self, grounds: Grounds, threshold: Callable[[str], Numeral]) -> Decided:
        value, reference = grounds.measured(self.value), grounds.measured(self.reference)
        same_measure([value, reference])
        change = grounds.change(value, reference)
        amount = f" ({render(change)})" if change is not None else ""
        than = "as" if self.relation == "same" else "than"
        words = {"same": "the same", "not_worse": "no worse"}.get(self.relation, f"a {self.relation}")
        by = {"any": "", "at_least": f" by at least {self.threshold}", "at_most": f" within {self.threshold}"}
        return Decided(
            holds=self._holds(value, reference, change, grounds, threshold),
            expected=f"{words} {value.name} {than} {reference.subject}{by[self.amount]}",
            name=value.name,
            found=f"{render(value)} for {value.subject} against {render(reference)} for {reference.subject}{amount}",
            uses=(value.id, reference.id),
        )

    def _holds(
        self, value: Fact, reference: Fact, change: Fact | None, grounds: Grounds, threshold: Callable[[str], Numeral]
    ) -> bool | None:
        difference = number(value) - number(reference)
        if self.relation in ("better", "worse", "not_worse") and value.better is None:
            raise RefusedError(f"nobody said which way {value.name} is better; use higher or lower")
        gain = difference if value.better is not Direction.LOWER else -difference
        size = _Size(difference, number(change) if change is not None else None, value.unit)
        limit = threshold(self.threshold) if self.amount != "any" else None
        enough = {
            "any": True,
            "at_least": limit is None or size.reaches(limit),
            "at_most": limit is None or size.within(limit),
        }[self.amount]
        noise = grounds.noise(value.name)
        unclear = noise is not None and change is not None and abs(number(change)) <= noise
        match self.relation:
            case "same":
                if limit is not None:
                    return enough
                return change is not None and abs(number(change)) <= (noise or SAME_WITHIN_PERCENT)
            case "not_worse":
                return gain >= 0 or (limit is not None and enough)
            case "better" | "worse":
                right = gain > 0 if self.relation == "better" else gain < 0
            case _:
                right = difference > 0 if self.relation == "higher" else difference < 0
        return None if unclear else right and enough

    @property
    def thresholds(self) -> tuple[str, ...]:
        return (self.threshold,) if self.amount != "any" else ()


class Reached(Test):
    """A metric against a bound that the hypothesis names."""

    test: Literal["reached"]
    value: str = Field(description="the metric fact that is judged")
    bound: Literal["at_least", "at_most"]
    threshold: str = Field(description="the bound, word for word as hypothesised")

    def decide(self, grounds: Grounds, threshold: Callable[[str], Numeral]) -> Decided:
        value = grounds.measured(self.value)
        limit = threshold(self.threshold)
        amount = float(limit.value) * float(limit.unit.scale if limit.unit else 1)
        own = number(value) * _scale(value)
        return Decided(
            holds=own >= amount if self.bound == "at_least" else own <= amount,
            expected=f"{value.name} of {self.bound.replace('_', ' ')} {self.threshold}",
            name=value.name,
            found=f"{render(value)} for {value.subject}",
            uses=(value.id,),
        )

    @property
    def thresholds(self) -> tuple[str, ...]:
        return (self.threshold,)


class Extreme(Test):
    """A run has the lowest or highest value of all runs of this write-up."""

    test: Literal["extreme"]
    value: str = Field(description="the metric fact that is judged")
    which: Literal["lowest", "highest"]

    def decide(self, grounds: Grounds, threshold: Callable[[str], Numeral]) -> Decided:  # noqa: ARG002 - as its base
        value = grounds.measured(self.value)
        found = rivals(value, grounds)
        if len(found) < 2:
            raise RefusedError(f"only one run has {value.name}")
        extreme, second = sorted(found, key=number, reverse=self.which == "highest")[:2]
        change, noise = grounds.change(second, extreme), grounds.noise(value.name)
        close = noise is not None and change is not None and abs(number(change)) <= noise
        return Decided(
            holds=None if close and value.id in (extreme.id, second.id) else number(extreme) == number(value),
            expected=f"the {self.which} {value.name} of these runs",
            name=value.name,
            found=f"{render(value)} for {value.subject}"
            + ("" if number(extreme) == number(value) else f" and {render(extreme)} for {extreme.subject}"),
            uses=tuple(dict.fromkeys((value.id, extreme.id))),
        )


class Ended(Test):
    """How a run ended."""

    test: Literal["ended"]
    run: str = Field(description="the status fact of the run")
    how: Literal["succeeded", "failed", "diverged"]

    def decide(self, grounds: Grounds, threshold: Callable[[str], Numeral]) -> Decided:  # noqa: ARG002 - as its base
        status = grounds.fact(self.run, FactKind.STATUS)
        run = grounds.runs.get(status.subject)
        if run is None:
            raise RefusedError(f"{self.run} is about no run of this write-up")
        broken = next((f for f in grounds.facts.values() if _is_non_finite(f, run.id)), None)
        blew_up = any(f.run == run.id and f.cause and f.cause.name == DIVERGENCE for f in grounds.evidence.failures)
        # A run that failed of something else might have diverged later.
        diverged = True if broken is not None or blew_up else None if run.status is Status.FAILED else False
        ended = run.status in (Status.SUCCEEDED, Status.FAILED, Status.CACHED)
        failed = run.status is Status.FAILED
        holds = {"succeeded": not failed, "failed": failed, "diverged": diverged}[self.how]
        found = f"status {run.status} for {run.id}" + (f" and {broken.name} {wording.bare(broken)}" if broken else "")
        words = {"succeeded": "success", "failed": "failure", "diverged": "divergence"}[self.how]
        uses = (status.id, *((broken.id,) if broken else ()))
        return Decided(holds=holds if ended else None, expected=words, name="", found=found, uses=uses)


class _Size:
    """The size of a change, to be held against a threshold in whatever unit that has."""

    def __init__(self, difference: float, percent: float | None, unit: str) -> None:
        self._difference = abs(difference)
        self._percent = abs(percent) if percent is not None else None
        self._unit = unit

    def _in(self, limit: Numeral) -> float:
        unit = limit.unit
        if unit is None or unit.dimension == POINTS or (unit.dimension == PERCENT and self._unit == "%"):
            return self._difference
        if unit.dimension == PERCENT:
            if self._percent is None:
                raise RefusedError("the change has no percentage: its reference is zero")
            return self._percent
        return self._difference * _unit_scale(self._unit) / float(unit.scale)

    def reaches(self, limit: Numeral) -> bool:
        return self._in(limit) >= float(limit.value)

    def within(self, limit: Numeral) -> bool:
        return self._in(limit) <= float(limit.value)


def _scale(fact: Fact) -> float:
    return _unit_scale(fact.unit)


def _unit_scale(unit: str) -> float:
    from curator.verify.text.units import parse

    known = parse(unit)
    return float(known.scale if known else Decimal(1))


def _is_non_finite(fact: Fact, run_id: str) -> bool:
    if fact.subject != run_id or fact.kind is not FactKind.METRIC or not isinstance(fact.value, float):
        return False
    return fact.value != fact.value or abs(fact.value) == float("inf")

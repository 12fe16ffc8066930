"""What else a record shows: something odd, what a run took, whether repetitions agree, what is new since last time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field  # noqa: TID253

from curator.claims.base import Claim, Grounds, RefusedError, Statement, same_measure
from curator.claims.comparison import check_verdict
from curator.drafters import wording
from curator.facts import Fact, FactKind, mean, number, render, spread
from marin_research.compare import compare, is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.compare import Difference

_SETTINGS = 4
"""Changed settings that are named in a sentence."""
_REGRESSED_PERCENT = 5.0
"""How far a metric must end behind its own best value to be remarkable."""


class Anomaly(Claim):
    """Something in a run that a reader should know before they trust its numbers."""

    kind: Literal["anomaly"]
    fact: str = Field(description="a metric fact (non_finite, behind_its_best) or count/attempts fact (retried)")
    what: Literal["non_finite", "behind_its_best", "retried"]

    def state(self, grounds: Grounds) -> Statement:
        match self.what:
            case "non_finite":
                return self._non_finite(grounds)
            case "behind_its_best":
                return self._behind_its_best(grounds)
            case _:
                return self._retried(grounds)

    def _non_finite(self, grounds: Grounds) -> Statement:
        fact = grounds.fact(self.fact, FactKind.METRIC)
        if wording.is_finite(fact):
            raise RefusedError(f"{fact.id} is {render(fact)}, which is a finite number")
        return Statement(text=f"{fact.name} of {fact.subject} is {render(fact)}, no finite number.", uses=(fact.id,))

    def _behind_its_best(self, grounds: Grounds) -> Statement:
        last = grounds.measured(self.fact)
        if last.better is None:
            raise RefusedError(f"nobody said which way {last.name} is better")
        which = "minimum" if last.better.value == "lower" else "maximum"
        best = grounds.facts.get(f"{last.subject}/{which}/{last.name}")
        if best is None or not wording.is_finite(best) or not number(best):
            raise RefusedError(f"the record has no {which} of {last.name} for {last.subject}")
        behind = 100 * abs(number(last) - number(best)) / abs(number(best))
        if behind < _REGRESSED_PERCENT:
            raise RefusedError(
                f"{last.name} of {last.subject} ended at {render(last)}, near its {which} {render(best)}"
            )
        text = f"{last.name} of {last.subject} ended at {render(last)} and was at {render(best)} before."
        return Statement(text=text, uses=(last.id, best.id))

    def _retried(self, grounds: Grounds) -> Statement:
        count = grounds.fact(self.fact, FactKind.COUNT)
        if count.name != "attempts" or number(count) < 2:
            raise RefusedError(f"{count.id} is {render(count)}; there was no retry")
        return Statement(text=f"{count.subject} took {render(count)} attempts.", uses=(count.id,))


class Cost(Claim):
    """How long runs took."""

    kind: Literal["cost"]
    durations: list[str] = Field(min_length=1, max_length=8, description="wall-time facts, one run each")

    def state(self, grounds: Grounds) -> Statement:
        facts = [grounds.fact(duration, FactKind.DURATION) for duration in self.durations]
        if len({fact.subject for fact in facts}) < len(facts):
            raise RefusedError("a run is named twice")
        said = [f"{fact.subject} {render(fact)}" for fact in facts]
        return Statement(text=f"Wall time: {wording.listed(said)}.", uses=tuple(fact.id for fact in facts))


class Agreement(Claim):
    """Runs that differ only in seed or repetition, and how far their values lie apart."""

    kind: Literal["agreement"]
    values: list[str] = Field(min_length=2, max_length=8, description="one metric fact of each repetition")

    def state(self, grounds: Grounds) -> Statement:
        facts = [grounds.measured(value) for value in self.values]
        same_measure(facts)
        first = grounds.runs[facts[0].subject]
        for fact in facts[1:]:
            others = [d for d in compare(first, grounds.runs[fact.subject]).differences if not _only_repeats(d)]
            if others:
                raise RefusedError(f"{first.id} and {fact.subject} differ in more than the seed: {others[0].name}")
        path = f"repetitions-of-{first.id}"
        middle = mean(facts, subject=first.id, fact_id=f"{path}/mean/{facts[0].name}")
        apart = spread(facts, subject=first.id, fact_id=f"{path}/stdev/{facts[0].name}")
        ids = wording.listed([fact.subject for fact in facts])
        text = (
            f"{ids} differ only in the seed: mean {facts[0].name} {render(middle)}, standard deviation {render(apart)} "
            f"over {wording.listed([wording.bare(fact) for fact in facts])}{_unit(facts[0])}."
        )
        return Statement(text=text, derived=(middle, apart), uses=tuple(self.values))


class SinceLast(Claim):
    """What is new in a run against a run of the entry before: the settings that changed, and one metric."""

    kind: Literal["since_last"]
    run: str = Field(description="the run fact of a run of this write-up")
    previous: str = Field(description="the run fact of an earlier run")
    metric: str = Field(description="the name of a metric that both measured")
    verdict: Literal["better", "worse", "higher", "lower", "same"]

    def state(self, grounds: Grounds) -> Statement:
        run_id = str(grounds.fact(self.run, FactKind.RUN).value)
        previous_id = str(grounds.fact(self.previous, FactKind.RUN).value)
        if previous_id not in {run.id for run in grounds.earlier}:
            raise RefusedError(f"{previous_id} is of no earlier entry")
        if grounds.subject(run_id) is None:
            raise RefusedError(f"{run_id} is no run of this write-up")
        value = grounds.measured(f"{run_id}/metric/{self.metric}")
        reference = grounds.measured(f"{previous_id}/metric/{self.metric}")
        same_measure([value, reference])
        change = grounds.change(value, reference)
        check_verdict(self.verdict, value, reference, change, grounds)
        differences = compare(grounds.runs[previous_id], grounds.runs[run_id]).differences
        by = f" ({render(change)})" if change is not None else ""
        same = "the same" if self.verdict == "same" else f"a {self.verdict}"
        link = "as" if self.verdict == "same" else "than"
        text = (
            f"New since {previous_id}: {_settings(run_id, previous_id, differences)}. "
            f"{run_id} has {same} {self.metric} {link} {previous_id}: {render(value)} against {render(reference)}{by}."
        )
        derived = (change,) if change is not None and change.id not in grounds.facts else ()
        keys = [difference.key for difference in differences if difference.what == "config"]
        settings = [f"{each}/config/{key}" for key in keys for each in (run_id, previous_id)]
        uses = (self.run, self.previous, value.id, reference.id, *(use for use in settings if use in grounds.facts))
        return Statement(text=text, derived=derived, uses=uses)


def _settings(run_id: str, previous_id: str, differences: Sequence[Difference]) -> str:
    changed = [difference for difference in differences if difference.what == "config"][:_SETTINGS]
    others = list(dict.fromkeys(d.name for d in differences if d.what not in ("config", "command")))[:_SETTINGS]
    said = []
    if changed:
        now = wording.listed([wording.code(f"{difference.key}={difference.run}") for difference in changed])
        then = wording.listed([wording.code(f"{difference.key}={difference.baseline}") for difference in changed])
        said.append(f"{run_id} has {now}, {previous_id} had {then}")
    if others:
        said.append(f"they also differ in {wording.listed(others)}")
    return "; ".join(said) or "no setting"


def _only_repeats(difference: Difference) -> bool:
    return (difference.what == "config" and is_repetition_key(difference.key)) or difference.what == "command"


def _unit(fact: Fact) -> str:
    return f" {fact.unit}" if fact.unit else ""

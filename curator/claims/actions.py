"""What to try next: where a kind of step is named, code words it and checks that the record calls for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field  # noqa: TID253

from curator.claims.base import Claim, Grounds, RefusedError, Statement
from curator.claims.comparison import check_verdict
from curator.drafters import wording
from curator.facts import Fact, FactKind, number, render
from marin_research.record import Status


class Repeat(Claim):
    """Run configs again with another seed."""

    action: Literal["repeat"]
    runs: list[str] = Field(min_length=1, max_length=4, description="run facts")
    why: str = Field(default="", description="prose: what it would settle")

    def state(self, grounds: Grounds) -> Statement:
        ids = [_run(run, grounds) for run in self.runs]
        return Statement(text=f"Repeat {wording.listed(ids)} with another seed.", uses=tuple(self.runs))


class Between(Claim):
    """Try a value of the axis between those of two runs."""

    action: Literal["between"]
    low: str = Field(description="the config fact of one run")
    high: str = Field(description="the config fact of another run, of the same key")
    why: str = Field(default="", description="prose: what it would settle")

    def state(self, grounds: Grounds) -> Statement:
        low, high = _setting(self.low, grounds), _setting(self.high, grounds)
        if low.name != high.name or not number(low) < number(high):
            raise RefusedError(f"{low.id} and {high.id} do not bound a range of one key")
        text = (
            f"Try `{low.name}` between {render(low)} ({low.subject}, {_status(low, grounds)}) "
            f"and {render(high)} ({high.subject}, {_status(high, grounds)})."
        )
        return Statement(text=text, uses=(low.id, high.id))


class Beyond(Claim):
    """Try a value of the axis beyond the last one tried."""

    action: Literal["beyond"]
    value: str = Field(description="the config fact of the run at the end of the axis")
    side: Literal["above", "below"]
    why: str = Field(default="", description="prose: what it would settle")

    def state(self, grounds: Grounds) -> Statement:
        value = _setting(self.value, grounds)
        tried = [
            number(fact)
            for fact in grounds.evidence.facts.values()
            if fact.kind is FactKind.CONFIG and fact.name == value.name and wording.is_finite(fact)
        ]
        end = max(tried) if self.side == "above" else min(tried)
        if number(value) != end:
            raise RefusedError(f"{render(value)} is not the end of what was tried: {end:g} is")
        text = f"Try `{value.name}` {self.side} {render(value)} ({value.subject}), the last value tried."
        return Statement(text=text, uses=(value.id,))


class Adopt(Claim):
    """Make a run the baseline; only for one that is better by the thread's first metric."""

    action: Literal["adopt"]
    run: str = Field(description="run fact")
    why: str = Field(default="", description="prose")

    def state(self, grounds: Grounds) -> Statement:
        run_id = _run(self.run, grounds)
        metrics = wording.primary_metrics(grounds.evidence)
        if not metrics or not grounds.baseline or run_id == grounds.baseline:
            raise RefusedError(f"{run_id} has no baseline to replace")
        value = grounds.measured(f"{run_id}/metric/{metrics[0].name}")
        reference = grounds.measured(f"{grounds.baseline}/metric/{metrics[0].name}")
        check_verdict("better", value, reference, grounds.change(value, reference), grounds)
        repeated = grounds.facts.get("confidence")
        first = "" if repeated is not None and repeated.value != "exploratory" else ", once it is repeated"
        text = f"Make {run_id} the baseline in place of {grounds.baseline}{first}."
        return Statement(text=text, uses=(self.run, value.id, reference.id))


class Suggestion(Claim):
    """Any other next step, in prose."""

    action: Literal["other"]
    why: str = Field(description="prose: what to do and what it would settle")

    def state(self, grounds: Grounds) -> Statement:  # noqa: ARG002 - as its base
        return Statement(text="")


def _run(fact_id: str, grounds: Grounds) -> str:
    run_id = str(grounds.fact(fact_id, FactKind.RUN).value)
    if grounds.subject(run_id) is None and run_id != grounds.baseline:
        raise RefusedError(f"{run_id} is no run of this write-up")
    return run_id


def _setting(fact_id: str, grounds: Grounds) -> Fact:
    fact = grounds.fact(fact_id, FactKind.CONFIG)
    if not wording.is_finite(fact) or isinstance(fact.value, bool):
        raise RefusedError(f"{fact_id} is no number, so nothing lies beyond it")
    if fact.name not in grounds.evidence.axis:
        raise RefusedError(f"these runs do not vary {fact.name}")
    return fact


def _status(fact: Fact, grounds: Grounds) -> str:
    run = grounds.runs.get(fact.subject)
    return str(run.status) if run is not None else str(Status.RUNNING)

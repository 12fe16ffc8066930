"""Runs against a run by one metric, and the best or worst of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field  # noqa: TID253

from curator.claims.base import Claim, Grounds, RefusedError, Statement, same_measure
from curator.drafters import wording
from curator.drafters.interpretation import average
from curator.facts import number, render
from marin_research.record import Status
from marin_research.thread import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.facts import Fact

SAME_WITHIN_PERCENT = 1.0
"""How far apart two values may be and still be called the same, where nothing was repeated to tell."""


class Comparison(Claim):
    """One or more runs differ from (or equal) one reference run by one metric, all in the same way."""

    kind: Literal["comparison"]
    values: list[str] = Field(min_length=1, max_length=6, description="metric facts, one run each")
    reference: str = Field(description="the metric fact of the run they are compared with")
    verdict: Literal["better", "worse", "higher", "lower", "same"]

    def state(self, grounds: Grounds) -> Statement:
        reference = grounds.measured(self.reference)
        values = [grounds.measured(value) for value in self.values]
        same_measure([*values, reference])
        changes = [grounds.change(value, reference) for value in values]
        for value, change in zip(values, changes, strict=True):
            check_verdict(self.verdict, value, reference, change, grounds)
        derived = tuple(change for change in changes if change is not None and change.id not in grounds.facts)
        found = [
            f"{grounds.name(value.subject)} with {_amount(value, change)}"
            for value, change in zip(values, changes, strict=True)
        ]
        metric, whom = reference.name, grounds.name(reference.subject, f"{reference.name} {render(reference)}")
        head = {
            "better": f"Better than {whom}",
            "worse": f"Worse than {whom}",
            "higher": f"Higher {metric} than {grounds.name(reference.subject, render(reference))}",
            "lower": f"Lower {metric} than {grounds.name(reference.subject, render(reference))}",
            "same": f"No different from {whom}",
        }[self.verdict]
        return Statement(
            text=f"{head}: {wording.listed(found)}.{_caveat(values, reference, grounds)}",
            derived=derived,
            uses=(*self.values, self.reference),
        )


class Best(Claim):
    """A run has the best (or worst) value of a metric among all runs of this write-up that succeeded."""

    kind: Literal["best"]
    value: str = Field(description="the metric fact of the run")
    which: Literal["best", "worst"] = "best"

    def state(self, grounds: Grounds) -> Statement:
        value = grounds.measured(self.value)
        found = rivals(value, grounds)
        if len(found) < 2:
            raise RefusedError(f"only one run has {value.name}; nothing is the best of one")
        if value.better is None:
            raise RefusedError(f"nobody said which way {value.name} is better; use a comparison with higher or lower")
        lowest = (value.better is Direction.LOWER) == (self.which == "best")
        best = (min if lowest else max)(found, key=number)
        if number(best) != number(value):
            raise RefusedError(f"the {self.which} {value.name} is {render(best)}, of {best.subject}")
        tied = [other for other in found if number(other) == number(value) and other.id != value.id]
        role = f", level with {wording.listed([other.subject for other in tied])}" if tied else ""
        text = f"{grounds.name(value.subject)} has the {self.which} {value.name} of these runs: {render(value)}{role}."
        repeated = grounds.evidence.repeated_of(value.subject)
        if repeated is not None and repeated.mean.name == value.name:
            # One of several seeds may have been lucky: what all of them gave comes first.
            return Statement(
                text=f"{average(repeated, grounds.evidence)} {_capital(text)}",
                uses=(repeated.mean.id, repeated.spread.id, value.id),
            )
        return Statement(text=_capital(text), uses=(value.id,))


def rivals(value: Fact, grounds: Grounds) -> list[Fact]:
    """The same measure of every run of the write-up that succeeded, baseline included."""
    runs = [s.result for s in grounds.evidence.subjects] + (
        [grounds.evidence.baseline] if grounds.evidence.baseline else []
    )
    ids = dict.fromkeys(run.id for run in runs if run.status is Status.SUCCEEDED)
    suffix = value.id.removeprefix(value.subject)
    found = [grounds.facts[f"{run_id}{suffix}"] for run_id in ids if f"{run_id}{suffix}" in grounds.facts]
    return [fact for fact in found if wording.is_finite(fact)]


def check_verdict(verdict: str, value: Fact, reference: Fact, change: Fact | None, grounds: Grounds) -> None:
    """Hold a verdict against the numbers.

    Raises:
        RefusedError: the verdict on a value against a reference is not what the numbers say.
    """
    difference = number(value) - number(reference)
    said = f"{value.subject} has {value.name} {render(value)}, {reference.subject} {render(reference)}"
    size = abs(number(change)) if change is not None else None
    noise = grounds.noise(value.name)
    if verdict == "same":
        limit = noise if noise is not None else SAME_WITHIN_PERCENT
        if difference and (size is None or size > limit):
            raise RefusedError(f"they differ: {said}, more than the {limit:.1f} % that pass for the same")
        return
    if verdict in ("better", "worse"):
        if value.better is None:
            raise RefusedError(f"nobody said which way {value.name} is better; say higher or lower")
        right = (difference > 0) == (value.better is Direction.HIGHER)
    else:
        right = difference > 0
    wanted = verdict in ("better", "higher")
    if not difference or right != wanted:
        raise RefusedError(f"{value.subject} is not {verdict}: {said}")
    if noise is not None and size is not None and size <= noise and verdict in ("better", "worse"):
        raise RefusedError(f"{said}; repeating the baseline moves it as far, so say same")


def _amount(value: Fact, change: Fact | None) -> str:
    return f"{render(value)} ({render(change)})" if change is not None else render(value)


def _caveat(values: Sequence[Fact], reference: Fact, grounds: Grounds) -> str:
    """What else sets the runs apart, where the write-up does not say it anyway: it does so against the baseline."""
    if reference.subject == grounds.baseline:
        return ""
    names = dict.fromkeys(
        f"`{d.key}`" if d.what in ("config", "environment") else d.name
        for value in values
        for d in grounds.unfair(value.subject, reference.subject)
    )
    return f" Not apples to apples: they also differ in {wording.listed(list(names))}." if names else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

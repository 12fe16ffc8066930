"""How a metric goes along the axis of a sweep."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field  # noqa: TID253

from curator.claims.base import Claim, Grounds, RefusedError, Statement
from curator.drafters import wording
from curator.facts import Fact, FactKind, number, render
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.evidence import Subject

_SAID = {
    "rises": "rises throughout",
    "falls": "falls throughout",
    "flat": "does not change",
    "peak": "goes up, then down",
    "valley": "goes down, then up",
    "irregular": "goes up and down",
}


class Trend(Claim):
    """The course of a metric over a numeric axis, through every run of the sweep that has it."""

    kind: Literal["trend"]
    axis: str = Field(description="the sweep/axis/... fact of the config key that varies")
    metric: str = Field(description="the metric's name")
    shape: Literal["rises", "falls", "flat", "peak", "valley", "irregular"]

    def state(self, grounds: Grounds) -> Statement:
        key = str(grounds.fact(self.axis, FactKind.NAME).value)
        if key not in grounds.evidence.axis or len(grounds.evidence.axis) > 1:
            raise RefusedError(f"these runs do not vary {key} alone; a trend needs a sweep over one axis")
        points = _points(key, self.metric, grounds)
        found = _shape([number(metric) for _, metric in points])
        if found != self.shape:
            course = ", ".join(f"{render(metric)} at {render(value)}" for value, metric in points)
            raise RefusedError(f"{self.metric} {_SAID[found]} ({found}): {course}")
        values = wording.listed([wording.bare(metric) for _, metric in points])
        unit = f" {points[0][1].unit}" if points[0][1].unit else ""
        span = f"from {render(points[0][0])} to {render(points[-1][0])}"
        text = f"Over `{key}` {span}, {self.metric} {_SAID[found]}: {values}{unit}."
        broken = [subject for subject in grounds.evidence.subjects if subject.run.status is Status.FAILED]
        return Statement(
            text=text + _without(broken, key, grounds),
            uses=tuple(fact.id for point in points for fact in point),
        )


def _points(key: str, metric: str, grounds: Grounds) -> list[tuple[Fact, Fact]]:
    """The axis value and the metric of every run that succeeded, along the axis."""
    points = []
    for subject in grounds.evidence.subjects:
        run_id = subject.result.id
        value, measured = grounds.evidence.fact(run_id, "config", key), grounds.evidence.fact(run_id, "metric", metric)
        if subject.result.status is not Status.SUCCEEDED or value is None or measured is None:
            continue
        if isinstance(value.value, bool) or not isinstance(value.value, int | float):
            raise RefusedError(f"{key} is no number, so it has no order to go along; compare single runs instead")
        if wording.is_finite(measured):
            points.append((value, measured))
    points.sort(key=lambda point: number(point[0]))
    if len(points) < 3 or len({number(value) for value, _ in points}) < len(points):
        raise RefusedError(f"fewer than three runs with different {key} measured {metric}; compare single runs instead")
    return points


def _shape(values: Sequence[float]) -> str:
    signs = [(b > a) - (b < a) for a, b in pairwise(values)]
    moves = [sign for sign in signs if sign]
    turns = sum(a != b for a, b in pairwise(moves))
    if not moves:
        return "flat"
    if len(moves) < len(signs) or turns > 1:
        return "irregular"
    if turns == 0:
        return "rises" if moves[0] > 0 else "falls"
    return "peak" if moves[0] > 0 else "valley"


def _without(broken: Sequence[Subject], key: str, grounds: Grounds) -> str:
    """The runs of the sweep that are no point of the course because they failed."""
    said = [
        f"{subject.run.id} (`{key}={render(value)}`)"
        for subject in broken
        if (value := grounds.evidence.fact(subject.result.id, "config", key)) is not None
    ]
    return f" {wording.listed(said)} failed and {'is' if len(said) == 1 else 'are'} left out." if said else ""

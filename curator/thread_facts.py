"""What a thread's file says, as facts: for texts that introduce the thread rather than report a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import Fact, FactKind

if TYPE_CHECKING:
    from marin_research.thread import PrimaryMetric, Thread


def declared_facts(thread: Thread) -> list[Fact]:
    """The goal, the primary metrics, the constraints and the stop criteria, as they were written."""
    said = [
        *([("goal", thread.goal, "goal")] if thread.goal else []),
        *((f"metric/{n}", _metric(metric), f"metrics.{n}") for n, metric in enumerate(thread.metrics)),
        *((f"constraint/{n}", text, f"constraints.{n}") for n, text in enumerate(thread.constraints)),
        *((f"stop/{n}", text, f"stop_criteria.{n}") for n, text in enumerate(thread.stop_criteria)),
    ]
    return [
        Fact(id=f"thread/{name}", kind=FactKind.TEXT, value=" ".join(text.split()), source=f"thread file: {where}")
        for name, text, where in said
    ]


def _metric(metric: PrimaryMetric) -> str:
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{metric.name} ({metric.direction} is better{unit})"

"""The update for a thread in which nothing ended for a while: what runs, since when, and what it last said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.facts import render
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.evidence import Evidence, Subject


def heartbeat_text(evidence: Evidence) -> str:
    """The comment, as Markdown.

    Args:
        evidence: the runs that have not ended, and their facts.
    """
    thread = evidence.thread
    marker = f"{thread.agent_marker} " if thread.agent_marker else ""
    interrupted = [subject for subject in evidence.subjects if len(subject.run.attempts) > 1]
    lines = [
        f"{marker}Update: {wording.id_range(evidence.runs)} in progress",
        "",
        "- Status:",
        *(f"  - {_status(evidence, subject)}" for subject in evidence.subjects),
        "- Blockers:",
        *(f"  - {_interruption(evidence, subject)}" for subject in interrupted),
        *([] if interrupted else ["  - none that the record shows"]),
        "- Links:",
        f"  - W&B: {wording.wandb(evidence)}",
        "- Next:",
        "  - To fill in: when is the next result expected?",
    ]
    return "\n".join(lines) + "\n"


def _status(evidence: Evidence, subject: Subject) -> str:
    run = subject.run
    time = evidence.fact(run.id, "time")
    value = wording.axis_value(subject, evidence.axis)
    named = f"{run.id} ({value})" if value else run.id
    since = f" since {_minute(render(time))}" if time else ""
    said = ", ".join(_measured(evidence, subject)) or "nothing measured yet"
    state = "runs" if run.status is Status.RUNNING else run.status
    return f"{named} {state}{since}; {said}; devices: {wording.devices(run)}"


def _measured(evidence: Evidence, subject: Subject) -> Iterator[str]:
    for metric in wording.primary_metrics(evidence):
        fact = evidence.fact(subject.run.id, "metric", metric.name)
        if fact is not None:
            yield f"{metric.name} {render(fact)} so far"


def _interruption(evidence: Evidence, subject: Subject) -> str:
    count = evidence.fact(subject.run.id, "count", "attempts")
    return f"{subject.run.id} was started again: {render(count) if count else 'several'} attempts"


def _minute(time: str) -> str:
    """``2026-11-22 12:00 UTC``."""
    return f"{time[:10]} {time[11:16]} UTC"

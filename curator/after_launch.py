"""What the curator does when a launch is over: it drafts, and says what waits for review."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curator.drafting import Outcome, make_drafts
from curator.living import SECTIONS
from curator.plain import model_line
from marin_research.store import RecordStore
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from marin_research.hooks import LaunchDetails


def draft_launch(details: LaunchDetails) -> None:
    """Draft the write-up of a launch's runs.

    Raises:
        MarinResearchError: it cannot be drafted; the records are safe.
    """
    store = RecordStore(details.root)
    outcomes = make_drafts(details.runs, find_thread(details.topic, store), store, drafter=details.drafter)
    click.echo(report(outcomes, details.topic), err=True)


def report(outcomes: list[Outcome], topic: str) -> str:
    """What was drafted, what was not and why, and what to do next."""
    lines = []
    for outcome in outcomes:
        if outcome.draft is not None:
            again = " (there already)" if outcome.reused else ""
            instead = f", in place of {', '.join(outcome.superseded)}" if outcome.superseded else ""
            lines.append(f"drafted {outcome.draft.id}  {outcome.kind}: {outcome.draft.title}{again}{instead}")
    lines += _none_lines(outcomes)
    if any(outcome.draft is not None for outcome in outcomes):
        lines.append(f"read and approve: curator review {topic}")
    return "\n".join([*lines, *_model_lines(outcomes)])


def _none_lines(outcomes: list[Outcome]) -> list[str]:
    """What there is no draft of, each reason said once for all sections that it keeps from being drafted."""
    by_reason: dict[tuple[str, str | None], list[str]] = {}
    for outcome in outcomes:
        if outcome.draft is None:
            by_reason.setdefault((outcome.kind, outcome.why_none), []).append(outcome.title)
    return [
        f"no {kind} draft{f' ({", ".join(dict.fromkeys(titles))})' if kind in SECTIONS else ''}: {why}"
        for (kind, why), titles in by_reason.items()
    ]


def _model_lines(outcomes: list[Outcome]) -> list[str]:
    """How a model took part, said once for all drafts that it wrote together."""
    return list(dict.fromkeys(model_line(outcome.writing) for outcome in outcomes if outcome.writing is not None))

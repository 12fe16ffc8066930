"""When the experiment issue is due an update: at every milestone, and after six hours without one while something runs.

Pure: it is told what ran and what was said. A milestone is a run that came to an end and is in no update yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from curator.draft import DROPPED, Draft, DraftKind, DraftStatus
from curator.log import Decision, LogEntry
from marin_research.record import Run, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SILENCE = timedelta(hours=6)
_SAID = frozenset({DraftKind.ISSUE, DraftKind.KICKOFF, DraftKind.CLOSING})
_ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.LOST, Status.PREEMPTED})


class Reason(StrEnum):
    MILESTONE = "milestone"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An update that readers of the issue wait for."""

    reason: Reason
    runs: tuple[str, ...]
    """That ended, or that still run."""
    since: datetime
    """The last thing said, or the first thing done if nothing was."""


def due(runs: Sequence[Run], drafts: Sequence[Draft], log: Sequence[LogEntry], now: datetime) -> Due | None:
    """Whether an update is due.

    Args:
        runs: of the thread.
        drafts: of the thread; an update that waits for its approval is as good as said.
        log: every decision.
        now: the time.
    """
    if not runs:
        return None
    said = [draft for draft in drafts if draft.kind in _SAID]
    if any(draft.kind is DraftKind.CLOSING and draft.status is DraftStatus.PUBLISHED for draft in said):
        return None  # nobody waits for updates of an issue that is closed
    updates = [draft for draft in said if draft.status not in DROPPED]
    since = max(
        [min(run.declared for run in runs), *_times(updates, log)],
        default=now,
    )
    told = {run for draft in updates for run in draft.runs}
    ended = tuple(run.id for run in runs if run.status in _ENDED and run.id not in told)
    if ended:
        return Due(reason=Reason.MILESTONE, runs=ended, since=since)
    running = tuple(run.id for run in runs if run.status is Status.RUNNING)
    if running and now - since >= LONGEST_SILENCE:
        return Due(reason=Reason.SILENCE, runs=running, since=since)
    return None


def _times(updates: Sequence[Draft], log: Sequence[LogEntry]) -> list[datetime]:
    """When updates went out, or were written if they still wait."""
    ids = {draft.id for draft in updates}
    out = [entry.time for entry in log if entry.draft in ids and entry.decision is Decision.PUBLISHED]
    return out + [draft.created for draft in updates if draft.status is not DraftStatus.PUBLISHED]

"""What the log of decisions knows and is told of one publication. Knows no place."""

from __future__ import annotations

import platform
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from curator.errors import NotYetError
from curator.log import Decision, LogEntry

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.queue import DraftQueue

_UNDER_WAY = timedelta(minutes=10)
"""So long a publication that another machine began and did not end is taken to be under way there."""


class Journal:
    """The log of decisions, as far as one text is concerned."""

    def __init__(self, queue: DraftQueue, draft: Draft, by: str) -> None:
        self._queue = queue
        self._draft = draft
        self._by = by

    def begun(self) -> list[str]:
        """SHA-256 of every text of this draft whose publication was begun."""
        return [entry.sha256 for entry in self._entries() if entry.decision is Decision.PUBLISHING]

    def require_alone(self) -> None:
        """Return unless another machine is at it; programs on this one wait for each other.

        Raises:
            NotYetError: another machine began a moment ago and has not ended.
        """
        last = next(reversed(self._entries()), None)
        if last is None or last.decision is not Decision.PUBLISHING or last.machine in ("", platform.node()):
            return
        if datetime.now(UTC) - last.time < _UNDER_WAY:
            minutes = int(_UNDER_WAY.total_seconds()) // 60
            raise NotYetError(
                f"{last.by} is publishing {self._draft.id} on {last.machine} since {last.time:%H:%M} UTC; "
                f"if that program is dead, publish again {minutes} minutes after it began"
            )

    def write(self, decision: Decision, *, why: str | None = None, link: str | None = None) -> None:
        self._queue.log.append(
            LogEntry(
                decision=decision,
                draft=self._draft.id,
                sha256=self._draft.sha256,
                time=datetime.now(UTC),
                by=self._by,
                why=why,
                link=link,
                machine=platform.node() if decision is Decision.PUBLISHING else "",
            )
        )

    def _entries(self) -> list[LogEntry]:
        return [entry for entry in self._queue.log.entries() if entry.draft == self._draft.id]

"""What watching a store comes to: launches that ended are written up, and updates that are due are drafted.

Publishes nothing. Whatever goes wrong with one thread is said and does not keep the others from being looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from curator.after_launch import report
from curator.cadence import Due, Reason, due
from curator.draft import DraftKind
from curator.drafters.wording import listed
from curator.drafting import draft_heartbeat, make_drafts
from curator.plain import when
from curator.queue import DraftQueue
from marin_research.errors import MarinResearchError
from marin_research.record import Run, Status
from marin_research.thread import Thread, find_thread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from marin_research.store import RecordStore


class Watcher(Protocol):
    """Something that is looked after while a store is watched."""

    def look(self, now: datetime) -> list[str]:
        """Do what has to be done by now; gives the lines to print."""


@dataclass(slots=True)
class ThreadWatcher:
    """The threads of one store."""

    store: RecordStore
    topics: Sequence[str] = ()
    """Those to look at; all of them unless given."""
    drafter: str = "template"
    _done: set[str] = field(default_factory=set)
    """Launches that were looked at."""

    def look(self, now: datetime) -> list[str]:
        lines = []
        for topic in self.topics or self.store.topics():
            try:
                lines += self._look_at(find_thread(topic, self.store), now)
            except MarinResearchError as error:
                lines.append(f"{topic}: {error}")
        return lines

    def _look_at(self, thread: Thread, now: datetime) -> list[str]:
        queue = DraftQueue(self.store)
        runs = [run for run in self.store.runs(thread.prefix) if run.thread == thread.topic]
        lines = self._write_up(runs, thread, queue)
        late = due(runs, queue.all(thread.topic), queue.log.entries(), now)
        if late is None:
            return lines
        if late.reason is Reason.MILESTONE:
            return [*lines, due_line(late, thread)]
        draft = draft_heartbeat(late.runs, thread, self.store)
        return [
            *lines,
            f"{due_line(late, thread)}; drafted {draft.id}, read and approve: curator review {thread.topic}",
        ]

    def _write_up(self, runs: Sequence[Run], thread: Thread, queue: DraftQueue) -> list[str]:
        """Draft what nobody has drafted of the launches that are over."""
        drafted = {run for draft in queue.all(thread.topic) if draft.kind is DraftKind.LOGBOOK for run in draft.runs}
        lines = []
        for launch in dict.fromkeys(run.launch for run in runs):
            of_launch = [run for run in runs if run.launch == launch]
            over = all(run.status is not Status.RUNNING for run in of_launch)
            if launch in self._done or not over or any(run.id in drafted for run in of_launch):
                continue
            outcomes = make_drafts([run.id for run in of_launch], thread, self.store, drafter=self.drafter)
            lines.append(report(outcomes, thread.topic))
            self._done.add(launch)
        return lines


def due_line(late: Due, thread: Thread) -> str:
    """An update that is due, in words."""
    what = "ended" if late.reason is Reason.MILESTONE else "in progress"
    ids = listed(list(late.runs))
    return f"{thread.topic}: an update of the issue is due ({ids} {what}; nothing was said since {when(late.since)})"

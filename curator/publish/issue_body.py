"""Puts an approved section into the body of the experiment issue, where nobody changed it since it was drafted.

Everything else in the body stays as people wrote it, byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.errors import PublicationError
from curator.publish.destination import Change, Found, Out
from curator.publish.diff import unified
from curator.publish.marker import marker
from curator.publish.tracker import Tracker, body_of, open_tracker, require_issue
from marin_research.errors import LogbookError
from marin_research.logbook.sections import plan_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.draft import Draft
    from curator.publish.destination import Context
    from curator.review import Approved


class IssueBodyPlace:
    """The bodies of experiment issues."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._planned: dict[str, str] = {}
        """The bodies as the plans so far leave them, by issue."""

    def ready(self, licence: Approved) -> None:
        tracker = open_tracker(licence.draft, self._context)
        if not self._context.dry:
            tracker.github.require_token()
        self._text(licence.draft, tracker)

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        tracker = open_tracker(licence.draft, self._context)
        body = self._body(tracker)
        mark = next((mark for mark in markers if mark in body), None)
        return Found(marker=mark, link=tracker.thread.issue) if mark else None

    def is_gone(self, draft: Draft) -> bool:
        require_issue(draft.link or draft.target, self._context)
        return False

    def plan(self, licence: Approved) -> Change:
        tracker = open_tracker(licence.draft, self._context)
        before = self._body(tracker)
        after, note = self._changed(licence.draft, tracker, before)
        self._planned[str(tracker.address)] = after
        name = tracker.thread.issue.partition("//")[2]
        return Change(link=tracker.thread.issue, diff=unified(name, before.encode(), after.encode()), note=note)

    def carry_out(self, licence: Approved) -> Out:
        tracker = open_tracker(licence.draft, self._context)
        # Read once more right before it is written: GitHub has no condition to write on.
        body, note = self._changed(licence.draft, tracker, tracker.github.issue(tracker.address).body)
        tracker.github.edit_issue(tracker.address, body=body)
        return Out(link=tracker.thread.issue, note=note)

    def _changed(self, draft: Draft, tracker: Tracker, body: str) -> tuple[str, str | None]:
        text, mark = self._text(draft, tracker), marker(draft.id, draft.sha256)
        try:
            planned = plan_section(body.encode(), text, replaces=draft.replaces, marker=mark)
        except LogbookError as error:
            raise PublicationError(f"{tracker.thread.issue}: {error}") from error
        note = planned.note.replace("the logbook", "the issue") if planned.note else None
        return planned.data.decode(), note

    def _body(self, tracker: Tracker) -> str:
        planned = self._planned.get(str(tracker.address))
        return tracker.github.issue(tracker.address).body if planned is None else planned

    def _text(self, draft: Draft, tracker: Tracker) -> str:
        return body_of(draft, tracker.thread, self._context, stands_on_entries=False)

"""Ends an experiment issue: posts the approved final summary as a comment, then closes the issue. Each happens once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, override

from curator.errors import NotYetError
from curator.publish.comment import CommentPlace
from curator.publish.destination import Out
from curator.publish.marker import marker
from curator.publish.tracker import open_tracker
from marin_research.logbook.sections import find_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.publish.destination import Change, Found
    from curator.review import Approved

CONCLUSION = "Conclusion"


class ClosingPlace(CommentPlace):
    """The ends of experiment issues."""

    @override
    def ready(self, licence: Approved) -> None:
        super().ready(licence)
        tracker = open_tracker(licence.draft, self._context)
        section = find_section(tracker.github.issue(tracker.address).body.encode(), CONCLUSION)
        if section is None or len(section.text.splitlines()) < 2:
            raise NotYetError(
                f"{tracker.thread.issue} has no conclusion in its body yet; "
                f"`curator draft {tracker.thread.topic} --kind issue-body` drafts one"
            )
        if "To decide:" in section.text:
            raise NotYetError(f"the conclusion in the body of {tracker.thread.issue} still asks what is to be decided")

    @override
    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        found = super().find(licence, markers)
        return replace(found, complete=self._is_closed(licence)) if found else None

    @override
    def plan(self, licence: Approved) -> Change:
        return replace(super().plan(licence), note="the issue will be closed as completed")

    @override
    def carry_out(self, licence: Approved) -> Out:
        draft = licence.draft
        found = super().find(licence, [marker(draft.id, draft.sha256)])
        out = super().carry_out(licence) if found is None else Out(link=found.link)
        tracker = open_tracker(draft, self._context)
        tracker.github.edit_issue(tracker.address, state="closed", state_reason="completed")
        return out

    def _is_closed(self, licence: Approved) -> bool:
        tracker = open_tracker(licence.draft, self._context)
        return tracker.github.issue(tracker.address).state == "closed"

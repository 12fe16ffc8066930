"""Posts an approved text as a comment of the experiment issue, once, when the entries that support it are out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from curator.draft import Draft, DraftKind
from curator.errors import PublicationError
from curator.publish.destination import Change, Found, Out
from curator.publish.diff import unified
from curator.publish.marker import marker
from curator.publish.tracker import Tracker, body_of, is_deleted, marked_body, open_tracker
from marin_research.codec import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.github.model import Comment
    from curator.publish.destination import Context
    from curator.review import Approved

_SKEW = timedelta(days=1)
"""No clock is wrong by more; a draft's comment is not older than the draft."""


class CommentPlace:
    """The comments of experiment issues."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ready(self, licence: Approved) -> None:
        tracker = open_tracker(licence.draft, self._context)
        if not self._context.dry:
            tracker.github.require_token()
        self._text(licence.draft, tracker)

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        for mark, comments in comments_with(open_tracker(licence.draft, self._context), licence.draft, markers).items():
            if comments:
                return Found(marker=mark, link=comments[0].url)
        return None

    def is_gone(self, draft: Draft) -> bool:
        return is_deleted(draft.link or draft.target, self._context)

    def plan(self, licence: Approved) -> Change:
        tracker = open_tracker(licence.draft, self._context)
        body = marked_body(licence.draft, self._text(licence.draft, tracker))
        link = f"{tracker.thread.issue}#issuecomment-new"
        return Change(link=tracker.thread.issue, diff=unified(link.partition("//")[2], b"", body.encode()))

    def carry_out(self, licence: Approved) -> Out:
        draft = licence.draft
        tracker = open_tracker(draft, self._context)
        posted = tracker.github.create_comment(tracker.address, marked_body(draft, self._text(draft, tracker)))
        return remove_copies(posted, tracker, draft)

    def _text(self, draft: Draft, tracker: Tracker) -> str:
        is_entry = draft.kind is DraftKind.LOGBOOK  # of a thread whose logbook is the issue itself
        return body_of(draft, tracker.thread, self._context, stands_on_entries=not is_entry)


def comments_with(tracker: Tracker, draft: Draft, markers: Sequence[str]) -> dict[str, list[Comment]]:
    """The comments that hold one of the markers, oldest first."""
    found: dict[str, list[Comment]] = {mark: [] for mark in markers}
    for comment in tracker.github.comments(tracker.address, since=format_time(draft.created - _SKEW)[:19] + "Z"):
        for mark in markers:
            if mark in comment.body:
                found[mark].append(comment)
    return found


def remove_copies(posted: Comment, tracker: Tracker, draft: Draft) -> Out:
    """Delete the later ones of several comments with this draft's marker: some proxy sent the request twice.

    Args:
        posted: the one of which the answer spoke; it may be one of those that go.
        tracker: its issue.
        draft: what was posted.

    Returns:
        The one that stays, and what to know about it.
    """
    mark = marker(draft.id, draft.sha256)
    comments = comments_with(tracker, draft, [mark])[mark] or [posted]
    copies = [each for each in comments[1:] if (each.body, each.author) == (comments[0].body, comments[0].author)]
    if not copies:
        return Out(link=posted.url)
    try:
        for copy in copies:
            tracker.github.delete_comment(tracker.address.repository, copy.id)
    except PublicationError as error:
        note = f"it was carried out {len(comments)} times; delete the others by hand ({error})"
    else:
        note = "the request was carried out more than once; the copies were deleted"
    return Out(link=comments[0].url, note=note)

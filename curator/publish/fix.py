"""Corrects a comment that the curator posted: formatting, escaping, a mistake. History is not rewritten otherwise.

Only a comment that still stands as it was when the correction was drafted is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.errors import PublicationError
from curator.github.address import parse_comment, parse_issue
from curator.publish.destination import Change, Found, Out
from curator.publish.diff import unified
from curator.publish.marker import MARKER, marker
from curator.publish.tracker import client, is_deleted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.draft import Draft
    from curator.github.address import Repository
    from curator.github.client import GitHub
    from curator.github.model import Comment
    from curator.publish.destination import Context
    from curator.review import Approved


class FixPlace:
    """The comments that were posted before."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ready(self, licence: Approved) -> None:
        github, _, _ = self._comment_of(licence.draft)
        if not self._context.dry:
            github.require_token()

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        comment = self._read(licence.draft)
        mark = next((mark for mark in markers if mark in comment.body), None)
        return Found(marker=mark, link=comment.url) if mark else None

    def is_gone(self, draft: Draft) -> bool:
        return is_deleted(draft.target, self._context)

    def plan(self, licence: Approved) -> Change:
        comment = self._read(licence.draft)
        after = _corrected(licence.draft, comment)
        return Change(link=comment.url, diff=unified(comment.url, comment.body.encode(), after.encode()))

    def carry_out(self, licence: Approved) -> Out:
        github, repository, comment_id = self._comment_of(licence.draft)
        comment = self._read(licence.draft)
        return Out(link=github.edit_comment(repository, comment_id, _corrected(licence.draft, comment)).url)

    def _read(self, draft: Draft) -> Comment:
        github, repository, comment_id = self._comment_of(draft)
        return github.comment(repository, comment_id)

    def _comment_of(self, draft: Draft) -> tuple[GitHub, Repository, int]:
        repository = parse_issue(draft.target).repository
        return client(repository.host, self._context), repository, parse_comment(draft.target)


def plain_body(body: str) -> str:
    """A comment's text without the markers of what was published into it."""
    return MARKER.sub("", body).strip()


def _corrected(draft: Draft, comment: Comment) -> str:
    if draft.replaces is None or plain_body(comment.body) != draft.replaces.strip():
        raise PublicationError(
            f"{comment.url} is not what it was when its correction was written; look at both and write it again"
        )
    kept = [found.group() for found in MARKER.finditer(comment.body)]
    return "\n".join([draft.text.strip(), "", *kept, marker(draft.id, draft.sha256), ""])

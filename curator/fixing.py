"""Corrections of comments that are out, as drafts like any other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.draft import Draft, DraftKind, DraftStatus
from curator.errors import RefusedError
from curator.facts import Fact, FactKind
from curator.github.address import parse_comment, parse_issue
from curator.publish.destination import Context
from curator.publish.fix import plain_body
from curator.publish.tracker import client

if TYPE_CHECKING:
    from curator.queue import DraftQueue

_COMMENTS = frozenset({DraftKind.ISSUE, DraftKind.CLOSING, DraftKind.FIX, DraftKind.LOGBOOK})
_URL = re.compile(r"https?://[^\s)\]>]+")


def read_posted(posted: Draft, queue: DraftQueue) -> str:
    """The text of a comment as it stands on GitHub now.

    Raises:
        RefusedError: the draft is not out, or no comment.
        PublicationError: GitHub does not give it.
    """
    if posted.kind not in _COMMENTS or "#issuecomment-" not in (posted.link or ""):
        if posted.status is not DraftStatus.PUBLISHED:
            raise RefusedError(f"{posted.id} is not out; change it with `curator edit {posted.id}`")
        raise RefusedError(f"{posted.id} is no comment ({posted.link}); what is out there is corrected by a new entry")
    link = posted.link or ""
    repository = parse_issue(link).repository
    return (
        plain_body(client(repository.host, Context(queue=queue)).comment(repository, parse_comment(link)).body) + "\n"
    )


def draft_fix(posted: Draft, before: str, after: str, queue: DraftQueue, *, by: str) -> Draft:
    """Keep a correction as a draft.

    Args:
        posted: the draft whose comment it is.
        before: the comment as it stands.
        after: what it is to say.
        queue: where drafts live.
        by: who wrote it.
    """
    links = tuple(
        Fact(id=f"posted/{number}", kind=FactKind.LINK, value=url, source=f"the comment as it was: {posted.link}")
        for number, url in enumerate(dict.fromkeys(_URL.findall(before)))
    )
    return queue.propose(
        posted.id.partition("-D")[0],
        kind=DraftKind.FIX,
        thread=posted.thread,
        runs=posted.runs,
        title=f"correction of {posted.id}",
        target=posted.link or "",
        text=after,
        facts=(*posted.facts, *links),
        drafter=by,
        replaces=before,
    )

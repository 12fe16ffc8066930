"""Carries out approvals: which drafts go out, in which order, and what became of each. Knows no place to write to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from curator.draft import Draft, DraftKind, DraftStatus
from curator.errors import PublicationError, RefusedError
from curator.publish import logbook
from curator.review import approved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from curator.queue import DraftQueue

_WAITS = {
    DraftKind.ISSUE: "issue comments are not posted by this version",
    DraftKind.ISSUE_BODY: "issue bodies are not written by this version",
    DraftKind.POST: "forum posts are not sent by this version",
    DraftKind.SESSION: "session reports are not sent by this version",
}


class Outcome(StrEnum):
    """What became of an approved draft."""

    PUBLISHED = "published"
    ALREADY = "already"  # it was out before
    WAITS = "waits"  # nothing in this version can publish its kind
    FAILED = "failed"
    PLANNED = "planned"  # a dry run: it would be published


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What became of one draft."""

    draft: str
    kind: DraftKind
    outcome: Outcome
    link: str | None = None
    """``path:line`` of what is out."""
    why: str | None = None
    """Why it waits or failed, and what to do; or a remark on the place that was chosen."""
    diff: str | None = None
    """What a dry run would change."""


def publishable(queue: DraftQueue) -> list[Draft]:
    """The drafts that a person approved and that are not out, oldest first."""
    waiting = (DraftStatus.APPROVED, DraftStatus.FAILED)
    return [draft for draft in queue.all() if draft.status in waiting and draft.by is not None]


def publish(drafts: Sequence[Draft], queue: DraftQueue, *, by: str) -> Iterator[Publication]:
    """Publish drafts that a person approved, logbook entries first. Each is out before the next one begins.

    Doing it again, after a crash or at the same time, publishes nothing twice.

    Args:
        drafts: what is to go out.
        queue: where they and the log of decisions are.
        by: who started the program.

    Raises:
        RefusedError: one of them is not approved, or the log of decisions is broken; nothing was published then.
    """
    _require_approvals(drafts, queue)
    for draft in _ordered(drafts):
        if draft.kind is not DraftKind.LOGBOOK:
            yield _waits(draft)
            continue
        try:
            out = logbook.publish(draft.id, queue, by=by)
        except (PublicationError, RefusedError) as error:  # refused: somebody edited it since we looked
            yield Publication(draft=draft.id, kind=draft.kind, outcome=Outcome.FAILED, why=str(error))
        else:
            outcome = Outcome.PUBLISHED if out.new else Outcome.ALREADY
            yield Publication(draft=draft.id, kind=draft.kind, outcome=outcome, link=out.link, why=out.note)


def plan(drafts: Sequence[Draft], queue: DraftQueue) -> Iterator[Publication]:
    """What `publish` would do, with the change it would make. Touches nothing.

    Raises:
        RefusedError: as for `publish`.
    """
    _require_approvals(drafts, queue)
    files: dict[Path, bytes] = {}
    for draft in _ordered(drafts):
        if draft.status is DraftStatus.PUBLISHED:
            yield Publication(draft=draft.id, kind=draft.kind, outcome=Outcome.ALREADY, link=draft.link)
        elif draft.kind is not DraftKind.LOGBOOK:
            yield _waits(draft)
        else:
            try:
                change = logbook.plan(approved(draft), queue, files)
            except PublicationError as error:
                yield Publication(draft=draft.id, kind=draft.kind, outcome=Outcome.FAILED, why=str(error))
            else:
                yield Publication(
                    draft=draft.id,
                    kind=draft.kind,
                    outcome=Outcome.PLANNED,
                    link=change.link,
                    why=change.note,
                    diff=change.diff,
                )


def _require_approvals(drafts: Sequence[Draft], queue: DraftQueue) -> None:
    problems = queue.log.problems()
    if problems:
        raise RefusedError(f"the log of decisions is broken ({problems[0]}); nothing is published, see `curator log`")
    for draft in drafts:
        if draft.status is not DraftStatus.PUBLISHED:
            approved(draft)


def _ordered(drafts: Sequence[Draft]) -> list[Draft]:
    """Entries first: comments link them."""
    return sorted(drafts, key=lambda draft: draft.kind is not DraftKind.LOGBOOK)


def _waits(draft: Draft) -> Publication:
    if draft.status is DraftStatus.PUBLISHED:
        return Publication(draft=draft.id, kind=draft.kind, outcome=Outcome.ALREADY, link=draft.link)
    why = f"{_WAITS[draft.kind]}; `curator show {draft.id} --text` prints it for you to post"
    return Publication(draft=draft.id, kind=draft.kind, outcome=Outcome.WAITS, why=why)

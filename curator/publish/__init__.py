"""Carries out approvals: which drafts go out, in which order, and what became of each. Knows places by their kind only.

The log of decisions says ``publishing`` before anything is sent and ``published`` after; the marker at the place
itself, which names the draft and the hash of its text, tells a second try what the first one got done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from curator.check import in_the_way
from curator.draft import Draft, DraftKind, DraftStatus
from curator.errors import NotYetError, PublicationError, RefusedError
from curator.log import Decision
from curator.publish.destination import Context, Out, Reach
from curator.publish.journal import Journal
from curator.publish.lock import alone
from curator.publish.marker import marker
from curator.publish.places import Places, order, takes_steps
from curator.review import Approved, approved
from marin_research.errors import MarinResearchError
from marin_research.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.publish.destination import Destination, Found
    from curator.queue import DraftQueue


class Outcome(StrEnum):
    """What became of an approved draft."""

    PUBLISHED = "published"
    ALREADY = "already"  # it was out before
    WAITS = "waits"  # something has to happen first; nothing was sent
    GONE = "gone"  # it was out, and somebody removed it there; nothing was sent
    FAILED = "failed"
    PLANNED = "planned"  # a dry run: it would be published


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What became of one draft."""

    draft: str
    kind: DraftKind
    outcome: Outcome
    link: str | None = None
    """``path:line`` or the URL of what is out."""
    why: str | None = None
    """Why it waits or failed, and what to do; or a remark on how it went out."""
    diff: str | None = None
    """What a dry run would change."""


def publishable(queue: DraftQueue) -> list[Draft]:
    """The drafts that a person approved and that are not out, oldest first."""
    waiting = (DraftStatus.APPROVED, DraftStatus.FAILED)
    return [draft for draft in queue.all() if draft.status in waiting and draft.by is not None]


def publish(
    drafts: Sequence[Draft], queue: DraftQueue, *, by: str, reach: Reach | None = None, again: bool = False
) -> Iterator[Publication]:
    """Publish drafts that a person approved, logbook entries first. Each is out before the next one begins.

    Doing it again, after a crash or at the same time, publishes nothing twice.

    Args:
        drafts: what is to go out.
        queue: where they and the log of decisions are.
        by: who started the program.
        reach: how far logbook entries are taken; each thread says so itself unless given.
        again: a person wants what was removed where it had been published to go out once more.

    Raises:
        RefusedError: one of them is not approved, or the log of decisions is broken; nothing was published then.
    """
    _require_approvals(drafts, queue)
    places = Places(Context(queue=queue, reach=reach))
    for draft in sorted([*drafts, *_to_take_further(drafts, queue, reach)], key=order):
        with alone(queue.store.objects.url):
            yield _publish(queue.get(draft.id), places, by=by, again=again)


def plan(
    drafts: Sequence[Draft], queue: DraftQueue, *, reach: Reach | None = None, again: bool = False
) -> Iterator[Publication]:
    """What `publish` would do, with the change it would make. Touches nothing.

    Raises:
        RefusedError: as for `publish`.
    """
    _require_approvals(drafts, queue)
    context = Context(queue=queue, reach=reach, dry=True)
    places = Places(context)
    for draft in sorted(drafts, key=order):
        planned = _plan(draft, places, again=again)
        if planned.outcome is Outcome.PLANNED:
            context.planned.add(draft.id)
        yield planned


def _publish(draft: Draft, places: Places, *, by: str, again: bool) -> Publication:
    if draft.status is DraftStatus.PUBLISHED:
        standing = _standing(draft, places)
        if standing.outcome is not Outcome.GONE:
            return _finish(draft, places) if takes_steps(draft) else standing
        if not again:
            return standing
    journal = Journal(places.context.queue, draft, by)
    try:
        licence = _licence(draft)
        out = _send(licence, places, journal)
    except RefusedError as error:  # somebody edited it since we looked
        return _said(draft, Outcome.FAILED, why=str(error))
    except NotYetError as error:
        return _said(draft, Outcome.WAITS, why=str(error))
    except MarinResearchError as error:
        journal.write(Decision.FAILED, why=str(error))
        return _said(draft, Outcome.FAILED, why=str(error))
    journal.write(Decision.PUBLISHED, link=out.link)
    return _said(draft, Outcome.PUBLISHED, link=out.link, why=out.note)


def _send(licence: Approved, places: Places, journal: Journal) -> Out:
    place = places.of(licence.draft)
    _refuse_secrets(licence.draft)
    _respect_objections(licence.draft, places)
    journal.require_alone()
    place.ready(licence)
    found = _find(place, licence, journal)
    if found is not None and found.complete:
        return Out(link=found.link, note="it was out already; only the log of decisions did not say so")
    journal.write(Decision.PUBLISHING)
    try:
        return place.carry_out(licence)
    except NotYetError as error:
        raise PublicationError(str(error)) from error  # it was begun: the log has to say how it ended


def _plan(draft: Draft, places: Places, *, again: bool) -> Publication:
    if draft.status is DraftStatus.PUBLISHED:
        standing = _standing(draft, places)
        if standing.outcome is not Outcome.GONE or not again:
            return standing
    licence = _licence(draft)
    try:
        place = places.of(draft)
        _refuse_secrets(draft)
        _respect_objections(draft, places)
        place.ready(licence)
        found = _find(place, licence, Journal(places.context.queue, draft, by=""))
        if found is not None and found.complete:
            why = "it is out already; only the log of decisions does not say so yet"
            return _said(draft, Outcome.PLANNED, link=found.link, why=why, diff="")
        change = place.plan(licence)
    except NotYetError as error:
        return _said(draft, Outcome.WAITS, why=str(error))
    except MarinResearchError as error:
        return _said(draft, Outcome.FAILED, why=str(error))
    return _said(draft, Outcome.PLANNED, link=change.link, why=change.note, diff=change.diff)


def _to_take_further(drafts: Sequence[Draft], queue: DraftQueue, reach: Reach | None) -> list[Draft]:
    """What is out already and what other drafts stand on, where that is to be committed or pushed now."""
    if not reach:
        return []
    waiting = [draft for draft in drafts if not takes_steps(draft)]
    runs = {(draft.thread, run) for draft in waiting for run in draft.runs}
    threads = {draft.thread for draft in drafts}
    named = {draft.id for draft in drafts}
    return [
        entry
        for entry in queue.all()
        if entry.status is DraftStatus.PUBLISHED
        and takes_steps(entry)
        and entry.id not in named
        and (
            any((entry.thread, run) in runs for run in entry.runs)
            or (entry.kind is DraftKind.KICKOFF and entry.thread in threads)
        )
    ]


def _standing(draft: Draft, places: Places) -> Publication:
    """A published draft is out, unless somebody removed it since."""
    try:
        gone = places.of(draft).is_gone(draft)
    except MarinResearchError as error:
        return _said(
            draft, Outcome.ALREADY, link=draft.link, why=f"whether it is still there could not be seen: {error}"
        )
    if not gone:
        return _said(draft, Outcome.ALREADY, link=draft.link)
    why = (
        "somebody removed it there, and nothing was sent; "
        f"if this text is to go out once more: curator publish {draft.id} --again"
    )
    return _said(draft, Outcome.GONE, link=draft.link, why=why)


def _licence(draft: Draft) -> Approved:
    """What is out was approved, too, and may go out again in the very same words."""
    if draft.status is DraftStatus.PUBLISHED and draft.by is not None:
        return Approved(draft, draft.by)
    return approved(draft)


def _finish(draft: Draft, places: Places) -> Publication:
    """A published draft is taken as far as is asked for now: an entry may have to be committed or pushed."""
    try:
        place, licence = places.of(draft), Approved(draft, draft.by or "")
        found = place.find(licence, [marker(draft.id, draft.sha256)])
        out = place.carry_out(licence) if found is not None and not found.complete else None
    except MarinResearchError as error:
        return _said(draft, Outcome.ALREADY, link=draft.link, why=str(error))
    return _said(draft, Outcome.ALREADY, link=out.link if out else draft.link, why=out.note if out else None)


def _find(place: Destination, licence: Approved, journal: Journal) -> Found | None:
    """What is out of this very text.

    Raises:
        PublicationError: an earlier text of the same draft is out.
    """
    draft = licence.draft
    own = marker(draft.id, draft.sha256)
    found = place.find(licence, list({own, *(marker(draft.id, sha256) for sha256 in journal.begun())}))
    if found is not None and found.marker != own:
        raise PublicationError(
            f"an earlier text of {draft.id} is out already ({found.link}); correct it by a new entry (`curator draft`)"
        )
    return found


def _require_approvals(drafts: Sequence[Draft], queue: DraftQueue) -> None:
    queue.log.require_whole()
    for draft in drafts:
        if draft.status is not DraftStatus.PUBLISHED:
            approved(draft)


def _refuse_secrets(draft: Draft) -> None:
    """The last look before a text leaves."""
    removed = Redactor.from_environment().text(draft.text).removed
    if removed:
        line = draft.text.count("\n", 0, removed[0].start) + 1
        raise PublicationError(
            f"line {line} of {draft.id} holds what looks like a secret ({removed[0].kind}); "
            f"take it out with `curator edit {draft.id}`"
        )


def _respect_objections(draft: Draft, places: Places) -> None:
    """Lines of the logbook that came after the approval count too, and so does another draft that is out since."""
    context = places.context
    objections = in_the_way(draft, context.queue.store, planned=context.planned)
    if objections:
        raise NotYetError(objections[0])


def _said(draft: Draft, outcome: Outcome, **what: str | None) -> Publication:
    return Publication(draft=draft.id, kind=draft.kind, outcome=outcome, **what)

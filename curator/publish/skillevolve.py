"""Sends what was approved to SkillEvolve, each thing once, after a look whether it is there already."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from curator.draft import DraftKind
from curator.errors import NotYetError, PublicationError
from curator.log import Decision
from curator.plain import line_of
from curator.publish.deliveries import Delivery, delivery_of
from curator.publish.destination import Change, Found, Out
from curator.publish.diff import unified
from curator.publish.marker import marker
from curator.skillevolve.check import issues
from curator.skillevolve.credentials import api_url, find_credentials, require_credentials
from curator.skillevolve.errors import (
    CredentialsError,
    MissingError,
    RateLimitedError,
    SkillEvolveError,
    UnansweredError,
    UnclaimedError,
    UnreachableError,
    UnreadableAnswerError,
)
from curator.skillevolve.opening import open_reader
from curator.skillevolve.reading import Reader
from curator.skillevolve.refusals import claim_hint
from curator.skillevolve.submission import read
from curator.skillevolve.transport import Transport
from curator.skillevolve.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.draft import Draft
    from curator.publish.destination import Context
    from curator.review import Approved

_LATER = (CredentialsError, UnreachableError, UnansweredError, RateLimitedError, UnclaimedError)
"""What is no fault of the draft, as long as nothing of it was sent."""
_MAY_HAVE_ARRIVED = "whether it arrived is not known"


class SkillEvolvePlace:
    """SkillEvolve, as the agent whose key is found here."""

    settle_s: ClassVar[float] = 3.0
    """How long the site is given to finish what it did not answer, before it is looked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._deliveries: dict[str, Delivery[Any]] = {}
        self._claimed = False

    def ready(self, licence: Approved) -> None:
        draft = licence.draft
        self._require_sendable(draft)
        with _later():
            delivery = self._delivery(draft)
            if draft.kind is not DraftKind.REGISTRATION:
                self._require_claimed(delivery)
            delivery.ready()

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        draft = licence.draft
        own = marker(draft.id, draft.sha256)
        ordered = [own, *sorted(set(markers) - {own})]
        with _later():
            delivery = self._delivery(draft)
            trace = delivery.find(ordered)
            if trace is None and self._may_have_arrived(draft) and not self._context.dry:
                time.sleep(self.settle_s)
                trace = delivery.find(ordered)
                if trace is None and not delivery.absence_is_proof():
                    raise PublicationError(
                        f"{_MAY_HAVE_ARRIVED}, and the site does not show it; look there, and to send it once more "
                        f"change its text with `curator edit {draft.id}`"
                    )
        return Found(marker=trace.marker, link=trace.link) if trace else None

    def is_gone(self, draft: Draft) -> bool:
        """Posts have an address of their own; what else somebody removed there cannot be told from what it left."""
        with open_reader() as reader:
            before, place, post_id = (draft.link or "").partition(reader.post_url(""))
            if draft.kind is not DraftKind.POST or before or not place or not post_id:
                return False
            try:
                reader.post(unquote(post_id))
            except MissingError:
                return True
            return False

    def plan(self, licence: Approved) -> Change:
        delivery = self._delivery(licence.draft)
        method, path, body = delivery.request()
        said = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
        return Change(link=delivery.where(), diff=unified(f"{method} {path}", b"", said.encode()))

    def carry_out(self, licence: Approved) -> Out:
        draft = licence.draft
        delivery = self._delivery(draft)
        try:
            return delivery.send()
        except (UnansweredError, UnreadableAnswerError) as error:
            out = self._found_after_all(delivery, draft)
            if out is None:
                raise PublicationError(f"{error}; {_MAY_HAVE_ARRIVED}, publishing again looks for it first") from error
            return out

    def _found_after_all(self, delivery: Delivery[Any], draft: Draft) -> Out | None:
        """What is there although no answer came back."""
        time.sleep(self.settle_s)
        try:
            trace = delivery.find([marker(draft.id, draft.sha256)])
        except SkillEvolveError:
            return None
        return Out(link=trace.link, note="its answer was lost, but it is there") if trace else None

    def _may_have_arrived(self, draft: Draft) -> bool:
        """Whether an earlier try may have got this text out: it was begun, and nothing says that it was refused."""
        entries = [e for e in self._context.queue.log.entries() if (e.draft, e.sha256) == (draft.id, draft.sha256)]
        last = next((e for e in reversed(entries) if e.decision in (Decision.PUBLISHING, Decision.FAILED)), None)
        if last is None:
            return False
        return last.decision is Decision.PUBLISHING or _MAY_HAVE_ARRIVED in (last.why or "")

    def _require_sendable(self, draft: Draft) -> None:
        """The last look: what was private or unacceptable when it was approved, or has become so since, stays here."""
        found = next(iter(issues(draft, self._context.queue.store)), None)
        if found is not None:
            raise PublicationError(
                f"line {line_of(draft.text, found.start)} of {draft.id}: {found.why}; "
                f"mend it with `curator edit {draft.id}`"
            )

    def _require_claimed(self, delivery: Delivery[Any]) -> None:
        if not self._claimed:
            if not delivery.profile.agent.is_claimed:
                raise UnclaimedError(claim_hint(find_credentials()))
            self._claimed = True

    def _delivery(self, draft: Draft) -> Delivery[Any]:
        """How a draft is sent, its text read once."""
        key = f"{draft.id} {draft.sha256}"
        if key not in self._deliveries:
            credentials = None if draft.kind is DraftKind.REGISTRATION else require_credentials()
            transport = Transport(api_url(), credentials)
            submission = read(draft.kind, draft.text)
            self._deliveries[key] = delivery_of(draft, submission, Reader(transport), Writer(transport), self._context)
        return self._deliveries[key]


@contextmanager
def _later() -> Iterator[None]:
    """What only has to wait is said to wait."""
    try:
        yield
    except _LATER as error:
        raise NotYetError(str(error)) from error

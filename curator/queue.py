"""Where drafts live: in the record store, as immutable revisions beside the log that decides over them.

::

    ids/LR-D/000004.json           a draft ID that was handed out
    drafts/LR-D004/000000.json     the draft as it was made
    drafts/LR-D004/000001.json     its text after the first edit
    drafts/LR-D004/proof-1f0c9b...-0001.json  what a model said that read the text with this hash
    drafts/LR-D004/writing-0001.json  a model's part in a later try that came to the same text

A draft's status is not stored: it is what the log says of its newest text.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from curator.draft import BY_HAND, DROPPED, Draft, DraftStatus, text_sha256
from curator.errors import CuratorError, DraftFormatError, DraftNotFoundError, RefusedError, StaleDraftError
from curator.facts import from_json
from curator.log import Decision, DecisionLog, LogEntry
from curator.proof import Proof
from curator.writing import Writing
from marin_research.codec import decode, dump
from marin_research.store import RecordStore, run_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.draft import DraftKind

logger = logging.getLogger(__name__)

_PROOF = "proof-"
_WRITING = "writing-"
_BESIDE = (_PROOF, _WRITING)
"""What lies beside the revisions of a draft."""
_STATUS = {
    Decision.APPROVED: DraftStatus.APPROVED,
    Decision.REJECTED: DraftStatus.REJECTED,
    Decision.SUPERSEDED: DraftStatus.SUPERSEDED,
    Decision.PUBLISHING: DraftStatus.APPROVED,
    Decision.PUBLISHED: DraftStatus.PUBLISHED,
    Decision.FAILED: DraftStatus.FAILED,
}
_DECISIONS = frozenset({Decision.APPROVED, Decision.REJECTED, Decision.SUPERSEDED})
"""Those that say of a draft whose they are; publications keep the name of who approved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A later revision: only what an edit may change."""

    text: str
    by: str
    time: datetime


class DraftQueue:
    """Reads and extends the drafts of one store."""

    def __init__(self, store: RecordStore) -> None:
        self.store = store
        self.log = DecisionLog(store.objects)

    def new_id(self, prefix: str) -> str:
        return self.store.claim_id(f"{prefix}-D", launch="draft").replace("-D-", "-D")

    def add(self, draft: Draft) -> None:
        """Keep a new draft under the ID it was given."""
        self.store.objects.put_new(f"drafts/{draft.id}/000000.json", dump(draft))

    def propose(self, prefix: str, *, text: str, **fields: Any) -> Draft:
        """Keep a new text under an ID of its own.

        Args:
            prefix: of the ID.
            text: what is proposed.
            fields: the other fields of a `Draft` that have to be said.
        """
        now = datetime.now(UTC)
        draft = Draft(
            id=self.new_id(prefix), text=text, drafted_sha256=text_sha256(text), created=now, changed=now, **fields
        )
        self.add(draft)
        return draft

    def twin(self, kind: DraftKind, runs: Sequence[str], text: str) -> Draft | None:
        """The same text about the same runs, drafted before and not dropped: drafting twice must not ask twice."""
        same = (kind, tuple(runs), text_sha256(text))
        return next(
            (
                draft
                for draft in self.all()
                if (draft.kind, draft.runs, draft.drafted_sha256) == same and draft.status not in DROPPED
            ),
            None,
        )

    def supersede(self, newer: Draft) -> tuple[str, ...]:
        """Let a draft take the place of those before it about the same that no person wrote, edited or decided on.

        What the template wrote in place of a model takes no place of what a model wrote.

        Returns:
            Their IDs; none where the log of decisions is broken, so that nothing can be said in it.
        """
        older = [
            draft
            for draft in takewhile(lambda draft: draft.id != newer.id, self.all(newer.thread))
            if draft.subject == newer.subject
            and (draft.status, draft.revision) == (DraftStatus.DRAFT, 0)
            and draft.drafter != BY_HAND
            and not (newer.writing and newer.writing.instead and draft.drafter != newer.drafter)
        ]
        if not older or self.log.problems():
            return ()
        for draft in older:
            self.log.append(
                LogEntry(
                    decision=Decision.SUPERSEDED,
                    draft=draft.id,
                    sha256=draft.sha256,
                    time=datetime.now(UTC),
                    by=newer.id,
                )
            )
        return tuple(draft.id for draft in older)

    def edit(self, draft: Draft, text: str, *, by: str) -> Draft:
        """Keep another text of a draft. An approval of the old text does not cover the new one.

        Raises:
            StaleDraftError: somebody else edited it since ``draft`` was read.
        """
        change = Edit(text=text, by=by, time=datetime.now(UTC))
        try:
            self.store.objects.put_new(f"drafts/{draft.id}/{draft.revision + 1:06d}.json", dump(change))
        except FileExistsError:
            raise StaleDraftError(draft.id) from None
        return self.get(draft.id)

    def keep_proof(self, draft: Draft, proof: Proof) -> Draft:
        """Keep what a model said of a text of a draft; the newest of each text counts."""
        return self._keep_beside(draft, _proof_prefix(proof.sha256), proof)

    def keep_writing(self, draft: Draft, writing: Writing) -> Draft:
        """Keep a model's part in a later try that came to the text of a draft; the newest counts."""
        return self._keep_beside(draft, _WRITING, writing)

    def _keep_beside(self, draft: Draft, prefix: str, value: Proof | Writing) -> Draft:
        while True:
            number = 1 + sum(name.startswith(prefix) for name in self.store.objects.names(f"drafts/{draft.id}"))
            try:
                self.store.objects.put_new(f"drafts/{draft.id}/{prefix}{number:04d}.json", dump(value))
            except FileExistsError:
                continue  # somebody else was at it at the same time
            return self.get(draft.id)

    def require_changeable(self, draft: Draft) -> None:
        """Refuse to touch a text that is out or may be.

        Raises:
            RefusedError: it is published, or the last that is known of it is that its publication began.
        """
        if draft.status is DraftStatus.PUBLISHED:
            out = f"{draft.id} is published already ({draft.link})"
            raise RefusedError(f"{out}; what is out is corrected by a new entry")
        decisions = [entry.decision for entry in self.log.entries() if entry.draft == draft.id]
        if decisions and decisions[-1] is Decision.PUBLISHING:
            begun = f"the publication of {draft.id} was begun and not ended"
            raise RefusedError(f"{begun}; end it: curator publish {draft.id}")

    def get(self, draft_id: str) -> Draft:
        """One draft as it stands.

        Raises:
            DraftNotFoundError: there is none under that ID.
            DraftFormatError: it cannot be read.
        """
        return self._get(draft_id, self.log.entries())

    def decided(self) -> list[str]:
        """IDs of the drafts of which the log of decisions speaks."""
        return list(dict.fromkeys(entry.draft for entry in self.log.entries()))

    def all(self, thread: str | None = None) -> list[Draft]:
        """Every draft that can be read, oldest first; one that cannot is named in the program's log."""
        entries = self.log.entries()
        ids = sorted(self.store.objects.names("drafts"), key=lambda name: run_order(name.replace("-D", "-D-")))
        drafts = []
        for draft_id in ids:
            try:
                drafts.append(self._get(draft_id, entries))
            except DraftFormatError as error:
                logger.warning("%s", error)
        return [draft for draft in drafts if thread is None or draft.thread == thread]

    def _get(self, draft_id: str, entries: list[LogEntry]) -> Draft:
        folder = f"drafts/{draft_id}"
        files = self.store.objects.names(folder)
        names = [name for name in files if not name.startswith(_BESIDE)]
        if not names:
            raise DraftNotFoundError(draft_id, self.store.root)
        try:
            raw = json.loads(self.store.objects.get(f"{folder}/{names[0]}"))
            draft = replace(decode(Draft, raw), facts=from_json(raw["facts"]))
            if len(names) > 1:
                edit = decode(Edit, json.loads(self.store.objects.get(f"{folder}/{names[-1]}")))
                draft = replace(draft, text=edit.text, changed=edit.time, edited_by=edit.by, revision=len(names) - 1)
        except (ValueError, TypeError, KeyError) as error:
            raise DraftFormatError(
                f"draft {draft_id} cannot be read ({error}); draft its runs again with `curator draft`"
            ) from error
        proof = self._newest_beside(Proof, folder, files, _proof_prefix(draft.sha256))
        writing = self._newest_beside(Writing, folder, files, _WRITING)
        draft = replace(draft, proof=proof, writing=writing or draft.writing)
        for entry in entries:
            if entry.decision is Decision.SUPERSEDED and draft.status is not DraftStatus.DRAFT:
                continue  # a person decided while it was written
            # What is out stays out, whatever text came after it.
            if entry.draft == draft_id and (entry.sha256 == draft.sha256 or entry.decision is Decision.PUBLISHED):
                draft = replace(
                    draft,
                    status=_STATUS[entry.decision],
                    by=entry.by if entry.decision in _DECISIONS else draft.by,
                    accepted=tuple(f.id for f in entry.accepted)
                    if entry.decision is Decision.APPROVED
                    else draft.accepted,
                    why=entry.why,
                    link=entry.link or draft.link,
                )
        return draft

    def _newest_beside[T](self, kind: type[T], folder: str, files: Sequence[str], prefix: str) -> T | None:
        """What was kept last beside a draft, and can be read: the draft is worth more than it."""
        for name in reversed([name for name in files if name.startswith(prefix)]):
            try:
                return decode(kind, json.loads(self.store.objects.get(f"{folder}/{name}")))
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                logger.warning("%s/%s cannot be read (%s); it is passed over", folder, name, error)
        return None


@lru_cache(maxsize=4096)
def subject_of(root: str, draft_id: str) -> tuple[str, ...] | None:
    """What a draft in the store at ``root`` is about, which no edit changes; None if it cannot be read."""
    try:
        return DraftQueue(RecordStore(root)).get(draft_id).subject
    except CuratorError:
        return None


def _proof_prefix(sha256: str) -> str:
    return f"{_PROOF}{sha256[:16]}-"

"""A proposed text, the facts behind it and its life so far. Knows nothing of files, terminals or models."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads the annotations at run time
from enum import StrEnum

from curator.facts import Fact  # noqa: TC001
from curator.proof import Proof  # noqa: TC001
from curator.writing import Writing  # noqa: TC001
from marin_research.record import Blob  # noqa: TC001

SCHEMA_VERSION = 1


class DraftKind(StrEnum):
    KICKOFF = "kickoff"
    LOGBOOK = "logbook"
    INDEX = "logbook-index"
    ISSUE = "issue"
    FIX = "issue-fix"
    ISSUE_BODY = "issue-body"
    CLOSING = "closing"
    POST = "post"
    SESSION = "session"
    COMMENT = "comment"
    VOTE = "vote"
    RESOLUTION = "resolution"
    MESSAGE = "message"
    SKILL = "skill"
    REGISTRATION = "registration"


OF_SKILLEVOLVE = frozenset(
    {
        DraftKind.POST,
        DraftKind.SESSION,
        DraftKind.COMMENT,
        DraftKind.VOTE,
        DraftKind.RESOLUTION,
        DraftKind.MESSAGE,
        DraftKind.SKILL,
        DraftKind.REGISTRATION,
    }
)
"""Kinds that go to SkillEvolve, where everybody can read them; their text begins with fields (front matter)."""


BY_HAND = "hand"
"""The drafter of what a person wrote on the command line."""


class DraftStatus(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"  # a newer draft took its place before a person had touched it
    PUBLISHED = "published"
    FAILED = "failed"


OPEN = frozenset({DraftStatus.DRAFT, DraftStatus.FAILED})
"""Statuses of drafts that wait for a person."""
DROPPED = frozenset({DraftStatus.REJECTED, DraftStatus.SUPERSEDED})
"""Statuses of drafts that do not go out unless a person thinks again."""

_SEVERAL = frozenset({DraftKind.INDEX, DraftKind.ISSUE, DraftKind.ISSUE_BODY})
"""Kinds of which the same runs may have several, told apart by their titles: sections, updates and snapshots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a draft, such as a plot."""

    name: str
    """Of the file; holds the first digits of its hash."""
    blob: Blob
    """Where in the store its bytes are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One text at one moment. An edit, an approval or a publication gives another value under the same ID."""

    id: str
    """``LR-D004``."""
    kind: DraftKind
    thread: str
    """Empty for what belongs to no thread: a vote, a registration."""
    runs: tuple[str, ...]
    """Experiment IDs the text is about."""
    title: str
    """Short label of the entry, or title of the post."""
    target: str
    """Where it will go: the logbook's path, the issue's URL, or what is missing for it to go anywhere."""
    text: str
    """Exactly what will be published."""
    facts: tuple[Fact, ...]
    drafter: str
    drafted_sha256: str
    """Of the text as the drafter wrote it; an edit does not change it."""
    created: datetime
    changed: datetime
    replaces: str | None = None
    """What stood there when the text was drafted, for a text that takes the place of another; None for a new one."""
    attachments: tuple[Attachment, ...] = ()
    """Files that go out with it; the text names each by its hash, so that an approval covers them too."""
    revision: int = 0
    """How many times the text was edited."""
    edited_by: str | None = None
    status: DraftStatus = DraftStatus.DRAFT
    by: str | None = None
    """Who approved or rejected it, or which draft took its place."""
    accepted: tuple[str, ...] = ()
    """IDs of the findings that its approval went past."""
    why: str | None = None
    """The reason of a rejection or a failed publication."""
    link: str | None = None
    """What its publication produced: ``path:line`` or a URL."""
    writing: Writing | None = None
    """A model's part in it; None where no model was asked."""
    proof: Proof | None = None
    """What a model said that read a text of this draft beside the record; the newest."""
    schema_version: int = SCHEMA_VERSION

    @property
    def sha256(self) -> str:
        return text_sha256(self.text)

    @property
    def subject(self) -> tuple[str, ...]:
        """The same for drafts of which one is enough."""
        return (self.kind, self.thread, self.title if self.kind in _SEVERAL else "", *self.runs)

    @property
    def proofread(self) -> Proof | None:
        """The proof, provided that it is of the text as it stands."""
        return self.proof if self.proof is not None and self.proof.sha256 == self.sha256 else None


def text_sha256(text: str) -> str:
    """What an approval binds to."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

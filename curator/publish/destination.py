"""What publishing asks of a place that drafts go to. One module per place; ``curator.publish`` knows them by kind.

A place looks for what is out by its marker before anything is sent, so that a second try after a crash or a lost answer
finds what the first one got done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.draft import Draft
    from curator.github.client import GitHub
    from curator.queue import DraftQueue
    from curator.review import Approved


class Reach(IntEnum):
    """How far a logbook entry is taken where the logbook is in git."""

    FILE = 0
    COMMIT = 1
    PUSH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every place is opened with."""

    queue: DraftQueue
    reach: Reach | None = None
    """What was asked for; None leaves it to the thread."""
    dry: bool = False
    """Only to say what would happen."""
    clients: dict[str, GitHub] = field(default_factory=dict)
    """The clients that are open, by the address of the API."""
    planned: set[str] = field(default_factory=set)
    """IDs of the drafts that would be out by then, as far as a dry run has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What publishing would do."""

    link: str
    diff: str
    """Unified."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """What is out."""

    link: str
    """``path:line`` or a URL."""
    note: str | None = None
    """What to know about it, if it was a matter of judgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an earlier try got out."""

    marker: str
    link: str
    complete: bool = True
    """Whether that is all of it; if not, carrying it out again does the rest and nothing twice."""


class Destination(Protocol):
    """A place that drafts go to. Lives for one call of ``publish`` or ``plan``.

    Every method may raise a PublicationError (it cannot be published as it is) or, as long as nothing was sent, a
    NotYetError (it can be sent later as it is).
    """

    def ready(self, licence: Approved) -> None:
        """Return if the draft's turn has come.

        Raises:
            NotYetError: something has to happen first.
        """

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        """What is out under one of the markers of this draft: its own text's or an earlier one's."""

    def is_gone(self, draft: Draft) -> bool:
        """Whether somebody has removed what was published of it; where the place cannot say so, it has not been."""

    def plan(self, licence: Approved) -> Change:
        """What `carry_out` would do, after what was planned before. Touches nothing."""

    def carry_out(self, licence: Approved) -> Out:
        """Send it; when this returns it is out."""

"""The curator's error tree; each message is one line that ends with what to do next.

::

    CuratorError
    |-- DraftNotFoundError   no draft answers to that name
    |-- DraftFormatError     a draft or the log of approvals exists but cannot be read
    |-- StaleDraftError      the text changed since it was looked at
    |-- RefusedError         the rules of approval do not allow it
    `-- PublicationError     an approved text could not be published; it can be tried again
        `-- NotYetError      something has to happen first; nothing was sent
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marin_research.errors import MarinResearchError

if TYPE_CHECKING:
    from collections.abc import Sequence


class CuratorError(MarinResearchError):
    """Base of every error that the curator raises on purpose."""


class DraftNotFoundError(CuratorError):
    """No draft answers to the given name."""

    def __init__(self, draft_id: str, root: str) -> None:
        self.draft_id = draft_id
        super().__init__(f"no draft {draft_id!r} in {root}; `curator drafts` lists the drafts there are")


class DraftFormatError(CuratorError):
    """A draft or the log of approvals exists but cannot be read; it is left as it is."""


class StaleDraftError(CuratorError):
    """The text is not the one that was looked at."""

    def __init__(self, draft_id: str) -> None:
        self.draft_id = draft_id
        super().__init__(f"{draft_id} was changed meanwhile; look at it again with `curator show {draft_id}`")


class RefusedError(CuratorError):
    """The rules of approval and publication do not allow it."""


class OpenFindingsError(RefusedError):
    """An approval past findings that were not accepted one by one."""

    def __init__(self, draft_id: str, findings: Sequence[str]) -> None:
        self.draft_id = draft_id
        self.findings = tuple(findings)
        super().__init__(
            f"{draft_id} has findings that nobody accepted ({', '.join(findings)}); "
            f"mend the text with `curator edit {draft_id}`, or approve past each with --accept FINDING"
        )


class PublicationError(CuratorError):
    """An approved text could not be published; it can be tried again."""


class NotYetError(PublicationError):
    """An approved text cannot go out yet, and nothing of it was sent; it waits as it is."""

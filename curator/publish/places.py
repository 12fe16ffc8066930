"""Which place a draft goes to, and whose turn comes first. The only module that knows every place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.draft import Draft, DraftKind
from marin_research.thread import LogbookStyle, find_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from curator.publish.destination import Context, Destination

_ORDER = (
    DraftKind.KICKOFF,  # where a thread has no logbook, its entries go to the issue
    DraftKind.LOGBOOK,
    DraftKind.INDEX,
    DraftKind.ISSUE,  # links the commit that holds the entry
    DraftKind.FIX,
    DraftKind.ISSUE_BODY,
    DraftKind.CLOSING,
    DraftKind.REGISTRATION,  # nothing else is taken by SkillEvolve before
    DraftKind.SKILL,  # what a post is about
    DraftKind.POST,
    DraftKind.COMMENT,
    DraftKind.RESOLUTION,  # may name a comment
    DraftKind.VOTE,
    DraftKind.MESSAGE,
    DraftKind.SESSION,
)
_IN_FILES = frozenset({DraftKind.KICKOFF, DraftKind.LOGBOOK, DraftKind.INDEX})


def order(draft: Draft) -> int:
    """Sorts drafts into the order in which they go out."""
    return _ORDER.index(draft.kind)


def takes_steps(draft: Draft) -> bool:
    """Whether its place takes a draft further after it is out: from the file to a commit, from there to the remote."""
    return draft.kind in _IN_FILES


class Places:
    """The places of one call of ``publish`` or ``plan``, each opened when the first draft needs it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._open: dict[Callable[[Context], Destination], Destination] = {}

    def of(self, draft: Draft) -> Destination:
        """The place that ``draft`` goes to."""
        match draft.kind:
            case DraftKind.KICKOFF:
                from curator.publish.kickoff import KickoffPlace

                return self._opened(KickoffPlace)
            case DraftKind.LOGBOOK | DraftKind.INDEX if not self._is_issue_alone(draft):
                from curator.publish.logbook import LogbookPlace

                return self._opened(LogbookPlace)
            case DraftKind.ISSUE | DraftKind.LOGBOOK:
                from curator.publish.comment import CommentPlace

                return self._opened(CommentPlace)
            case DraftKind.ISSUE_BODY:
                from curator.publish.issue_body import IssueBodyPlace

                return self._opened(IssueBodyPlace)
            case DraftKind.FIX:
                from curator.publish.fix import FixPlace

                return self._opened(FixPlace)
            case DraftKind.CLOSING:
                from curator.publish.closing import ClosingPlace

                return self._opened(ClosingPlace)
            case _:
                from curator.publish.skillevolve import SkillEvolvePlace

                return self._opened(SkillEvolvePlace)

    def _is_issue_alone(self, draft: Draft) -> bool:
        thread = find_thread(draft.thread, self.context.queue.store)
        return draft.kind is DraftKind.LOGBOOK and thread.logbook.style == LogbookStyle.ISSUE

    def _opened(self, kind: Callable[[Context], Destination]) -> Destination:
        if kind not in self._open:
            self._open[kind] = kind(self.context)
        return self._open[kind]

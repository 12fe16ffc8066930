"""The experiment issue that a draft goes to, with the client that reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.errors import NotYetError, PublicationError
from curator.github.address import IssueAddress, api_base, parse_comment, parse_issue
from curator.github.client import GitHub
from curator.github.errors import MissingError
from curator.publish.links import filled, open_links
from curator.publish.marker import marker
from curator.publish.sealed import SEALED, require_tags
from curator.publish.support import require_comments, require_support
from marin_research.thread import LogbookStyle, Thread, find_thread

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.publish.destination import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """One thread's issue."""

    github: GitHub
    address: IssueAddress
    thread: Thread


def open_tracker(draft: Draft, context: Context) -> Tracker:
    """The issue of the draft's thread.

    Raises:
        NotYetError: the thread has none yet.
        PublicationError: the draft was approved for another one.
    """
    thread = find_thread(draft.thread, context.queue.store)
    if not thread.issue:
        raise NotYetError(
            f"{thread.topic} has no experiment issue yet; `curator kickoff {thread.topic}` drafts one, "
            "or give the thread's file the address of the one there is (key issue)"
        )
    address = parse_issue(thread.issue)
    if draft.target.startswith("http") and parse_issue(draft.target) != address:
        raise PublicationError(
            f"{draft.id} was written for {draft.target} and the thread's issue is {thread.issue} now; draft it again"
        )
    return Tracker(github=client(address.repository.host, context), address=address, thread=thread)


def client(host: str, context: Context) -> GitHub:
    """The client for a host, one for all drafts."""
    base = api_base(host)
    if base not in context.clients:
        context.clients[base] = GitHub.from_environment(base)
    return context.clients[base]


def is_deleted(comment: str, context: Context) -> bool:
    """Whether there is no comment any more at an address that there once was.

    Raises:
        GitHubError: its issue cannot be seen either, so nobody can tell.
    """
    address = parse_issue(comment)
    github = client(address.repository.host, context)
    try:
        github.comment(address.repository, parse_comment(comment))
    except MissingError:
        require_issue(comment, context)
        return True
    return False


def require_issue(url: str, context: Context) -> None:
    """Return if the issue at an address can be seen.

    Raises:
        GitHubError: it cannot; says what to do.
    """
    address = parse_issue(url)
    client(address.repository.host, context).issue(address)


def body_of(draft: Draft, thread: Thread, context: Context, *, stands_on_entries: bool) -> str:
    """The text as it is sent: its open links closed.

    Args:
        draft: the approved draft.
        thread: its thread.
        context: where the entries are looked for.
        stands_on_entries: also a text without such links has to wait for its entries.

    Raises:
        NotYetError: an entry or a tag that it stands on is not out yet.
    """
    sealed = require_tags(draft.text)
    if not (open_links(draft.text, "logbook", "plot") or (stands_on_entries and draft.runs)):
        return filled(draft.text, sealed)
    if thread.logbook.style == LogbookStyle.ISSUE:
        address = require_comments(draft, thread, context)
    else:
        support = require_support(draft, thread, context)
        address = support.address if support is not None else None
    if address is None:
        return draft.text
    return filled(draft.text, lambda kind, what: (sealed if kind in SEALED else address)(kind, what))


def marked_body(draft: Draft, text: str) -> str:
    """A text with its marker behind it."""
    return f"{text.rstrip()}\n\n{marker(draft.id, draft.sha256)}\n"

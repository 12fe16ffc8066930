"""Opens the experiment issue of a thread, once, and links it and the thread's files both ways.

What is approved is the whole issue: title, repository and labels stand at the head of the text. An issue that looks
like the same experiment stops it unless the person listed it there as looked at.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from curator.errors import NotYetError, PublicationError
from curator.github.address import IssueAddress
from curator.kickoff import Kickoff, look_alikes, read_kickoff
from curator.publish.commits import Edit
from curator.publish.destination import Change, Found, Out
from curator.publish.diff import unified
from curator.publish.files import is_far_enough, logbook_file, take, thread_file
from curator.publish.marker import marker
from curator.publish.thread_file import plan_issue
from curator.publish.tracker import client, require_issue
from marin_research.codec import format_time
from marin_research.logbook.issue_link import names_issue, plan_issue_link
from marin_research.thread import LogbookStyle, Thread, find_thread
from marin_research.thread_file import thread_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.draft import Draft
    from curator.github.client import GitHub
    from curator.github.model import Issue
    from curator.publish.destination import Context
    from curator.review import Approved

_SKEW = timedelta(days=1)
_SECOND = len("2026-11-22T10:00:00")


class KickoffPlace:
    """The lists of issues of repositories."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ready(self, licence: Approved) -> None:
        kickoff = read_kickoff(licence.draft.text)
        if not self._context.dry:
            self._client(kickoff).require_token()

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        opened = list(self._opened(licence.draft, markers))
        if not opened:
            return None
        mark, issue = opened[-1]
        complete = len(opened) == 1 and self._is_linked(self._thread(licence.draft), issue, licence.draft)
        return Found(marker=mark, link=issue.url, complete=complete)

    def is_gone(self, draft: Draft) -> bool:
        require_issue(draft.link or draft.target, self._context)
        return False

    def plan(self, licence: Approved) -> Change:
        draft, kickoff = licence.draft, read_kickoff(licence.draft.text)
        self._refuse_second(draft)
        note = "the issue's address will be written into the thread's file and its logbook"
        try:
            self._refuse_look_alikes(kickoff, draft)
        except NotYetError as error:
            note += f"; whether there is such an issue already is not known yet ({error})"
        head = f"{kickoff.title}\nlabels: {', '.join(kickoff.labels) or 'none'}\n\n"
        shown = (head + _body(draft, kickoff)).encode()
        return Change(
            link=str(kickoff.repository), diff=unified(f"{kickoff.repository}/issues/new", b"", shown), note=note
        )

    def carry_out(self, licence: Approved) -> Out:
        draft, kickoff = licence.draft, read_kickoff(licence.draft.text)
        issue, *copies = self._open(draft, kickoff)
        notes = [self._close(copies, kickoff, issue)] if copies else []
        missing = sorted(set(kickoff.labels) - set(issue.labels))
        if missing:
            notes.append(f"GitHub did not take the label {', '.join(missing)}; ask somebody who may triage there")
        notes += self._link(issue, kickoff, draft)
        return Out(link=issue.url, note="; ".join(notes) or None)

    def _open(self, draft: Draft, kickoff: Kickoff) -> list[Issue]:
        """The issue, opened now or by an earlier try, and its copies if some proxy sent the request twice."""
        own = [marker(draft.id, draft.sha256)]
        opened = [issue for _, issue in self._opened(draft, own)]
        if not opened:
            self._refuse_second(draft)
            self._refuse_look_alikes(kickoff, draft)
            issue = self._client(kickoff).create_issue(
                kickoff.repository, title=kickoff.title, body=_body(draft, kickoff), labels=kickoff.labels
            )
            opened = [issue for _, issue in self._opened(draft, own)] or [issue]
        return sorted(opened, key=lambda issue: issue.number)

    def _close(self, copies: Sequence[Issue], kickoff: Kickoff, issue: Issue) -> str:
        for copy in copies:
            address = IssueAddress(kickoff.repository, copy.number)
            said = f"Duplicate of #{issue.number}.\n"
            self._client(kickoff).edit_issue(address, body=said, state="closed", state_reason="not_planned")
        numbers = ", ".join(f"#{copy.number}" for copy in copies)
        return f"the request was carried out more than once; {numbers} was closed as a duplicate"

    def _opened(self, draft: Draft, markers: Sequence[str]) -> Iterator[tuple[str, Issue]]:
        """The issues with one of the markers, newest first. Search lags behind, so the newest are looked through."""
        kickoff = read_kickoff(draft.text)
        oldest = format_time(draft.created - _SKEW)
        for issue in self._client(kickoff).newest_issues(kickoff.repository):
            if issue.created[:_SECOND] < oldest[:_SECOND]:
                return
            mark = next((mark for mark in markers if mark in issue.body), None)
            if mark:
                yield mark, issue

    def _refuse_second(self, draft: Draft) -> None:
        thread = self._thread(draft)
        if thread.issue:
            raise PublicationError(
                f"{thread.topic} has an experiment issue already ({thread.issue}); reject {draft.id}"
            )

    def _refuse_look_alikes(self, kickoff: Kickoff, draft: Draft) -> None:
        alike = look_alikes(self._client(kickoff), kickoff.repository, kickoff.title)
        strange = [issue for issue in alike if issue.number not in kickoff.looked_at]
        if strange:
            named = ", ".join(f"{issue.url} ({issue.title}, {issue.state})" for issue in strange[:3])
            raise PublicationError(
                f"there is an issue like this already: {named}; give the thread's file its address (key issue), or, if "
                f"it is something else, list it under looked_at at the head of the draft (`curator edit {draft.id}`)"
            )

    def _is_linked(self, thread: Thread, issue: Issue, draft: Draft) -> bool:
        if thread.issue != issue.url:
            return False
        if not is_far_enough(thread_file(draft.thread, self._context.reach), lambda data: issue.url.encode() in data):
            return False
        if thread.logbook.style == LogbookStyle.ISSUE:
            return True
        said = (issue.url, str(read_kickoff(draft.text).repository), issue.number)
        book = logbook_file(thread, self._context.reach)
        return names_issue(book.read(), *said) and is_far_enough(book, lambda data: names_issue(data, *said))

    def _link(self, issue: Issue, kickoff: Kickoff, draft: Draft) -> list[str]:
        """Write the issue's address into the thread's logbook and its file; gives what to know about it."""
        thread, now = self._thread(draft), datetime.now(UTC)
        message = f"Experiment issue of {draft.thread}"
        notes = []
        if thread.logbook.style != LogbookStyle.ISSUE:
            book = logbook_file(thread, self._context.reach)
            said = (issue.url, str(kickoff.repository), issue.number)
            notes.append(take(Edit(book.path, lambda data: plan_issue_link(data, *said, time=now), message), book))
        if not thread_path(draft.thread).exists():
            notes.append(
                f"this checkout does not hold the thread's file; give it the address there (issue: {issue.url})"
            )
        else:
            declaration = thread_file(draft.thread, self._context.reach)
            notes.append(take(Edit(declaration.path, lambda d: plan_issue(d, issue.url), message), declaration))
        return [note for note in notes if note]

    def _client(self, kickoff: Kickoff) -> GitHub:
        return client(kickoff.repository.host, self._context)

    def _thread(self, draft: Draft) -> Thread:
        return find_thread(draft.thread, self._context.queue.store)


def _body(draft: Draft, kickoff: Kickoff) -> str:
    return f"{kickoff.body.strip()}\n\n{marker(draft.id, draft.sha256)}\n"

"""The whole check of a draft: its text against the facts, and against the rules of the place that it goes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.draft import OF_SKILLEVOLVE, DraftKind, DraftStatus
from curator.errors import CuratorError
from curator.proof import doubts
from curator.verify import FindingKind, Issue, report, verify
from marin_research.errors import ThreadError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from curator.draft import Draft
    from curator.verify import Report
    from marin_research.store import RecordStore

_QUESTION = re.compile(r"To fill in:[^\n]*")
_DECISION = re.compile(r"To decide:[^\n]*")
_ONCE = frozenset({DraftKind.LOGBOOK, DraftKind.ISSUE, DraftKind.CLOSING, DraftKind.POST})
"""Kinds of which a reader expects one about the same runs; a section is written anew as often as it changes."""
_APPROVED = frozenset({DraftStatus.APPROVED, DraftStatus.FAILED})
_IN_LOGBOOKS = frozenset({DraftKind.LOGBOOK, DraftKind.INDEX})


def check(draft: Draft, store: RecordStore, *, approving: Collection[str] = ()) -> Report:
    """What a person has to know before they approve a draft, and what nobody can approve past.

    Args:
        draft: as it stands.
        store: where it lives; knows the private names of its thread.
        approving: IDs of drafts that are being approved together with it.
    """
    found = verify(draft.text, draft.facts)
    old = _lines_of_others(draft)
    own = [
        issue
        for issue in doubts(draft.text, found, draft.proofread)
        if not any(start <= issue.start < end for start, end in old)
    ]
    return report(draft.text, [*own, *_issues(draft, store), *_second(draft, store, approving)], found.evidence)


def _lines_of_others(draft: Draft) -> list[tuple[int, int]]:
    """The lines that stand already where the text is to stand: they are out, and their authors answer for them."""
    standing = set(draft.replaces.split("\n")) if draft.replaces is not None else set()
    spans, at = [], 0
    for line in draft.text.split("\n"):
        if line in standing:
            spans.append((at, at + len(line) + 1))
        at += len(line) + 1
    return spans


def in_the_way(draft: Draft, store: RecordStore, *, planned: Collection[str] = ()) -> list[str]:
    """What stands against publishing an approved draft that its approval did not go past: things may have changed.

    Args:
        draft: as it stands.
        store: where it lives.
        planned: IDs of drafts that would be out by then.
    """
    issues = [*_policies(draft, store), *_second(draft, store, planned, only_out=True)]
    found = report(draft.text, issues, ()).findings
    return [
        f"{finding.why}: approve it past that with --accept {finding.id}"
        for finding in found
        if finding.id not in draft.accepted
    ]


def _issues(draft: Draft, store: RecordStore) -> Iterator[Issue]:
    # What only some drafts need is loaded for them.
    if draft.kind in OF_SKILLEVOLVE:
        from curator.skillevolve.check import issues

        yield from issues(draft, store)
    if draft.kind is DraftKind.KICKOFF:
        from curator.kickoff import read_kickoff

        try:
            read_kickoff(draft.text)
        except CuratorError as error:
            yield Issue(kind=FindingKind.FIELDS, start=0, end=0, why=str(error))
    yield from _left_open(draft)
    yield from _policies(draft, store)


def _left_open(draft: Draft) -> Iterator[Issue]:
    """Questions that a drafter puts to whoever reads the draft, and that nobody else is to read."""
    for found in _QUESTION.finditer(draft.text):
        yield Issue(
            kind=FindingKind.OPEN, start=found.start(), end=found.end(), why="only you can say this; fill it in"
        )
    if draft.kind is DraftKind.CLOSING:
        for found in _DECISION.finditer(draft.text):
            why = "the issue ends here; say what was decided, or what is to be done next"
            yield Issue(kind=FindingKind.OPEN, start=found.start(), end=found.end(), why=why)


def _second(draft: Draft, store: RecordStore, chosen: Collection[str], *, only_out: bool = False) -> Iterator[Issue]:
    """Other drafts about the same runs that are approved or out, or are ``chosen`` to be."""
    if draft.kind not in _ONCE or not draft.runs or draft.status is DraftStatus.PUBLISHED:
        return
    from curator.queue import DraftQueue, subject_of

    queue = DraftQueue(store)
    others = {*queue.decided(), *chosen} - {draft.id}
    for other in [queue.get(each) for each in sorted(others) if subject_of(store.root, each) == draft.subject]:
        if other.status is DraftStatus.PUBLISHED:
            so = f"out already ({other.link})"
        elif other.id in chosen or (other.status in _APPROVED and not only_out):
            so = "approved already"
        else:
            continue
        why = f"{other.id} is about the same runs and {so}; readers would find both"
        yield Issue(kind=FindingKind.SECOND, start=0, end=0, why=why, about=other.id)


def _policies(draft: Draft, store: RecordStore) -> Iterator[Issue]:
    """What the thread's logbook says against publishing this kind of draft. An entry in it is no publication."""
    if draft.kind in _IN_LOGBOOKS or not draft.thread:
        return
    from curator.before import read_logbook
    from curator.policy import policies
    from marin_research.thread import find_thread

    try:
        logbook = read_logbook(find_thread(draft.thread, store))
    except ThreadError:
        return  # there is no logbook to ask; whoever publishes the draft says so
    for policy in policies(logbook) if logbook else ():
        if draft.kind in policy.forbids:
            why = f"line {policy.line} of the logbook says: {policy.text}"
            yield Issue(kind=FindingKind.POLICY, start=0, end=0, why=why, about=policy.text)

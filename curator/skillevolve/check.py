"""What the rules of SkillEvolve, and ours for what is public, say of a draft. Contacts nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.confidence import Confidence
from curator.draft import DraftKind
from curator.skillevolve.privacy import Privacy, why_private
from curator.skillevolve.submission import Problem, SubmissionError, read
from curator.verify import FindingKind, Issue
from marin_research.errors import ThreadError
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.draft import Draft
    from curator.skillevolve.submission import Submission
    from marin_research.store import RecordStore

_REPEATED = frozenset({Confidence.REPLICATED, Confidence.STABLE})


def issues(draft: Draft, store: RecordStore) -> list[Issue]:
    """Every place that keeps a draft from being approved."""
    try:
        names = find_thread(draft.thread, store).private_names if draft.thread else []
    except ThreadError as error:
        return [Issue(kind=FindingKind.PRIVATE, start=0, end=0, why=f"its private names are not known: {error}")]
    private = [
        Issue(kind=FindingKind.PRIVATE, start=removed.start, end=removed.end, why=why_private(removed))
        for removed in Privacy(names).removed(draft.text)
    ]
    try:
        problems = list(_own_rules(draft, read(draft.kind, draft.text)))
    except SubmissionError as error:
        problems = error.problems
    return private + [Issue(kind=FindingKind.FIELDS, start=p.start, end=p.end, why=p.why) for p in problems]


def _own_rules(draft: Draft, submission: Submission) -> Iterator[Problem]:
    if draft.kind is DraftKind.POST:
        yield from _verified_is_repeated(draft, submission)


def _verified_is_repeated(draft: Draft, submission: Submission) -> Iterator[Problem]:
    label = next((fact.value for fact in draft.facts if fact.id == "confidence"), None)
    if getattr(submission.fields, "verified", None) and label not in _REPEATED:
        said = f"is {label}" if label else "has no record behind it"
        why = f"verified is for what was repeated, and this {said}; write verified: false"
        yield Problem(*submission.head.span(("verified",)), why)

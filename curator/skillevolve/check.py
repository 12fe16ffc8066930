"""What the rules of SkillEvolve, and ours for what is public, say of a draft. Contacts nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.confidence import Confidence
from curator.draft import DraftKind
from curator.plain import line_of
from curator.skillevolve import limits
from curator.skillevolve.archive import contents
from curator.skillevolve.privacy import Privacy, why_private
from curator.skillevolve.submission import Problem, SubmissionError, read
from curator.verify import FindingKind, Issue
from marin_research.errors import ThreadError
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.draft import Draft
    from curator.front_matter import Path
    from curator.skillevolve.submission import Submission
    from marin_research.store import RecordStore

_REPEATED = frozenset({Confidence.REPLICATED, Confidence.STABLE})


def issues(draft: Draft, store: RecordStore) -> list[Issue]:
    """Every place that keeps a draft from being approved."""
    try:
        names = find_thread(draft.thread, store).private_names if draft.thread else []
    except ThreadError as error:
        return [Issue(kind=FindingKind.PRIVATE, start=0, end=0, why=f"its private names are not known: {error}")]
    privacy = Privacy(names)
    private = [Problem(r.start, r.end, why_private(r)) for r in privacy.removed(draft.text)]
    try:
        submission = read(draft.kind, draft.text)
    except SubmissionError as error:
        problems = error.problems
    else:
        problems = [*_verified_is_repeated(draft, submission), *_missing_files(draft, submission)]
        private += _private_files(draft, submission, store, privacy)
    return [
        Issue(kind=kind, start=problem.start, end=problem.end, why=problem.why)
        for kind, found in ((FindingKind.PRIVATE, private), (FindingKind.FIELDS, problems))
        for problem in found
    ]


def _verified_is_repeated(draft: Draft, submission: Submission) -> Iterator[Problem]:
    if draft.kind is not DraftKind.POST:
        return
    label = next((fact.value for fact in draft.facts if fact.id == "confidence"), None)
    if getattr(submission.fields, "verified", None) and label not in _REPEATED:
        said = f"is {label}" if label else "has no record behind it"
        why = f"verified is for what was repeated, and this {said}; write verified: false"
        yield Problem(*submission.head.span(("verified",)), why)


def _missing_files(draft: Draft, submission: Submission) -> Iterator[Problem]:
    kept = {attachment.blob.sha256: attachment for attachment in draft.attachments}
    for path, sha256 in files_of(submission):
        span = submission.head.span(path)
        if sha256 not in kept:
            yield Problem(*span, "that file is not kept with the draft; draft it again with the file")
        elif kept[sha256].blob.size > limits.UPLOAD_BYTES:
            yield Problem(*span, f"{kept[sha256].name} is too large; {limits.UPLOAD_BYTES:,} bytes are allowed")


def _private_files(draft: Draft, submission: Submission, store: RecordStore, privacy: Privacy) -> Iterator[Problem]:
    """Private places in what goes along: in text, and for an archive in each text of it."""
    kept = {attachment.blob.sha256: attachment for attachment in draft.attachments}
    for path, sha256 in files_of(submission):
        if sha256 not in kept:
            continue
        data = store.blob(kept[sha256].blob)
        files = contents(data) if draft.kind is DraftKind.SKILL else [(kept[sha256].name, data)]
        for name, content in files:
            text = content.decode("utf-8", "ignore") if b"\0" not in content[:8192] else ""
            for removed in privacy.removed(text)[:1]:
                why = f"line {line_of(text, removed.start)} of {name}: {why_private(removed)}"
                yield Problem(*submission.head.span(path), why)


def files_of(submission: Submission) -> Iterator[tuple[Path, str]]:
    """Where a text names a file that goes along, and its SHA-256."""
    fields = submission.head.fields
    if isinstance(fields.get("sha256"), str):
        yield ("sha256",), fields["sha256"]
    for index, attachment in enumerate(fields.get("attachments", [])):
        if "sha256" in attachment:
            yield ("attachments", index, "sha256"), attachment["sha256"]

"""The rules of approval: who may say yes to which text."""

from __future__ import annotations

import dataclasses

import pytest

from curator.draft import DraftStatus
from curator.errors import OpenFindingsError, RefusedError, StaleDraftError
from curator.log import Decision
from curator.review import approve, approved, reject
from curator.verify import verify


@pytest.fixture
def fine(checkout):
    draft = checkout.draft()
    return draft, verify(draft.text, draft.facts)


@pytest.fixture
def wrong(checkout):
    draft = checkout.draft(checkout.WRONG)
    return draft, verify(draft.text, draft.facts)


def test_an_approval_names_the_person_and_the_text(fine):
    """An approval that is not bound to a name and a text would be worth nothing."""
    draft, report = fine
    entry = approve(draft, report, by="Ada Lovelace", seen_sha256=draft.sha256)

    assert (entry.decision, entry.by, entry.sha256) == (Decision.APPROVED, "Ada Lovelace", draft.sha256)
    assert entry.evidence_count == len(report.evidence) > 0


def test_nobody_approves_a_text_they_did_not_see(fine):
    """A text that changed behind the reader's back must not go out under their name."""
    draft, report = fine
    with pytest.raises(StaleDraftError, match="curator show"):
        approve(draft, report, by="Ada", seen_sha256="0" * 64)


@pytest.mark.parametrize("name", ["", "  ", "\t"])
def test_an_approval_needs_a_name(fine, name):
    """Nobody could be asked about an approval without a name."""
    draft, report = fine
    with pytest.raises(RefusedError, match="name"):
        approve(draft, report, by=name, seen_sha256=draft.sha256)


def test_a_finding_is_approved_past_only_by_its_id(wrong):
    """A wrong number must not slip through because somebody said yes in general."""
    draft, report = wrong
    (finding,) = report.findings
    with pytest.raises(OpenFindingsError) as refused:
        approve(draft, report, by="Ada", seen_sha256=draft.sha256)
    assert refused.value.findings == (finding.id,)

    entry = approve(draft, report, by="Ada", seen_sha256=draft.sha256, accept=[finding.id])

    assert [(accepted.id, accepted.text) for accepted in entry.accepted] == [(finding.id, "-9.1 %")]


def test_accepting_a_finding_that_is_not_there_is_refused(fine):
    """A mistyped ID must not look as if something had been accepted."""
    draft, report = fine
    with pytest.raises(RefusedError, match="F-00000000"):
        approve(draft, report, by="Ada", seen_sha256=draft.sha256, accept=["F-00000000"])


def test_a_rejection_needs_a_reason(fine):
    """Whoever drafts next would have nothing to learn from."""
    draft, _ = fine
    with pytest.raises(RefusedError, match="why"):
        reject(draft, by="Ada", why="  ")
    assert reject(draft, by="Ada", why=" no ").why == "no"


@pytest.mark.parametrize("status", [DraftStatus.DRAFT, DraftStatus.REJECTED, DraftStatus.PUBLISHED])
def test_only_what_is_approved_may_be_published(fine, status):
    """Silence, a no and an old publication are no licence to publish."""
    draft, _ = fine
    with pytest.raises(RefusedError):
        approved(dataclasses.replace(draft, status=status, by="Ada"))


@pytest.mark.parametrize("status", [DraftStatus.APPROVED, DraftStatus.FAILED])
def test_an_approval_is_a_licence_also_after_a_failed_publication(fine, status):
    """A full disk must not cost the person a second review."""
    draft, _ = fine
    assert approved(dataclasses.replace(draft, status=status, by="Ada")).by == "Ada"


def test_what_is_out_is_not_decided_on_again(fine):
    """A published text is corrected by a new entry, never by another verdict."""
    draft, report = fine
    out = dataclasses.replace(draft, status=DraftStatus.PUBLISHED, link="log.md:3")
    with pytest.raises(RefusedError, match=r"log\.md:3"):
        approve(out, report, by="Ada", seen_sha256=draft.sha256)
    with pytest.raises(RefusedError, match="published"):
        reject(out, by="Ada", why="late")

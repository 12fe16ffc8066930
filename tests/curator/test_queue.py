"""Drafts in the store: their revisions, and the status that the log gives them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.draft import DraftStatus
from curator.errors import DraftFormatError, DraftNotFoundError, StaleDraftError
from curator.review import approve, reject
from curator.verify import verify


def say_yes(checkout, draft, **more):
    report = verify(draft.text, draft.facts)
    accept = [finding.id for finding in report.findings]
    checkout.queue.log.append(approve(draft, report, by="Ada", seen_sha256=draft.sha256, accept=accept))


def test_a_draft_comes_back_as_it_was_kept(checkout):
    """A number lost on the way to the store would be missing from the evidence."""
    draft = checkout.draft()

    again = checkout.queue.get(draft.id)

    assert (again.text, again.facts, again.runs) == (draft.text, draft.facts, draft.runs)
    assert (again.status, again.revision, again.sha256) == (DraftStatus.DRAFT, 0, draft.sha256)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_an_edit(checkout, text):
    """What a person wrote must come back character for character, and so must its hash."""
    draft = checkout.draft()

    edited = checkout.queue.edit(draft, text, by="Ada")

    assert (edited.text, edited.edited_by, edited.revision) == (text, "Ada", 1)


def test_an_edit_takes_the_approval_away(checkout):
    """A text that nobody approved must not go out under the approval of the one before it."""
    draft = checkout.draft()
    say_yes(checkout, draft)
    assert checkout.queue.get(draft.id).status is DraftStatus.APPROVED

    edited = checkout.queue.edit(checkout.queue.get(draft.id), "another text", by="Bob")

    assert (edited.status, edited.by) == (DraftStatus.DRAFT, None)


def test_of_two_edits_of_one_text_the_second_is_refused(checkout):
    """Somebody's edit would vanish without a word."""
    draft = checkout.draft()
    checkout.queue.edit(draft, "Bob's", by="Bob")

    with pytest.raises(StaleDraftError, match=draft.id):
        checkout.queue.edit(draft, "Ada's", by="Ada")

    assert checkout.queue.get(draft.id).text == "Bob's"


def test_the_newest_decision_on_the_newest_text_counts(checkout):
    """A person who thinks again must be heard."""
    draft = checkout.draft()
    say_yes(checkout, draft)
    checkout.queue.log.append(reject(draft, by="Bob", why="wrong baseline"))

    now = checkout.queue.get(draft.id)

    assert (now.status, now.by, now.why) == (DraftStatus.REJECTED, "Bob", "wrong baseline")


def test_drafts_are_listed_in_order_and_by_thread(checkout):
    """With ID 10 before ID 9 nobody would find the newest draft."""
    drafts = [checkout.draft(thread="other" if number == 5 else "lr-sweep") for number in range(11)]

    assert [draft.id for draft in checkout.queue.all()] == [draft.id for draft in drafts]
    assert [draft.id for draft in checkout.queue.all("other")] == [drafts[5].id]


def test_many_drafters_get_different_ids(checkout):
    """Two drafts under one ID would be one draft."""
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: checkout.queue.new_id("LR"), range(40)))

    assert sorted(ids) == [f"LR-D{number:03d}" for number in range(1, 41)]


def test_a_draft_that_does_not_exist_is_named(checkout):
    """A mistyped ID needs an answer that helps."""
    with pytest.raises(DraftNotFoundError, match=r"LR-D099.*curator drafts"):
        checkout.queue.get("LR-D099")


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"id": 3}'])
def test_a_damaged_draft_is_an_error_and_no_crash(checkout, damage):
    """A half-written file must not end in a traceback, nor be taken for a draft."""
    draft = checkout.draft()
    (checkout.root / "drafts" / draft.id / "000000.json").write_bytes(damage)

    with pytest.raises(DraftFormatError, match=draft.id):
        checkout.queue.get(draft.id)

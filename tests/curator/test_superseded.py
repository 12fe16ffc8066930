"""Several drafts about the same runs: the newest counts, and what a person wrote or decided stays theirs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from curator.draft import BY_HAND, DraftKind, DraftStatus
from curator.log import Decision, LogEntry
from curator.review import approve
from curator.verify import verify
from curator.writing import Writing

NEWER = "### 2026-11-22 10:00 - LR-002 a higher rate\n\n- Result: eval/loss 2.373 nats/byte.\n"


@pytest.fixture
def draft(checkout):
    """Makes a draft of the entry about the same two runs, unless something else is said."""

    def make(text=checkout.ENTRY, **fields):
        return checkout.draft(text, **({"runs": ("LR-001", "LR-002")} | fields))

    return make


def status(checkout, of):
    return checkout.queue.get(of.id).status


def test_a_newer_draft_takes_the_place_of_one_that_nobody_touched(checkout, draft):
    """Two drafts of one entry would both be read, and both be approved into a logbook that forgets nothing."""
    older = draft()
    newer = draft(NEWER)

    assert checkout.queue.supersede(newer) == (older.id,)

    assert (status(checkout, older), status(checkout, newer)) == (DraftStatus.SUPERSEDED, DraftStatus.DRAFT)
    assert f"superseded by {newer.id}" in checkout.curator("log").out
    assert f"superseded by {newer.id}" in checkout.curator("show", older.id).out
    assert older.id in checkout.curator("drafts", "--status", "superseded").out
    assert "is not approved" in checkout.curator("publish", older.id, code=1).err


@pytest.mark.parametrize(
    "other",
    [
        {"runs": ("LR-002",)},
        {"thread": "another"},
        {"kind": DraftKind.CLOSING},
        {"drafter": BY_HAND},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_draft_of_something_else_stays(checkout, draft, other):
    """A post that a person wrote, or the entry of one run of a sweep, is not what the drafter wrote anew."""
    older = draft(**other)

    assert checkout.queue.supersede(draft(NEWER)) == ()

    assert status(checkout, older) is DraftStatus.DRAFT


def test_an_update_does_not_take_the_place_of_a_snapshots_comment(checkout, draft):
    """Both are comments about the same runs, and the issue needs both."""
    comment = draft(kind=DraftKind.ISSUE, title="snapshot lr-sweep-snapshot-001")

    assert checkout.queue.supersede(draft(kind=DraftKind.ISSUE, title="lr sweep")) == ()

    assert status(checkout, comment) is DraftStatus.DRAFT


def test_what_a_person_edited_approved_or_rejected_stays_as_it_is(checkout, draft):
    """Whoever spent an hour on a text must find it again, whatever a drafter writes afterwards."""
    edited, approved, rejected = (draft() for _ in range(3))
    checkout.queue.edit(edited, "Ada's words", by="Ada")
    checkout.curator("approve", approved.id)
    checkout.curator("reject", rejected.id, "--why", "not now")

    assert checkout.queue.supersede(draft(NEWER)) == ()

    assert [status(checkout, each) for each in (edited, approved, rejected)] == [
        DraftStatus.DRAFT,
        DraftStatus.APPROVED,
        DraftStatus.REJECTED,
    ]


def superseding(older, newer):
    return LogEntry(
        decision=Decision.SUPERSEDED, draft=older.id, sha256=older.sha256, time=datetime.now(UTC), by=newer.id
    )


def test_a_person_who_decides_while_another_draft_is_written_is_heard(checkout, draft):
    """Between the drafter's look and its word in the log, somebody may have approved or edited."""
    approved, edited, newer = (draft() for _ in range(3))
    checkout.curator("approve", approved.id)
    checkout.queue.edit(edited, "Ada's words", by="Ada")
    for each in (approved, edited):
        checkout.queue.log.append(superseding(each, newer))

    assert status(checkout, approved) is DraftStatus.APPROVED
    assert status(checkout, edited) is DraftStatus.DRAFT


def test_an_older_draft_that_a_person_takes_up_again_is_open_again(checkout, draft):
    """They may like the earlier text better."""
    older = draft()
    checkout.queue.supersede(draft(NEWER))

    checkout.queue.edit(checkout.queue.get(older.id), "Ada's words", by="Ada")

    assert status(checkout, older) is DraftStatus.DRAFT


def test_a_template_in_place_of_a_model_leaves_the_models_draft(checkout, draft):
    """A network that is down for a minute must not cost the better text."""
    failed = Writing(model="claude-opus-5-5", instead="it cannot be reached")
    first = draft(writing=failed)
    good = draft("better words", drafter="claude", writing=Writing(model="claude-opus-5-5"))
    again = draft(NEWER, writing=failed)

    assert checkout.queue.supersede(again) == (first.id,)

    assert status(checkout, good) is DraftStatus.DRAFT


def test_a_broken_log_is_told_nothing_and_the_drafts_stay(checkout, draft):
    """What is added to a chain that somebody touched is worth nothing, and drafting must not stop for it."""
    older, other = draft(), draft(thread="another")
    checkout.curator("reject", other.id, "--why", "not now")
    checkout.curator("reject", other.id, "--why", "not ever")
    (checkout.root / "log/00000001.json").unlink()

    assert checkout.queue.supersede(draft(NEWER)) == ()

    assert status(checkout, older) is DraftStatus.DRAFT


def finding(checkout, of):
    (found,) = json.loads(checkout.curator("verify", of.id, "--json", code=1).out)["findings"]
    assert found["kind"] == "second"
    return found


def test_approving_a_second_draft_about_the_same_runs_takes_a_word(checkout, draft):
    """Whoever approves from a list would put one entry into an append-only logbook twice."""
    first, second = draft(), draft(NEWER)
    checkout.curator("approve", first.id)

    found = finding(checkout, second)
    refused = checkout.curator("approve", second.id, code=1).err

    assert found["why"] == f"{first.id} is about the same runs and approved already; readers would find both"
    assert found["id"] in refused
    assert f"{first.id} is about the same runs" in checkout.curator("show", second.id).out
    checkout.curator("approve", second.id, "--accept", found["id"])
    checkout.curator("publish", "--approved")
    assert [status(checkout, each) for each in (first, second)] == [DraftStatus.PUBLISHED] * 2


def test_one_that_is_out_is_named_with_its_place(checkout, draft):
    """The person can look whether a second entry says anything new."""
    first = draft()
    checkout.curator("approve", first.id)
    checkout.curator("publish", first.id)

    assert f"out already ({checkout.queue.get(first.id).link})" in finding(checkout, draft(NEWER))["why"]
    assert checkout.curator("verify", first.id).out


def test_two_about_the_same_runs_are_not_approved_in_one_breath(checkout, draft):
    """Neither was approved when the command began; the second would slip through."""
    first, second = draft(), draft(NEWER)

    refused = checkout.curator("approve", first.id, second.id, code=1).err

    assert second.id in refused
    assert checkout.decisions() == []


def test_a_second_one_that_was_approved_before_the_first_was_out_waits(checkout, draft):
    """Two people approved at the same time: the dry run and the publication both say it, and one entry goes out."""
    first, second = draft(), draft(NEWER)
    for each in (first, second):
        now = checkout.queue.get(each.id)
        yes = approve(now, verify(now.text, now.facts), by="Ada", seen_sha256=now.sha256)
        checkout.queue.log.append(yes)

    for more in (["--dry-run"], []):
        said = checkout.curator("publish", "--approved", *more).out
        assert f"{second.id}  waits: {first.id} is about the same runs" in said

    assert [status(checkout, each) for each in (first, second)] == [DraftStatus.PUBLISHED, DraftStatus.APPROVED]
    assert NEWER.splitlines()[2] not in checkout.logbook.read_text()


@pytest.mark.parametrize("kind", [DraftKind.FIX, DraftKind.INDEX])
def test_what_is_written_again_and_again_takes_no_word(checkout, draft, kind):
    """A comment is corrected twice, and a section is kept current."""
    checkout.curator("approve", draft(kind=kind).id)

    assert json.loads(checkout.curator("verify", draft(NEWER, kind=kind).id, "--json").out)["ok"]

"""Several drafts about the same runs: the newest counts, and what a person wrote or decided stays theirs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from curator.draft import BY_HAND, DraftKind, DraftStatus
from curator.log import Decision, LogEntry
from curator.writing import Writing

NEWER = "### 2026-11-22 10:00 - LR-002 a higher rate\n\n- Result: eval/loss 2.373 nats/byte.\n"


def status(checkout, draft):
    return checkout.queue.get(draft.id).status


def test_a_newer_draft_takes_the_place_of_one_that_nobody_touched(checkout):
    """Two drafts of one entry would both be read, and both be approved into a logbook that forgets nothing."""
    older = checkout.draft()
    newer = checkout.draft(NEWER)

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
def test_a_draft_of_something_else_stays(checkout, other):
    """A post that a person wrote, or the entry of one run of a sweep, is not what the drafter wrote anew."""
    older = checkout.draft(**other)

    assert checkout.queue.supersede(checkout.draft(NEWER)) == ()

    assert status(checkout, older) is DraftStatus.DRAFT


def test_an_update_does_not_take_the_place_of_a_snapshots_comment(checkout):
    """Both are comments about the same runs, and the issue needs both."""
    comment = checkout.draft(kind=DraftKind.ISSUE, title="snapshot lr-sweep-snapshot-001")

    assert checkout.queue.supersede(checkout.draft(kind=DraftKind.ISSUE, title="lr sweep")) == ()

    assert status(checkout, comment) is DraftStatus.DRAFT


def test_what_a_person_edited_approved_or_rejected_stays_as_it_is(checkout):
    """Whoever spent an hour on a text must find it again, whatever a drafter writes afterwards."""
    edited, approved, rejected = (checkout.draft() for _ in range(3))
    checkout.queue.edit(edited, "Ada's words", by="Ada")
    checkout.curator("approve", approved.id)
    checkout.curator("reject", rejected.id, "--why", "not now")

    assert checkout.queue.supersede(checkout.draft(NEWER)) == ()

    assert [status(checkout, each) for each in (edited, approved, rejected)] == [
        DraftStatus.DRAFT,
        DraftStatus.APPROVED,
        DraftStatus.REJECTED,
    ]


def superseding(older, newer):
    return LogEntry(
        decision=Decision.SUPERSEDED, draft=older.id, sha256=older.sha256, time=datetime.now(UTC), by=newer.id
    )


def test_a_person_who_decides_while_another_draft_is_written_is_heard(checkout):
    """Between the drafter's look and its word in the log, somebody may have approved or edited."""
    approved, edited, newer = (checkout.draft() for _ in range(3))
    checkout.curator("approve", approved.id)
    checkout.queue.edit(edited, "Ada's words", by="Ada")
    for draft in (approved, edited):
        checkout.queue.log.append(superseding(draft, newer))

    assert status(checkout, approved) is DraftStatus.APPROVED
    assert status(checkout, edited) is DraftStatus.DRAFT


def test_an_older_draft_that_a_person_takes_up_again_is_open_again(checkout):
    """They may like the earlier text better."""
    older = checkout.draft()
    checkout.queue.supersede(checkout.draft(NEWER))

    checkout.queue.edit(checkout.queue.get(older.id), "Ada's words", by="Ada")

    assert status(checkout, older) is DraftStatus.DRAFT


def test_a_template_in_place_of_a_model_leaves_the_models_draft(checkout):
    """A network that is down for a minute must not cost the better text."""
    failed = Writing(model="claude-opus-5-5", instead="it cannot be reached")
    first = checkout.draft(writing=failed)
    good = checkout.draft("better words", drafter="claude", writing=Writing(model="claude-opus-5-5"))
    again = checkout.draft(NEWER, writing=failed)

    assert checkout.queue.supersede(again) == (first.id,)

    assert status(checkout, good) is DraftStatus.DRAFT


def test_a_broken_log_is_told_nothing_and_the_drafts_stay(checkout):
    """What is added to a chain that somebody touched is worth nothing, and drafting must not stop for it."""
    older, other = checkout.draft(), checkout.draft(thread="another")
    checkout.curator("reject", other.id, "--why", "not now")
    checkout.curator("reject", other.id, "--why", "not ever")
    (checkout.root / "log/00000001.json").unlink()

    assert checkout.queue.supersede(checkout.draft(NEWER)) == ()

    assert status(checkout, older) is DraftStatus.DRAFT

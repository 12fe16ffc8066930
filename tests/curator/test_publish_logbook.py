"""Publishing logbook entries: exactly what was approved, exactly once, whatever happens in between."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from functools import partial

import pytest

from curator.draft import DraftKind, DraftStatus
from curator.errors import RefusedError
from curator.publish import Outcome, plan, publish
from curator.publish.marker import marker
from tests.curator.dying import killed_before

WRITES = {
    "open",
    "write",
    "flush",
    "fsync",
    "link",
    "replace",
    "rename",
    "unlink",
    "mkdir",
    "mkstemp",
    "fchmod",
    "close",
}


def run_publish(checkout, *drafts):
    return list(publish(drafts, checkout.queue, by="Ada"))


def test_the_entry_stands_in_the_logbook_as_it_was_approved(checkout, approved):
    """A person signed these bytes and no others."""
    draft = approved()

    said = checkout.curator("publish", draft.id)

    expected = checkout.LOGBOOK + "\n" + checkout.ENTRY + "\n" + marker(draft.id, draft.sha256) + "\n"
    assert checkout.logbook.read_text() == expected
    assert said.out == f"{draft.id}  published  .agents/logbooks/lr-sweep.md:8\n"
    now = checkout.queue.get(draft.id)
    assert (now.status, now.link) == (DraftStatus.PUBLISHED, ".agents/logbooks/lr-sweep.md:8")
    assert checkout.logbook.read_text().splitlines()[7] == checkout.ENTRY.splitlines()[0]
    assert checkout.decisions() == ["approved", "publishing", "published"]


def test_publishing_again_publishes_nothing(checkout, approved):
    """A retry after a lost answer must not leave the entry in the logbook twice."""
    draft = approved()
    checkout.curator("publish", draft.id)
    before = checkout.logbook.read_bytes(), checkout.decisions()

    assert "already" in checkout.curator("publish", draft.id).out
    checkout.curator("publish", "--approved")

    assert (checkout.logbook.read_bytes(), checkout.decisions()) == before


def test_nothing_unapproved_goes_out(checkout, approved):
    """Neither a draft, nor a rejected one, nor an approved one whose text changed since."""
    draft, rejected, edited = checkout.draft(), approved(), approved()
    checkout.curator("reject", rejected.id, "--why", "no")
    checkout.queue.edit(edited, checkout.WRONG, by="Eve")

    for each in (draft, rejected, edited):
        assert "not approved" in checkout.curator("publish", each.id, code=1).err
    checkout.curator("publish", "--approved")

    assert checkout.logbook.read_text() == checkout.LOGBOOK


def test_if_one_named_draft_is_not_approved_nothing_is_published(checkout, approved):
    """The person who named them meant all of them."""
    fine, draft = approved(), checkout.draft()

    with pytest.raises(RefusedError, match=draft.id):
        run_publish(checkout, fine, draft)

    assert checkout.logbook.read_text() == checkout.LOGBOOK


def test_an_edit_between_the_look_and_the_publication_stops_it(checkout, approved):
    """The text that was approved is no longer the draft's text."""
    draft = approved()
    checkout.queue.edit(draft, checkout.WRONG, by="Eve")

    (publication,) = run_publish(checkout, draft)

    assert publication.outcome is Outcome.FAILED
    assert checkout.logbook.read_text() == checkout.LOGBOOK


def test_a_logbook_with_other_line_endings_keeps_them(checkout, approved):
    """Mixed line endings would show up as a change of the whole file."""
    checkout.logbook.write_bytes(checkout.LOGBOOK.replace("\n", "\r\n").encode())
    draft = approved()

    checkout.curator("publish", draft.id)

    data = checkout.logbook.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert checkout.ENTRY.replace("\n", "\r\n").encode() in data


def test_a_logbook_in_a_repository_of_its_own_is_found(checkout, approved):
    """Teams keep their logbooks in a separate repository; the link names the way there."""
    separate = checkout.top.parent / "logbooks/marin/7-lr.md"
    separate.parent.mkdir(parents=True)
    separate.write_text(checkout.LOGBOOK)
    thread = checkout.top / ".agents/research/lr-sweep.yaml"
    thread.write_text(
        thread.read_text().replace(
            "{path: .agents/logbooks/lr-sweep.md}", "{path: marin/7-lr.md, repository: ../logbooks}"
        )
    )
    draft = approved()

    assert "../logbooks/marin/7-lr.md:8" in checkout.curator("publish", draft.id).out

    assert checkout.ENTRY in separate.read_text()
    assert checkout.logbook.read_text() == checkout.LOGBOOK


# What goes wrong, and trying again


def mend_missing(checkout):
    checkout.logbook.parent.mkdir(parents=True, exist_ok=True)
    checkout.logbook.write_text(checkout.LOGBOOK)


BREAKAGES = {
    "no file": lambda checkout: checkout.logbook.unlink(),
    "no folder": lambda checkout: (checkout.logbook.unlink(), checkout.logbook.parent.rmdir()),
    "open fence": lambda checkout: checkout.logbook.write_text(checkout.LOGBOOK + "\n```text\nnever closed\n"),
}


@pytest.mark.parametrize("how", BREAKAGES)
def test_a_failed_publication_says_why_and_can_be_tried_again(checkout, approved, how):
    """A missing file must not cost the approval, nor leave half an entry."""
    draft = approved()
    BREAKAGES[how](checkout)

    said = checkout.curator("publish", draft.id, code=1)

    now = checkout.queue.get(draft.id)
    assert said.err.count("\n") == 1
    assert (now.status, now.by) == (DraftStatus.FAILED, "Ada Lovelace")
    assert now.why
    assert now.why in said.err
    mend_missing(checkout)
    checkout.curator("publish", "--approved")
    assert checkout.queue.get(draft.id).status is DraftStatus.PUBLISHED
    assert checkout.logbook.read_text().count(checkout.ENTRY) == 1


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_failure_that_can_be_tried_again(checkout, approved):
    """A shared disk that is mounted read-only must not end in a traceback."""
    draft = approved()
    checkout.logbook.parent.chmod(0o500)
    try:
        checkout.curator("publish", draft.id, code=1)
    finally:
        checkout.logbook.parent.chmod(0o700)
    assert checkout.queue.get(draft.id).status is DraftStatus.FAILED
    assert checkout.logbook.read_text() == checkout.LOGBOOK


def test_outside_of_the_checkout_the_error_says_where_to_go(checkout, approved, tmp_path, monkeypatch):
    """From another folder the logbook cannot be found, and must not be started there."""
    draft = approved()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    said = checkout.curator("publish", draft.id, code=1).err

    assert "lr-sweep" in said
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_secret_that_was_edited_in_never_leaves(checkout, approved):
    """An approval is given to a text in a hurry; a key in it must not become public."""
    key = "ghp_" + "k3Jd8sLq0ZxV5tRb7Yw2NfHc9MaPuE4GiT6o"
    draft = checkout.draft(checkout.ENTRY + f"\nexport GITHUB_TOKEN={key}\n")
    findings = json.loads(checkout.curator("verify", draft.id, "--json", code=1).out)["findings"]
    checkout.curator("approve", draft.id, *(word for each in findings for word in ("--accept", each["id"])))

    said = checkout.curator("publish", draft.id, code=1).err

    assert "line 5" in said
    assert key not in said
    assert key not in checkout.logbook.read_text()


def test_what_cannot_go_out_yet_waits_and_says_so(checkout, approved):
    """A comment that is called published but never was would be looked for in vain."""
    entry = approved()
    comment = approved(checkout.ENTRY, kind=DraftKind.ISSUE)

    said = checkout.curator("publish", "--approved", "--json")

    outcomes = {each["draft"]: each for each in json.loads(said.out)}
    assert outcomes[entry.id]["outcome"] == "published"
    assert (outcomes[comment.id]["outcome"], outcomes[comment.id]["link"]) == ("waits", None)
    assert "curator kickoff lr-sweep" in outcomes[comment.id]["why"]
    assert checkout.queue.get(comment.id).status is DraftStatus.APPROVED


# Looking before leaping


def test_a_dry_run_prints_the_change_and_makes_none(checkout, approved):
    """What the diff shows must be what happens, and nothing may happen yet."""
    drafts = [approved(), approved()]
    before = checkout.decisions()

    planned = list(plan(drafts, checkout.queue))
    said = checkout.curator("publish", "--approved", "--dry-run").out

    assert (checkout.logbook.read_text(), checkout.decisions()) == (checkout.LOGBOOK, before)
    assert all(each.diff in said for each in planned)
    (checkout.top / "plan.diff").write_text("".join(each.diff or "" for each in planned))
    subprocess.run(["git", "apply", "plan.diff"], check=True)
    foreseen = checkout.logbook.read_bytes()
    checkout.logbook.write_text(checkout.LOGBOOK)
    checkout.curator("publish", "--approved")
    assert checkout.logbook.read_bytes() == foreseen
    assert [checkout.queue.get(draft.id).link for draft in drafts] == [each.link for each in planned]


@pytest.mark.parametrize("arguments", [[], ["LR-D001", "--approved"]])
def test_publish_needs_drafts_or_everything(checkout, arguments):
    """What is published must have been asked for."""
    assert "--approved" in checkout.curator("publish", *arguments, code=2).err


# Crashes and company


def test_a_kill_at_any_write_leaves_one_entry_after_the_next_try(checkout, approved, record_property):
    """A crash must lose nothing, leave no half entry, and publish nothing twice."""
    for point in itertools.count():
        checkout.forget()
        draft = approved()
        before = checkout.logbook.read_bytes()

        came_through = killed_before(point, WRITES, partial(run_publish, checkout, draft)) is not None

        added = checkout.ENTRY + "\n" + marker(draft.id, draft.sha256) + "\n"
        after = checkout.logbook.read_bytes()
        assert after in (before, before + b"\n" + added.encode())
        (planned,) = plan([checkout.queue.get(draft.id)], checkout.queue)
        assert bool(planned.diff) == (after == before)
        (publication,) = run_publish(checkout, draft)
        assert publication.outcome in (Outcome.PUBLISHED, Outcome.ALREADY)
        assert checkout.logbook.read_bytes() == before + b"\n" + added.encode()
        assert checkout.decisions(draft.id).count("published") == 1
        line = int(publication.link.rpartition(":")[2])
        assert checkout.logbook.read_text().splitlines()[line - 1] == checkout.ENTRY.splitlines()[0]
        if came_through:  # there is no such point
            break
    assert point > 20
    assert checkout.queue.log.problems() == []
    assert [path.name for path in checkout.logbook.parent.iterdir()] == ["lr-sweep.md"]
    record_property("points", point)


def test_a_begun_publication_has_to_be_ended_first(checkout, approved, editor):
    """After an edit or a rejection nobody could say whether the old text is out."""
    draft = approved()
    for point in range(200):
        killed_before(point, WRITES, partial(run_publish, checkout, draft))
        if checkout.decisions(draft.id)[-1] == "publishing":
            break

    for command in (["edit", draft.id], ["reject", draft.id, "--why", "late"]):
        assert f"curator publish {draft.id}" in checkout.curator(*command, code=1, EDITOR=editor("")).err
    checkout.curator("publish", draft.id)
    assert checkout.decisions(draft.id)[-1] == "published"


def test_publishing_at_once_publishes_once(checkout, approved):
    """Two people who press the button at once must not both get an entry."""
    drafts = [approved() for _ in range(3)]
    command = [sys.executable, "-m", "curator.cli.main", "publish", "--approved"]

    together = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(4)]

    assert [one.wait(60) for one in together] == [0, 0, 0, 0]
    for draft in drafts:
        assert checkout.decisions(draft.id).count("published") == 1
        assert checkout.logbook.read_text().count(marker(draft.id, draft.sha256)) == 1
    assert checkout.queue.log.problems() == []

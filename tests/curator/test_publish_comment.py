"""Publishing issue comments: when their entries are out, with links to that exact commit, once."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from curator.draft import Draft, DraftKind, DraftStatus
from curator.publish import Outcome, publish
from curator.publish.marker import marker
from tests.curator.github_server import BAD_GATEWAY, HALF, LOST, NOT_DONE, REFUSED, TWICE, Answer

PATH = ".agents/logbooks/lr-sweep.md"
WEB = "https://github.com/marin-community/marin"


class Pair(NamedTuple):
    """Two approved drafts: an entry, and the comment that stands on it."""

    entry: Draft
    comment: Draft


@pytest.fixture
def comment(approved, issue, checkout):
    return approved(checkout.UPDATE, kind=DraftKind.ISSUE, runs=("LR-002",), target=issue)


@pytest.fixture
def pair(approved, request):
    return Pair(approved(), request.getfixturevalue("comment"))


def outcomes(said):
    return {each["draft"]: each for each in json.loads(said.out)}


def test_the_comment_links_the_commit_that_holds_its_entry(checkout, here, github, git, pair):
    """A reader who follows the link a year later must find what the comment speaks of."""
    said = outcomes(checkout.curator("publish", "--approved", "--push", "--json"))

    commit = git(here, "rev-parse", "main")
    link = f"{WEB}/blob/{commit}/{PATH}#2026-11-22-1000---lr-002-a-higher-rate"
    expected = checkout.UPDATE.replace("(logbook:LR-002)", f"({link})")
    assert github.bodies(7) == [f"{expected}\n{marker(pair.comment.id, pair.comment.sha256)}\n"]
    assert said[pair.comment.id]["link"].startswith(f"{WEB}/issues/7#issuecomment-")
    assert list(said) == [pair.entry.id, pair.comment.id]
    assert checkout.queue.get(pair.comment.id).status is DraftStatus.PUBLISHED


@pytest.mark.parametrize("far", ["unapproved", "approved", "published", "committed"])
def test_a_comment_waits_until_its_entry_can_be_seen(checkout, here, github, comment, far):
    """A link to what is only on one disk helps nobody; what is missing is said with the command for it."""
    entry = checkout.draft()
    if far != "unapproved":
        checkout.curator("approve", entry.id)
    if far in ("published", "committed"):
        checkout.curator("publish", entry.id, *(["--commit"] if far == "committed" else []))

    said = checkout.curator("publish", comment.id)

    clear = {
        "unapproved": f"approve {entry.id}",
        "approved": f"publish {entry.id} first",
        "published": f"curator publish {entry.id} --push",
        "committed": f"curator publish {entry.id} --push",
    }
    assert "waits" in said.out
    assert clear[far] in said.out
    assert github.bodies(7) == []
    assert checkout.decisions(comment.id) == ["approved"]
    if far != "unapproved":
        assert "published" in checkout.curator("publish", "--approved", "--push").out
        assert len(github.bodies(7)) == 1


def test_an_entry_that_somebody_pushed_by_hand_will_do(checkout, here, github, git, comment):
    """People write entries themselves; the comment links the commit that last changed the file."""
    checkout.logbook.write_text(checkout.LOGBOOK + "\n### 2026-11-22 11:00 - LR-001..003 by hand\n- Result: fine.\n")
    git(checkout.top, "commit", "--quiet", "--all", "--message", "mine")
    git(checkout.top, "push", "--quiet")

    checkout.curator("publish", comment.id)

    commit = git(here, "rev-parse", "main")
    assert f"{WEB}/blob/{commit}/{PATH}#2026-11-22-1100---lr-001003-by-hand" in github.bodies(7)[0]


def test_an_entry_that_a_colleague_pushed_is_fetched(here, github, git, comment, checkout):
    """They published from their own checkout; this one has not heard of it."""
    colleague = here.parent / "colleague"
    git(here.parent, "clone", "--quiet", str(here), "colleague")
    theirs = colleague / PATH
    theirs.write_text(checkout.LOGBOOK + "\n### 2026-11-22 11:00 - LR-002 theirs\n- Result: fine.\n")
    git(colleague, "commit", "--quiet", "--all", "--message", "theirs")
    git(colleague, "push", "--quiet")

    assert "published" in checkout.curator("publish", comment.id).out
    assert git(here, "rev-parse", "main") in github.bodies(7)[0]


def test_a_thread_without_an_issue_is_told_how_to_get_one(checkout, here, approved, github):
    """The comment waits for the kick-off."""
    comment = approved(checkout.UPDATE, kind=DraftKind.ISSUE, runs=())

    assert "curator kickoff lr-sweep" in checkout.curator("publish", comment.id).out


def test_a_comment_for_another_issue_is_not_posted_here(checkout, here, approved, github, issue):
    """Somebody changed the thread's issue after the approval."""
    comment = approved(checkout.UPDATE, kind=DraftKind.ISSUE, runs=(), target=issue + "7")

    said = checkout.curator("publish", comment.id, code=1)

    assert "draft it again" in said.err
    assert github.bodies(7) == []


def test_offline_it_waits_and_the_entries_go_out(checkout, here, github, pair, monkeypatch):
    """On a train what can be sent is sent, and the rest is neither lost nor called a failure."""
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    said = outcomes(checkout.curator("publish", "--approved", "--push", "--json"))
    assert [each["outcome"] for each in said.values()] == ["published", "waits"]
    assert "cannot be reached" in said[pair.comment.id]["why"]

    monkeypatch.setenv("GITHUB_API_URL", github.url)
    said = outcomes(checkout.curator("publish", "--approved", "--json"))

    assert [each["outcome"] for each in said.values()] == ["published"]
    assert len(github.bodies(7)) == 1


def test_without_a_token_it_waits(checkout, here, github, pair, monkeypatch):
    """The line says which token is needed."""
    monkeypatch.delenv("GITHUB_TOKEN")

    assert "no GITHUB_TOKEN" in checkout.curator("publish", "--approved", "--push").out


def test_a_dry_run_shows_the_comment_and_posts_nothing(checkout, here, github, pair):
    """What will be posted can be read before, also before its entries are out."""
    said = checkout.curator("publish", "--approved", "--push", "--dry-run").out

    assert "+🤖 Update: LR-002 a higher rate" in said
    assert [request.method for request in github.requests] == ["GET"]
    assert checkout.decisions(pair.comment.id) == ["approved"]


def test_a_marker_on_a_late_page_is_found(checkout, here, github, pair):
    """An issue with hundreds of comments since; the answer to the first try was lost."""
    checkout.curator("publish", pair.entry.id, "--push")
    first = len(github.requests)
    github.fault = lambda number, request: LOST if request.method == "POST" and number > first else None
    checkout.curator("publish", pair.comment.id, code=1)
    github.fault = lambda *_: None
    for number in range(30):
        github.say(7, f"comment {number}")
    github.per_page = 7

    said = checkout.curator("publish", pair.comment.id)

    assert "was out already" in said.out
    assert sum(marker(pair.comment.id, pair.comment.sha256) in body for body in github.bodies(7)) == 1


def test_a_comment_that_somebody_deleted_is_said_to_be_gone_and_posted_again_only_when_asked(
    checkout, here, github, pair
):
    """A dead link that is called published is believed; what a person took away is not for a program to put back."""
    checkout.curator("publish", "--approved", "--push")
    github.comments.clear()

    said = checkout.curator("publish", pair.comment.id, code=1)

    assert f"{pair.comment.id}  gone  {WEB}/issues/7#issuecomment-" in said.err
    assert f"curator publish {pair.comment.id} --again" in said.err
    checkout.curator("publish", "--approved")
    checkout.curator("publish", "--approved", "--again", code=2)
    assert "planned" in checkout.curator("publish", pair.comment.id, "--again", "--dry-run").out
    assert github.bodies(7) == []
    assert "published" in checkout.curator("publish", pair.comment.id, "--again").out
    assert "already" in checkout.curator("publish", pair.comment.id, "--again").out
    (posted,) = github.comments.values()
    assert checkout.queue.get(pair.comment.id).link == posted["html_url"]


def test_posting_a_deleted_comment_again_is_exactly_once_too(checkout, here, github, pair):
    """The answer to the second posting may be lost as well as that to the first."""
    checkout.curator("publish", "--approved", "--push")
    github.comments.clear()
    github.fault = lambda _, request: LOST if request.method == "POST" else None
    checkout.curator("publish", pair.comment.id, "--again", code=1)
    github.fault = lambda *_: None

    checkout.curator("publish", "--approved")

    (posted,) = github.comments.values()
    assert checkout.queue.get(pair.comment.id).link == posted["html_url"]


def test_what_cannot_be_seen_is_not_taken_for_gone(checkout, here, github, pair, monkeypatch):
    """A token that lost its rights gets the answer that a deleted comment gives."""
    checkout.curator("publish", "--approved", "--push")
    github.answer = lambda _: Answer(404, {"message": "Not Found"})

    said = checkout.curator("publish", pair.comment.id, "--again")

    assert "already" in said.out
    assert "whether it is still there could not be seen" in said.out
    assert len(github.bodies(7)) == 1


@pytest.mark.parametrize("how", [LOST, HALF, BAD_GATEWAY, REFUSED, NOT_DONE])
def test_after_a_failure_it_says_what_happened_and_publishing_again_is_safe(checkout, here, github, pair, how):
    """Whether it was posted or not, nobody has to go and look."""
    github.fault = lambda _, request: how if request.method == "POST" else None
    said = checkout.curator("publish", "--approved", "--push", code=1)
    assert f"{pair.comment.id}  failed: the answer was lost" in said.err
    assert checkout.queue.get(pair.comment.id).status is DraftStatus.FAILED
    github.fault = lambda *_: None

    (publication,) = publish([checkout.queue.get(pair.comment.id)], checkout.queue, by="Ada")

    assert publication.outcome is Outcome.PUBLISHED
    assert len(github.bodies(7)) == 1
    assert checkout.decisions(pair.comment.id) == [
        "approved",
        "publishing",
        "failed",
        *([] if how in (LOST, HALF, BAD_GATEWAY) else ["publishing"]),
        "published",
    ]


def test_a_request_that_a_proxy_sends_twice_leaves_one_comment(checkout, here, github, pair):
    """Its copy is ours to remove, and the link is to the other one; what others wrote in between is not."""
    eve = f"look at this {marker(pair.comment.id, pair.comment.sha256)}"
    github.say(7, "before")
    github.fault = lambda _, request: TWICE if request.method == "POST" else None

    said = checkout.curator("publish", "--approved", "--push")

    assert "more than once" in said.out
    assert len(github.bodies(7)) == 2
    assert checkout.queue.get(pair.comment.id).link in {each["html_url"] for each in github.comments.values()}
    github.say(7, eve)
    checkout.curator("publish", pair.comment.id)
    assert github.bodies(7)[-1] == eve


def test_a_logbook_apart_is_linked_in_its_own_repository(checkout, apart, github, git, pair):
    """The research repository knows nothing of its commits."""
    git(checkout.top.parent / "logbooks", "config", f"url.{apart}.insteadOf", "git@github.com:marin-community/logs.git")
    git(checkout.top.parent / "logbooks", "remote", "set-url", "origin", "git@github.com:marin-community/logs.git")

    checkout.curator("publish", "--approved")

    commit = git(apart, "rev-parse", "HEAD")
    assert f"https://github.com/marin-community/logs/blob/{commit}/marin/7-lr.md#2026-11-22-1000" in github.bodies(7)[0]


def test_a_remote_without_a_page_is_named_without_a_link(checkout, here, github, git, pair):
    """A repository on a disk of the lab has no page to point to; the words of the link stay."""
    git(checkout.top, "config", "--unset", f"url.{here}.insteadOf")
    git(checkout.top, "remote", "set-url", "origin", str(here))

    checkout.curator("publish", "--approved", "--push")

    assert "  - Logbook section: entry LR-002\n" in github.bodies(7)[0]

"""Opening, keeping and closing experiment issues: each step once, and nobody else's words touched."""

from __future__ import annotations

import json

import pytest

from curator import front_matter
from curator.draft import DraftKind, DraftStatus
from curator.publish.marker import marker
from curator.publish.thread_file import plan_issue
from marin_research.thread import Thread
from tests.curator.github_server import BAD_GATEWAY, LOST, TWICE

WEB = "https://github.com/marin-community/marin"
BODY = "## Description\n\nWe look for the rate.\n\n## TL;DR\n\n- nothing yet\n\n## Results\n\nSoon.\n".replace(
    "\n", "\r\n"
)
SECTION = "## TL;DR\n\n- LR-002 is better than the baseline LR-001: eval/loss -3.5 %.\n"
FIELDS = {
    "title": "Experiment: Learning rates",
    "repository": "marin-community/marin",
    "labels": ["experiment", "agent-generated"],
    "looked_at": [],
}
KICKOFF = "## Description\n\nWe look for the largest rate.\n\n## Hypothesis or Goal\n\nThe largest stable rate.\n"


@pytest.fixture
def body(checkout, github, issue):
    """The issue's body, as its author wrote it in a browser."""
    github.issues["marin-community/marin", 7]["body"] = BODY
    return BODY


@pytest.fixture
def section(approved, issue, body):
    def make(text=SECTION, replaces="## TL;DR\n\n- nothing yet"):
        return approved(text, kind=DraftKind.ISSUE_BODY, target=issue, replaces=replaces, runs=())

    return make


@pytest.fixture
def kickoff(approved):
    def make(text=KICKOFF, **fields):
        return approved(front_matter.join({**FIELDS, **fields}, text), kind=DraftKind.KICKOFF, runs=(), facts=())

    return make


# The body


def test_only_the_section_changes(checkout, here, github, section):
    """What people wrote elsewhere in the body stays, down to its line endings."""
    draft = section()

    checkout.curator("publish", draft.id)

    mine = SECTION.rstrip().replace("\n", "\r\n") + f"\r\n\r\n{marker(draft.id, draft.sha256)}"
    assert github.body(7) == BODY.replace("## TL;DR\r\n\r\n- nothing yet", mine)


def test_a_section_that_somebody_changed_is_left_alone(checkout, here, github, section):
    """They know something that the draft does not."""
    draft = section()
    github.issues["marin-community/marin", 7]["body"] = BODY.replace("nothing yet", "wait for the rerun!")

    said = checkout.curator("publish", draft.id, code=1)

    assert "draft it again" in said.err
    assert "wait for the rerun!" in github.body(7)
    assert [request.method for request in github.requests] == ["GET"] * len(github.requests)


def test_a_change_elsewhere_in_the_body_is_kept(checkout, here, github, section):
    """Two people work on one body."""
    draft = section()
    github.issues["marin-community/marin", 7]["body"] = BODY.replace("Soon.", "Very soon.")

    checkout.curator("publish", draft.id)

    assert "Very soon." in github.body(7)
    assert "-3.5 %" in github.body(7)


def test_a_section_that_is_not_there_is_added(checkout, here, github, section):
    """The body of an old issue has no place for decisions."""
    text = "## Decision log\n\n- LR-002 is kept.\n"
    draft = section(text, replaces=None)

    said = checkout.curator("publish", draft.id).out

    assert "the issue had no section 'Decision log'" in said
    assert github.body(7).startswith(BODY)
    assert github.body(7).endswith(marker(draft.id, draft.sha256) + "\r\n")


def test_the_next_version_of_a_section_replaces_the_one_before(checkout, here, github, section):
    """The marker of the old one goes with it."""
    first = section()
    checkout.curator("publish", first.id)
    second = section(SECTION.replace("better", "better still"), replaces=SECTION)

    checkout.curator("publish", "--approved")

    assert github.body(7).count("<!-- marin-research") == 1
    assert marker(second.id, second.sha256) in github.body(7)


@pytest.mark.parametrize("how", [LOST, BAD_GATEWAY, TWICE])
def test_an_edit_whose_answer_is_lost_is_made_once(checkout, here, github, section, how):
    """The second try finds the marker."""
    draft = section()
    github.fault = lambda _, request: how if request.method == "PATCH" else None
    checkout.curator("publish", draft.id, code=0 if how == TWICE else 1)
    github.fault = lambda *_: None

    checkout.curator("publish", "--approved")

    assert checkout.queue.get(draft.id).status is DraftStatus.PUBLISHED
    assert github.body(7).count("-3.5 %") == 1
    assert sum(request.method == "PATCH" for request in github.requests) == 1


def test_a_dry_run_shows_the_bodys_change(checkout, here, github, section):
    """Two sections of one body are shown one on top of the other."""
    section()
    section("## Decision log\n\n- LR-002 is kept.\n", replaces=None)

    said = checkout.curator("publish", "--approved", "--dry-run").out

    assert "-- nothing yet" in said
    assert "+- LR-002 is kept." in said
    assert github.body(7) == BODY


# Opening


def test_a_kickoff_opens_the_issue_and_links_both_ways(checkout, here, github, kickoff, git):
    """From the issue to the logbook, from the logbook and the thread's file to the issue."""
    draft = kickoff()

    said = checkout.curator("publish", draft.id, "--commit").out

    opened = github.issues["marin-community/marin", 7]
    assert opened["title"] == "Experiment: Learning rates"
    assert [label["name"] for label in opened["labels"]] == ["experiment", "agent-generated"]
    assert opened["body"] == f"{KICKOFF}\n{marker(draft.id, draft.sha256)}\n"
    assert f"published  {WEB}/issues/7" in said
    assert Thread.load("lr-sweep").issue == f"{WEB}/issues/7"
    assert f"- Experiment issue: {WEB}/issues/7" in checkout.logbook.read_text()
    assert git(checkout.top, "status", "--porcelain", "--untracked-files=no") == ""


def test_the_links_are_committed_when_that_is_asked_for_later(checkout, here, github, kickoff, git):
    """The issue was opened without a word about git; the next push takes its address along."""
    draft = kickoff()
    checkout.curator("publish", draft.id)
    assert git(checkout.top, "status", "--porcelain", "--untracked-files=no") != ""

    checkout.curator("publish", draft.id, "--push")

    assert git(checkout.top, "status", "--porcelain", "--untracked-files=no") == ""
    assert f"issue: {WEB}/issues/7" in git(here, "show", "main:.agents/research/lr-sweep.yaml")
    assert len(github.issues) == 1


def test_a_field_that_waits_for_the_issue_is_filled_in(checkout, here, github, kickoff):
    """A logbook from the template has a place for it; no entry is needed."""
    head = "---\ntopic: lr-sweep\nissue: not decided yet\ndescription: rates\n---\n\n"
    checkout.logbook.write_text(head + checkout.LOGBOOK)

    checkout.curator("publish", kickoff().id)

    assert checkout.logbook.read_text() == head.replace("not decided yet", f"{WEB}/issues/7") + checkout.LOGBOOK


def test_an_issue_like_it_stops_a_kickoff(checkout, here, github, kickoff):
    """Somebody opened it last month; two issues for one experiment split its story."""
    github.open_issue("Experiment: learning rates!", state="closed")
    github.open_issue("Experiment: Learning rate schedules for MoE")
    draft = kickoff()

    said = checkout.curator("publish", draft.id, code=1).err

    assert f"{WEB}/issues/7" in said
    assert "looked_at" in said
    assert len(github.issues) == 2
    text = front_matter.join({**FIELDS, "looked_at": [7]}, KICKOFF)
    other = checkout.draft(text, kind=DraftKind.KICKOFF, runs=(), facts=())
    (finding,) = json.loads(checkout.curator("verify", other.id, "--json", code=1).out)["findings"]
    checkout.curator("approve", other.id, "--accept", finding["id"])
    checkout.curator("publish", other.id)
    assert len(github.issues) == 3


@pytest.mark.parametrize("how", [LOST, BAD_GATEWAY])
def test_an_issue_whose_answer_is_lost_is_opened_once(checkout, here, github, kickoff, how):
    """GitHub's search does not know it yet; the list of new issues does."""
    for number in range(40):
        github.open_issue(f"Something else {number}")
    github.per_page = 10
    draft = kickoff()
    github.fault = lambda _, request: how if request.method == "POST" else None
    checkout.curator("publish", draft.id, code=1)
    github.fault = lambda *_: None
    github.open_issue("Somebody else's, since")

    said = checkout.curator("publish", draft.id).out

    assert f"published  {WEB}/issues/47" in said
    assert sum(issue["title"] == FIELDS["title"] for issue in github.issues.values()) == 1
    assert Thread.load("lr-sweep").issue == f"{WEB}/issues/47"


def test_a_thread_has_one_issue(checkout, here, github, kickoff, issue):
    """A second kick-off would take the thread away from its readers."""
    assert "has an experiment issue already" in checkout.curator("publish", kickoff().id, code=1).err
    assert len(github.issues) == 1


def test_labels_that_are_not_taken_are_named(checkout, here, github, kickoff):
    """GitHub drops the labels of people who may not triage, without a word."""
    github.may_label = False

    assert "did not take the label agent-generated, experiment" in checkout.curator("publish", kickoff().id).out


@pytest.mark.parametrize(
    ("fields", "clear"),
    [({"title": ""}, "title"), ({"repository": "marin"}, "repository"), ({"looked_at": ["seven"]}, "numbers")],
)
def test_a_kickoff_that_cannot_be_sent_cannot_be_approved(checkout, fields, clear):
    """Better now than on the train."""
    draft = checkout.draft(front_matter.join({**FIELDS, **fields}, KICKOFF), kind=DraftKind.KICKOFF, runs=(), facts=())

    assert clear in checkout.curator("verify", draft.id, code=1).out


@pytest.mark.parametrize(
    "text",
    [
        "topic: a\nissue: ''\nprefix: A\n",
        "# a comment\ntopic: a   # another\nprefix: A",
        "topic: a\nissue: TBD # later\n",
        'topic: a\nissue: "https://github.com/o/r/issues/1"\n',
    ],
)
def test_the_threads_file_keeps_its_other_lines(text):
    """People comment it by hand."""
    plan = plan_issue(text.encode(), f"{WEB}/issues/7")

    assert plan is not None
    after = plan.data.decode().splitlines()
    assert f"issue: {WEB}/issues/7" in after
    assert [line for line in text.splitlines() if not line.startswith("issue")] == [
        line for line in after if not line.startswith("issue")
    ]
    assert plan_issue(plan.data, f"{WEB}/issues/7") is None


# Correcting


@pytest.fixture
def posted(checkout, here, github, issue, approved):
    """A comment that is out, with a mistake in it."""
    draft = approved("🤖 Update: LR-002 a higher rtae\n", kind=DraftKind.ISSUE, runs=(), target=issue)
    checkout.curator("publish", draft.id)
    return checkout.queue.get(draft.id)


def test_a_comment_is_corrected_in_place(checkout, github, posted, editor):
    """One comment stays one comment, and the correction is approved like any text."""
    mend = editor("file.write_text(file.read_text().replace('rtae', 'rate'))")

    said = checkout.curator("fix", posted.id, EDITOR=mend).out
    assert github.bodies(7)[0].startswith("🤖 Update: LR-002 a higher rtae")
    draft = said.split()[1]
    checkout.curator("approve", draft)
    checkout.curator("publish", draft)

    assert len(github.bodies(7)) == 1
    assert github.bodies(7)[0].startswith("🤖 Update: LR-002 a higher rate\n")
    assert marker(posted.id, posted.sha256) in github.bodies(7)[0]
    assert checkout.queue.get(draft).link == posted.link


def test_a_comment_that_somebody_edited_since_is_left_alone(checkout, github, posted, editor):
    """A colleague mended it already, in other words."""
    mend = editor("file.write_text(file.read_text().replace('rtae', 'rate'))")
    draft = checkout.curator("fix", posted.id, EDITOR=mend).out.split()[1]
    checkout.curator("approve", draft)
    (comment,) = github.comments.values()
    comment["body"] = comment["body"].replace("higher rtae", "larger rate")

    assert "write it again" in checkout.curator("publish", draft, code=1).err
    assert "larger rate" in github.bodies(7)[0]


def test_only_what_is_out_can_be_corrected(checkout, here, github, issue, editor):
    """A draft is edited."""
    draft = checkout.draft(checkout.UPDATE, kind=DraftKind.ISSUE, runs=(), target=issue)

    assert "curator edit" in checkout.curator("fix", draft.id, code=1, EDITOR=editor("")).err


# Closing


@pytest.fixture
def closing(approved, issue):
    def make():
        return approved("🤖 Final summary: LR-002 is kept.\n", kind=DraftKind.CLOSING, runs=(), target=issue)

    return make


def test_an_issue_is_closed_with_its_summary(checkout, here, github, closing):
    """Step five of the workflow: the summary, then the end."""
    github.issues["marin-community/marin", 7]["body"] = "## Conclusion\n\nThe rate of LR-002.\n"

    checkout.curator("publish", closing().id)

    found = github.issues["marin-community/marin", 7]
    assert (found["state"], found["state_reason"]) == ("closed", "completed")
    assert github.bodies(7)[0].startswith("🤖 Final summary")


def test_an_issue_without_a_conclusion_stays_open(checkout, here, github, closing, body):
    """Who reads the body later must find what came out."""
    said = checkout.curator("publish", closing().id).out

    assert "no conclusion in its body yet" in said
    assert (github.issues["marin-community/marin", 7]["state"], github.bodies(7)) == ("open", [])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_closing_that_was_cut_short_is_ended(checkout, here, github, closing, method):
    """The summary is out and the issue still open: it is closed, and the summary not posted again."""
    github.issues["marin-community/marin", 7]["body"] = "## Conclusion\n\nThe rate of LR-002.\n"
    draft = closing()
    github.fault = lambda _, request: LOST if request.method == method else None
    checkout.curator("publish", draft.id, code=1)
    github.fault = lambda *_: None

    checkout.curator("publish", draft.id)

    assert len(github.bodies(7)) == 1
    assert github.issues["marin-community/marin", 7]["state"] == "closed"


# The issue alone


def test_where_there_is_no_logbook_the_entries_are_comments(checkout, here, github, issue, approved):
    """Small threads keep their record in the issue; the update links the entry there."""
    thread = checkout.top / ".agents/research/lr-sweep.yaml"
    thread.write_text(thread.read_text().replace("{path: .agents/logbooks/lr-sweep.md}", "{style: issue}"))
    entry = approved(runs=("LR-002",), target=issue)
    comment = approved(checkout.UPDATE, kind=DraftKind.ISSUE, runs=("LR-002",), target=issue)
    assert f"publish {entry.id} first" in checkout.curator("publish", comment.id).out

    checkout.curator("publish", "--approved")

    first, second = github.bodies(7)
    assert first == f"{checkout.ENTRY}\n{marker(entry.id, entry.sha256)}\n"
    assert f"[entry LR-002]({checkout.queue.get(entry.id).link})" in second
    assert checkout.logbook.read_text() == checkout.LOGBOOK

"""Sending what was approved: exactly once, whatever happens in between, and with a link to it afterwards."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from curator.draft import Draft, DraftKind, DraftStatus
from curator.front_matter import join
from curator.log import Decision, LogEntry
from curator.publish import Outcome, plan, publish
from curator.publish.marker import marker
from curator.publish.skillevolve import SkillEvolvePlace
from curator.queue import DraftQueue
from curator.skillevolve.proposing import Proposal, file_sha256, propose
from marin_research.store import RecordStore
from tests.curator.dying import killed_before

POST: dict[str, Any] = {"type": "discovery", "title": "Partial credit first", "skill_slug": "grpo-rl-training"}
REPORT: dict[str, Any] = {
    "session_id": "sess-2026-02-15-abc123",
    "agent_id": "agent-abc123",
    "timestamp": "2026-02-15T16:00:00Z",
    "skill": {"name": "grpo-rl-training"},
    "task": {"description": "train"},
    "outcome": {"success": True},
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The site of these tests needs no time to settle."""
    monkeypatch.setattr(SkillEvolvePlace, "settle_s", 0.01)


@pytest.fixture
def approved(checkout, forum):
    """Makes an approved draft of a kind."""

    def make(kind: DraftKind, fields: dict[str, Any], body: str = "", **more: Any):
        draft = checkout.draft(
            join(fields, body), kind=kind, thread="", runs=(), facts=(), target="SkillEvolve", **more
        )
        said = json.loads(checkout.curator("show", draft.id, "--json").out)["findings"]
        accept = [word for finding in said for word in ("--accept", finding["id"])]
        checkout.curator("approve", draft.id, *accept)
        return checkout.queue.get(draft.id)

    return make


def run_publish(checkout, *drafts):
    return list(publish(drafts, checkout.queue, by="Ada"))


CASES: dict[DraftKind, tuple[dict[str, Any], str]] = {
    DraftKind.POST: (POST, "## What\n\nwords"),
    DraftKind.SESSION: (REPORT, ""),
    DraftKind.COMMENT: ({"post_id": "post-7"}, "It worked for me."),
    DraftKind.VOTE: ({"post_id": "post-7", "vote": "up"}, ""),
    DraftKind.RESOLUTION: ({"post_id": "post-8", "status": "resolved", "resolution_comment_id": "comment-3"}, ""),
    DraftKind.MESSAGE: ({"to": "agent-other", "subject": "your post"}, "Thank you."),
    DraftKind.SKILL: ({"name": "optax-tuning", "author": "Marin", "description": "rates"}, ""),
    DraftKind.REGISTRATION: ({"name": "NewAgent", "description": "runs experiments"}, ""),
}


def prepare(forum, kind: DraftKind) -> None:
    """What has to be there before."""
    forum.holds("post-7")
    forum.holds("post-8", agent_id="agent-abc123", type="help_wanted", title="Why?")
    forum.sent_before()
    if kind is DraftKind.REGISTRATION:
        (Path.home() / ".skillevolve/config.json").unlink(missing_ok=True)


def there(forum, kind: DraftKind) -> int:
    """How often the site has what a draft of the kind asks for."""
    state = forum.state
    match kind:
        case DraftKind.POST:
            return sum(post["title"] == POST["title"] and post["agent_id"] == "agent-abc123" for post in state["posts"])
        case DraftKind.SESSION:
            return len(state["sessions"])
        case DraftKind.COMMENT:
            return sum(len(post["comments"]) for post in state["posts"])
        case DraftKind.VOTE:
            return sum(abs(value) for votes in state["votes"].values() for value in votes.values())
        case DraftKind.RESOLUTION:
            return sum(post["status"] == "resolved" for post in state["posts"])
        case DraftKind.MESSAGE:
            return sum(message["to"] == "agent-other" for message in state["messages"])
        case DraftKind.SKILL:
            return sum(skill["name"] == "optax-tuning" for skill in state["skills"])
        case _:
            return sum(agent["name"] == "NewAgent" for agent in state["agents"])


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_goes_out_once_and_gives_its_link(checkout, forum, approved, kind):
    """The whole way of each thing that can leave."""
    prepare(forum, kind)
    draft = approved(kind, *CASES[kind])

    said = checkout.curator("publish", draft.id)

    assert f"{draft.id}  published  http" in said.out
    assert there(forum, kind) == 1
    now = checkout.queue.get(draft.id)
    assert (now.status, now.link in said.out) == (DraftStatus.PUBLISHED, True)
    assert "already" in checkout.curator("publish", draft.id).out
    assert there(forum, kind) == 1
    assert checkout.decisions() == ["approved", "publishing", "published"]


@pytest.mark.parametrize("kind", CASES)
def test_nothing_leaves_without_an_approval(checkout, forum, approved, kind):
    """Votes and registrations are somebody's word, too."""
    prepare(forum, kind)
    draft = checkout.draft(join(CASES[kind][0], CASES[kind][1]), kind=kind, thread="", runs=(), facts=())

    assert "not approved" in checkout.curator("publish", draft.id, code=1).err
    checkout.curator("publish", "--approved")

    assert forum.asked() == []


@pytest.mark.parametrize("kind", CASES)
def test_a_dry_run_shows_the_request_and_sends_nothing(checkout, forum, approved, kind):
    """What is shown is what is sent."""
    prepare(forum, kind)
    draft = approved(kind, *CASES[kind])

    (planned,) = plan([draft], checkout.queue)
    assert planned.outcome is Outcome.PLANNED, planned.why
    assert there(forum, kind) == 0

    run_publish(checkout, draft)
    (sent,) = [each for each in forum.asked() if not each["call"].startswith("GET")]
    _, header, _, *lines = (planned.diff or "").splitlines()
    shown = json.loads("".join(line[1:] for line in lines))
    assert header == f"+++ b/{sent['call']}"
    assert shown == sent["body"]


def test_a_post_that_the_site_stripped_is_known_by_its_words(checkout, forum, approved):
    """Sites remove hidden comments, and the marker with them."""
    forum.modes(strip_comments=True)
    forum.fault("POST /posts", "drop_after")
    draft = approved(DraftKind.POST, *CASES[DraftKind.POST])

    (done,) = run_publish(checkout, draft)

    assert (done.outcome, "its answer was lost" in (done.why or "")) == (Outcome.PUBLISHED, True)
    assert there(forum, DraftKind.POST) == 1


@pytest.mark.parametrize("shape", ["none", "text"])
@pytest.mark.parametrize("recent", [True, False])
def test_a_post_whose_answer_names_no_id_is_looked_for(checkout, forum, approved, shape, recent):
    """Its link is wanted all the same."""
    forum.modes(created=shape, recent=recent)
    draft = approved(DraftKind.POST, *CASES[DraftKind.POST])

    (done,) = run_publish(checkout, draft)

    assert done.link == f"{forum.origin}/forum/{forum.state['posts'][0]['id']}"


@pytest.mark.parametrize("how", ["drop_before", "drop_after", "break_after", "status:503", "garbage", "twice"])
@pytest.mark.parametrize("kind", [kind for kind in CASES if kind is not DraftKind.REGISTRATION])
def test_an_answer_that_is_lost_or_doubled_leads_to_one(checkout, forum, approved, kind, how):
    """Nobody knows whether it arrived; it is looked for before it is sent again."""
    prepare(forum, kind)
    draft = approved(kind, *CASES[kind])
    forum.fault("P* /*", how)

    run_publish(checkout, draft)
    (done,) = run_publish(checkout, draft)

    assert done.outcome in (Outcome.PUBLISHED, Outcome.ALREADY), done.why
    assert there(forum, kind) == 1
    assert checkout.decisions(draft.id).count("published") == 1


@pytest.mark.parametrize("how", ["drop_after", "garbage", "drop_before"])
def test_a_registration_whose_answer_is_lost_is_not_sent_again(checkout, forum, approved, how):
    """Its key is lost with the answer; a second agent of the same name would be one too many."""
    prepare(forum, DraftKind.REGISTRATION)
    draft = approved(DraftKind.REGISTRATION, *CASES[DraftKind.REGISTRATION])
    forum.fault("POST /register", how)

    said = checkout.curator("publish", draft.id, code=1).err
    again = checkout.curator("publish", draft.id, code=1).err

    assert "whether it arrived is not known" in said + again
    assert "change its text" in again
    assert len(forum.asked("POST /register")) == 1


def test_a_message_that_cannot_be_looked_for_is_not_sent_again(checkout, forum, approved):
    """Where the site shows only what one gets, nobody can tell whether it went out."""
    forum.modes(sent_messages=False)
    draft = approved(DraftKind.MESSAGE, *CASES[DraftKind.MESSAGE])
    forum.fault("POST /messages", "drop_after")

    checkout.curator("publish", draft.id, code=1)
    said = checkout.curator("publish", draft.id, code=1).err

    assert "change its text" in said
    assert len(forum.state["messages"]) == 1


def test_a_post_that_was_removed_is_said_to_be_gone_and_sent_again_only_when_asked(checkout, forum, approved):
    """Its link leads nowhere; whether the same words belong there after all is for a person to say."""
    prepare(forum, DraftKind.POST)
    draft = approved(DraftKind.POST, *CASES[DraftKind.POST])
    checkout.curator("publish", draft.id)
    forum.delete(checkout.queue.get(draft.id).link.rpartition("/")[2])

    said = checkout.curator("publish", draft.id, code=1).err

    assert f"{draft.id}  gone" in said
    assert f"curator publish {draft.id} --again" in said
    assert there(forum, DraftKind.POST) == 0
    assert "published" in checkout.curator("publish", draft.id, "--again").out
    assert "already" in checkout.curator("publish", draft.id, "--again").out
    assert there(forum, DraftKind.POST) == 1
    assert checkout.queue.get(draft.id).link.rpartition("/")[2] in {post["id"] for post in forum.state["posts"]}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_refused_was_not_carried_out_and_can_be_tried_again(checkout, forum, approved, kind):
    """Also where nobody could look for it: the site said no."""
    prepare(forum, kind)
    draft = approved(kind, *CASES[kind])
    forum.fault("P* /*", "status:429/60")

    said = checkout.curator("publish", draft.id, code=1).err

    assert "try again in 60 s" in said
    checkout.curator("publish", draft.id)
    assert there(forum, kind) == 1


WAITING = {
    "dead network": lambda forum, patch: patch.setenv("SKILLEVOLVE_API_URL", "http://127.0.0.1:9/api/v1"),
    "no key": lambda forum, patch: (Path.home() / ".skillevolve/config.json").unlink(),
    "unclaimed": lambda forum, patch: forum.modes(claim="pending"),
    "rate limit": lambda forum, patch: forum.fault("GET /agents/me", "status:429/600"),
    "open file": lambda forum, patch: (Path.home() / ".skillevolve/config.json").chmod(0o644),
}
HELP = {
    "dead network": "nothing was sent, try again when the network is back",
    "no key": "set SKILLEVOLVE_API_KEY, or register with `curator skillevolve register`",
    "unclaimed": "open the claim link from its registration, then try again",
    "rate limit": "try again in 600 s",
    "open file": "chmod 600",
}


@pytest.mark.parametrize("how", WAITING)
def test_an_approved_draft_waits_for_what_is_no_fault_of_its_own(checkout, forum, approved, monkeypatch, how):
    """Offline and later: the approval is not lost, and what is missing is said."""
    draft = approved(DraftKind.POST, *CASES[DraftKind.POST])
    with monkeypatch.context() as patch:
        monkeypatch.setattr("curator.skillevolve.transport._PAUSES_S", (0.01, 0.01))
        WAITING[how](forum, patch)

        said = checkout.curator("publish", "--approved").out

    assert f"{draft.id}  waits" in said
    assert HELP[how] in said
    assert checkout.queue.get(draft.id).status is DraftStatus.APPROVED
    forum.modes(claim="claimed")
    config = Path.home() / ".skillevolve/config.json"
    config.touch()
    config.chmod(0o600)
    config.write_text(json.dumps({"api_key": "sk-0123456789abcdef0123456789abcdef"}))
    checkout.curator("publish", "--approved")
    assert there(forum, DraftKind.POST) == 1


def test_a_rejected_key_fails_with_the_remedy(checkout, forum, approved, monkeypatch):
    """Waiting would not help."""
    draft = approved(DraftKind.POST, *CASES[DraftKind.POST])
    monkeypatch.setenv("SKILLEVOLVE_API_KEY", "sk-wrong-0123456789")

    said = checkout.curator("publish", draft.id, code=1).err

    assert "does not take the key from $SKILLEVOLVE_API_KEY" in said
    assert "sk-wrong" not in said + checkout.curator("log", "--json").out


def test_a_post_waits_for_its_skill_and_goes_out_after_it(checkout, forum, approved):
    """The skill is uploaded first; both may be approved at once."""
    post = approved(DraftKind.POST, {"type": "discovery", "title": "t", "skill_name": "optax-tuning"}, "words")
    assert "upload it first" in checkout.curator("publish", "--approved").out
    skill = approved(DraftKind.SKILL, *CASES[DraftKind.SKILL])

    planned = {each.draft: each.outcome for each in plan([post, skill], checkout.queue)}
    assert planned == {skill.id: Outcome.PLANNED, post.id: Outcome.PLANNED}
    done = [each.draft for each in run_publish(checkout, post, skill)]

    assert done == [skill.id, post.id]
    assert forum.state["posts"][0]["skill_slug"] == "optax-tuning--marin"


def test_a_report_of_another_agent_is_not_sent(checkout, forum, approved):
    """The site would refuse it, and say less."""
    draft = approved(DraftKind.SESSION, REPORT | {"agent_id": "agent-else"})

    assert "the key is agent-abc123's" in checkout.curator("publish", draft.id, code=1).err
    assert forum.asked("POST /sessions") == []


def test_an_earlier_text_that_is_out_bars_the_later_one(checkout, forum, approved):
    """Two versions of one post would contradict each other in public."""
    forum.fault("POST /posts", "drop_after")
    forum.fault("GET *", "status:503", times=99)
    draft = approved(DraftKind.POST, *CASES[DraftKind.POST])
    forum.reset()
    forum.fault("POST /posts", "drop_after")
    forum.fault("GET /posts*", "status:500", times=1)
    mark = marker(draft.id, draft.sha256)
    forum.holds("post-9", agent_id="agent-abc123", title=POST["title"], content=f"old\n\n{mark}")
    checkout.queue.log.append(_begun(draft))
    edited = checkout.queue.edit(draft, join(POST, "new words"), by="Ada")
    checkout.curator("approve", edited.id)

    said = checkout.curator("publish", draft.id, code=1).err

    assert "an earlier text" in said
    assert there(forum, DraftKind.POST) == 1


def _begun(draft):
    return LogEntry(decision=Decision.PUBLISHING, draft=draft.id, sha256=draft.sha256, time=datetime.now(UTC), by="Ada")


def test_what_became_private_after_the_approval_stays_here(checkout, forum):
    """A name may be declared private between the approval and the publication."""
    draft = checkout.draft(join(POST, "for Heron"), kind=DraftKind.POST, facts=())
    checkout.curator("approve", draft.id)
    thread = checkout.top / ".agents/research/lr-sweep.yaml"
    thread.write_text(thread.read_text() + "private_names: [Heron]\n")

    said = checkout.curator("publish", draft.id, code=1).err

    assert "line 7" in said
    assert "a private name must not become public" in said
    assert forum.asked("POST /posts") == []


# Files


def test_a_demo_is_sent_with_the_files_that_were_approved(checkout, forum, tmp_path):
    """The picture may have changed on disk since; what was approved is what everybody sees."""
    plot = checkout.top / "loss.png"
    plot.write_bytes(b"\x89PNG first")
    arguments = ["--type", "demo", "--skill", "vllm", "--title", "A dashboard", "--attach", "loss.png=The loss"]
    checkout.curator("skillevolve", "post", *arguments, stdin="![The loss](loss.png)\n")
    checkout.curator("approve", "SE-D001")
    plot.write_bytes(b"\x89PNG second, longer")

    checkout.curator("publish", "SE-D001")

    state = forum.state
    (post,) = state["posts"]
    url = post["metadata"]["attachments"][0]["url"]
    assert post["metadata"]["attachments"] == [{"type": "image", "url": url, "label": "The loss"}]
    assert post["content"].startswith(f"![The loss]({url})")
    assert [a["size"] for a in state["artifacts"].values()] == [len(b"\x89PNG first")]


def test_a_file_is_put_there_once_even_if_the_post_is_tried_again(checkout, forum):
    """Every try would leave another copy on the site."""
    (checkout.top / "loss.png").write_bytes(b"\x89PNG")
    arguments = ["--type", "demo", "--skill", "vllm", "--title", "A dashboard", "--attach", "loss.png"]
    checkout.curator("skillevolve", "post", *arguments, stdin="words")
    checkout.curator("approve", "SE-D001")
    forum.fault("POST /posts", "drop_before")

    checkout.curator("publish", "SE-D001", code=1)
    checkout.curator("publish", "SE-D001")

    assert len(forum.state["artifacts"]) == len(forum.state["posts"]) == 1


def test_a_text_file_with_something_private_in_it_is_not_approved(checkout, forum):
    """What goes along becomes as public as the text."""
    (checkout.top / "board.html").write_text("<p>made by ada_l@corp.example</p>")
    arguments = ["--type", "demo", "--skill", "vllm", "--title", "A dashboard", "--attach", "board.html"]
    checkout.curator("skillevolve", "post", *arguments, stdin="words")

    said = checkout.curator("approve", "SE-D001", code=1).err

    assert "line 1 of board.html" in said
    assert "e-mail address" in said


def test_a_skill_is_uploaded_as_it_was_approved(checkout, forum):
    """What lies in the folder later was seen by nobody."""
    folder = checkout.top / ".agents/skills/optax-tuning"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: optax-tuning\nauthor: Marin\n---\nwords\n")
    checkout.curator("skillevolve", "upload", str(folder))
    assert "- SKILL.md" in checkout.curator("show", "SE-D001", "--text").out
    checkout.curator("approve", "SE-D001")
    (folder / "later.md").write_text("not approved")

    said = checkout.curator("publish", "SE-D001")

    assert "its slug is optax-tuning--marin" in said.out
    with tarfile.open(fileobj=io.BytesIO(bytes.fromhex(forum.state["archives"]["optax-tuning--marin"]))) as tar:
        assert tar.getnames() == ["optax-tuning/SKILL.md"]


def test_a_report_that_is_out_is_archived_and_the_next_note_begins_anew(checkout, forum, approved):
    """The documents keep reports and their memory below the home folder."""
    checkout.curator("note", "--type", "tip", "one")
    (file,) = (checkout.top / ".skillevolve/memory").iterdir()
    session_id = file.name.removesuffix(".jsonl")
    draft = approved(DraftKind.SESSION, REPORT | {"session_id": session_id})

    checkout.curator("publish", draft.id)
    checkout.curator("note", "--type", "tip", "two")

    kept = Path.home() / ".skillevolve/sessions"
    assert (kept / f"{session_id}-memory.jsonl").read_bytes() == file.read_bytes()
    assert json.loads((kept / f"{session_id}.json").read_text())["session_id"] == session_id
    assert len(list((checkout.top / ".skillevolve/memory").iterdir())) == 2


def test_a_registration_saves_its_key_and_says_how_to_claim_it(checkout, forum, approved):
    """The key is shown once, and never in a log."""
    prepare(forum, DraftKind.REGISTRATION)
    checkout.curator("skillevolve", "register", "NewAgent", "--description", "runs experiments")
    checkout.curator("approve", "SE-D001")

    said = checkout.curator("publish", "SE-D001").out

    config = Path.home() / ".skillevolve/config.json"
    saved = json.loads(config.read_text())
    assert (saved["agent_name"], config.stat().st_mode & 0o777) == ("NewAgent", 0o600)
    assert saved["claim_url"] in said
    assert "reef-X4B2" in said
    assert saved["api_key"] not in said + checkout.curator("log", "--json").out
    assert "NewAgent" in checkout.curator("skillevolve", "whoami").out


# Crashes

TELLING = frozenset({"fsync", "link", "replace", "rename", "unlink", "connect", "send", "sendall", "recv", "recv_into"})
"""Calls before and after which something else is known, here or there."""
EVERY = TELLING | {"open", "write", "flush", "mkdir", "mkstemp", "fchmod", "close", "shutdown"}


def publish_alone(queue, draft):
    return list(publish([draft], queue, by="Ada"))


@pytest.mark.parametrize(("kind", "files"), [*((kind, {}) for kind in CASES), (DraftKind.POST, {"loss.png": b"png"})])
def test_a_kill_at_any_step_leads_to_one(forum, kind, files, tmp_path, record_property):
    """Before, during and after each request and each write: run again, and it is there once."""
    killed_at = EVERY if files else TELLING  # what is written here is written alike for every kind
    points = 0
    for point in itertools.count():
        forum.reset()
        prepare(forum, kind)
        queue, draft = licensed(tmp_path / str(point), kind, files)
        survived = killed_before(point, killed_at, partial(publish_alone, queue, draft))

        (done,) = publish_alone(queue, draft)

        arrived = there(forum, kind)
        if kind is DraftKind.REGISTRATION and done.outcome is Outcome.FAILED:
            # The key may have been lost with the answer: it is not sent again, and that is said.
            assert "whether it arrived is not known" in (done.why or "")
            assert arrived <= 1
        else:
            assert done.outcome in (Outcome.PUBLISHED, Outcome.ALREADY), (point, done.why)
            assert arrived == 1, point
            assert [e.decision for e in queue.log.entries()].count(Decision.PUBLISHED) == 1
            assert files == {} or forum.state["posts"][-1]["metadata"]["attachments"][0]["url"]
        assert queue.log.problems() == []
        if survived:
            break
        points += 1
    record_property("points", points)
    assert points > (40 if files else 12)


def licensed(root: Path, kind: DraftKind, files: dict[str, bytes]) -> tuple[DraftQueue, Draft]:
    """A store of its own with one draft that a person approved."""
    store = RecordStore(str(root))
    store.prepare()
    queue = DraftQueue(store)
    fields, body = CASES[kind]
    if files:
        shown = [{"type": "image", "file": name, "sha256": file_sha256(data)} for name, data in files.items()]
        fields = {**fields, "type": "demo", "attachments": shown}
    proposal = Proposal(kind=kind, title="t", target="SkillEvolve", fields=fields, body=body, files=files)
    draft, _ = propose(proposal, queue)
    now = datetime.now(UTC)
    queue.log.append(LogEntry(decision=Decision.APPROVED, draft=draft.id, sha256=draft.sha256, time=now, by="Ada"))
    return queue, queue.get(draft.id)

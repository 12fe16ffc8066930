"""The commands that read SkillEvolve and draft for it, and what they say when something is wrong."""

from __future__ import annotations

import io
import json
import tarfile
import time
from pathlib import Path

import pytest

from curator.front_matter import split
from curator.skillevolve.community import community_posts
from curator.verify import verify

ESCAPE = "\x1b[31mred\x1b[0m"


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_md", ".md"))
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


READING = {
    "whoami": (["whoami"], "Tester (agent-abc123), claimed"),
    "search": (["search", "partial", "credit"], "discovery  +0  Partial credit first"),
    "feed": (["feed"], "Partial credit first"),
    "posts": (["posts", "--skill", "vllm--orchestra", "--type", "discovery"], "/forum/post-7"),
    "show": (["show", "post-7"], "words"),
    "skills": (["skills", "--name", "vllm"], "vllm--orchestra"),
    "heartbeat": (["heartbeat"], "no notes in the last hour; 3 unread replies, 1 mention"),
    "notifications": (["notifications"], "post-1"),
    "messages": (["messages"], "earlier"),
}


@pytest.mark.parametrize("name", READING)
def test_what_can_be_read_is_shown_and_can_be_had_as_json(checkout, forum, name):
    """People and agents ask the same questions."""
    forum.holds()
    forum.sent_before()
    arguments, expected = READING[name]

    assert expected in checkout.curator("skillevolve", *arguments).out
    assert json.loads(checkout.curator("skillevolve", *arguments, "--json").out)
    assert not any(each["call"].startswith("P") for each in forum.asked())


def test_nothing_that_others_wrote_reaches_the_terminal_raw(checkout, forum):
    """A post must not move the cursor, nor colour what follows, nor end the line it is shown on."""
    forum.holds(title=f"a\n{ESCAPE}", content=f"b {ESCAPE}", agent_name=ESCAPE, type=f"discovery{ESCAPE}")

    for arguments in (["search", "red"], ["feed"], ["posts"], ["show", "post-7"], ["heartbeat"]):
        assert "\x1b" not in checkout.curator("skillevolve", *arguments).out


def test_an_unclaimed_agent_is_told_what_to_do(checkout, forum):
    """The person who has to act reads it here."""
    forum.modes(claim="pending")
    config = Path.home() / ".skillevolve/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"claim_url": "https://skill-evolve.com/claim/C-1"}))

    said = checkout.curator("skillevolve", "whoami", code=1)

    assert "open https://skill-evolve.com/claim/C-1 and follow it" in said.err
    assert json.loads(checkout.curator("skillevolve", "whoami", "--json", code=1).out)["claimed"] is False


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("key", "does not take the key from $SKILLEVOLVE_API_KEY"),
        ("none", "there is no key for SkillEvolve; set SKILLEVOLVE_API_KEY"),
        ("network", "cannot reach 127.0.0.1:9"),
        ("rate", "try again in 600 s"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(checkout, forum, monkeypatch, how, said):
    """And what to do about it."""
    monkeypatch.setattr("curator.skillevolve.transport._PAUSES_S", (0.01, 0.01))
    match how:
        case "key":
            monkeypatch.setenv("SKILLEVOLVE_API_KEY", "sk-wrong-0123456789")
        case "none":
            (Path.home() / ".skillevolve/config.json").unlink()
        case "network":
            monkeypatch.setenv("SKILLEVOLVE_API_URL", "http://127.0.0.1:9/api/v1")
        case _:
            forum.fault("GET /agents/me", "status:429/600")

    err = checkout.curator("skillevolve", "whoami", code=1).err

    assert said in err
    assert err.count("\n") == 1


def test_a_secret_in_a_search_is_not_sent(checkout, forum):
    """One pastes an error message, and the key that is in it."""
    key = "ghp_" + "k3Jd8sLq0ZxV5tRb7Yw2NfHc9MaPuE4GiT6o"

    said = checkout.curator("skillevolve", "search", "401", key, code=2).err

    assert "nothing was sent" in said
    assert key not in said
    assert forum.asked() == []


def test_a_skill_is_unpacked_and_stays_in_its_folder(checkout, forum):
    """An archive from elsewhere must not write where it likes."""
    forum.modes(download="tar")
    forum.archive("vllm--orchestra", archive(vllm__SKILL_md="one"))
    folder = Path(checkout.curator("skillevolve", "download", "vllm--orchestra").out.strip())
    assert folder == Path.home() / ".skillevolve/cache/vllm--orchestra"
    assert (folder / "vllm/SKILL.md").read_text() == "one"
    forum.archive("vllm--orchestra", archive(**{"..__outside_md": "two"}))

    said = checkout.curator("skillevolve", "download", "vllm--orchestra", code=1).err

    assert "cannot be unpacked" in said
    assert (folder / "vllm/SKILL.md").read_text() == "one"
    assert not (folder.parent / "outside.md").exists()


# Drafting


def drafted(checkout, *arguments: str, stdin: str = ""):
    made = json.loads(checkout.curator("skillevolve", *arguments, "--json", stdin=stdin).out)
    return (*split(made["text"]), made)


def test_a_post_is_drafted_from_options_and_text(checkout, forum):
    """The skill is looked up, and named as the site names it."""
    fields, body, made = drafted(
        checkout, "post", "--type", "help_wanted", "--skill", "vllm", "--title", "It hangs", "--urgency", "medium",
        "--tried", "waiting", "--environment", "4x A100", "--field", "skill_version=0.6.3",
        stdin="## Problem\n\nIt hangs.\n",
    )  # fmt: skip

    assert fields == {
        "type": "help_wanted",
        "title": "It hangs",
        "skill_slug": "vllm--orchestra",
        "urgency": "medium",
        "environment": "4x A100",
        "tried": ["waiting"],
        "skill_version": "0.6.3",
    }
    assert body == "## Problem\n\nIt hangs.\n"
    assert (made["id"], made["thread"], made["status"]) == ("SE-D001", "", "draft")
    assert not any(each["call"].startswith("P") for each in forum.asked())


def test_a_post_is_drafted_from_a_note(checkout, forum):
    """What was noted while it was fresh is the post, under the type that fits."""
    checkout.curator(
        "note",
        "--type",
        "fix",
        "--skill",
        "vllm",
        "--problem",
        "torch sees one GPU of 4.",
        "Set it before the import. It helps.",
    )
    (note,) = json.loads(checkout.curator("notes", "--json").out)["notes"]

    fields, body, made = drafted(checkout, "post", "--note", note["id"])

    assert (fields["type"], fields["discovery_type"]) == ("discovery", "correction")
    assert (fields["title"], fields["skill_slug"]) == ("Set it before the import", "vllm--orchestra")
    assert body.startswith("## Problem\n\ntorch sees one GPU of 4.")
    checkout.curator("approve", made["id"])


def test_a_skill_that_the_site_does_not_know_is_said_to_be_missing(checkout, forum):
    """The post will wait for it; better to know now."""
    said = checkout.curator("skillevolve", "post", "--type", "discovery", "--skill", "nope", "--title", "t", stdin="x")

    assert "SkillEvolve has no skill of that name; upload it first" in said.err
    assert "skill_name: nope" in checkout.curator("show", "SE-D001", "--text").out


def test_a_vote_shows_what_is_voted_for(checkout, forum):
    """Nobody signs for `post-7`."""
    forum.holds()

    said = checkout.curator("skillevolve", "vote", "post-7")

    assert 'upvote for "Partial credit first"' in said.out
    assert f"{forum.origin}/forum/post-7" in checkout.curator("show", "SE-D001").out
    checkout.curator("approve", "SE-D001")
    again = checkout.curator("skillevolve", "vote", "post-7")
    assert "SE-D001" in again.out


def test_drafting_works_without_the_network(checkout, forum, monkeypatch):
    """What is learned on a plane is drafted on a plane."""
    monkeypatch.setattr("curator.skillevolve.transport._PAUSES_S", (0.01, 0.01))
    monkeypatch.setenv("SKILLEVOLVE_API_URL", "http://127.0.0.1:9/api/v1")

    for arguments in (
        ["vote", "post-7"],
        ["comment", "post-7"],
        ["message", "agent-x", "--subject", "hi"],
        ["post", "--type", "discovery", "--skill", "vllm", "--title", "t"],
    ):
        checkout.curator("skillevolve", *arguments, stdin="words")

    assert len(json.loads(checkout.curator("drafts", "--json").out)) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["post", "--title", "t"],
        ["post", "--note", "N-00000000"],
        ["post", "--type", "demo", "--title", "t", "--attach", "train.py"],
        ["post", "--type", "demo", "--title", "t", "--attach", "nowhere.png"],
        ["post", "--type", "discovery", "--title", "t", "--run", "LR-001"],
        ["post", "--type", "discovery", "--title", "t", "--field", "severity"],
        ["upload"],
        ["register", "Again", "--description", "d"],
    ],
)
def test_a_request_that_makes_no_sense_drafts_nothing(checkout, forum, arguments):
    """Exit code 2, one line, no draft."""
    said = checkout.curator("skillevolve", *arguments, stdin="words", code=2)

    assert said.err.count("\n") == 1
    assert json.loads(checkout.curator("drafts", "--json").out) == []


# What the community knows of an error


def test_posts_about_an_error_are_found_by_its_template(forum):
    """The numbers differ each time; they are not part of the question."""
    forum.holds(title="RuntimeError: mesh is inside out", content=f"try again {ESCAPE}")

    (found,) = community_posts("RuntimeError: mesh <*> is inside out")

    assert (found.title, found.type) == ("RuntimeError: mesh is inside out", "discovery")
    assert found.link == f"{forum.origin}/forum/post-7"
    assert forum.asked()[0]["query"] == {"q": "RuntimeError: mesh is inside out"}


def test_what_is_private_in_an_error_is_not_asked(forum):
    """A question is sent, too."""
    community_posts("OSError: cannot read /home/ada_l/x of gs://acme/y for Heron", names=("Heron",))

    (asked,) = forum.asked()
    assert not [name for name in ("ada_l", "acme", "Heron") if name in asked["query"]["q"]]


@pytest.mark.parametrize("template", ["<*> <*>", "", "7: 9", "[REDACTED:user]"])
def test_an_error_that_says_nothing_is_not_asked_about(forum, template):
    """Its answer would be everything."""
    assert community_posts(template) == ()
    assert forum.asked() == []


def test_without_a_key_nobody_is_asked(forum):
    """Who does not take part is left alone."""
    (Path.home() / ".skillevolve/config.json").unlink()

    assert community_posts("RuntimeError: mesh is inside out") == ()
    assert forum.asked() == []


@pytest.mark.parametrize("how", ["drip:0.02", "delay:20", "status:503", "drop_before", "garbage", "status:429/60"])
def test_a_site_that_does_not_answer_costs_no_more_than_its_time(forum, how):
    """The analysis of a failure does not wait for a forum."""
    forum.fault("GET /search", how, times=3)
    begun = time.monotonic()

    assert community_posts("RuntimeError: mesh is inside out", within_s=0.3) == ()

    assert time.monotonic() - begun < 10
    assert len(forum.asked()) == 1


def test_a_failed_runs_draft_links_to_what_the_community_wrote(checkout, forum, keep_here):
    """Found by the error without its numbers; the link is a fact, the title is quoted, nothing else is taken over."""
    forum.holds(title="The mesh is inside out: swap the axes", content="RuntimeError: mesh is inside out")
    keep_here("LR-003", error="RuntimeError: mesh 7 is inside out", lr=1.0)

    checkout.curator("draft", "lr-sweep", "--kind", "logbook", "--runs", "LR-003")

    (draft,) = checkout.queue.all()
    link = f"{forum.origin}/forum/post-7"
    assert f"from the community: `The mesh is inside out: swap the axes` {link}" in draft.text
    assert verify(draft.text, draft.facts).ok
    assert [request["query"]["q"] for request in forum.asked()] == ["RuntimeError: mesh is inside out"]

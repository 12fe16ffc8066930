"""A draft's text decides what is sent: its fields, their limits, what must not become public, who may say verified."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.draft import DraftKind
from curator.facts import Fact, FactKind
from curator.front_matter import join
from curator.skillevolve.fields import Post
from curator.skillevolve.privacy import Privacy
from curator.skillevolve.submission import SubmissionError, read

A_POST: dict[str, Any] = {"type": "discovery", "title": "Partial credit first", "skill_slug": "grpo-rl-training"}
SESSION: dict[str, Any] = {
    "session_id": "sess-2026-02-15-abc123",
    "agent_id": "agent-abc123",
    "timestamp": "2026-02-15T16:00:00Z",
    "skill": {"name": "grpo-rl-training"},
    "task": {"description": "train"},
    "outcome": {"success": True},
}
PICTURE = {"type": "image", "file": "plots/loss.png", "sha256": "0" * 64, "label": "Loss"}
REPLICATED = Fact(id="confidence", kind=FactKind.LABEL, value="replicated", name="confidence", source="computed")
EXPLORATORY = Fact(id="confidence", kind=FactKind.LABEL, value="exploratory", name="confidence", source="computed")


def said_wrong(kind: DraftKind, fields: dict[str, Any], body: str = "") -> list[str]:
    text = join(fields, body)
    with pytest.raises(SubmissionError) as caught:
        read(kind, text)
    assert all(0 <= p.start <= p.end <= len(text) for p in caught.value.problems)
    return [problem.why for problem in caught.value.problems]


def test_a_post_is_the_request_that_its_text_says():
    """What was approved and what is sent are one thing."""
    text = join(
        {
            **A_POST,
            "severity": "medium",
            "verified": False,
            "tags": ["GRPO", "reward-design"],
            "environment": "4x A100, CUDA 12.4",
        },
        "## What I found\n\nwords\n",
    )

    submission = read(DraftKind.POST, text)

    assert submission.fields.request(submission.body) == {
        **A_POST,
        "content": "## What I found\n\nwords",
        "metadata": {
            "severity": "medium",
            "verified": False,
            "tags": ["GRPO", "reward-design"],
            "environment": "4x A100, CUDA 12.4",
        },
    }


def test_a_demo_says_where_its_files_were_uploaded():
    """A reader sees the picture, not a path on somebody's disk."""
    text = join(A_POST | {"type": "demo", "attachments": [PICTURE]}, "Look: ![Loss](plots/loss.png), of plots/loss.png")
    submission = read(DraftKind.POST, text)

    assert isinstance(submission.fields, Post)
    sent = submission.fields.request(submission.body, {"plots/loss.png": "https://files.example/1.png"})

    assert sent["content"] == "Look: ![Loss](https://files.example/1.png), of plots/loss.png"
    assert sent["metadata"]["attachments"] == [
        {"type": "image", "url": "https://files.example/1.png", "label": "Loss"},
    ]


WRONG_POSTS: dict[str, tuple[dict[str, Any], str]] = {
    "no title": ({"title": None}, "title is missing"),
    "long title": ({"title": "x" * 301}, "title: 301 characters are too many, 300 are allowed"),
    "astral title": ({"title": "😀" * 151}, "title: 302 characters are too many"),
    "title on two lines": ({"title": "a\nb"}, "title: write it on one line"),
    "no skill": ({"skill_slug": None}, "name one skill"),
    "two skills": ({"skill_name": "grpo"}, "name one skill"),
    "author of a slug": ({"skill_author": "Ada"}, "skill_author goes with skill_name"),
    "unknown field": ({"colour": "red"}, "colour is no field"),
    "unknown severity": ({"severity": "awful"}, "severity: input should be 'critical', 'high', 'medium' or 'low'"),
    "another type's field": ({"urgency": "high"}, "urgency is for posts of type help_wanted"),
    "demo of nothing": ({"type": "demo"}, "a demo has at least one attachment"),
    "file from elsewhere": ({"type": "demo", "attachments": [PICTURE | {"file": "../x"}]}, "inside"),
    "no verified": ({"verified": "maybe"}, "verified: input should be a valid boolean"),
    "control character": ({"title": "a\0b"}, "title: it holds a control character"),
}  # fmt: skip


@pytest.mark.parametrize("how", WRONG_POSTS)
def test_what_the_api_would_refuse_is_found_before_approval(how):
    """A post that is refused after it was approved costs a person a second look."""
    change, why = WRONG_POSTS[how]

    assert why in said_wrong(DraftKind.POST, A_POST | change, "words")[0]


@pytest.mark.parametrize(
    ("body", "why"),
    [("", "there is no text"), ("x" * 49_901, "49901 characters"), ("a\0", "control"), ("\udcff", "control")],
)
def test_the_text_under_the_fields_has_limits_too(body, why):
    """The marker by which a post is found again has to fit in as well."""
    assert why in said_wrong(DraftKind.POST, A_POST, body)[0]
    assert read(DraftKind.POST, join(A_POST, "x" * 49_900)).body


WRONG_SESSIONS: dict[str, tuple[dict[str, Any], str]] = {
    "bad ID": ({"session_id": "sess-2026"}, "session_id: 'sess-2026' is not an ID such as"),
    "no agent": ({"agent_id": None}, "agent_id is missing"),
    "no time zone": ({"timestamp": "2026-02-15T16:00:00"}, "timestamp: say the time zone"),
    "no time": ({"timestamp": "yesterday"}, "timestamp: write a time such as"),
    "no skill": ({"skill": {}}, "skill.name is missing"),
    "no task": ({"task": {"category": "training"}}, "task.description is missing"),
    "category of the other document": ({"task": {"description": "x", "category": "evaluation"}}, "task.category"),
    "resolved without a resolution": (
        {"issues_encountered": [{"type": "error", "description": "x", "resolved": True}]},
        "issues_encountered.0: a resolved issue has a resolution",
    ),
    "negative duration": ({"duration_minutes": -1}, "duration_minutes"),
}


@pytest.mark.parametrize("how", WRONG_SESSIONS)
def test_a_session_report_that_the_schema_refuses_is_found_before_approval(how):
    """The same for reports."""
    change, why = WRONG_SESSIONS[how]

    assert why in said_wrong(DraftKind.SESSION, SESSION | change)[0]


def test_a_session_report_has_no_text_of_its_own():
    """Whatever stands under the fields would be lost, and that must be seen."""
    assert "nothing but the fields is sent" in said_wrong(DraftKind.SESSION, SESSION, "words")[0]


def test_times_are_sent_in_utc():
    """The documents give local times here and UTC there."""
    text = join(SESSION | {"timestamp": "2026-02-15T17:00:00+01:00"}, "")

    assert read(DraftKind.SESSION, text).fields.request("")["timestamp"] == "2026-02-15T16:00:00Z"


# Approval

TROUBLE = r"(gs://\w+/|/home/\w+|a@b\.org|\[REDACTED:user\]| ){1,6}"


def place_findings(checkout, *arguments):
    return json.loads(checkout.curator("verify", *arguments, "--json", code=1).out)["findings"]


def test_nobody_approves_past_what_the_forum_would_refuse(checkout):
    """`--accept` is for what a person knows better; the forum's rules are not."""
    draft = checkout.draft(join(A_POST | {"severity": "awful"}, "words"), kind=DraftKind.POST)
    (finding,) = place_findings(checkout, draft.id)
    assert (finding["kind"], finding["text"]) == ("fields", "awful")

    said = checkout.curator("approve", draft.id, "--accept", finding["id"], code=1).err

    assert "line 5: severity" in said
    assert f"curator edit {draft.id}" in said
    assert checkout.decisions() == []


PRIVATE = {
    "email": ("mail ada.lovelace@example.org about it", "ada.lovelace@example.org"),
    "home": ("see /home/ada_l/run.log", "ada_l"),
    "host": ("it ran on gpu-17.cluster.internal", "gpu-17.cluster.internal"),
    "bucket": ("weights are in gs://acme-models/v3", "acme-models"),
    "own name": ("as Ada Lovelace said", "Ada Lovelace"),
    "private name": ("for project heron only", "heron"),
    "key": ("use ghp_k3Jd8sLq0ZxV5tRb7Yw2NfHc9MaPuE4GiT6o", "ghp_k3Jd8sLq0ZxV5tRb7Yw2NfHc9MaPuE4GiT6o"),
}


@pytest.mark.parametrize("field", ["body", "environment"])
@pytest.mark.parametrize("how", PRIVATE)
def test_nobody_approves_what_is_private(checkout, how, field):
    """Privacy is enforced, not advised: the place is named and `--accept` does not help."""
    words, private = PRIVATE[how]
    thread = checkout.top / ".agents/research/lr-sweep.yaml"
    thread.write_text(thread.read_text() + "private_names: [Heron]\n")
    fields, body = (A_POST, words) if field == "body" else (A_POST | {"environment": words}, "words")
    draft = checkout.draft(join(fields, body), kind=DraftKind.POST)
    findings = place_findings(checkout, draft.id)
    assert [f["text"] for f in findings if f["kind"] == "private"] == [private]
    accept = [word for each in findings for word in ("--accept", each["id"])]

    said = checkout.curator("approve", draft.id, *accept, code=1).err

    line = 7 if field == "body" else 5
    assert f"line {line}: " in said
    assert "must not become public" in said
    assert checkout.decisions() == []


@pytest.mark.parametrize(
    ("facts", "allowed"), [((), False), ((EXPLORATORY,), False), ((REPLICATED,), True)], ids=["none", "once", "twice"]
)
def test_verified_is_for_what_was_repeated(checkout, facts, allowed):
    """Others build on what is called verified; one run, or none, does not verify anything."""
    draft = checkout.draft(join(A_POST | {"verified": True}, "words"), kind=DraftKind.POST, facts=facts)

    said = checkout.curator("approve", draft.id, code=0 if allowed else 1)

    assert ("verified is for what was repeated" in said.err) is not allowed


def test_a_thread_that_is_gone_bars_approval(checkout):
    """Its private names cannot be known any more; silence would be consent."""
    draft = checkout.draft(join(A_POST, "words"), kind=DraftKind.POST, thread="gone")

    assert "its private names are not known" in checkout.curator("approve", draft.id, code=1).err


@given(
    text=st.text(st.characters(codec="utf-8"))
    | st.from_regex(r"(gs://\w+/|/home/\w+|a@b\.org|\[REDACTED:user\]| ){1,6}")
)
def test_what_was_cleaned_is_clean(text):
    """A drafted post must not be refused for what drafting left in it."""
    privacy = Privacy(["heron"])

    cleaned = privacy.clean(text)

    assert privacy.removed(cleaned) == []
    assert privacy.clean(cleaned) == cleaned

"""The calls of the sharing workflow, made by our commands and compared with it field by field.

By default the calls are our own, with the workflow's fields. Where ``MARIN_RESEARCH_WORKFLOW`` names a copy of its
document, the calls are taken out of that instead, so that what it asks for is what is sent.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from curator.publish.marker import MARKER
from marin_research.record import Devices

POST = {
    "type": "discovery",
    "title": "Rewarding parts of a format trains twice as fast as all or nothing",
    "content": "## Finding\n\nA reward for each right tag is learned by step 210, one for the whole by step 430.\n\n"
    "```python\nreward = 0.25 * tags\n```",
    "skill_slug": "grpo-rl-training",
    "metadata": {"severity": "medium", "verified": True, "tags": ["GRPO", "rewards", "speed"]},
}
QUESTION = {
    "type": "help_wanted",
    "title": "generate() never returns after ZeRO-3",
    "content": "## Problem\n\nIt hangs.\n\n## Tried\n- reloading\n\n```python\nmodel.generate(ids)\n```",
    "skill_slug": "deepspeed",
    "metadata": {"urgency": "medium", "environment": "4x A100, DeepSpeed 0.14"},
}
REPORT = {
    "session_id": "sess-2026-02-15-abc123",
    "agent_id": "your-agent-id",
    "timestamp": "2026-02-15T16:00:00Z",
    "skill": {
        "name": "grpo-rl-training",
        "source_repo": "https://github.com/Orchestra-Research/AI-Research-SKILLs",
        "source_path": "06-post-training/grpo-rl-training",
        "source_version": "1.0.0",
    },
    "task": {"description": "Teach a small model to answer in XML", "category": "training", "tags": ["GRPO", "LoRA"]},
    "outcome": {"success": True, "notes": "96% of the answers keep the format after 310 steps"},
    "issues_encountered": [
        {
            "type": "performance",
            "description": "Only 0.3 it/s while generating",
            "resolved": True,
            "resolution": "use_vllm=True gives 1.2 it/s",
        }
    ],
    "learnings": ["Parts of a reward train faster", "Eight generations are enough on one GPU"],
    "environment": {"os": "Ubuntu 22.04", "python": "3.11", "cuda": "12.4", "gpus": "1x A100 80GB"},
    "duration_minutes": 120,
}
OWN: list[tuple[str, str, Any]] = [
    ("POST", "/posts", POST),
    ("POST", "/sessions", REPORT),
    ("GET", "/search?q=FSDP+OOM+gradient+checkpointing", None),
    ("GET", "/posts?skill_slug=deepspeed&type=discovery", None),
    ("GET", "/posts?skill_slug=vllm&limit=10", None),
    ("POST", "/posts/{post_id}/vote", {"value": 1}),
    ("POST", "/posts", QUESTION),
    ("GET", "/heartbeat", None),
]


def of_document(text: str) -> list[tuple[str, str, Any]]:
    """The calls that a document makes with curl: method, path with query, body."""
    calls = []
    for block in re.findall(r"(?ms)^```bash\n(.*?)^```", text):
        for command in re.findall(r"(?ms)^curl .*?(?:(?<!\\)\n(?!\s)|\Z)", block + "\n"):
            words = shlex.split(command.replace("\\\n", " "))
            url = next(word for word in words if word.startswith("https://"))
            body = words[words.index("-d") + 1] if "-d" in words else None
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            calls.append((method, url.partition("/api/v1")[2], json.loads(body) if body else None))
    return calls


DOCUMENT = os.environ.get("MARIN_RESEARCH_WORKFLOW", "")
CALLS = of_document(Path(DOCUMENT).read_text(encoding="utf-8")) if DOCUMENT else OWN


@pytest.fixture
def a_session_run(an_attempt, a_run, keep):
    """Keep a run in the environment that a report tells of."""

    def make(told: dict[str, str]) -> None:
        count, _, kind = told["gpus"].partition("x ")
        attempt = an_attempt(
            platform=told["os"],
            python=f"CPython {told['python']}",
            packages={"nvidia-cuda-runtime-cu12": f"{told['cuda']}.127"},
            declared_devices=Devices(kind=kind, count=int(count), source="declared"),
        )
        keep(a_run("LR-003", attempts=(attempt,), metrics={"eval/loss": 1.9}))

    return make


@pytest.fixture
def world(checkout, forum, keep_here):
    """The site as the workflow knows it, and two runs of one config that agree."""
    forum.modes(vote="value", filter="skill_slug")
    forum.holds("post-7")
    for name in ("vllm", "deepspeed"):
        forum.knows(name)
    config = Path.home() / ".skillevolve/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"agent_id": "your-agent-id"}))
    forum.rename("your-agent-id")
    for number, loss in ((1, 2.0), (2, 2.01)):
        keep_here(f"LR-00{number}", loss=loss, lr=0.003, seed=number)
    return checkout


def approve_and_publish(checkout, draft_id: str) -> None:
    """With every finding accepted: a workflow's own numbers stand in no record."""
    findings = json.loads(checkout.curator("show", draft_id, "--json").out)["findings"]
    accept = [word for finding in findings for word in ("--accept", finding["id"])]
    checkout.curator("approve", draft_id, *accept)
    checkout.curator("publish", draft_id)


def by_command(checkout, expected: dict[str, Any]) -> None:
    """Draft, approve and publish a post with these fields."""
    told = expected["metadata"]
    arguments = ["--type", expected["type"], "--title", expected["title"], "--skill", expected["skill_slug"]]
    arguments += [word for tag in told.get("tags", []) for word in ("--tag", tag)]
    for name in ("severity", "urgency", "environment"):
        arguments += [f"--{name}", told[name]] if name in told else []
    if told.get("verified"):
        arguments += ["--verified", "--thread", "lr-sweep", "--run", "LR-001", "--run", "LR-002"]
    made = json.loads(
        checkout.curator("skillevolve", "post", *arguments, "--json", stdin=expected["content"] + "\n").out
    )
    approve_and_publish(checkout, made["id"])


def test_the_workflow_makes_the_calls_that_we_think_it_makes():
    """A document that was read wrongly would be compared with nothing."""
    assert [(method, urlsplit(url).path) for method, url, _ in CALLS] == [
        (method, urlsplit(url).path) for method, url, _ in OWN
    ]


@pytest.mark.parametrize("index", [0, 6], ids=["a finding", "a question"])
def test_a_post_of_the_workflow_is_sent_field_by_field(world, forum, index):
    """The whole of it, from the command to the bytes that arrive."""
    _, _, expected = CALLS[index]
    if DOCUMENT:
        forum.knows(expected["skill_slug"])

    by_command(world, expected)

    (sent,) = forum.asked("POST /posts")
    body = sent["body"] | {"content": MARKER.sub("", sent["body"]["content"]).rstrip()}
    for name in expected:
        assert body[name] == expected[name], name
    assert body == expected
    assert sent["headers"]["content-type"] == "application/json"
    assert sent["headers"]["authorization"].startswith("Bearer ")


def test_the_vote_of_the_workflow_is_sent(world, forum):
    """Under the name that it has there."""
    said = json.loads(world.curator("skillevolve", "vote", "post-7", "--json").out)
    approve_and_publish(world, said["id"])

    assert forum.asked("POST /posts/post-7/vote")[-1]["body"] == CALLS[5][2]
    assert forum.state["votes"] == {"post-7": {"your-agent-id": 1}}


@pytest.mark.parametrize("index", [2, 3, 4], ids=["search", "of a type", "newest"])
def test_the_questions_of_the_workflow_are_asked(world, forum, index):
    """With its parameters, and no other meaning."""
    _, url, _ = CALLS[index]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if "q" in asked:
        world.curator("skillevolve", "search", *asked["q"].split())
    else:
        options = {"skill_slug": "--skill", "type": "--type", "limit": "--limit"}
        words = [word for name, value in asked.items() for word in (options[name], value)]
        world.curator("skillevolve", "posts", *words)

    (got,) = forum.asked(f"GET {urlsplit(url).path}")
    assert asked.items() <= got["query"].items()


def test_the_heartbeat_of_the_workflow_is_made(world, forum):
    """Read first: it is what the examples do."""
    world.curator("skillevolve", "heartbeat")

    assert [each["call"] for each in forum.asked()] == [f"{CALLS[7][0]} /heartbeat"]


def test_the_session_report_of_the_workflow_is_sent_field_by_field(world, forum, a_session_run, editor):
    """Out of a run, the notes of the session and the skill's own entry."""
    expected = CALLS[1][2]
    skill = expected["skill"]
    forum.forget_skills()
    forum.knows(**skill, version=skill["source_version"])
    thread = world.top / ".agents/research/lr-sweep.yaml"
    thread.write_text(thread.read_text() + f"skill: {skill['name']}\ntags: {json.dumps(expected['task']['tags'])}\n")
    a_session_run(expected["environment"])
    memory = world.top / ".skillevolve/memory" / f"{expected['session_id']}.jsonl"
    notes = [
        *(["--type", "technique", learning] for learning in expected["learnings"]),
        *(
            ["--type", "fix", "--issue", issue["type"], "--problem", issue["description"], issue["resolution"]]
            for issue in expected["issues_encountered"]
        ),
        ["--type", "reflection", expected["outcome"]["notes"]],
    ]
    for arguments in notes:
        world.curator("note", *arguments, "--file", str(memory), "--task", expected["task"]["description"])
    made = json.loads(world.curator("draft", "lr-sweep", "--kind", "session", "--runs", "LR-003", "--json").out)
    draft_id = made[0]["draft"]["id"]
    change = (
        "import re\ntext = file.read_text()\n"
        f"text = re.sub(r'timestamp: .*', 'timestamp: {expected['timestamp']}', text)\n"
        f"text = re.sub(r'duration_minutes: .*', 'duration_minutes: {expected['duration_minutes']}', text)\n"
        "file.write_text(text)"
    )
    world.curator("edit", draft_id, EDITOR=editor(change))  # these notes were made just now, not that day

    findings = json.loads(world.curator("show", draft_id, "--json").out)["findings"]
    world.curator("approve", draft_id, *(word for each in findings for word in ("--accept", each["id"])))
    world.curator("publish", draft_id)

    (sent,) = forum.asked("POST /sessions")
    for field in expected:
        assert sent["body"][field] == expected[field], field
    assert sent["body"] == expected

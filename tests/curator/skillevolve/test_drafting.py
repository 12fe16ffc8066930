"""Posts and session reports out of records and notes: the right type, the right skill, and nothing that is private."""

from __future__ import annotations

import json
from typing import Any

import pytest

from curator.draft import DraftKind
from curator.front_matter import split
from curator.skillevolve.categories import LIBRARY, category_of, skill_in
from curator.skillevolve.submission import read

RIDDLE = "RuntimeError: the mesh is inside out"
NAN = "FloatingPointError: loss is nan at step 30"


def drafted(checkout, kind: str, *runs: str) -> tuple[dict[str, Any], str, str]:
    """The fields, the body and the ID of the draft that the command makes."""
    made = json.loads(checkout.curator("draft", "lr-sweep", "--kind", kind, "--runs", *runs, "--json").out)
    (draft,) = [each["draft"] for each in made]
    assert draft, made
    return (*split(draft["text"]), draft["id"])


def why_none(checkout, *runs: str) -> str:
    (made,) = json.loads(checkout.curator("draft", "lr-sweep", "--kind", "post", "--runs", *runs, "--json").out)
    assert made["draft"] is None
    return str(made["why_none"])


@pytest.fixture
def sweep(keep_here):
    """A baseline, a clear win, and a rate at which it fails."""
    keep_here("LR-001", loss=2.0, baseline=True, lr=0.003, seed=0)
    keep_here("LR-002", loss=1.5, lr=0.01, seed=0)
    keep_here("LR-003", error=NAN, lr=1.0, seed=0)


@pytest.fixture
def declare(checkout):
    """Add lines to the thread's file."""

    def add(lines: str) -> None:
        thread = checkout.top / ".agents/research/lr-sweep.yaml"
        thread.write_text(thread.read_text() + lines + "\n")

    return add


@pytest.mark.usefixtures("sweep")
def test_a_failure_that_its_siblings_explain_is_a_gotcha(checkout, declare):
    """Others can avoid it."""
    declare("skill: optax-tuning\ntags: [learning-rate]")

    fields, body, _ = drafted(checkout, "post", "LR-001", "LR-002", "LR-003")

    assert fields == {
        "type": "discovery",
        "title": "FloatingPointError with lr=1.0, not with its neighbours",
        "skill_name": "optax-tuning",
        "discovery_type": "gotcha",
        "severity": "medium",
        "verified": "false",
        "environment": "8 × TPU v4, as declared; CPython 3.12.1; jax 0.11.2",
        "tags": ["learning-rate"],
    }
    assert "The runs with `lr=0.003` and `lr=0.01` succeeded." in body


@pytest.mark.usefixtures("sweep")
def test_a_clear_win_is_verified_only_when_it_was_repeated(checkout, keep_here, declare):
    """One run proves little; two that agree may say so."""
    declare("skill: optax-tuning")
    once, _, _ = drafted(checkout, "post", "LR-001", "LR-002")
    keep_here("LR-004", loss=1.51, lr=0.01, seed=1)

    twice, body, draft = drafted(checkout, "post", "LR-001", "LR-002")

    assert (once["type"], once["discovery_type"], once["verified"]) == ("discovery", "insight", "false")
    assert twice["verified"] == "true"
    assert twice["title"] == "lr=0.01: eval/loss -24.8 % against the baseline"
    assert body.startswith(
        "## What we found\n\n"
        "- `lr=0.01`: mean eval/loss 1.505 nats/byte over 2 runs, standard deviation 0.007071 nats/byte\n"
        "- the best of these 2 runs: eval/loss 1.500 nats/byte\n"
        "- the baseline, `lr=0.003`: eval/loss 2 nats/byte\n"
        "- change of the mean: -24.8 %\n"
    )
    checkout.curator("approve", draft)


@pytest.mark.usefixtures("sweep")
def test_one_lucky_seed_is_no_win(checkout, keep_here):
    """The public would try it, and get what the other seed got."""
    keep_here("LR-004", loss=2.4, lr=0.01, seed=1)

    assert "no variant beat the baseline" in why_none(checkout, "LR-001", "LR-002")


def test_a_failure_that_another_seed_did_not_have_is_no_gotcha(checkout, keep_here):
    """It would warn of a setting that works."""
    keep_here("LR-001", loss=2.0, baseline=True, lr=0.003, seed=0)
    keep_here("LR-002", loss=1.99, lr=0.01, seed=0)
    keep_here("LR-003", error=NAN, lr=0.01, seed=1)

    assert "no run failed with a cause" in why_none(checkout, "LR-001", "LR-002", "LR-003")


def test_a_failure_that_nobody_can_explain_is_a_question(checkout, keep_here, declare):
    """Once may be bad luck; when it comes back, others may know."""
    declare("skill: optax-tuning")
    keep_here("LR-001", error=RIDDLE, lr=0.01)
    assert "none failed more than once" in why_none(checkout, "LR-001")
    keep_here("LR-002", error=RIDDLE, lr=0.02)
    checkout.curator("note", "--type", "struggle", "--run", "LR-002", "a smaller rate does not help")

    fields, body, draft = drafted(checkout, "post", "LR-002")

    assert (fields["type"], fields["urgency"], fields["reproducible"]) == ("help_wanted", "medium", "true")
    assert fields["tried"] == ["a smaller rate does not help"]
    assert "It was seen 2 times." in body
    assert "## Reproduction" in body
    checkout.curator("approve", draft)


@pytest.mark.usefixtures("sweep")
def test_without_a_skill_the_draft_waits_for_a_person_to_name_one(checkout):
    """A post about no skill is found by nobody; a guess would be worse."""
    _, _, draft = drafted(checkout, "post", "LR-001", "LR-002")

    said = checkout.curator("approve", draft, code=1).err

    assert "name one skill" in said
    assert "curator skillevolve skills" in said


@pytest.mark.usefixtures("sweep")
def test_what_people_said_names_the_skill_before_any_guess(checkout, declare):
    """The thread's own skill, then the notes', then what the runs speak of."""
    declare("goal: does DeepSpeed ZeRO-3 hold at this rate?")
    assert drafted(checkout, "post", "LR-001", "LR-002")[0]["skill_name"] == "deepspeed"
    checkout.curator("note", "--type", "tip", "--skill", "accelerate", "launch with it")
    assert drafted(checkout, "post", "LR-001", "LR-002")[0]["skill_name"] == "accelerate"
    declare("skill: pytorch-fsdp2")
    assert drafted(checkout, "post", "LR-001", "LR-002")[0]["skill_name"] == "pytorch-fsdp2"


@pytest.mark.usefixtures("sweep")
def test_an_installed_skill_is_named_as_it_names_itself(checkout, declare):
    """The forum knows skills by the name in their SKILL.md, not by their folder's."""
    declare("skill: deepspeed")
    skill = checkout.top / ".claude/skills/deepspeed/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: deepspeed-guide\nmetadata:\n  author: Orchestra Research\n---\nwords\n")

    fields, _, _ = drafted(checkout, "post", "LR-001", "LR-002")

    assert (fields["skill_name"], fields["skill_author"]) == ("deepspeed-guide", "Orchestra Research")


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("FSDP2 and FSDP again, with deepspeed", "pytorch-fsdp2"),
        ("vLLM runs out of memory", "vllm"),
        ("splash_attention is slower", "flash-attention"),
        ("gradients are clipped: clip=1.0", None),
        ("a learning rate", None),
    ],
)
def test_the_map_finds_the_skill_that_a_text_speaks_of(text, skill):
    """And none where words only sound like one."""
    assert skill_in(text) == skill


def test_the_map_is_one_of_twenty_shelves_without_doubles():
    """A word that leads to two skills leads to the wrong one half of the time."""
    words = [w for c in LIBRARY for folder, others in c.skills.items() for w in (folder, *others.split())]

    assert len(LIBRARY) == 20
    assert sorted(words) == sorted(set(words))
    assert category_of("serving-llms-vllm") is category_of("vllm")


@pytest.mark.usefixtures("sweep")
def test_what_is_private_is_masked_in_text_fields_and_facts(checkout, declare, keep_here):
    """The person who approves should not have to find it."""
    declare("skill: optax-tuning\ngoal: beat project Heron\nprivate_names: [Heron]")
    keep_here("LR-005", error="OSError: cannot read /home/ada_l/gs.txt of gs://acme-data/x", lr=9.0, seed=0)

    for kind in ("post", "session"):
        _, _, draft = drafted(checkout, kind, "LR-001", "LR-005")

        shown = checkout.curator("show", draft, "--json").out
        assert [name for name in ("ada_l", "acme-data", "Heron") if name in shown] == []
        assert "[REDACTED:" in shown
        checkout.curator("verify", draft, code=0 if kind == "post" else 1)


# Session reports


@pytest.mark.usefixtures("sweep")
def test_a_session_report_tells_what_records_and_notes_tell(checkout, declare):
    """What was learned while working is worth more than the numbers."""
    declare("skill: optax-tuning\ngoal: find the largest stable rate")
    for arguments in (
        ["--type", "technique", "warm up for 100 steps"],
        ["--type", "fix", "--issue", "performance", "--problem", "it is slow at 0.3 it/s", "set use_vllm=True"],
        ["--type", "struggle", "--issue", "confusion", "the flag does nothing"],
        ["--type", "context", "not for others"],
        ["--type", "gotcha", "--run", "LR-099", "of another run"],
    ):
        checkout.curator("note", *arguments)

    fields, body, draft = drafted(checkout, "session", "LR-001", "LR-002", "LR-003")

    assert body == ""
    assert fields["skill"] == {"name": "optax-tuning"}
    assert fields["task"] == {"description": "find the largest stable rate", "category": "training"}
    assert (fields["outcome"]["success"], fields["outcome"]["partial"]) == ("true", "true")
    assert fields["learnings"] == ["warm up for 100 steps"]
    assert fields["issues_encountered"] == [
        {"type": "error", "description": f"lr=1.0: `{NAN}`", "resolved": "false"},
        {
            "type": "performance",
            "description": "it is slow at 0.3 it/s",
            "resolved": "true",
            "resolution": "set use_vllm=True",
        },
        {"type": "confusion", "description": "the flag does nothing", "resolved": "false"},
    ]
    assert fields["environment"]["gpus"] == "8x TPU v4"
    (file,) = (checkout.top / ".skillevolve/memory").iterdir()
    assert fields["session_id"] == file.name.removesuffix(".jsonl")
    assert "agent_id is missing" in checkout.curator("approve", draft, code=1).err


@pytest.mark.usefixtures("sweep")
def test_a_report_without_notes_has_the_same_id_every_time(checkout):
    """The forum knows a report by its ID; a new one every time would be sent every time."""
    first, _, one = drafted(checkout, "session", "LR-001", "LR-002")
    second, _, two = drafted(checkout, "session", "LR-001", "LR-002")

    assert first["session_id"] == second["session_id"]
    assert one == two


@pytest.mark.usefixtures("sweep")
def test_a_report_needs_nobody_to_vouch_for_what_records_say(checkout, declare, monkeypatch, tmp_path_factory):
    """Findings about the report's own fields would teach people to accept findings."""
    declare("skill: deepspeed")
    config = tmp_path_factory.mktemp("home") / ".skillevolve/config.json"
    config.parent.mkdir(mode=0o700)
    config.touch(mode=0o600)
    config.write_text('{"api_key": "sk-0123456789abcdef0123456789abcdef", "agent_id": "agent-abc123"}')
    monkeypatch.setenv("HOME", str(config.parents[1]))

    _, _, draft = drafted(checkout, "session", "LR-001", "LR-002", "LR-003")

    checkout.curator("verify", draft)
    checkout.curator("approve", draft)
    assert read(DraftKind.SESSION, checkout.queue.get(draft).text)


@pytest.mark.usefixtures("sweep")
def test_a_report_names_the_posts_that_helped(checkout, declare, forum):
    """Votes of this session say what was used; the platform learns which knowledge works."""
    declare("skill: vllm")
    checkout.curator("note", "--type", "tip", "set it first")
    for post_id, option in (("post-1", ""), ("post-2", "--down"), ("post-3", "")):
        forum.holds(post_id)
        made = json.loads(checkout.curator("skillevolve", "vote", post_id, *option.split(), "--json").out)
        if post_id != "post-3":  # a vote that nobody approved is nobody's word
            checkout.curator("approve", made["id"])
            checkout.curator("publish", made["id"])

    fields, _, draft = drafted(checkout, "session", "LR-001", "LR-002", "LR-003")

    assert fields["community_resources_used"] == [
        {"type": "post", "id": "post-1", "helpful": "true"},
        {"type": "post", "id": "post-2", "helpful": "false"},
    ]
    assert fields["skill"]["name"] == "vllm"
    checkout.curator("verify", draft)

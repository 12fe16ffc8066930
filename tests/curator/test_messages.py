"""The whole path against a server that speaks the Messages API: real SDK, real retries, every way it can go wrong."""

from __future__ import annotations

import copy
import json
import time

import pytest

from curator.model.messages import DEFAULT_MODEL
from curator.model.options import Options, model_name
from curator.queue import DraftQueue
from marin_research.thread import Thread, remember_thread

pytest.importorskip("anthropic", reason="needs Anthropic's SDK: pip install 'marin-research[claude]'")

FEW_S = 45
"""Longer than any of these may take on a busy machine, and much shorter than what they must not wait for."""


@pytest.fixture
def draft(sweep, store, command_line, monkeypatch):
    """Run ``curator draft --drafter claude``; gives what it said and the drafts that are in the queue then."""
    evidence, _ = sweep()
    remember_thread(evidence.thread, store)
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)

    def run(*options, kind="logbook", code=0):
        chosen = ["--kind", kind, "--runs", *evidence.runs, "--drafter", "claude", *options]
        said = command_line("curator", "draft", "lr-sweep", *chosen)
        assert said.code == code, said
        return said, DraftQueue(store).all()

    return run


def test_a_good_answer_becomes_a_draft_with_its_price(serve, draft, honest, command_line):
    """The person who reviews sees who wrote it, what it cost, and which words are opinion."""
    server = serve({"reply": json.dumps(honest)})

    said, (made,) = draft()

    assert made.drafter == "claude"
    assert made.writing is not None
    assert made.writing.model == DEFAULT_MODEL
    assert (made.writing.input_tokens, made.writing.cache_read_tokens, made.writing.cache_written_tokens) == (
        1000,
        200,
        30,
    )
    assert made.writing.cost_usd == pytest.approx(
        (1000 * 4 + 200 * 0.2 + 30 * 5 + made.writing.output_tokens * 20) / 1e6
    )
    assert made.writing.opinions
    assert all(f"(opinion of {DEFAULT_MODEL}) {opinion}" in made.text for opinion in made.writing.opinions)
    assert "falls throughout" in made.text
    assert f"{DEFAULT_MODEL}: 1 answer" in said.out
    assert json.loads(command_line("curator", "verify", made.id, "--json").out) == {"ok": True, "findings": []}
    (request,) = server.requests
    assert request["body"]["output_config"]["format"]["type"] == "json_schema"
    assert [block["cache_control"] for block in request["body"]["system"]] == [{"type": "ephemeral"}] * 2


def test_what_does_not_stand_goes_back_and_is_mended(serve, draft, honest):
    """A model can correct itself when it is told what was wrong."""
    wrong = copy.deepcopy(honest)
    wrong["claims"][0]["shape"] = "rises"
    server = serve({"reply": json.dumps(wrong)}, {"reply": json.dumps(honest)})

    _, (made,) = draft()

    assert "falls throughout" in made.text
    assert (made.writing.rounds, made.writing.cut) == (2, ())
    last = server.requests[-1]["body"]["messages"]
    assert [turn["role"] for turn in last] == ["user", "assistant", "user"]
    assert "claims[0]: eval/loss falls throughout" in last[-1]["content"]


def test_what_is_wrong_to_the_end_is_cut_out_visibly(serve, draft, honest, command_line):
    """Two rounds of mending at most; the rest of the answer is not lost with it."""
    honest["opinions"].append("The loss fell by 0.1 in LR-003.")
    server = serve({"reply": json.dumps(honest)})

    said, (made,) = draft()

    assert len(server.requests) == 3
    assert "0.1 in" not in made.text
    assert [cut.said for cut in made.writing.cut] == ["The loss fell by 0.1 in LR-003."]
    assert "1 part of its answer cut out" in said.out
    shown = command_line("curator", "show", made.id).out
    assert "Cut out of the model's answer" in shown
    assert "The loss fell by 0.1 in LR-003." in shown


def test_a_model_that_always_lies_leaves_nothing_in_the_draft(serve, draft, honest):
    """Claims against the facts, numbers from nowhere, wrong roles and units, the hypothesis told as the result."""
    lies = {
        "claims": [
            {"kind": "trend", "axis": "sweep/axis/lr", "metric": "eval/loss", "shape": "rises"},
            {"kind": "best", "value": "LR-001/metric/eval/loss"},
            {
                "kind": "comparison",
                "values": ["LR-003/metric/eval/loss"],
                "reference": "LR-001/metric/eval/loss",
                "verdict": "worse",
            },
            {
                "kind": "comparison",
                "values": ["LR-003/metric/eval/loss"],
                "reference": "LR-001/metric/tokens_per_second",
                "verdict": "lower",
            },
            {"kind": "hypothesis", "hypothesis": "LR-003/hypothesis", "tests": [], "outcome": "supported"},
            {"kind": "failure", "run": "LR-004/status", "cause": "disk-full", "lines": ["LR-004/message"]},
            {"kind": "failure", "run": "LR-003/status", "cause": "killed", "lines": ["LR-004/message"]},
            {"kind": "agreement", "values": ["LR-001/metric/eval/loss", "LR-002/metric/eval/loss"]},
            {"kind": "anomaly", "fact": "LR-001/count/attempts", "what": "retried"},
        ],
        "opinions": [
            "The loss fell by half.",
            "{LR-003/run} lowered the eval/loss by {LR-003/metric/eval/loss}.",
            "This is the best rate.",
            "{LR-004/run} converged.",
        ],
        "next_actions": [
            {"action": "adopt", "run": "LR-001/run"},
            {"action": "between", "low": "LR-004/config/lr", "high": "LR-003/config/lr"},
            {"action": "beyond", "value": "LR-002/config/lr", "side": "above"},
        ],
    }
    serve({"reply": json.dumps(lies)})

    said, (made,) = draft()

    assert made.drafter == "template"
    assert "nothing of its answer stands" in made.writing.instead
    assert "nothing of its answer stands" in said.out
    assert made.writing.rounds == 3


ERRORS = {
    "refusal": ([{"refusal": "frontier_llm"}], "it refused (frontier_llm)", 1),
    "prose in place of JSON": ([{"reply": "The best run is LR-003."}], "nothing of its answer stands", 3),
    "JSON of another kind": ([{"reply": '{"answer": 42}'}], "nothing of its answer stands", 3),
    "an empty answer": ([{"reply": ""}], "the answer is empty", 3),
    "a cut connection": ([{"reply": "x" * 3000, "cut_after": 500}], "cannot be reached", 1),
    "a stream that ends early": ([{"reply": "x" * 3000, "cut_after": 500, "politely": True}], "broke off", 1),
    "an error in mid-stream": (
        [{"reply": "x" * 3000, "cut_after": 500, "error_event": "overloaded_error"}],
        "it is overloaded",
        1,
    ),
    "a web page": ([{"html": True}], "does not speak the Messages API", 1),
    "a rejected key": ([{"status": 401, "error": "authentication_error"}], "does not accept the key", 1),
    "an unknown model": ([{"status": 404, "error": "not_found_error"}], "does not know this model", 1),
    "a bad request": ([{"status": 400, "error": "invalid_request_error"}], "it answered 400", 1),
    "an enormous retry-after": (
        [{"status": 429, "error": "rate_limit_error", "headers": {"retry-after": "86400"}}],
        "rate limit is reached (it asks to wait 86400 s)",
        1,
    ),
    "overload without end": (
        [{"status": 529, "error": "overloaded_error", "headers": {"retry-after-ms": "10"}}],
        "it is overloaded",
        4,
    ),
}


@pytest.mark.parametrize(("script", "why", "asked"), ERRORS.values(), ids=list(ERRORS))
def test_whatever_goes_wrong_the_template_writes_and_says_so(serve, draft, command_line, script, why, asked):  # noqa: PLR0917 - fixtures
    """A run that nobody can write up because a service is down would be worse than a plain draft."""
    server = serve(*script)
    began = time.monotonic()

    said, (made,) = draft()

    assert time.monotonic() - began < FEW_S
    assert made.drafter == "template"
    assert why in made.writing.instead
    assert f"the template wrote this in place of {DEFAULT_MODEL}: " in said.out
    assert why in " ".join(said.out.split())
    assert why.partition(" (")[0] in " ".join(command_line("curator", "show", made.id).out.split())
    assert "opinion of" not in made.text
    assert len(server.requests) == asked


def test_a_success_after_a_failure_leaves_one_draft_to_read(serve, draft, honest, command_line):
    """Otherwise both go into the logbook, under one heading, for good."""
    serve({"status": 401, "error": "authentication_error"})
    _, (failed,) = draft()
    serve({"reply": json.dumps(honest)})

    said, (first, made) = draft()

    assert (first.id, first.status, first.by) == (failed.id, "superseded", made.id)
    assert (made.drafter, made.status) == ("claude", "draft")
    assert f"drafted {made.id}  logbook: {made.title}, in place of {failed.id}" in said.out
    assert [line.split()[0] for line in command_line("curator", "drafts", "--status", "draft").out.splitlines()] == [
        made.id
    ]


def test_a_draft_that_was_there_already_says_why_the_newest_try_failed(serve, draft, command_line):
    """The same text, but no word that a model was asked, or a reason of last week: nobody would mend what is wrong."""
    plain = json.loads(command_line("curator", "draft", "lr-sweep", "--kind", "logbook", "--json").out)[0]["draft"]
    assert plain["writing"] is None

    for script, why in (
        ({"status": 401, "error": "authentication_error"}, "does not accept the key"),
        ({"status": 404, "error": "not_found_error"}, "does not know this model"),
    ):
        serve(script)

        said, (same,) = draft()

        assert (same.id, same.revision, same.sha256) == (plain["id"], 0, plain["drafted_sha256"])
        assert why in same.writing.instead
        assert why in " ".join(said.out.split())
        assert why in " ".join(command_line("curator", "show", same.id).out.split())


def test_a_short_wait_is_waited_out(serve, draft, honest):
    """A rate limit that is over in a moment is no reason for a lesser draft."""
    busy = {"status": 429, "error": "rate_limit_error", "headers": {"retry-after": "0.2"}}
    server = serve(
        busy,
        {"status": 529, "error": "overloaded_error", "headers": {"retry-after-ms": "50"}},
        {"reply": json.dumps(honest)},
    )

    _, (made,) = draft()

    assert made.drafter == "claude"
    assert [request["retry"] for request in server.requests] == [0, 1, 2]


@pytest.mark.parametrize("behaviour", [{"hang": 60}, {"drip": 0.3}], ids=["silent", "trickling"])
def test_the_deadline_holds_for_everything_together(serve, draft, honest, behaviour):
    """A read timeout starts anew with every byte; a person's patience does not."""
    serve({"reply": json.dumps(honest) + " " * 20000, **behaviour})
    began = time.monotonic()

    _, (made,) = draft("--deadline", "3")

    assert time.monotonic() - began < FEW_S
    assert made.drafter == "template"
    assert "did not answer within 3 s" in made.writing.instead


def test_an_answer_that_was_cut_for_its_length_is_asked_for_again(serve, draft, honest):
    """Half a JSON document is a normal case."""
    whole = json.dumps(honest)
    server = serve({"reply": whole[:200], "stop_reason": "max_tokens"}, {"reply": whole})

    _, (made,) = draft()

    assert made.drafter == "claude"
    assert "cut off for its length" in server.requests[-1]["body"]["messages"][-1]["content"]


def test_a_failure_while_mending_keeps_what_stands(serve, draft, honest):
    """The first answer was paid for."""
    honest["opinions"].append("It took 3 hours.")
    serve({"reply": json.dumps(honest)}, {"status": 400, "error": "invalid_request_error"})

    _, (made,) = draft()

    assert made.drafter == "claude"
    assert "falls throughout" in made.text
    assert "3 hours" not in made.text


def test_a_gateway_that_cannot_count_tokens_is_no_obstacle(serve, draft, honest):
    """Not every server that speaks the API speaks all of it."""
    serve({"reply": json.dumps(honest), "count_status": 404})

    _, (made,) = draft()

    assert made.drafter == "claude"


def test_without_a_key_one_line_says_what_to_do(draft, monkeypatch):
    """The most common mistake has the shortest answer."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    said, drafts = draft(code=1)

    assert drafts == []
    assert said.err.count("\n") == 1
    assert "ANTHROPIC_API_KEY" in said.err
    assert "--drafter template" in said.err


def test_a_budget_too_small_for_the_record_is_said(serve, draft, honest):
    """Nothing is sent that costs more than what was granted."""
    server = serve({"reply": json.dumps(honest)})

    _, (made,) = draft("--budget", "25000")

    assert "more than the" in made.writing.instead
    assert server.requests == []


def test_nothing_personal_and_nothing_secret_is_sent(serve, sweep, store, command_line, monkeypatch, honest):  # noqa: PLR0917 - fixtures
    """What a provider never saw it cannot leak; what was taken out is listed."""
    key = "sk-ant-api03-" + "Q7" * 40
    log = f"FloatingPointError: loss is nan, token {key} of ada@example.org on 10.1.2.3\n"
    config = {"lr": 0.1, "seed": 0, "steps": 400, "_wandb": {"host": "node-7"}, "data": "gs://bucket/users/ada/x"}
    evidence, _ = sweep(log=log, LR_003={"config": config})
    remember_thread(evidence.thread, store)
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    server = serve({"reply": json.dumps(honest)})

    command_line("curator", "draft", "lr-sweep", "--kind", "logbook", "--drafter", "claude", "--runs", *evidence.runs)

    sent = json.dumps([request["body"] for request in server.requests])
    for private in (
        key,
        "ada@example.org",
        "10.1.2.3",
        "_wandb",
        "node-7",
        "users/ada",
        "c0ffeec0ffee",
        "python train.py",
        "jax 0.11",
    ):
        assert private not in sent
    masked = [each for made in DraftQueue(store).all() for each in (made.writing.masked if made.writing else ())]
    assert {each.kind for each in masked} >= {"anthropic", "email"}
    assert all(each.where.startswith("LR-") for each in masked)


@pytest.mark.parametrize(
    ("option", "variable", "thread", "expected"),
    [("a", "b", "c", "a"), ("", "b", "c", "b"), ("", "", "c", "c"), ("", "", "", DEFAULT_MODEL)],
)
def test_the_model_is_the_most_particular_one_that_was_named(option, variable, thread, expected):
    """An option beats the environment, the environment the thread, the thread the default."""
    declared = Thread(topic="t", prefix="T", model=thread)

    assert model_name(Options(model=option), declared.model, {"MARIN_RESEARCH_MODEL": variable}) == expected

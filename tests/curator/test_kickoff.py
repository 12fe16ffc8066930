"""The kick-off of a thread: drafted from its file and its author's words, after a look for issues like it."""

from __future__ import annotations

import json

import pytest

from curator.github.address import parse_repository
from curator.github.client import GitHub
from curator.kickoff import look_alikes, read_kickoff
from marin_research.thread import Thread
from tests.curator.github_server import WEB

SAID = (
    *("--description", "How far can the rate go, on 1 device? See https://arxiv.org/abs/2203.03466."),
    *("--hypothesis", "a longer warm-up allows twice the rate"),
    *("--experiment", "0.03, 0.06, 0.1 and 0.3 with one seed each"),
    *("--baseline", "0.03, as in #1234"),
    *("--code", "experiments/lr_sweep.py"),
    *("--reference", "https://arxiv.org/abs/2203.03466"),
)


@pytest.fixture
def declared(checkout):
    """The thread with everything that its file may say of it."""
    checkout.declare(
        "title: Learning rates\ngoal: find the largest stable rate below 0.5\nbranch: research/lr-sweep\n"
        "constraints: [400 steps on one device]\nstop_criteria: [two seeds agree within 2 %]\n"
        "wandb: {entity: marin, project: lr-sweep}"
    )


def drafted(checkout, *said):
    made = json.loads(checkout.curator("kickoff", "lr-sweep", "--json", *said).out)
    return checkout.queue.get(made["draft"]["id"]), made


def test_the_issue_says_everything_that_a_reader_needs(checkout, here, github, declared):
    """Motivation, metrics, hypotheses, first experiments, code, references, stop criteria and baseline."""
    draft, _ = drafted(checkout, *SAID)

    kickoff = read_kickoff(draft.text)
    assert (kickoff.title, str(kickoff.repository)) == ("Experiment: Learning rates", "marin-community/marin")
    assert kickoff.labels == ["experiment", "agent-generated"]
    order = ["Description", "Hypothesis or Goal", "Results", "TL;DR", "Scope", "First experiments", "Current baseline"]
    order += ["Decision log", "Negative results index", "Conclusion"]
    at = [kickoff.body.index(f"## {part}\n") for part in order]
    assert at == sorted(at)
    for said in (*SAID[1::2], "eval/loss (lower is better, nats/byte)", "400 steps on one device", "two seeds agree"):
        assert said in draft.text
    link = f"{WEB}/marin-community/marin/blob/research/lr-sweep/.agents/logbooks/lr-sweep.md"
    assert f"* Research logbook: [`.agents/logbooks/lr-sweep.md`]({link})" in draft.text
    assert "no findings" in checkout.curator("verify", draft.id).out


def test_a_thread_can_be_begun_from_its_file_alone(checkout, here, github, declared):
    """The goal is description enough; the whole way to an open issue takes three commands."""
    draft, _ = drafted(checkout)

    checkout.curator("approve", draft.id)
    checkout.curator("publish", draft.id)

    assert github.body(7).startswith("## Description\n\nfind the largest stable rate below 0.5\n")
    assert Thread.load("lr-sweep").issue == f"{WEB}/marin-community/marin/issues/7"


def test_issues_like_it_are_shown_before_anything_is_approved(checkout, here, github, declared):
    """The person decides whether it is the same thing."""
    github.open_issue("Experiment: learning rates")

    said = checkout.curator("kickoff", "lr-sweep")

    assert f"there is an issue like it: {WEB}/marin-community/marin/issues/7" in said.err


def test_offline_the_look_is_left_to_the_publication(checkout, here, github, declared, monkeypatch):
    """A draft can be written on a train; it is not published without the look."""
    github.open_issue("Experiment: learning rates")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    draft, made = drafted(checkout)
    assert "cannot be reached" in made["unknown"]

    checkout.curator("approve", draft.id)
    assert "waits" in checkout.curator("publish", draft.id).out
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    assert "looked_at" in checkout.curator("publish", draft.id, code=1).err


def test_beginning_twice_drafts_once(checkout, here, github, declared):
    """The same command again must not fill the queue."""
    assert drafted(checkout)[0].id == drafted(checkout)[0].id


@pytest.mark.parametrize(
    ("line", "said"), [("title: x", "--description"), ("issue: https://github.com/o/r/issues/1", "already")]
)
def test_what_is_missing_is_said(checkout, here, github, line, said):
    """An issue that says nothing helps nobody, and a second one splits the story."""
    checkout.declare(line)

    assert said in checkout.curator("kickoff", "lr-sweep", code=1).err


def test_without_a_remote_the_repository_has_to_be_named(checkout, github, declared):
    """Nothing says where the issue would go."""
    assert "--repository" in checkout.curator("kickoff", "lr-sweep", code=1).err
    draft, _ = drafted(checkout, "--repository", "marin-community/logs")
    assert str(read_kickoff(draft.text).repository) == "marin-community/logs"


@pytest.mark.parametrize(
    ("title", "alike"),
    [
        ("Experiment: Learning rates", True),
        ("experiment: learning  rates!", True),
        ("Learning rates", True),
        ("Experiment: Learning rates for MoE, a sweep", False),
        ("Bug in the learning rates of the optimizer", False),
    ],
)
def test_titles_are_compared_as_people_would(github, title, alike):
    """A capital letter or an exclamation mark makes no other experiment."""
    github.open_issue(title)
    with GitHub(github.url, github.token) as client:
        found = look_alikes(client, parse_repository("marin-community/marin"), "Experiment: Learning rates")

    assert bool(found) == alike

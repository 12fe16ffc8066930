"""The comment about a snapshot: drafted from its record, out when the tag and the entries are where others see them."""

from __future__ import annotations

import json

import pytest

from curator.queue import DraftQueue

pytestmark = pytest.mark.usefixtures("here", "issue")

TAG = "lr-sweep-snapshot-001"
WEB = "https://github.com/marin-community/marin"


@pytest.fixture
def snapshot(checkout, git, store, keep, a_run, command_line, monkeypatch):  # noqa: PLR0917 - fixtures
    """Two recorded runs, sealed but not pushed; gives the tagged commit."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    commit = git(checkout.top, "rev-parse", "HEAD")
    run = {"commit": commit, "environment": {"XLA_FLAGS": "--xla_dump_to=7"}}
    keep(a_run("LR-001", baseline=True, metrics={"eval/loss": 2.458599}, **run))
    keep(a_run("LR-002", config={"lr": 0.01}, metrics={"eval/loss": 2.372955}, **run))
    said = command_line("marin-research", "snapshot", "lr-sweep", "--json")
    assert said.code == 0, said
    return json.loads(said.out)["commit"]


@pytest.fixture
def comment(checkout, snapshot):
    """The approved comment."""
    (drafted,) = json.loads(checkout.curator("draft", "lr-sweep", "--snapshot", TAG, "--json").out)
    checkout.curator("approve", drafted["draft"]["id"])
    return drafted["draft"]["id"]


def test_every_word_of_it_is_backed(checkout, snapshot, store):
    """Table, commands, devices, variables and links come out of the record; drafting again asks nobody twice."""
    first, second = (
        json.loads(checkout.curator("draft", "lr-sweep", "--snapshot", TAG, "--json").out)[0] for _ in range(2)
    )

    assert json.loads(checkout.curator("verify", first["draft"]["id"], "--json").out)["findings"] == []
    assert (second["draft"]["id"], second["reused"]) == (first["draft"]["id"], True)
    text = DraftQueue(store).get(first["draft"]["id"]).text
    for said in ("python train.py", "`XLA_FLAGS=--xla_dump_to=7`", "2.373 (-3.5 %)", f"tag:{TAG}", "Devices: unknown"):
        assert said in text


def test_it_waits_for_the_tag_and_then_for_the_entries(checkout, comment, snapshot, github, git):
    """A link to a tag that only one machine has, or to a result that no logbook tells, helps nobody."""
    assert f"tag {TAG} is not at origin yet; push it" in checkout.curator("publish", comment).out
    git(checkout.top, "push", "--quiet", "origin", TAG)
    assert "the entry about LR-002 is not in" in checkout.curator("publish", comment).out
    assert github.bodies(7) == []

    checkout.logbook.write_text(checkout.LOGBOOK + "\n### 2026-11-22 11:00 - LR-002 by hand\n- Result: fine.\n")
    git(checkout.top, "commit", "--quiet", "--all", "--message", "entry")
    git(checkout.top, "push", "--quiet")
    assert "published" in checkout.curator("publish", comment).out

    (body,) = github.bodies(7)
    assert f"[{TAG}]({WEB}/tree/{TAG})" in body
    assert f"[{snapshot}]({WEB}/commit/{snapshot})" in body
    path = ".agents/logbooks/lr-sweep.md"
    assert f"[{path}]({WEB}/blob/{snapshot}/{path})" in body
    assert f"{WEB}/blob/{git(checkout.top, 'rev-parse', 'HEAD')}/{path}#2026-11-22-1100---lr-002-by-hand" in body
    assert "](tag:" not in body
    assert "](commit:" not in body


def test_another_tag_at_the_remote_is_not_linked(checkout, comment, github, git):
    """Readers would follow the link to something that was never sealed."""
    git(checkout.top, "push", "--quiet", "origin", f"HEAD:refs/tags/{TAG}")

    said = checkout.curator("publish", comment, code=1)

    assert f"origin has another tag {TAG}" in said.out + said.err
    assert github.bodies(7) == []


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (["--snapshot", "gone"], 1, "snapshot gone does not exist"),
        (["--snapshot", TAG, "--kind", "issue"], 2, "leave the other options out"),
    ],
)
def test_what_cannot_be_drafted_is_said_in_one_line(checkout, snapshot, args, code, why):
    """Nothing is drafted then."""
    said = checkout.curator("draft", "lr-sweep", *args, code=code)

    assert why in said.err
    assert said.err.count("\n") == 1

"""An experiment whose drafts a model writes: after a launch, and as a step of the graph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from marin.execution import lazy
from marin.execution.artifact import Artifact
from marin.execution.lazy import apply

from curator import curate_step
from curator.queue import DraftQueue
from marin_research import recorded

pytestmark = [pytest.mark.marin, pytest.mark.timeout(600)]
pytest.importorskip("anthropic", reason="needs Anthropic's SDK")

TOP = Path(__file__).parents[2]
ANSWER = {
    "claims": [{"kind": "cost", "durations": ["ONE-001/wall"]}],
    "opinions": ["A single product says little; larger matrices would show where the rate levels off."],
    "next_actions": [{"action": "other", "why": "Vary the size of the matrices before anything else."}],
}


class Trained(Artifact):
    loss: float


def train(rate: float) -> Trained:
    return Trained(loss=rate)


@pytest.fixture
def server(tmp_path):
    """A process that answers as a good model would."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"reply": json.dumps(ANSWER)}]))
    command = [sys.executable, str(TOP / "tests/curator/messages_server.py"), str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


@pytest.mark.parametrize("key", ["sk-ant-test", ""], ids=["with a key", "without a key"])
def test_a_launch_is_written_up_with_a_model_or_without(server, tmp_path, store, key):
    """Hours of computing must not end without a draft because a key was forgotten."""
    environment = {**os.environ, "ANTHROPIC_BASE_URL": server, "ANTHROPIC_API_KEY": key, "WANDB_MODE": "offline"}
    script = [sys.executable, "experiments/one_step.py", "--version", "dev", "--run", "--drafter", "claude"]

    done = subprocess.run(script, cwd=TOP, env=environment, capture_output=True, text=True, check=True)

    (draft, *_) = drafts = DraftQueue(store).all()
    assert {draft.drafter for draft in drafts} == {"claude" if key else "template"}
    assert draft.writing is not None
    assert "Wall time: ONE-001" in draft.text if key else "needs a key" in draft.writing.instead
    assert ("claude-opus-5-5: " if key else "the template wrote this in place of claude-opus-5-5") in done.stderr


def test_a_curation_step_asks_the_model_it_is_told_to(server, monkeypatch, store, thread):
    """The step's drafter is part of its config, like any other choice of an experiment."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    monkeypatch.setenv("MARIN_RESEARCH_MODEL", "claude-sonnet-5-5")
    step = recorded(apply("train/0.1", train, version="dev", artifact_type=Trained, rate=0.1), thread)

    lazy.run(curate_step([step], thread, version="dev", drafter="claude"))

    (draft, *_) = DraftQueue(store).all()
    assert draft.writing is not None
    assert draft.writing.model == "claude-sonnet-5-5"
    assert "larger matrices would show where the rate levels off" in draft.text

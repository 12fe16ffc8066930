"""Drafting as a step of an experiment."""

from __future__ import annotations

import pytest
from marin.execution import lazy
from marin.execution.artifact import Artifact
from marin.execution.lazy import apply

from curator import curate_step
from curator.queue import DraftQueue
from marin_research import recorded

pytestmark = pytest.mark.marin


class Trained(Artifact):
    loss: float


def train(rate: float) -> Trained:
    return Trained(loss=rate)


def test_a_curation_step_drafts_the_runs_it_depends_on(store, thread):
    """A write-up can be part of the graph, like an evaluation."""
    steps = [
        recorded(apply(f"train/{rate}", train, version="dev", artifact_type=Trained, rate=rate), thread)
        for rate in (0.1, 0.2)
    ]

    (artifact,) = lazy.run(curate_step(steps, thread, version="dev"))

    assert artifact.runs == ["LR-001", "LR-002"]
    drafts = DraftQueue(store).all("lr-sweep")
    assert sorted(draft.id for draft in drafts) == sorted(artifact.drafts)
    assert {draft.runs for draft in drafts} == {("LR-001", "LR-002")}

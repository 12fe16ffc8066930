"""Settings that were run more than once: the mean comes first, over every repetition in the thread."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from curator.claims.base import Grounds
from curator.claims.comparison import Best
from curator.draft import DraftKind
from curator.drafters import template
from curator.verify import verify
from marin_research.record import End, Status

AGAIN = {"config": {"lr": 0.1, "seed": 1, "steps": 400}, "metrics": {"eval/loss": 2.3827}, "label": "seed 1"}
"""LR-003 once more, a little worse."""
ENDED = End(status=Status.SUCCEEDED, time=datetime(2026, 11, 22, 12, 1, tzinfo=UTC), why="the step returned")
MEAN = "mean eval/loss 2.373 nats/byte over 2 runs, standard deviation 0.01414 nats/byte"


@pytest.fixture
def texts(sweep):
    """The logbook entry and the issue update about the sweep, without findings, when runs are otherwise."""

    def draft(**said):
        evidence, of_thread = sweep(**said)
        drafts = template.draft(evidence, of_thread, [DraftKind.LOGBOOK, DraftKind.ISSUE])
        texts = [each.content.body if isinstance(each.content, template.Entry) else each.content for each in drafts]
        for text in texts:
            assert isinstance(text, str)
            assert verify(text, tuple(evidence.facts.values())).findings == ()
        return texts

    return draft


def test_the_mean_stands_before_the_best_seed(texts):
    """Who reads only the first line must not take a lucky seed for the result."""
    for text in texts(LR_002=AGAIN):
        mean = text.index(f"LR-002 and LR-003 (lr=0.1): {MEAN}, -3.5 % against the baseline LR-001.")
        assert mean < text.index("Best eval/loss: LR-003")


def test_a_repeated_baseline_is_compared_by_its_mean(texts):
    """What the seed does to the baseline is no gain of the variant."""
    again = AGAIN | {
        "config": {"lr": 0.03, "seed": 1, "steps": 400},
        "metrics": {"eval/loss": 2.3986},
        "label": "lr=0.03",
    }

    for text in texts(LR_002=again, LR_004=AGAIN | {"end": ENDED}):
        assert "LR-001 and LR-002 (lr=0.03): mean eval/loss 2.429 nats/byte over 2 runs" in text
        assert f"LR-003 and LR-004 (lr=0.1): {MEAN}, -2.3 % against the mean of LR-001 and LR-002." in text


def test_repetitions_of_earlier_launches_count(sweep, keep, a_run):
    """A mean over some of the runs that the label counts would be another number."""
    keep(a_run("LR-009", **AGAIN))

    evidence, _ = sweep()

    (repeated,) = evidence.repeated
    assert repeated.runs == ("LR-003", "LR-009")
    assert repeated.said == MEAN


def test_a_model_that_names_the_best_seed_has_the_mean_said_before(sweep):
    """Whoever words the finding."""
    evidence, _ = sweep(LR_002=AGAIN)

    said = Best(kind="best", value="LR-003/metric/eval/loss").state(Grounds(evidence=evidence)).text

    assert said.startswith(f"LR-002 and LR-003 (lr=0.1): {MEAN}")
    assert "LR-003 (lr=0.1) has the best eval/loss of these runs: 2.363 nats/byte." in said
    assert verify(f"### LR-001..LR-004\n\n- Interpretation:\n  - {said}\n", tuple(evidence.facts.values())).ok


def test_what_came_to_no_number_is_no_repetition(texts):
    """A mean with a NaN in it says nothing."""
    for text in texts(LR_002=AGAIN | {"metrics": {"eval/loss": float("nan")}}):
        assert "mean eval/loss" not in text

"""The label of a result is computed from the records, with a reason that a reader can check."""

from __future__ import annotations

from typing import Any

import pytest

from curator.confidence import Label, label
from marin_research.thread import Thread
from tests.evaluation import records

VARIANTS = {"seq_len": ["1024", "4096"]}


def row(number: int, lr: float, loss: float, *, seed: int = 0, seq_len: int = 1024, **more: Any) -> dict[str, Any]:
    config = {"lr": lr, "seed": seed, "seq_len": seq_len}
    return {"id": f"LR-{number:03}", "config": config, "wall": 60, "metrics": {"loss": loss}, **more}


BASELINE = row(1, 0.003, 2.40, baseline=True)
LONG_BASELINE = row(2, 0.003, 2.30, seq_len=4096)
SEEDS = [row(3 + seed, 0.01, 2.31 + 0.005 * seed, seed=seed) for seed in range(3)]
LONG = row(6, 0.01, 2.22, seq_len=4096)


@pytest.fixture
def judge():
    """The label of LR-003 among some runs."""

    def judge(*rows: dict[str, Any], variants: dict[str, list[str]] | None = None) -> Label:
        thread, store = records.stored(
            {
                "topic": "lr",
                "prefix": "LR",
                "started": "2026-05-01T10:00:00",
                "commit": "4f9c1ae20b7d3356aa01c7e1b35bd0a7e1f20c11",
                "devices": ["TPU v4", 8],
                "command": "python train.py --lr {lr} --seed {seed}",
                "metrics": {"loss": ["lower", ""]},
                "runs": list(rows),
            }
        )
        thread = Thread(topic=thread.topic, prefix=thread.prefix, metrics=thread.metrics, variants=variants or {})
        runs = list(store.runs("LR"))
        return label(next(run for run in runs if run.id == "LR-003"), runs, "loss", thread)

    return judge


def test_one_run_is_exploratory(judge):
    """Nobody knows yet what another seed gives."""
    found = judge(BASELINE, SEEDS[0])

    assert (found.confidence, found.reason) == ("exploratory", "a single run")


def test_seeds_that_agree_are_replicated_and_the_reason_can_be_checked(judge):
    """A reader sees how many runs, which seeds, and how far apart."""
    found = judge(BASELINE, *SEEDS)

    assert found.confidence == "replicated"
    assert found.reason == "3 runs, LR-003, LR-004, LR-005, seeds 0-2, spread 0.2 % of loss"


def test_seeds_that_lie_apart_are_exploratory(judge):
    """Two runs that contradict each other support nothing."""
    found = judge(BASELINE, SEEDS[0], row(4, 0.01, 2.9, seed=1))

    assert found.confidence == "exploratory"
    assert found.reason.endswith("too far to agree")


def test_what_holds_under_every_declared_variant_is_stable(judge):
    """At another length the loss is another one; what must hold is that it beats the baseline of that length."""
    found = judge(BASELINE, LONG_BASELINE, *SEEDS, LONG, variants=VARIANTS)

    assert found.confidence == "stable"
    assert found.reason.endswith("; holds with seq_len 1024, seq_len 4096")
    assert "LR-006" in found.runs


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param([], "nothing that ended well differs only in seq_len 4096", id="never tried"),
        pytest.param([LONG], "there is no baseline with seq_len 4096", id="nothing to compare with"),
        pytest.param(
            [LONG_BASELINE, row(6, 0.01, 2.35, seq_len=4096)],
            "with seq_len 4096 it is not so against the baseline",
            id="the other way round",
        ),
        pytest.param(
            [LONG_BASELINE, row(6, 0.01, 2.22, seq_len=4096, status="failed")],
            "nothing that ended well differs only in seq_len 4096",
            id="failed there",
        ),
    ],
)
def test_what_was_not_seen_under_a_variant_is_not_stable_and_says_why(judge, rows, why):
    """The next run to make stands in the reason."""
    found = judge(BASELINE, *SEEDS, *rows, variants=VARIANTS)

    assert (found.confidence, found.reason.partition("not stable: ")[2]) == ("replicated", why)


def test_other_hardware_is_a_variant_too(judge):
    """A speed-up on one generation of TPUs may be none on the next."""
    other: dict[str, Any] = {"devices": ["TPU v6e", 8]}
    rows = [BASELINE, *SEEDS, row(6, 0.01, 2.32, **other), row(7, 0.003, 2.41, **other)]
    variants = {"devices": ["TPU v6e"]}

    assert judge(*rows, variants=variants).confidence == "stable"
    assert judge(*rows[:-2], variants=variants).confidence == "replicated"


def test_where_nothing_is_the_baseline_the_values_must_agree(judge):
    """Without a baseline the value itself is the result."""
    near, far = row(6, 0.01, 2.33, seq_len=4096), row(6, 0.01, 2.9, seq_len=4096)

    assert judge(*SEEDS, near, variants=VARIANTS).confidence == "stable"
    assert judge(*SEEDS, far, variants=VARIANTS).confidence == "replicated"

"""Verdicts on hypotheses: on all of one, on a part of it, and on how a run ends."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

VERDICTS = {
    "on all of it": ("filter", "QF-003 {} its hypothesis.", "refutes", "confirms"),
    "on one metric": ("filter", "The hypothesis of QF-003 held for {}.", "ARC-Easy", "BoolQ"),
    "with what it says": (
        "filter",
        "QF-003 supports the hypothesis that a strict filter {}.",
        "raises ARC-Easy by more than 5 points",
        "does not hurt BoolQ",
    ),
    "on how a run ends": ("lr-sweep", "LR-005 {} its hypothesis.", "confirms", "refutes"),
    "on a run that is steady": ("lr-sweep", "LR-001 {} its hypothesis.", "confirms", "refutes"),
    "in an aside": ("diffusion", "As hoped, DIF-006 {}.", "has a FID below 10", "raises the throughput by half"),
}
RIGHT = [
    ("filter", "As planned, QF-003 was trained with a threshold of 0.6."),
    ("filter", "QF-003 neither confirms nor refutes its hypothesis."),
    ("diffusion", "Half of DIF-006's hypothesis held."),
]


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), VERDICTS.values(), ids=VERDICTS.keys())
def test_a_wrong_verdict_is_found(thread, text, right, wrong):
    """A hypothesis that came true in part is neither confirmed nor of no use."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok


@pytest.mark.parametrize(("thread", "text"), RIGHT)
def test_what_is_no_verdict_on_all_of_it_is_let_pass(thread, text):
    """A plan that was kept, or half a success, is no confirmation."""
    assert verify(text, records.facts_of(thread)).ok

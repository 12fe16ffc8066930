"""Runs that are said to be alike: the same, unchanged, on par, at no cost."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

ALIKE = {
    "the same, as two seeds are": ("routing", "{} has the same eval/loss as ROUTE-101.", "ROUTE-102", "ROUTE-103"),
    "unchanged": ("weights", "Against QNT-023, the wikitext/perplexity of {} is unchanged.", "QNT-024", "QNT-022"),
    "the same to the last digit": ("weights", "{} has the same weights_gib as QNT-023.", "QNT-022", "QNT-021"),
    "kept from another run": ("routing", "{} keeps the eval/loss of ROUTE-101.", "ROUTE-102", "ROUTE-105"),
    "no effect": ("routing", "{} has no measurable effect on eval/loss against ROUTE-101.", "ROUTE-102", "ROUTE-105"),
    "no change": ("routing", "{} does not change eval/loss against ROUTE-101.", "ROUTE-102", "ROUTE-105"),
    "no different": ("routing", "{} is no different from ROUTE-101 in eval/loss.", "ROUTE-102", "ROUTE-105"),
    "on par": ("routing", "{} is on par with ROUTE-101 in router/max_load.", "ROUTE-102", "ROUTE-105"),
    "at no cost": ("quant", "{} needs fewer weights_gib than WQ-001 at no cost in mmlu_acc.", "WQ-002", "WQ-006"),
    "costs none of it": ("routing", "{} costs no throughput against ROUTE-101.", "ROUTE-103", "ROUTE-107"),
    "no extra": ("quant", "{} needs no extra weights_gib over WQ-003.", "WQ-004", "WQ-002"),
    "by a part of the run": ("remat", "{} has shorter steps than REMAT-004.", "REMAT-002", "REMAT-001"),
}


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), ALIKE.values(), ids=ALIKE.keys())
def test_runs_are_alike_as_far_as_their_repetitions_are(thread, text, right, wrong):
    """Two per cent of a loss are ten times what its seeds differ by: who calls that the same hides a result."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok

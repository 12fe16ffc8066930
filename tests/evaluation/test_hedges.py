"""What is asserted beside a word of doubt is judged; what is only hoped for, planned or asked is not."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

ASSERTED = {
    "an aside": "As one might hope, {} has a lower latency than {}.",
    "an aside in the middle": "{}, contrary to what we expected, has a lower latency than {}.",
    "a relative clause": "{}, which we thought would fail, has a lower latency than {}.",
    "brackets": "{} (planned as the last one) has a lower latency than {}.",
    "a purpose in front": "To sum up, {} has a lower latency than {}.",
    "a way of saying it": "It should be noted that {} has a lower latency than {}.",
    "a run that came next": "The next run, {}, has a lower latency than {}.",
    "a goal that was met": "{} met its target and is faster than {} in latency.",
    "a reason for a plan": "We will stop here, as {} has a lower latency than {}.",
    "a thing that happened": "{} turned out to beat {} in latency.",
}
DOUBTED = [
    "FLASH-011 might have a lower latency than FLASH-013 on longer sequences.",
    "We had expected that, with smaller tiles, FLASH-011 would have a lower latency than FLASH-013.",
    "If FLASH-011 has a lower latency than FLASH-013 there, we keep it.",
    "Next, we bring the latency of FLASH-011 below that of FLASH-013.",
    "We hope for a lower latency, a higher throughput and a smaller error than in FLASH-013.",
    "To make FLASH-011 faster than FLASH-013, we would need other tiles.",
]


@pytest.mark.parametrize("text", ASSERTED.values(), ids=ASSERTED.keys())
def test_a_claim_beside_a_hope_is_judged(text):
    """An aside in front of an error would hide it otherwise."""
    facts = records.facts_of("kernels")

    assert verify(text.format("FLASH-013", "FLASH-011"), facts).ok
    assert not verify(text.format("FLASH-011", "FLASH-013"), facts).ok


@pytest.mark.parametrize("text", DOUBTED)
def test_a_hope_is_not_judged(text):
    """A plan that the facts do not bear out is no error."""
    assert verify(text, records.facts_of("kernels")).ok

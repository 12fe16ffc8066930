"""How runs ended, and what their records have."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

SAID = {
    "trained stably": ("{} trained stably.", "FLASH-013", "FLASH-016"),
    "without trouble": ("{} ran without any problems.", "FLASH-013", "FLASH-016"),
    "broke down": ("{} broke down.", "FLASH-016", "FLASH-013"),
    "has no metric": ("{} has no latency.", "FLASH-016", "FLASH-013"),
    "never measured": ("The latency of {} was never measured.", "FLASH-016", "FLASH-013"),
    "ended without": ("{} ended without a latency.", "FLASH-016", "FLASH-013"),
}
RIGHT = [
    "FLASH-016 was still running when FLASH-013 ended.",
    "FLASH-013 has no latency below 1200 us.",
    "FLASH-013 shows no loss of throughput.",
    "FLASH-016 ran smoothly until it ran out of memory.",
]


@pytest.mark.parametrize(("text", "right", "wrong"), SAID.values(), ids=SAID.keys())
def test_an_ending_said_of_the_wrong_run_is_found(text, right, wrong):
    """A failure nobody had, or one that goes unmentioned, is the worst that a report can get wrong."""
    facts = records.facts_of("kernels")

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok


def test_a_run_that_ended_is_not_still_running():
    """Somebody would wait for it."""
    assert not verify("FLASH-013 is still running.", records.facts_of("kernels")).ok


@pytest.mark.parametrize("text", RIGHT)
def test_what_only_sounds_like_an_ending_is_let_pass(text):
    """A bound that no latency keeps is no missing latency."""
    assert verify(text, records.facts_of("kernels")).ok

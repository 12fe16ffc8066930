"""Amounts that are named with runs of their own, and what they are to each other."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

SAID = {
    "whose gain it is": (
        "kernels",
        "{} (632.8 us) is large.",
        "The gain of FLASH-013 over FLASH-011",
        "The gain of FLASH-013 over FLASH-012",
    ),
    "compared with another": (
        "kernels",
        "The gain of FLASH-013 over FLASH-011 (632.8 us) is {} than the 260.3 us between FLASH-012 and FLASH-013.",
        "larger",
        "smaller",
    ),
    "as a multiple": (
        "kernels",
        "FLASH-013's gain of 632.8 us over FLASH-011 is {} twice the gap of 260.3 us between FLASH-012 and FLASH-013.",
        "more than",
        "less than",
    ),
    "of repetitions": ("ppo", "The three seeds of PPO-001 differ by {} points in success rate.", "1.5", "0.9"),
    "of repetitions, as a bound": ("ppo", "The seeds of PPO-001 lie within {} points.", "2", "1"),
    "of repetitions, as a noun": (
        "ppo",
        "The seed spread of {} points is a fraction of the 7.6 points that PPO-004 gains over PPO-001.",
        "1.5",
        "3.5",
    ),
}


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), SAID.values(), ids=SAID.keys())
def test_an_amount_is_that_of_the_runs_it_names(thread, text, right, wrong):
    """Whether a gain is more than the noise is what a reader takes home from a comparison."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok

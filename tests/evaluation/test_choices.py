"""Among which runs something is best, how many values of a setting do something, which side of a mark is good."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

SAID = {
    "the best seed": ("ppo", "The best seed with the bonus is {}.", "PPO-005", "PPO-004"),
    "the seeds of a run": ("ppo", "Among the seeds of PPO-001, {} is best.", "PPO-003", "PPO-002"),
    "what the best seed reaches": ("ppo", "Our best seed reaches {} % success.", "49.6", "48.8"),
    "the best value of a setting": ("routing", "The best router on eval loss is {}.", "bias", "aux"),
    "of the runs without something": ("ppo", "Of the runs without the bonus, {} is best.", "PPO-003", "PPO-001"),
    "the best run without something": ("ppo", "The best run without the bonus is {}.", "PPO-003", "PPO-001"),
    "a mark that a low value beats": ("speech", "{} clears the 3 % mark on test-clean.", "ASR-003", "ASR-005"),
    "a mark that a high value beats": ("ppo", "{} breaks the 49 % mark in success rate.", "PPO-005", "PPO-004"),
    "one step of many": ("kernels", "One call takes {} us in FLASH-013.", "1241.8", "1502.1"),
}


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), SAID.values(), ids=SAID.keys())
def test_some_of_the_runs_are_told_from_all_of_them(thread, text, right, wrong):
    """A right sentence about some runs was doubted, or a wrong one passed, when it was read as one about all."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok

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
    "how many seeds keep a bound": ("ppo", "{} of the three seeds without the bonus stay below 41.5 %.", "Two", "One"),
    "how many values beat it": ("routing", "{} of the five routers beats the baseline on eval loss.", "One", "Two"),
    "all seeds": ("ppo", "All seeds {} the bonus finished.", "without", "with"),
    "how many seeds were added": ("ppo", "We ran {} more seeds of PPO-001 (PPO-002 and PPO-003).", "two", "three"),
    "runs counted behind their names": ("ppo", "PPO-004 and PPO-005, {} runs, finished.", "two", "three"),
    "runs counted before their names": ("ppo", "The {} runs PPO-001, PPO-002 and PPO-003 finished.", "three", "two"),
    "runs named behind a count": ("ppo", "One of the six runs failed: {}.", "PPO-006", "PPO-005"),
    "all runs of a sweep": ("ppo", "The sweep has {} runs, one of which failed.", "six", "five"),
    "a range over the seeds": (
        "ppo",
        "The success rate of the seeds without the bonus lies between {} and 42.0 %.",
        "40.5",
        "41.2",
    ),
    "a range of runs by name": ("ppo", "PPO-001 to PPO-003 spread over {} to 42.0 % success.", "40.5", "41.2"),
    "a range of a setting": ("reward", "RL-KL-001 to RL-KL-004 cover KL coefficients from {} to 0.01.", "0.001", "0"),
    "only one of all": ("ppo", "Only PPO-005 gets above {} % success.", "49", "48"),
    "one step of many": ("kernels", "One call takes {} us in FLASH-013.", "1241.8", "1502.1"),
}


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), SAID.values(), ids=SAID.keys())
def test_some_of_the_runs_are_told_from_all_of_them(thread, text, right, wrong):
    """A right sentence about some runs was doubted, or a wrong one passed, when it was read as one about all."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok

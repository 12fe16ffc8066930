"""The training step in what programs print: what a heartbeat tells of a run that is not over yet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.progress import last_step


@pytest.mark.parametrize(
    ("output", "step"),
    [
        (b"step 4,600/51,550 (8.9%) loss 2.831", 4600),
        (b"step:250/1290 val_loss:4.5073 train_time:7815ms step_avg:31.26ms", 250),
        (b'{"loss": 2.3, "global_step": 12}', 12),
        (b"Progress on:train 4.60kit/5.16kit rate:1.2it/s remaining:11:10 postfix:loss=2.83", 4600),
        (b"I20261122 01:05:28 1400 levanter.trainer First train step completed in 95.2s (step 0)", 0),
        (b" 45%|####5     | 450/1000 [00:12<00:15,  3.21it/s]", 450),
        (b"450it [00:12,  3.21it/s]", 450),
        (b"Loading:  99%|#########9| 99/100 [00:12<00:00]\nstep 1\n", 1),
        (b"iter=7\nIter 8: loss nan\n", 8),
        (b"\xff\x00step=5\r\xfe", 5),
        (b"Progress on:train -/5 rate:-", None),
        (b"step_time=1.5 at 12 steps in step 3.5s", None),
        (b"", None),
    ],
)
def test_the_step_is_found_however_it_is_written(output, step):
    """A heartbeat would tell a training run at work from one that hangs by nothing but the bytes it prints."""
    assert last_step(output) == step


@given(before=st.binary(max_size=300), step=st.integers(0, 10**9), lines=st.integers(0, 50))
def test_the_last_step_counts_and_not_an_earlier_one(before, step, lines):
    """The progress of a run would seem to jump back and forth."""
    earlier = b"".join(b"step %d\n" % number for number in range(lines))

    assert last_step(before + b"\n" + earlier + b"step %d loss 2.0\n" % step) == step


def test_any_bytes_cost_the_same():
    """A program that prints megabytes at once would hold up what records it."""
    assert last_step(b"step 1\n" + b"x" * 10_000_000) is None
    assert last_step(b"9" * 10_000_000) is None

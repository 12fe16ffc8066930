"""What a text says of the settings of a run is what was recorded of that run, however it is said."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

SAID = {
    "behind a verb": ("loader", "DL-{} was run with 16 workers.", "003", "002"),
    "in code": ("routing", "ROUTE-{} was run with `router=none`.", "107", "106"),
    "in front": ("loader", "At a prefetch of {}, DL-002 takes 711.5 ms per step.", "16", "2"),
    "in front, as its name": ("window", "With seed 1, SWA-{} ends a little lower.", "104", "103"),
    "of two runs at once": ("loader", "DL-001 and DL-{} both use 4 workers.", "002", "003"),
    "with an exponent": ("reward", "RL-KL-004 sets kl_coef = {}.", "1e-3", "2e-3"),
    "of a run that is another but for it": ("window", "SWA-{} is SWA-102 with seed 1.", "104", "103"),
    "behind the setting": ("loader", "`workers=64` was only tried in DL-{}.", "005", "004"),
    "turned on": ("saving", "CKPT-IO-{} turns pinned on.", "006", "005"),
    "its command": ("loader", "DL-{} ran `uv run python bench/loader.py --prefetch 2 --workers 16`.", "003", "004"),
    "the flags of its command": ("loader", "DL-{} ran with `--prefetch 2 --workers 16`.", "003", "004"),
    "its W&B run": ("loader", "The W&B run of DL-{} is 50b41580.", "003", "004"),
    "its W&B link": ("loader", "DL-{}: https://wandb.ai/marin-community/loader-stalls/runs/50b41580", "003", "004"),
    "its fingerprint": ("loader", "DL-{} has the fingerprint 4e60be70.", "003", "004"),
    "its step": ("loader", "DL-{} is the step loader-stalls/dl-003@dev.", "003", "004"),
    "denied": ("loader", "DL-{} was not run with `workers=16`.", "002", "003"),
    "one of a list": ("routing", "ROUTE-105 (top_k=1, router={}) is faster.", "aux", "bias"),
    "under its heading": ("loader", "## DL-{}\n\nRun with prefetch=2 and workers=16.", "003", "004"),
    "in its table": ("saving", "| run | pinned |\n|---|---|\n| CKPT-IO-{} | true |", "006", "005"),
    "times that of another": ("loader", "The prefetch of DL-002 is {} times that of DL-003.", "eight", "four"),
    "half of another's": ("window", "SWA-103 has a {} of the window of SWA-102.", "quarter", "half"),
    "doubled on the way": ("loader", "Going from DL-{} to DL-003 quadruples the workers.", "001", "004"),
    "only another switch": ("saving", "CKPT-IO-006 differs from CKPT-IO-{} only in `pinned=true`.", "003", "004"),
    "alike but for one": ("window", "SWA-102 and SWA-{} are the same run but for the seed.", "104", "105"),
    "a copy with one change": ("loader", "DL-{} is DL-001 with 16 workers.", "003", "004"),
    "who is the baseline": ("loader", "The baseline is DL-{}.", "001", "002"),
    "who serves as one": ("loader", "DL-{}, our baseline, comes first.", "001", "002"),
    "a key": ("saving", "CKPT-IO-005 uses `{}=zstd`.", "compression", "compressor"),
    "a flag": ("loader", "DL-005 was started with `--{} 64`.", "workers", "num-workers"),
    "an error": ("loader", "DL-005 ended with a {}.", "ChildProcessError", "TimeoutError"),
}


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), SAID.values(), ids=SAID.keys())
def test_a_setting_of_another_run_is_found(thread, text, right, wrong):
    """Whoever repeats the run from the text would repeat another one."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok


RIGHT = {
    "one command of two runs": (
        "saving",
        (
            "CKPT-IO-003, CKPT-IO-008: `uv run python -m experiments.checkpoint_io --mode async --writers 16"
            " --compression none`"
        ),
    ),
    "another run's command": (
        "loader",
        "After DL-003 we ran `uv run python bench/loader.py --prefetch 16 --workers 16`.",
    ),
    "a run repeated with another seed": ("window", "SWA-104 repeats SWA-102 with `seed=1`."),
    "a run made of another": ("window", "SWA-102 with `seed=1` is SWA-104."),
    "instead of another value": ("loader", "With 16 workers instead of 4, DL-003 needs 548.9 ms."),
    "compared with a run": ("loader", "Compared with DL-001, 16 workers cut the stall fraction to 4.6 %."),
    "another run's setting": ("loader", "DL-001 and DL-003 used workers=4 and workers=16."),
    "all runs but one": ("saving", "No run but CKPT-IO-006 uses pinned."),
    "a later baseline": ("loader", "DL-004 is the baseline for the next sweep."),
    "a batch that one rounds": ("warmup", "The batch is 0.5M tokens."),
}


@pytest.mark.parametrize(("thread", "text"), RIGHT.values(), ids=RIGHT.keys())
def test_a_setting_that_is_not_said_of_the_nearest_run_is_not_doubted(thread, text):
    """A run's ID beside a setting need not be the run that has it."""
    assert verify(text, records.facts_of(thread)).ok

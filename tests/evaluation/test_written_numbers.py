"""Numbers as people write them: durations in words, shares of one, suffixes apart, and those of a quoted message."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

WRITTEN = {
    "hours and minutes in words": (
        "dedup",
        "DEDUP-001 took {} minutes.",
        "four hours and twelve",
        "five hours and twelve",
    ),
    "words beside digits": ("dedup", "DEDUP-003 took {}.", "four hours and 16 minutes", "four hours and 46 minutes"),
    "a part behind the unit": (
        "diffusion",
        "DIF-001 took {}.",
        "an hour and three quarters",
        "two hours and a quarter",
    ),
    "a part before the unit": ("dedup", "DEDUP-002 ran for {} hours.", "four and a quarter", "four and three quarter"),
    "digits and a half": ("dedup", "DEDUP-004 ran for about {} hours.", "4 and a half", "5 and a half"),
    "a share for percent": ("batching", "SRV-003 reaches a gpu_util of {}.", "0.88", "0.71"),
    "a suffix that stands apart": ("batching", "SRV-003 gives {} tokens per second.", "5.39 k", "5.46 k"),
}


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), WRITTEN.values(), ids=WRITTEN.keys())
def test_a_number_may_be_written_as_people_say_it(thread, text, right, wrong):
    """A writer who spells a duration out must neither be doubted for it nor get away with a wrong one."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("SRV-005 failed to allocate {}.", "9.38 GiB", "6.02 GiB"),
        ("SRV-005 had {} left on a GPU with 79.15 GiB.", "6.02 GiB", "9.38 GiB"),
        ("SRV-005 asked for 9.38 GiB when {} of 79.15 GiB were free.", "6.02 GiB", "9.38 GiB"),
    ],
)
def test_the_numbers_of_a_message_keep_their_roles(text, right, wrong):
    """Who mixes up what was wanted and what was left tells another story with the same numbers."""
    facts = records.facts_of("batching")

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok

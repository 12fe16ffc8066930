"""Of which run a text speaks: what is true of one run and said of another is found, wherever the run was named."""

from __future__ import annotations

import pytest

from curator.verify import verify
from tests.evaluation import records

SAID = {
    "of all the runs": ("kernels", "{} has the lowest latency of all the runs.", "FLASH-013", "FLASH-011"),
    "presented, a metric first": ("kernels", "Update: {} is done. Latency 1241.8 us.", "FLASH-013", "FLASH-014"),
    "presented, a superlative first": (
        "kernels",
        "Update: {}, larger tiles. The lowest latency (1241.8 us).",
        "FLASH-013",
        "FLASH-014",
    ),
    "presented beside its description": (
        "kernels",
        "I tried q256 with longer keys as {}. It reached a throughput of 440.0 TFLOP/s.",
        "FLASH-015",
        "FLASH-012",
    ),
    "called the baseline": ("kernels", "Entry: baseline {}, nothing else to say.", "FLASH-011", "FLASH-012"),
    "called by its label": ("kernels", "We keep q256 kv512 ({}) for now.", "FLASH-013", "FLASH-014"),
    "beside a number of other precision": ("kernels", "- FLASH-012: max abs err {}, 1502.1 us", "0.0039", "0.0047"),
    "in a later part of the sentence": (
        "kernels",
        "FLASH-013 has the lowest latency, 1241.8 us, and the best throughput score, {}.",
        "442.7",
        "366.0",
    ),
    "behind its number": ("batching", "The 412 ms are those of SRV-001, the {} those of SRV-002.", "96 ms", "141 ms"),
    "behind its number, of three": (
        "batching",
        "Of the p99, {} belongs to SRV-001, 388 ms to SRV-002 and 716 ms to SRV-003.",
        "2890 ms",
        "3144 ms",
    ),
    "in a list of verdicts": ("weights", "So far: QNT-021 {}, QNT-023 refuted.", "supported", "refuted"),
}


@pytest.mark.parametrize(("thread", "text", "right", "wrong"), SAID.values(), ids=SAID.keys())
def test_what_is_said_of_the_wrong_run_is_found(thread, text, right, wrong):
    """A number that some run has is the error that nobody sees who only looks the number up."""
    facts = records.facts_of(thread)

    assert verify(text.format(right), facts).ok
    assert not verify(text.format(wrong), facts).ok

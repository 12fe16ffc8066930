"""Lines are grouped as people grouped them: the labelled samples in the folder that MARIN_RESEARCH_LOGHUB names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("MARIN_RESEARCH_LOGHUB")
pytestmark = pytest.mark.skipif(not FOLDER, reason="MARIN_RESEARCH_LOGHUB names no folder of labelled logs")


def test_lines_are_grouped_as_people_do(benchmark_module):
    """Kinds of lines that are one to a person would crowd the digest, or two would be counted as one."""
    grouping = benchmark_module("grouping")

    found = grouping.accuracies(Path(FOLDER or ""), grouping.by_mask)

    assert len(found) == 16
    assert sum(found.values()) / 16 >= 0.965
    assert min(found.values()) >= 0.85

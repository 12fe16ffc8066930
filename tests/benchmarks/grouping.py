"""How well lines are grouped, on LogPAI's Loghub samples: sixteen systems, 2,000 labelled lines each.

The measure is grouping accuracy, as the published tables have it: the share of lines whose group holds exactly the
lines of one true template. One configuration for all systems.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from marin_research.digest.mask import mask
from marin_research.digest.merge import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

type Grouping = Callable[[Sequence[str]], Sequence[object]]
"""Gives each line its group."""


def accuracies(folder: Path, group: Grouping) -> dict[str, float]:
    """By system."""
    found = {}
    for path in sorted(folder.glob("*_2k.log_structured.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found[path.name.partition("_")[0]] = _accuracy(
            [row["EventId"] for row in rows], group([row["Content"] for row in rows])
        )
    return found


def _accuracy(truth: Sequence[str], groups: Sequence[object]) -> float:
    members = defaultdict(list)
    for true, group in zip(truth, groups, strict=True):
        members[group].append(true)
    sizes = Counter(truth)
    right = (len(found) for found in members.values() if len(set(found)) == 1 and sizes[found[0]] == len(found))
    return sum(right) / len(truth)


def by_mask(lines: Sequence[str]) -> Sequence[object]:
    """What varies within a line, and where enough lines differ in one word."""
    masks = [mask(line) for line in lines]
    merged = merge(set(masks))
    return [merged[masked] for masked in masks]

"""The confidence label of one finding: that of the runs it is about, not of the run its write-up leads with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.confidence import Confidence, label
from curator.drafters import wording
from marin_research.store import run_order

if TYPE_CHECKING:
    from curator.confidence import Label
    from curator.evidence import Evidence
    from marin_research.record import Run

_NAMED = re.compile(r"(?P<first>[\w-]+-\d+)(?:\.\.(?P<last>[\w-]+-\d+))?")


def confidence_of(finding: str, evidence: Evidence, rating: Label) -> Confidence:
    """The weakest label among the runs that a finding is about.

    Args:
        finding: in words.
        evidence: what it was found in.
        rating: the label of the whole write-up, for a finding that names no run.
    """
    metrics, runs = wording.primary_metrics(evidence), _about(finding, evidence)
    if not runs or not metrics:
        return rating.confidence
    found = (label(run, evidence.of_thread, metrics[0].name, evidence.thread).confidence for run in runs)
    return min(found, key=list(Confidence).index)


def _about(finding: str, evidence: Evidence) -> list[Run]:
    """The runs that a finding names; without the baseline and its repetitions where it names others."""
    spans = [(run_order(each["first"]), run_order(each["last"] or each["first"])) for each in _NAMED.finditer(finding)]
    named = [run for run in evidence.of_thread if any(low <= run_order(run.id) <= high for low, high in spans)]
    reference = evidence.baseline.id if evidence.baseline else ""
    repeated = evidence.repeated_of(reference)
    others = [run for run in named if run.id not in (repeated.runs if repeated else (reference,))]
    return others or named

"""What a model said of a text that it read beside the record: doubts that it settled, and places it objects to.

A proof is of one text: an edit leaves it behind. Knows no model and no rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads the annotations at run time
from typing import TYPE_CHECKING

from curator.verify.report import FindingKind, Issue
from curator.writing import Writing  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from curator.verify.report import Finding, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A finding that is none: the model said which facts are meant, and they agree; or it does not share a guess."""

    kind: FindingKind
    text: str
    start: int
    end: int
    meaning: str
    """What the words state: ``said of GNN-305/metric/acc (65.50 %) against GNN-302/metric/acc (65.60 %)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Words that the model says the record contradicts."""

    text: str
    start: int
    end: int
    why: str
    """In the model's words, and what the facts that it names are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One reading of one text."""

    sha256: str
    """Of the text that was read."""
    time: datetime
    settled: tuple[Settled, ...] = ()
    objections: tuple[Objection, ...] = ()
    writing: Writing
    """Which model it was, and what it took."""

    def settles(self, finding: Finding) -> bool:
        """Whether a finding of the verifier is none after all."""
        return (finding.kind, finding.start, finding.end) in {(s.kind, s.start, s.end) for s in self.settled}


def doubts(text: str, found: Report, proof: Proof | None) -> Iterator[Issue]:
    """What a person has to mend or to accept: findings that the model did not settle, and its objections.

    Args:
        text: that was checked, and read.
        found: by the verifier.
        proof: of this very text.
    """
    for finding in found.findings:
        if proof is None or not proof.settles(finding):
            aside = (
                f"; {proof.writing.model} does not object"
                if proof and not objects_near(finding, proof.objections, text)
                else ""
            )
            yield Issue(kind=finding.kind, start=finding.start, end=finding.end, why=finding.why + aside)
    if proof is not None:
        for each in proof.objections:
            why = f"{proof.writing.model} objects: {each.why}"
            yield Issue(kind=FindingKind.PROOF, start=each.start, end=each.end, why=why, about=each.why)


def objects_near(finding: Finding, objections: Iterable[Objection], text: str) -> bool:
    """Whether an objection is to anything in the paragraph of a finding."""
    start = text.rfind("\n\n", 0, finding.start) + 1
    end = text.find("\n\n", finding.end)
    return any(start < each.end and (end < 0 or each.start < end) for each in objections)

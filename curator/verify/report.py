"""What a verification found: the spans that facts support, and the spans they do not. Knows no rule."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curator.verify.known.quantities import Quantity


class FindingKind(StrEnum):
    """What is wrong with a span of text."""

    NUMBER = "number"  # no fact has this value
    ROUNDING = "rounding"  # a fact has it, but not at this few digits
    UNIT = "unit"  # a fact has the value in another unit
    ATTRIBUTION = "attribution"  # it is a fact about another run or another metric
    ROLE = "role"  # a value stated as a difference, or the other way round
    DIRECTION = "direction"  # the sentence says it went the other way
    COUNT = "count"
    COMPARATIVE = "comparative"
    SUPERLATIVE = "superlative"
    STATUS = "status"
    LABEL = "label"
    TIME = "time"
    NAME = "name"
    RUN = "run"
    COMMIT = "commit"
    LINK = "link"
    COMMAND = "command"
    PATH = "path"
    QUOTE = "quote"
    PROOF = "proof"  # a model that read the text beside the record objects
    OPEN = "open"  # the drafter left this to a person
    FIELDS = "fields"  # the fields that say what to send cannot be read, or the place would refuse them
    POLICY = "policy"  # the thread's logbook says that this is not to be published, or not without asking
    SECOND = "second"  # another draft about the same runs is approved or out
    PRIVATE = "private"  # personal data, or a secret, in what everybody can read


BINDING = frozenset({FindingKind.FIELDS, FindingKind.PRIVATE})
"""What nobody can approve past: the text has to be mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A span of the text that no fact supports, or that a fact contradicts."""

    kind: FindingKind
    text: str
    start: int
    """Offset of the first character."""
    end: int
    why: str
    """One sentence for the person who reviews."""
    id: str
    """Stays the same while kind, text and occurrence do, so that a person can accept exactly this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A span of the text and the facts that support it."""

    start: int
    end: int
    text: str
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    ok: bool
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A finding before it has its ID."""

    kind: FindingKind
    start: int
    end: int
    why: str
    about: str = ""
    """What it is about, where its place in the text does not say."""


def report(text: str, issues: Iterable[Issue], evidence: Iterable[Evidence]) -> Report:
    """The report of one text, in reading order, each span named once per kind."""
    unique = sorted(
        {(i.start, i.end, i.kind, i.about): i for i in issues}.values(), key=lambda i: (i.start, i.end, i.kind, i.about)
    )
    seen: Counter[tuple[str, str, str]] = Counter()
    findings = []
    for issue in unique:
        span = text[issue.start : issue.end]
        seen[issue.kind, span, issue.about] += 1
        findings.append(
            Finding(
                kind=issue.kind,
                text=span,
                start=issue.start,
                end=issue.end,
                why=issue.why,
                id=_finding_id(issue.kind, span + issue.about, seen[issue.kind, span, issue.about]),
            )
        )
    spans = {(e.start, e.end): e for e in evidence}
    return Report(ok=not findings, findings=tuple(findings), evidence=tuple(spans[key] for key in sorted(spans)))


def to_json(result: Report) -> dict[str, Any]:
    """What ``curator verify --json`` answers."""
    findings = [
        {"kind": f.kind.value, "text": f.text, "start": f.start, "end": f.end, "why": f.why, "id": f.id}
        for f in result.findings
    ]
    return {"ok": result.ok, "findings": findings}


def _finding_id(kind: str, text: str, occurrence: int) -> str:
    key = f"{kind}\0{text}\0{occurrence}".encode("utf-8", "surrogatepass")
    return "F-" + hashlib.sha256(key).hexdigest()[:8]


class Spanned(Protocol):
    """A token or a block."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Collector:
    """Gathers what the rules say about one text."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.evidence: list[tuple[int, int, tuple[str, ...]]] = []
        self.judged: set[int] = set()
        """Offsets of words whose claim a numeral beside them has settled."""
        self.meant: dict[int, tuple[Quantity, ...]] = {}
        """What the numerals were found to mean, by offset."""

    def object(self, kind: FindingKind, start: int, end: int, why: str) -> None:
        self.issues.append(Issue(kind=kind, start=start, end=end, why=why))

    def object_to(self, kind: FindingKind, token: Spanned, why: str) -> None:
        self.object(kind, token.start, token.end, why)

    def support(self, start: int, end: int, fact_ids: Iterable[str]) -> None:
        self.evidence.append((start, end, tuple(dict.fromkeys(fact_ids))))

    def believe(self, token: Spanned, quantities: Sequence[Quantity]) -> None:
        """Support a numeral by what it was found to mean."""
        self.support(token.start, token.end, [fact_id for quantity in quantities for fact_id in quantity.ids])
        self.meant[token.start] = tuple(quantities)

    def report(self, text: str) -> Report:
        spans = [Evidence(start=a, end=b, text=text[a:b], fact_ids=ids) for a, b, ids in self.evidence if ids]
        return report(text, self.issues, spans)

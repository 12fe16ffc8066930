"""What the verifier finds and misses of planted errors, and how often it doubts what is right, as counts by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator.draft import DraftKind
from curator.verify import Report, Verifier
from tests.evaluation import annotated, drafts, planters, records

TEXTS = Path(__file__).parent / "texts"
KINDS = {
    "digit": "wrong digit",
    "digits": "wrong number",
    "w": "wrong number",
    "rounding": "rounding too far",
    "role": "wrong role",
    "unit": "wrong unit",
    "ratio word": "wrong ratio in words",
    "number word": "wrong number in words",
    "cmp": "flipped comparative",
    "dir": "flipped direction",
    "bound": "flipped bound",
    "sup": "false superlative",
    "run": "attribution",
    "status": "wrong status",
    "quote": "changed log line",
    "count": "wrong count",
    "stmt": "statement without a number",
    "neg": "statement without a number",
    "date": "wrong date",
    "commit": "wrong commit",
    "name": "invented name",
    "link": "invented link",
    "cmd": "wrong command",
    "label": "wrong label",
}
"""What the kinds of claims are called, where they are not called so already."""


@dataclass
class Tally:
    """What came of texts of one sort."""

    texts: int = 0
    doubted: list[str] = field(default_factory=list)
    """Right texts with a finding, and the finding."""
    planted: Counter[str] = field(default_factory=Counter)
    missed: dict[str, list[str]] = field(default_factory=dict)
    """By kind what was planted and not found."""

    @property
    def found(self) -> float:
        """The share of the planted errors that are found."""
        return 1 - sum(map(len, self.missed.values())) / self.planted.total()

    @property
    def false_alarms(self) -> float:
        """The share of the right texts that are doubted."""
        return len(self.doubted) / self.texts

    def right(self, text: str, report: Report) -> None:
        """Count a text in which nothing is wrong."""
        self.texts += 1
        if not report.ok:
            self.doubted.append(f"{text}\n      {report.findings[0].text!r}: {report.findings[0].why}")

    def wrong(self, kind: str, said: str, before: Report, report: Report) -> None:
        """Count a text with one error more than the one that ``before`` is the report of."""
        self.planted[kind] += 1
        if len(report.findings) <= len(before.findings):
            self.missed.setdefault(kind, []).append(said)

    def add(self, other: Tally) -> None:
        self.texts += other.texts
        self.doubted += other.doubted
        self.planted += other.planted
        for kind, said in other.missed.items():
            self.missed.setdefault(kind, []).extend(said)


def of_sentences(thread: str, *, rounds: str = "*", every: int = 1) -> Tally:
    """The texts in natural English about one thread.

    Args:
        thread: its name.
        rounds: a pattern of the names of their files.
        every: of how many planted errors one is tried.
    """
    tally, verifier, truth = Tally(), Verifier(records.facts_of(thread)), annotated.Truth(records.table(thread))
    for sample in (sample for path in sorted(TEXTS.glob(f"{rounds}.txt")) for sample in annotated.read(path)):
        if sample.thread != thread:
            continue
        before = verifier.report(sample.text)
        tally.right(sample.text, before)
        for planted in list(annotated.plant(sample, truth))[::every]:
            said = f"{planted.text[: planted.start]}[{planted.text[planted.start : planted.end]}]"
            kind = KINDS.get(planted.kind, planted.kind)
            tally.wrong(kind, said + planted.text[planted.end :], before, verifier.report(planted.text))
    return tally


def of_drafts(thread: str, *, kinds: Sequence[DraftKind] = drafts.KINDS, most: int = 1000, share: int = 3) -> Tally:
    """The template's drafts of one thread's runs.

    Args:
        thread: its name.
        kinds: of drafts.
        most: how many drafts are tried.
        share: each draft gets one in so many kinds of errors, the next draft the next ones.
    """
    tally = Tally()
    for number, draft in zip(range(most), drafts.drafts(thread, kinds=kinds), strict=False):
        verifier = Verifier(draft.facts)
        before = verifier.report(draft.text)
        tally.right(draft.text, before)
        for kind, text in _planted(draft, number, share):
            said = next((line for line in text.splitlines() if line not in draft.text.splitlines()), "")
            tally.wrong(kind, f"{thread}, {draft.kind}: {said.strip()}", before, verifier.report(text))
    return tally


def _planted(draft: drafts.Drafted, number: int, share: int) -> Iterator[tuple[str, str]]:
    for place, (kind, planter) in enumerate(planters.PLANTERS.items()):
        texts = list(planter(draft)) if (place + number) % share == 0 else []
        if texts:
            yield kind, texts[number % len(texts)]

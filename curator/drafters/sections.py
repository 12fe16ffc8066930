"""What some runs add to the sections that are kept current, in the logbook and in the body of the experiment issue.

A section is people's own: a drafter adds lines to it, and takes back no lines but its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.drafters.finding_confidence import confidence_of
from curator.drafters.findings import clear_losses
from curator.drafters.interpretation import all_cached, baseline_moved, ended, is_unfinished
from curator.facts import Fact, render
from curator.failure import is_telling
from curator.thread_facts import declared_facts
from marin_research.logbook.sections import is_called
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from curator.confidence import Label
    from curator.drafters.reading import Reading
    from curator.evidence import Evidence, Subject

OF_ISSUE_BODY = (
    "Results",
    "TL;DR",
    "Scope",
    "Decision log",
    "Negative results index",
    "Current baseline",
    "Conclusion",
)
"""What the body of an experiment issue keeps current."""
_MOST_FINDINGS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """Lines for one section."""

    section: str
    """As the thread calls it."""
    lines: tuple[str, ...]
    """Each a whole item without its bullet, and with its own items below it."""
    renews: bool
    """They say the present state: they go to the top, in the place of what a draft put there before."""
    below: str = ""
    """The part of the section that they belong to, if it has such a part."""
    facts: tuple[Fact, ...] = ()
    """Beside those of the evidence."""


def additions(
    evidence: Evidence, rating: Label, reading: Reading, section: str, *, linked: bool = True
) -> Additions | str:
    """What a section is to get, or why it gets nothing.

    Args:
        evidence: the runs and their facts.
        rating: the confidence label of the result.
        reading: what it says beyond the bare facts.
        section: its name.
        linked: with links to the entry, which the entry's own logbook does not need.
    """
    if all_cached(evidence):
        return "every step was served from the cache, so there is nothing new to say"
    for name, write in _WRITERS.items():
        if is_called(section, name):
            return write(_Material(evidence=evidence, rating=rating, reading=reading, section=section, linked=linked))
    return f"nothing is known of what belongs into a section {section!r}; edit it by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    evidence: Evidence
    rating: Label
    reading: Reading
    section: str
    linked: bool

    def lines(self, lines: list[str], why_none: str, *, renews: bool = False, below: str = "") -> Additions | str:
        if not lines:
            return why_none
        return Additions(section=self.section, lines=tuple(lines), renews=renews, below=below)

    @property
    def entry(self) -> str:
        ids = self.evidence.runs
        return wording.entry_link(ids) if self.linked else f"entry {wording.id_range(ids)}"

    def seen(self, finding: str) -> str:
        """A finding with the entry to see, before the items of the finding."""
        sentence, *items = finding.split("\n")
        return "\n".join([f"{sentence} See {self.entry}.", *items])


def _results(material: _Material) -> Additions | str:
    """What each run measured, an item for each write-up: they stay when others follow."""
    evidence = material.evidence
    measured = [(_named(evidence, subject), ", ".join(_measured(evidence, subject))) for subject in evidence.subjects]
    items = [f"{named}: {values}" for named, values in measured if values]
    reference = next((subject.comparison.baseline for subject in evidence.subjects if subject.comparison), "")
    against = f", in brackets the change against {reference}" if reference else ""
    lines = [wording.with_items(f"{material.entry}{against}:", items)] if items else []
    return material.lines(lines, "none of these runs measured anything")


def _measured(evidence: Evidence, subject: Subject) -> Iterator[str]:
    """``eval/loss 2.363 nats/byte (-3.9 %)`` for each primary metric of a run that came to a result."""
    for metric in wording.primary_metrics(evidence):
        value = evidence.fact(subject.result.id, "metric", metric.name)
        change = evidence.fact(subject.result.id, "percent", metric.name)
        if value is not None and subject.result.status is Status.SUCCEEDED:
            changed = f" ({render(change)})" if change is not None and wording.is_finite(change) else ""
            yield f"{metric.name} {render(value)}{changed}"


def _summary(material: _Material) -> Additions | str:
    lines = [
        f"`{confidence_of(finding, material.evidence, material.rating)}`: {material.seen(finding)}"
        for finding in material.reading.findings[:_MOST_FINDINGS]
    ]
    return material.lines(lines, "the runs say nothing about the thread's question", renews=True)


def _conclusion(material: _Material) -> Additions | str:
    label, reason = material.rating.confidence, material.rating.reason
    findings = [material.seen(finding) for finding in material.reading.findings[:_MOST_FINDINGS]]
    asked = [action for action in material.reading.actions if "baseline" in action or "hypothesis" in action]
    lines = [*findings, f"Confidence: {label} ({reason})", *asked]
    return material.lines(lines if findings else [], "there is no finding to conclude from", renews=True)


def _scope(material: _Material) -> Additions | str:
    thread = material.evidence.thread
    facts = declared_facts(thread)
    lines = [f"{name}: {value}" for name, value in scope_fields(facts)]
    if not lines:
        return "the thread's file says neither goal nor metrics; add them there"
    return Additions(section=material.section, lines=tuple(lines), renews=True, facts=tuple(facts))


def scope_fields(facts: list[Fact]) -> Iterator[tuple[str, str]]:
    """The fields of a scope, one for each fact that a thread's file gives."""
    names = {"goal": "Goal", "metric": "Primary metric", "constraint": "Constraint", "stop": "Stop criterion"}
    for fact in facts:
        where, _, what = fact.id.partition("/")
        name = names.get(what.partition("/")[0])
        if where == "thread" and name:
            yield name, render(fact)


def _baseline(material: _Material) -> Additions | str:
    evidence = material.evidence
    baseline = evidence.baseline
    subject = next((s for s in evidence.subjects if baseline is not None and s.result.id == baseline.id), None)
    if baseline is None or subject is None:
        return "none of these runs is the thread's baseline"
    if evidence.moved_to is not None:
        return f"{evidence.moved_to.id} is the thread's baseline since"
    time = evidence.fact(baseline.id, "ended") or evidence.fact(baseline.id, "time")
    measured = [
        f"{metric.name}: {render(fact)}"
        for metric in wording.primary_metrics(evidence)
        if (fact := evidence.fact(baseline.id, "metric", metric.name))
    ]
    lines = [
        f"Date: {render(time)[:10] if time else 'unknown'}",
        f"Run: {baseline.id}, {material.entry}",
        f"Code refs: {wording.commit(baseline)}",
        f"Config: {wording.config(baseline)}",
        f"Devices: {wording.devices(baseline)}",
        *measured,
    ]
    return material.lines(lines, "", renews=True)


def _hypotheses(material: _Material) -> Additions | str:
    stated = [subject for subject in material.evidence.subjects if subject.run.hypothesis]
    by_text = wording.by_text(stated, lambda subject: wording.stated(subject.run.hypothesis or ""))
    items = wording.whose(by_text)
    asked = f"Evidence: {material.entry}. Next: To decide: does the result support"
    if len(items) > 1:
        whose = wording.id_range([subject.run.id for subject in stated])
        items = [wording.with_items(f"Hypotheses of {whose}. {asked} each of them?", items)]
    else:
        items = [f"{item.rstrip('.')}. {asked} it?" for item in items]
    return material.lines(items, "no hypothesis was stated before these runs", below="Active")


def _decisions(material: _Material) -> Additions | str:
    evidence = material.evidence
    asked = [action for action in material.reading.actions if "become the baseline" in action]
    if moved := baseline_moved(evidence):
        asked.insert(0, f"{moved}. Why: to be said.")
    time = max(
        (str(fact.value) for fact in evidence.facts.values() if fact.id.endswith(("/ended", "/time"))), default=""
    )
    lines = [f"{time[:10]}: {action} Evidence: {material.entry}. Owner: to be named." for action in asked]
    return material.lines(lines, "these runs ask for no decision; write down by hand what was decided")


def _negative_results(material: _Material) -> Additions | str:
    evidence = material.evidence
    failed = [
        f"{_named(evidence, subject)} {ended(subject)}.{_said(subject)} See {material.entry}."
        for subject in evidence.subjects
        if is_unfinished(subject) and subject.run.status is not Status.RUNNING
    ]
    worse = [
        f"{_named(evidence, subject)} did not reach the baseline {evidence.baseline.id}: "
        f"{change.name} {render(change)}. See {material.entry}."
        for subject, change in clear_losses(evidence)
        if evidence.baseline is not None
    ]
    return material.lines([*failed, *worse], "none of these runs failed or was clearly worse than the baseline")


def _said(subject: Subject) -> str:
    """What a run printed last that says why it ended, where the record of its end does not: of a command, its error."""
    told = [line.strip() for line in subject.quotes if is_telling(line)]
    return f" It said {wording.code(wording.shortened(told[-1]))}." if told and told[-1] not in ended(subject) else ""


def _named(evidence: Evidence, subject: Subject) -> str:
    value = wording.axis_value(subject, evidence.axis)
    return f"{subject.run.id} ({value})" if value and len(evidence.subjects) > 1 else subject.run.id


_WRITERS: dict[str, Callable[[_Material], Additions | str]] = {
    "Results": _results,
    "Current TL;DR": _summary,
    "TL;DR": _summary,
    "Scope": _scope,
    "Current baseline": _baseline,
    "Hypothesis queue": _hypotheses,
    "Decision log": _decisions,
    "Negative results index": _negative_results,
    "Conclusion": _conclusion,
}

"""The drafter that needs no key and no network: deterministic text from facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - part of a dataclass
from typing import TYPE_CHECKING, Any

from curator.confidence import Confidence, Label, label
from curator.draft import DraftKind
from curator.drafters import wording
from curator.drafters.closing import closing_text
from curator.drafters.entry import entry_body, entry_label
from curator.drafters.interpretation import caveats, findings, questions
from curator.drafters.post import Post, write_post
from curator.drafters.reading import Reading
from curator.drafters.sections import OF_ISSUE_BODY, Additions, additions
from curator.drafters.session import write_session
from curator.drafters.update import no_update_reason, update_text
from curator.facts import Fact, FactKind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from curator.evidence import Evidence
    from marin_research.record import Run

NAME = "template"

KINDS = (DraftKind.LOGBOOK, DraftKind.ISSUE, DraftKind.POST)
"""What this drafter writes unless it is asked for something; a session report is for the end of a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A logbook entry whose heading is still to be written in the logbook's own style."""

    ids: str
    label: str
    time: datetime
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fielded:
    """A text with fields at its head."""

    fields: dict[str, Any]
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What a drafter gives for one kind of write-up: its text, or the reason why there is none."""

    kind: DraftKind
    title: str
    content: Entry | Fielded | Additions | str | None
    why_none: str | None = None


def draft(evidence: Evidence, of_thread: list[Run], kinds: Collection[DraftKind] = KINDS) -> list[Drafted]:
    """Write the asked-for kinds of text about the runs of ``evidence``.

    Args:
        evidence: the runs and their facts.
        of_thread: every run of the thread, among which replicates are looked for.
        kinds: what to write; a kind that this drafter cannot write is passed over.
    """
    rating = rate(evidence, of_thread)
    return write(evidence, rating, own_reading(evidence, rating), kinds)


def rate(evidence: Evidence, of_thread: list[Run]) -> Label:
    """The confidence label of the headline; what it was computed from joins the evidence's facts."""
    rating = _rating(evidence, of_thread)
    evidence.facts.update({fact.id: fact for fact in [*_label_facts(rating), _entry_fact(evidence)]})
    return rating


def own_reading(evidence: Evidence, rating: Label) -> Reading:
    """What the facts alone entail, and what they leave to a person."""
    actions = to_decide(questions(evidence, rating))
    return Reading(findings=tuple(findings(evidence)), caveats=tuple(caveats(evidence)), actions=actions)


def to_decide(asked: Sequence[str]) -> tuple[str, ...]:
    """Questions to a person, as next actions."""
    return tuple(f"To decide: {question}" for question in asked)


def write(evidence: Evidence, rating: Label, reading: Reading, kinds: Collection[DraftKind]) -> list[Drafted]:
    """The asked-for kinds of text, given a reading of the record."""
    ids, title = wording.id_range(evidence.runs), entry_label(evidence)
    drafted = []
    if DraftKind.LOGBOOK in kinds:
        entry = Entry(ids=ids, label=title, time=_time(evidence), body=entry_body(evidence, rating, reading))
        drafted.append(Drafted(kind=DraftKind.LOGBOOK, title=title, content=entry))
    if DraftKind.ISSUE in kinds:
        reason = no_update_reason(evidence)
        text = None
        if reason is None:
            text = update_text(evidence, rating, reading, title=f"{ids} {title}")
        drafted.append(Drafted(kind=DraftKind.ISSUE, title=title, content=text, why_none=reason))
    if DraftKind.INDEX in kinds:
        drafted += [
            _section(DraftKind.INDEX, name, additions(evidence, rating, reading, name, linked=False))
            for name in evidence.thread.logbook.indices
        ]
    if DraftKind.ISSUE_BODY in kinds:
        drafted += [
            _section(DraftKind.ISSUE_BODY, name, additions(evidence, rating, reading, name)) for name in OF_ISSUE_BODY
        ]
    if DraftKind.CLOSING in kinds:
        text = closing_text(evidence, rating, reading)
        drafted.append(Drafted(kind=DraftKind.CLOSING, title="final summary", content=text))
    if DraftKind.POST in kinds:
        post = write_post(evidence, rating, reading)
        if isinstance(post, Post):
            content = Fielded(fields=post.fields, body=post.text)
            drafted.append(Drafted(kind=DraftKind.POST, title=post.title, content=content))
        else:
            drafted.append(Drafted(kind=DraftKind.POST, title=title, content=None, why_none=post))
    if DraftKind.SESSION in kinds and evidence.craft is not None:
        report = write_session(evidence, evidence.craft)
        fielded = Fielded(fields=report) if isinstance(report, dict) else None
        why = report if isinstance(report, str) else None
        drafted.append(Drafted(kind=DraftKind.SESSION, title=f"session with {ids}", content=fielded, why_none=why))
    return drafted


def _section(kind: DraftKind, name: str, found: Additions | str) -> Drafted:
    if isinstance(found, str):
        return Drafted(kind=kind, title=name, content=None, why_none=found)
    return Drafted(kind=kind, title=name, content=found)


def trial_text(evidence: Evidence, rating: Label, reading: Reading) -> str:
    """A logbook entry under a heading as plain as can be: what a reading is verified in before it is used."""
    return f"### {wording.id_range(evidence.runs)}\n\n{entry_body(evidence, rating, reading)}"


def _rating(evidence: Evidence, of_thread: list[Run]) -> Label:
    """The label of the headline: of the best run of a sweep, else of the run."""
    metrics = wording.primary_metrics(evidence)
    if not metrics:
        return Label(confidence=Confidence.EXPLORATORY, reason="nothing was measured", runs=evidence.runs)
    headline = wording.best(evidence, metrics[0]) or evidence.subjects[0]
    return label(headline.result, of_thread, metrics[0].name, evidence.thread)


def _label_facts(rating: Label) -> list[Fact]:
    """The label and what it was computed from, so that a text may state them."""
    source = f"computed over {', '.join(rating.runs)}"
    facts = [
        Fact(id="confidence", kind=FactKind.LABEL, value=rating.confidence.value, name="confidence", source=source),
        Fact(id="confidence/reason", kind=FactKind.TEXT, value=rating.reason, name="reason", source=source),
        *(Fact(id=f"{run}/run", kind=FactKind.RUN, value=run, subject=run, source=f"{run}#/id") for run in rating.runs),
    ]
    if rating.spread_percent is not None:
        formula = f"100 * stdev({rating.metric}) / |mean({rating.metric})|"
        facts.append(
            Fact(
                id="confidence/spread",
                kind=FactKind.DEVIATION,
                value=rating.spread_percent,
                unit="%",
                name=rating.metric,
                source=source,
                formula=formula,
            )
        )
    return facts


def _entry_fact(evidence: Evidence) -> Fact:
    """That a text may link the entry about its runs, wherever that will be."""
    source = (
        "the logbook entry about these runs; the address of the commit that holds it is put in when it is published"
    )
    return Fact(id="entry", kind=FactKind.LINK, value=wording.entry_address(evidence.runs), source=source)


def _time(evidence: Evidence) -> datetime:
    """When the last of the runs ended; for runs that have not, when the last was declared."""
    times = [
        subject.run.attempt.end.time if subject.run.attempt and subject.run.attempt.end else subject.run.declared
        for subject in evidence.subjects
    ]
    return max(times)

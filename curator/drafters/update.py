"""The update for the experiment issue: a milestone in a few lines, for readers who do not follow the logbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.drafters.entry import hypotheses, of_each
from curator.facts import render
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.confidence import Label
    from curator.drafters.reading import Reading
    from curator.evidence import Evidence, Subject


_MOST_FINDINGS = 6
"""The logbook entry has the rest."""


def update_text(evidence: Evidence, label: Label, reading: Reading, *, title: str, is_whole: bool = True) -> str:
    """The comment, as Markdown.

    Args:
        evidence: the runs and their facts.
        label: the confidence label of the result.
        reading: what it says beyond the bare facts.
        title: the few words after ``Update:``.
        is_whole: whether nothing else in the comment says how the runs were made.
    """
    marker = f"{evidence.thread.agent_marker} " if evidence.thread.agent_marker else ""
    lines = [
        f"{marker}Update: {title}",
        "",
        f"- Change: {_change(evidence)}",
        *(f"  {line}" for line in (_framing(evidence) if is_whole else ())),
        "- Result delta:",
        *(wording.bullet(sentence, "  ") for sentence in reading.interpretation(findings=_MOST_FINDINGS)),
        *([f"  - {evidence.plot.pinned()}"] if evidence.plot is not None else []),
        f"- Confidence: {label.confidence} ({label.reason})",
        "- Links:",
        f"  - Commit: {_commits(evidence)}",
        f"  - Logbook section: {wording.entry_link(evidence.runs)}",
        f"  - W&B: {wording.wandb(evidence)}",
        "- Next:",
        *(f"  - {action}" for action in reading.actions),
    ]
    return "\n".join(lines) + "\n"


def no_update_reason(evidence: Evidence) -> str | None:
    """Why these runs are no milestone; None when they are one."""
    if all(subject.run.status is Status.CACHED for subject in evidence.subjects):
        return "every step was served from the cache, so there is nothing new to report"
    if all(subject.run.status is Status.RUNNING for subject in evidence.subjects):
        return "no run has ended yet"
    return None


def _change(evidence: Evidence) -> str:
    ids = wording.id_range(evidence.runs)
    if not evidence.axis or len(evidence.subjects) == 1:
        return f"{ids}{_what_changed(evidence, evidence.subjects[0])}"
    if len(evidence.axis) == 1:
        return f"{ids} vary `{evidence.axis[0]}`: {_values(evidence, evidence.axis[0])}"
    varied = [f"`{key}` ({_values(evidence, key)})" for key in evidence.axis]
    return f"{ids} vary {wording.listed(varied)}"


def _framing(evidence: Evidence) -> Iterator[str]:
    """What it takes to run them again, and what for: a comment has to stand on its own."""
    if any(subject.run.hypothesis for subject in evidence.subjects):
        yield from hypotheses(evidence)
    started = [subject.result for subject in evidence.subjects if subject.result.attempts]
    commands = list(dict.fromkeys(map(wording.command, started)))
    more = "; those of the other runs are in the logbook section" if len(commands) > 1 else ""
    yield from (f"- Command: {command}{more}" for command in commands[:1])
    config = wording.config(started[0], without=(*evidence.axis, *evidence.seeds)) if started else wording.NO_CONFIG
    if config != wording.NO_CONFIG:
        yield f"- Config: {config}"
    yield from of_each("Devices", wording.devices, evidence)


def _values(evidence: Evidence, key: str) -> str:
    """What a setting was in these runs."""
    found = (evidence.fact(subject.result.id, "config", key) for subject in evidence.subjects)
    return wording.listed(list(dict.fromkeys(wording.recorded(render(fact)) for fact in found if fact)) or ["none"])


def _what_changed(evidence: Evidence, subject: Subject) -> str:
    if evidence.baseline is not None and subject.result.id == evidence.baseline.id:
        return " ran the baseline"
    ran = f" ran {wording.stated(subject.run.label)}"
    if subject.comparison is None:
        return ran
    keys = [*evidence.axis, *(d.key for d in subject.comparison.differences if d.what == "config")]
    changed = [wording.code(setting) for key in keys if (setting := wording.setting(subject.result, [key]))]
    against = f", against {evidence.baseline.id}" if evidence.baseline else ""
    return f"{f' ({wording.listed(changed)})' if changed else ''}{ran}{against}"


def _commits(evidence: Evidence) -> str:
    started = [subject.result for subject in evidence.subjects if subject.result.attempts]
    return wording.listed(list(dict.fromkeys(wording.commit(run) for run in started)) or ["none: nothing was started"])

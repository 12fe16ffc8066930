"""The body of a logbook entry, for one run or a sweep. Writes what the facts entail, and asks where they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.drafters.interpretation import all_cached, ended, is_unfinished
from curator.evidence import Subject
from curator.facts import render
from marin_research.markdown import fenced, markdown_table
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from curator.confidence import Label
    from curator.drafters.reading import Reading
    from curator.evidence import Evidence
    from curator.facts import Fact
    from marin_research.record import Run
    from marin_research.thread import PrimaryMetric


def entry_label(evidence: Evidence) -> str:
    """The few words of the heading after the IDs."""
    if len(evidence.subjects) == 1:
        return wording.stated(evidence.subjects[0].run.label)
    several = len(wording.by_text(_started(evidence), lambda subject: wording.command(subject.result))) > 1
    what = f"{', '.join(evidence.axis)} sweep" if evidence.axis else "commands compared" if several else "repeated runs"
    if all_cached(evidence):
        what += ", all from the cache"
    return what


def entry_body(evidence: Evidence, label: Label, reading: Reading) -> str:
    """The bullets of the entry, as Markdown."""
    lines = [
        *hypotheses(evidence),
        *of_each("Commit Hash", wording.commit, evidence),
        *of_each("Command", wording.command, evidence),
        *_config(evidence, _reference(evidence)),
        *of_each("Devices", wording.devices, evidence),
        *_attempts(evidence),
        *_result(evidence),
        f"- Confidence: {label.confidence} ({label.reason})",
        "- Interpretation:",
        *(wording.bullet(sentence, "  ") for sentence in reading.interpretation()),
        "- Next action:",
        *(f"  - {action}" for action in reading.actions),
    ]
    return "\n".join(lines) + "\n"


def hypotheses(evidence: Evidence) -> list[str]:
    """What was expected of the runs."""
    stated = [subject for subject in evidence.subjects if subject.run.hypothesis]
    if not stated:
        return ["- Hypothesis: none was stated before the run"]
    by_text = wording.by_text(stated, lambda subject: wording.stated(subject.run.hypothesis or ""))
    if len(evidence.subjects) == 1:
        return [f"- Hypothesis: {text}" for text in by_text]
    return ["- Hypothesis:", *_items(by_text)]


def of_each(name: str, say: Callable[[Run], str], evidence: Evidence) -> list[str]:
    """A line for what all runs share, or one for those that share it: each number keeps the command that made it."""
    by_text = wording.by_text(_started(evidence), lambda subject: say(subject.result))
    if len(by_text) == 1:
        return [f"- {name}: {text}" for text in by_text]
    return [f"- {name}:", *_items(by_text)]


def _items(by_text: dict[str, list[str]]) -> Iterator[str]:
    yield from (wording.bullet(item, "  ") for item in wording.whose(by_text))


def _config(evidence: Evidence, first: Subject) -> Iterator[str]:
    varied = (*evidence.axis, *evidence.seeds) if len(evidence.subjects) > 1 else ()
    shared = wording.config(first.result, without=varied)
    if not varied:
        yield f"- Config: {shared}"
        return
    keys = wording.listed([f"`{key}`" for key in varied])
    if shared == wording.NO_CONFIG:
        yield f"- Config: what varies is {keys}, see the table; nothing else is recorded"
        return
    yield f"- Config: {shared}"
    yield f"  (the same in every run; what varies is {keys}, see the table)"


def _attempts(evidence: Evidence) -> list[str]:
    """How the runs got there that were tried more than once."""
    retried = [subject.result for subject in evidence.subjects if len(subject.result.attempts) > 1]
    if len(evidence.subjects) == 1:
        return [f"- Attempts: {wording.attempts(run)}" for run in retried]
    return ["- Attempts:", *(f"  - {run.id}: {wording.attempts(run)}" for run in retried)] if retried else []


def _result(evidence: Evidence) -> Iterator[str]:
    if len(evidence.subjects) == 1 and not evidence.subjects[0].result.attempts:
        yield f"- Result: {wording.recorded(evidence.subjects[0].run.why)}"
        return
    if len(evidence.subjects) == 1 and is_unfinished(evidence.subjects[0]):
        subject = evidence.subjects[0]
        yield f"- Result: it {ended(subject).removesuffix('.')}."
    else:
        yield "- Result:"
    yield from (f"  {line}" for line in table_note(evidence))
    yield ""
    yield from (f"  {line}" for line in table_lines(evidence))
    yield ""
    if evidence.plot is not None:
        yield from (f"  {evidence.plot.beside(evidence.thread.topic)}", "")
    for subject in evidence.subjects:
        if subject.quotes:
            place = f" ({subject.quoted_from})" if subject.quoted_from else ""
            yield f"  Decisive lines of {subject.result.id}'s output{place}:"
            yield ""
            yield from (f"  {line}".rstrip() for line in fenced(subject.quotes))
            yield ""
    yield f"  W&B: {wording.wandb(evidence)}"


def table_note(evidence: Evidence) -> list[str]:
    """What the numbers in brackets are, where the table has any."""
    metrics = wording.primary_metrics(evidence)
    changed = any(_change(evidence, each, metric) is not None for each in _rows(evidence) for metric in metrics)
    if evidence.baseline is None or not changed:
        return []
    return [f"In brackets: the change against the baseline {evidence.baseline.id}."]


def table_lines(evidence: Evidence) -> list[str]:
    """The runs by what they varied and measured, as a Markdown table; changes against the baseline in brackets."""
    metrics = wording.primary_metrics(evidence)
    return markdown_table([_heads(evidence, metrics), *(_row(evidence, each, metrics) for each in _rows(evidence))])


def _rows(evidence: Evidence) -> list[Subject]:
    """The runs of the table; the baseline first, also when it belongs to an earlier launch."""
    baseline = evidence.baseline
    if baseline is None or any(subject.result.id == baseline.id for subject in evidence.subjects):
        return list(evidence.subjects)
    return [Subject(run=baseline, result=baseline, comparison=None, quotes=()), *evidence.subjects]


def _heads(evidence: Evidence, metrics: Sequence[PrimaryMetric]) -> list[str]:
    heads = ["run", *((*evidence.axis, *evidence.seeds) or ("label",)), "status"]
    return heads + [wording.metric_head(metric) for metric in metrics]


def _row(evidence: Evidence, subject: Subject, metrics: Sequence[PrimaryMetric]) -> list[str]:
    run_id = subject.result.id
    is_baseline = evidence.baseline is not None and run_id == evidence.baseline.id
    cells = [subject.run.id + (" (baseline)" if is_baseline else "")]
    varied = (*evidence.axis, *evidence.seeds)
    for key in varied:
        value = evidence.fact(run_id, "config", key)
        cells.append(wording.recorded(render(value)) if value else "-")
    if not varied:
        cells.append(wording.stated(subject.run.label))
    cells.append(f"cached, made by {run_id}" if subject.run.status is Status.CACHED else subject.run.status)
    for metric in metrics:
        measured = wording.bare(evidence.fact(run_id, "metric", metric.name))
        change = _change(evidence, subject, metric)
        cells.append(measured if change is None else f"{measured} ({render(change)})")
    return cells


def _change(evidence: Evidence, subject: Subject, metric: PrimaryMetric) -> Fact | None:
    """Against the baseline; what a run measured before it failed is no result, and is compared with none."""
    change = evidence.fact(subject.result.id, "percent", metric.name)
    return change if change is not None and wording.is_finite(change) and not is_unfinished(subject) else None


def _reference(evidence: Evidence) -> Subject:
    """The run whose config stands for all: the baseline of the sweep, else the first that started."""
    baseline_id = evidence.baseline.id if evidence.baseline else None
    started = _started(evidence)
    return next((subject for subject in started if subject.result.id == baseline_id), started[0])


def _started(evidence: Evidence) -> Sequence[Subject]:
    """The runs that were tried; all of them where none was."""
    return [subject for subject in evidence.subjects if subject.result.attempts] or evidence.subjects

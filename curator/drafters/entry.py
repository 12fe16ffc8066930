"""The body of a logbook entry, for one run or a sweep. Writes what the facts entail, and asks where they end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from curator.confidence import Confidence
from curator.drafters import wording
from curator.facts import number, render
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.confidence import Label
    from curator.evidence import Evidence, Subject
    from curator.facts import Fact
    from marin_research.compare import Comparison
    from marin_research.thread import PrimaryMetric

_UNFINISHED = frozenset({Status.FAILED, Status.LOST, Status.PREEMPTED, Status.CANCELLED, Status.RUNNING})


def entry_label(evidence: Evidence) -> str:
    """The few words of the heading after the IDs."""
    if len(evidence.subjects) == 1:
        return evidence.subjects[0].run.label
    what = f"{', '.join(evidence.axis)} sweep" if evidence.axis else "repeated runs"
    if _all_cached(evidence):
        what += ", all from the cache"
    return what


def entry_body(evidence: Evidence, label: Label) -> str:
    """The bullets of the entry, as Markdown."""
    first = _reference(evidence)
    lines = [
        *_hypotheses(evidence),
        f"- Commit Hash: {wording.commit(first.result)}",
        f"- Command: {wording.command(first.result)}",
        *_config(evidence, first),
        f"- Devices: {wording.devices(first.result)}",
        *_result(evidence),
        f"- Confidence: {label.confidence} ({label.reason})",
        "- Interpretation:",
        *(f"  - {sentence}" for sentence in interpretation(evidence)),
        "- Next action:",
        *(f"  - To decide: {question}" for question in questions(evidence, label)),
    ]
    return "\n".join(lines) + "\n"


def interpretation(evidence: Evidence) -> list[str]:
    """What the facts entail about the runs, sentence by sentence."""
    if _all_cached(evidence):
        made = wording.id_range([subject.result.id for subject in evidence.subjects])
        return [f"No new result: every step was served from Marin's cache. The values are those of {made}."]
    sentences = [
        *_against_baseline(evidence),
        *(f"{_name(evidence, subject)} {_ended(subject)}." for subject in evidence.subjects if _is_unfinished(subject)),
        *_fairness(evidence),
    ]
    return sentences or ["The run has a result but no baseline to compare it with."]


def questions(evidence: Evidence, label: Label) -> list[str]:
    """What only a person can say, as questions to them."""
    if _all_cached(evidence):
        return ["was a new result wanted? A `dev` version runs every step again."]
    asked = []
    metrics = wording.primary_metrics(evidence)
    winner = wording.best(evidence, metrics[0]) if metrics else None
    hypotheses = [subject for subject in evidence.subjects if subject.run.hypothesis]
    if hypotheses:
        whose = wording.id_range([subject.run.id for subject in hypotheses])
        asked.append(f"does the result support the hypothesis ({whose})?")
    if winner is not None and _could_be_baseline(evidence, winner, metrics[0]):
        repeat = "" if label.confidence is not Confidence.EXPLORATORY else " before it is repeated with another seed"
        asked.append(f"should {winner.run.id} become the baseline{repeat}?")
    failed = [subject.run.id for subject in evidence.subjects if subject.result.status is Status.FAILED]
    if failed:
        asked.append(f"is the failure of {wording.listed(failed)} expected, or worth another run?")
    return asked or ["what follows from this?"]


def _could_be_baseline(evidence: Evidence, winner: Subject, metric: PrimaryMetric) -> bool:
    change = evidence.fact(winner.result.id, "percent", metric.name)
    return change is not None and not winner.repeats and _verdict(change, wording.noise(evidence, metric)) == "better"


def _hypotheses(evidence: Evidence) -> list[str]:
    stated = [(subject.run.id, subject.run.hypothesis) for subject in evidence.subjects if subject.run.hypothesis]
    if not stated:
        return ["- Hypothesis: none was stated before the run"]
    if len(evidence.subjects) == 1:
        return [f"- Hypothesis: {stated[0][1]}"]
    by_text: dict[str, list[str]] = {}
    for run_id, text in stated:
        by_text.setdefault(text, []).append(run_id)
    return ["- Hypothesis:", *(f"  - {wording.id_range(ids)}: {text}" for text, ids in by_text.items())]


def _config(evidence: Evidence, first: Subject) -> Iterator[str]:
    varied = (*evidence.axis, *evidence.seeds)
    yield f"- Config: {wording.config(first.result, without=varied)}"
    if varied:
        keys = wording.listed([f"`{key}`" for key in varied])
        yield f"  (the same in every run; what varies is {keys}, see the table)"


def _result(evidence: Evidence) -> Iterator[str]:
    metrics = wording.primary_metrics(evidence)
    if len(evidence.subjects) == 1 and not evidence.subjects[0].result.attempts:
        yield f"- Result: {evidence.subjects[0].run.why}"
        return
    if len(evidence.subjects) == 1 and _is_unfinished(evidence.subjects[0]):
        subject = evidence.subjects[0]
        yield f"- Result: it {_ended(subject)}"
    else:
        yield "- Result:"
    yield ""
    rows = [_heads(evidence, metrics), *(_row(evidence, subject, metrics) for subject in _rows(evidence))]
    yield from (f"  {line}" for line in markdown_table(rows))
    yield ""
    for subject in evidence.subjects:
        if subject.quotes:
            yield f"  Decisive lines of {subject.result.id}'s output:"
            yield ""
            yield from (f"  {line}".rstrip() for line in fenced(subject.quotes))
            yield ""
    yield f"  W&B: {wording.wandb(evidence)}"


def _rows(evidence: Evidence) -> list[Subject]:
    """The runs of the table; the baseline first, also when it belongs to an earlier launch."""
    from curator.evidence import Subject

    baseline = evidence.baseline
    if baseline is None or any(subject.result.id == baseline.id for subject in evidence.subjects):
        return list(evidence.subjects)
    return [Subject(run=baseline, result=baseline, comparison=None, quotes=()), *evidence.subjects]


def _heads(evidence: Evidence, metrics: Sequence[PrimaryMetric]) -> list[str]:
    heads = ["run", *((*evidence.axis, *evidence.seeds) or ("label",)), "status"]
    for metric in metrics:
        versus = ", vs baseline" if evidence.baseline is not None else ""
        heads.append(f"{wording.metric_head(metric)}{versus}")
    return heads


def _row(evidence: Evidence, subject: Subject, metrics: Sequence[PrimaryMetric]) -> list[str]:
    run_id = subject.result.id
    is_baseline = evidence.baseline is not None and run_id == evidence.baseline.id
    cells = [subject.run.id + (" (baseline)" if is_baseline else "")]
    varied = (*evidence.axis, *evidence.seeds)
    for key in varied:
        value = evidence.fact(run_id, "config", key)
        cells.append(render(value) if value else "-")
    if not varied:
        cells.append(subject.run.label)
    cells.append(f"cached, made by {run_id}" if subject.run.status is Status.CACHED else subject.run.status)
    for metric in metrics:
        measured = wording.bare(evidence.fact(run_id, "metric", metric.name))
        change = evidence.fact(run_id, "percent", metric.name)
        cells.append(f"{measured} ({render(change)})" if change is not None and _is_finite(change) else measured)
    return cells


def _is_finite(fact: Fact) -> bool:
    return isinstance(fact.value, int | float) and math.isfinite(fact.value)


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as a Markdown table whose source is readable too; the first row is the head."""
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(3, *(len(row[column]) for row in escaped)) for column in range(len(escaped[0]))]

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"

    return [line(escaped[0]), line(["-" * width for width in widths]), *(line(row) for row in escaped[1:])]


def fenced(lines: Sequence[str]) -> list[str]:
    """Lines as a code block whose fence none of them can close."""
    longest = max((len(run) for line in lines for run in line.split() if set(run) == {"`"}), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence]


def _against_baseline(evidence: Evidence) -> Iterator[str]:
    if evidence.baseline is None:
        yield "There is no baseline run in this thread yet, so nothing can be said against one."
        return
    for metric in wording.primary_metrics(evidence)[:1]:
        winner = wording.best(evidence, metric)
        if winner is not None and len(evidence.subjects) > 1:
            value = evidence.fact(winner.result.id, "metric", metric.name)
            assert value is not None  # noqa: S101 - `best` picks among the runs that have one
            own = winner.result.id == evidence.baseline.id
            role = ", the baseline" if own else ", a repetition of the baseline" if winner.repeats else ""
            yield f"Best {metric.name}: {_name(evidence, winner)}{role}, at {render(value)}."
        yield from _verdicts(evidence, metric)


def _verdicts(evidence: Evidence, metric: PrimaryMetric) -> Iterator[str]:
    """A sentence on what repetition alone does, then one for the runs that are better, for the worse, for the equal."""
    assert evidence.baseline is not None  # noqa: S101 - asked by the caller
    baseline, name = evidence.baseline.id, metric.name
    noise = wording.noise(evidence, metric)
    repeated = [subject.result.id for subject in evidence.subjects if subject.repeats]
    if noise is not None:
        verb = "repeats" if len(repeated) == 1 else "repeat"
        yield f"{wording.listed(repeated)} {verb} the baseline {baseline} with another seed: {name} {render(noise)}."
    groups: dict[str, list[tuple[str, Fact]]] = {}
    for subject in evidence.subjects:
        change = evidence.fact(subject.result.id, "percent", name)
        if change is not None and _is_finite(change) and not subject.repeats and _succeeded(subject):
            groups.setdefault(_verdict(change, noise), []).append((subject.result.id, change))
    for verdict in _VERDICTS if metric.direction else ():
        found = groups.get(verdict, [])
        if found:
            ids, amounts = wording.listed([i for i, _ in found]), wording.listed([render(c) for _, c in found])
            yield f"{ids} {_VERDICTS[verdict][len(found) > 1]} {baseline}: {name} {amounts}."


_VERDICTS = {
    "better": ("is better than the baseline", "are better than the baseline"),
    "worse": ("did not reach the baseline", "did not reach the baseline"),
    "equal": ("equals the baseline", "equal the baseline"),
    "noise": (
        "lies no further from the baseline than its repetition:",
        "lie no further from the baseline than its repetition:",
    ),
}


def _verdict(change: Fact, noise: Fact | None) -> str:
    if noise is not None and abs(number(change)) <= abs(number(noise)):
        return "noise"
    return {1: "better", -1: "worse", 0: "equal"}[wording.improvement(change)]


def _succeeded(subject: Subject) -> bool:
    return subject.result.status is Status.SUCCEEDED


def _fairness(evidence: Evidence) -> Iterator[str]:
    comparisons = [subject.comparison for subject in evidence.subjects if subject.comparison is not None]
    if not comparisons:
        return
    unfair = [comparison for comparison in comparisons if comparison.differences]
    if not unfair:
        axis = (
            f"only {wording.listed([f'`{key}`' for key in evidence.axis])} differs"
            if evidence.axis
            else "nothing differs"
        )
        if len(evidence.axis) > 1:
            axis = f"only {wording.listed([f'`{key}`' for key in evidence.axis])} differ"
        yield f"Apples to apples: {axis} from the baseline."
        return
    by_names: dict[str, list[str]] = {}
    for comparison in unfair:
        by_names.setdefault(_difference_names(comparison), []).append(comparison.run)
    for names, ids in by_names.items():
        verb = "differs" if len(ids) == 1 else "differ"
        yield f"Not apples to apples: {wording.listed(ids)} also {verb} from the baseline in {names}."


def _difference_names(comparison: Comparison) -> str:
    return wording.listed(
        [f"`{d.key}`" if d.what in ("config", "environment") else d.name for d in comparison.differences]
    )


def _reference(evidence: Evidence) -> Subject:
    """The run whose command and config stand for all: the baseline of the sweep, else the first that started."""
    baseline_id = evidence.baseline.id if evidence.baseline else None
    started = [subject for subject in evidence.subjects if subject.result.attempts] or list(evidence.subjects)
    return next((subject for subject in started if subject.result.id == baseline_id), started[0])


def _name(evidence: Evidence, subject: Subject) -> str:
    value = wording.axis_value(subject, evidence.axis)
    return f"{subject.run.id} ({value})" if len(evidence.subjects) > 1 and value else subject.run.id


def _ended(subject: Subject) -> str:
    match subject.run.status:
        case Status.FAILED:
            return f"failed: {wording.failure(subject)}"
        case Status.LOST:
            return f"was lost: {subject.run.why}"
        case Status.PREEMPTED:
            return f"was preempted: {subject.run.why}"
        case Status.CANCELLED:
            return f"has no result: {subject.run.why}"
        case _:
            return "has not ended yet"


def _is_unfinished(subject: Subject) -> bool:
    return subject.run.status in _UNFINISHED


def _all_cached(evidence: Evidence) -> bool:
    return all(subject.run.status is Status.CACHED for subject in evidence.subjects)

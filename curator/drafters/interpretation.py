"""What the facts entail about some runs, sentence by sentence, and what they leave to a person.

Shared by every kind of write-up, so that the logbook, the issue and the post never tell different stories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.confidence import Confidence
from curator.drafters import wording
from curator.facts import number, render
from marin_research.compare import compare
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from curator.causes import Cause
    from curator.confidence import Label
    from curator.evidence import Evidence, Subject
    from curator.facts import Fact
    from curator.repeated import Repeated
    from marin_research.compare import Comparison
    from marin_research.record import Run
    from marin_research.thread import PrimaryMetric

_UNFINISHED = frozenset({Status.FAILED, Status.LOST, Status.PREEMPTED, Status.CANCELLED, Status.RUNNING})
_VERDICTS = {
    "repeated": ("against the baseline {}, with another seed", "against the baseline {}, with another seed"),
    "better": ("is better than the baseline {}", "are better than the baseline {}"),
    "worse": ("did not reach the baseline {}", "did not reach the baseline {}"),
    "equal": ("equals the baseline {}", "equal the baseline {}"),
    "noise": ("is no further than a repetition from {}", "are no further than a repetition from {}"),
}


def findings(evidence: Evidence) -> list[str]:
    """What the facts entail about results, sentence by sentence."""
    if all_cached(evidence):
        made = wording.id_range([subject.result.id for subject in evidence.subjects])
        return [f"No new result: every step was served from Marin's cache. The values are those of {made}."]
    found = list(_against_baseline(evidence))
    return found or ([] if caveats(evidence) else ["Nothing that was measured can be compared with the baseline."])


def caveats(evidence: Evidence, *, explained: Collection[str] = ()) -> list[str]:
    """What no write-up leaves out: runs without a result, why they failed, and whether comparisons are fair.

    Args:
        evidence: the runs and their facts.
        explained: failed runs whose failure is explained already.
    """
    if all_cached(evidence):
        return []
    return [
        *_unfinished(evidence, explained),
        *_why_failed(evidence, explained),
        *_met_before(evidence),
        *([f"{moved}."] if (moved := baseline_moved(evidence)) else []),
        *_fairness(evidence),
    ]


def baseline_moved(evidence: Evidence) -> str:
    """``The baseline moved from LR-001 (loss 2.46) to LR-007 (loss 2.41); they differ in `lr```; or nothing."""
    before, now = evidence.moved_from, evidence.baseline
    if before is None or now is None:
        return ""
    moved = compare(before, now)
    apart = f"; they differ in {_difference_names(moved)}" if moved.differences else ""
    return f"The baseline moved from {_with_value(before, evidence)} to {_with_value(now, evidence)}{apart}"


def _with_value(run: Run, evidence: Evidence) -> str:
    metrics = wording.primary_metrics(evidence)
    value = evidence.fact(run.id, "metric", metrics[0].name) if metrics else None
    return f"{run.id} ({value.name} {render(value)})" if value is not None else run.id


def _unfinished(evidence: Evidence, explained: Collection[str]) -> Iterator[str]:
    """A sentence for each run that came to no result."""
    known = {failure.run: failure for failure in evidence.failures}
    for subject in evidence.subjects:
        failure = known.get(subject.result.id)
        if is_unfinished(subject) and subject.result.id not in explained:
            cause = failure.cause if failure is not None and failure.says_itself else None
            likely = f" Likely cause, a hypothesis: {cause.says}." if cause is not None else ""
            yield f"{_name(evidence, subject)} {ended(subject)}.{likely}"


def _why_failed(evidence: Evidence, explained: Collection[str]) -> Iterator[str]:
    """A likely cause of each failure that does not say it itself, with its line."""
    for failure in evidence.failures:
        if failure.run in explained or failure.says_itself:
            continue
        if failure.cause is not None and failure.line is not None:
            yield cause_sentence(failure.run, failure.cause, [failure.line])


def _met_before(evidence: Evidence) -> Iterator[str]:
    """Where errors like these were met before."""
    for failure in evidence.failures:
        if failure.similar:
            yield f"{wording.listed(list(failure.similar))} failed with the same error before {failure.run}."
        for item in failure.known:
            yield f"The thread's index of negative results says: {wording.code(item)}."
    for post in dict.fromkeys(post for failure in evidence.failures for post in failure.posts):
        yield f"To read on this error, from the community: {wording.code(wording.shortened(post.title))} {post.link}"


def cause_sentence(run_id: str, cause: Cause, lines: Sequence[str]) -> str:
    """A cause as what it is: a hypothesis, with the lines that it rests on."""
    quoted = wording.listed([wording.code(wording.shortened(line)) for line in lines])
    return f"Likely cause of the failure of {run_id}, a hypothesis from its output: {cause.says}. It rests on {quoted}."


def questions(evidence: Evidence, label: Label, *, judged: Collection[str] = ()) -> list[str]:
    """What only a person can say, as questions to them.

    Args:
        evidence: the runs and their facts.
        label: the confidence label of the headline.
        judged: runs whose hypothesis was judged already.
    """
    if all_cached(evidence):
        return ["was a new result wanted? A `dev` version runs every step again."]
    asked = open_hypotheses(evidence, judged)
    metrics = wording.primary_metrics(evidence)
    winner = wording.best(evidence, metrics[0]) if metrics else None
    if evidence.moved_from is not None and evidence.baseline is not None:
        alone = "" if evidence.repeated_of(evidence.baseline.id) else ", before it is repeated"
        moved = f"from {evidence.moved_from.id} to {evidence.baseline.id}"
        asked.append(f"why does the baseline move {moved}{alone}? The answer belongs into the decision log.")
    if winner is not None and _could_be_baseline(evidence, winner, metrics[0]):
        repeat = "" if label.confidence is not Confidence.EXPLORATORY else " before it is repeated with another seed"
        asked.append(f"should {winner.run.id} become the baseline{repeat}?")
    failed = [subject.run.id for subject in evidence.subjects if subject.result.status is Status.FAILED]
    if failed:
        asked.append(f"is the failure of {wording.listed(failed)} expected, or worth another run?")
    return asked or ["what follows from this?"]


def open_hypotheses(evidence: Evidence, judged: Collection[str]) -> list[str]:
    """The question about the hypotheses that nobody judged; none where there are no such."""
    left = [
        subject.run.id
        for subject in evidence.subjects
        if subject.run.hypothesis and not {subject.run.id, subject.result.id}.intersection(judged)
    ]
    return [f"does the result support the hypothesis ({wording.id_range(left)})?"] if left else []


def _could_be_baseline(evidence: Evidence, winner: Subject, metric: PrimaryMetric) -> bool:
    change = evidence.fact(winner.result.id, "percent", metric.name)
    return change is not None and not winner.repeats and _verdict(change, wording.noise(evidence, metric)) == "better"


def _averages(evidence: Evidence) -> Iterator[str]:
    """What repetitions measured on average: before the best of them, which may have been lucky."""
    said = [average(each, evidence) for each in evidence.repeated]
    if len(said) > 1:
        yield wording.with_items("On average over repetitions:", said)
    yield from said if len(said) == 1 else ()


def average(each: Repeated, evidence: Evidence) -> str:
    setting = next(
        (wording.setting(s.result, evidence.axis) for s in evidence.subjects if s.result.id in each.runs), ""
    )
    whose = f"{_together(each.runs)} ({setting})" if setting else _together(each.runs)
    against = f", {render(each.change)} against {_reference(evidence)}" if each.change is not None else ""
    return f"{whose}: {each.said}{against}."


def _reference(evidence: Evidence) -> str:
    assert evidence.baseline is not None  # noqa: S101 - a change has a reference
    own = evidence.repeated_of(evidence.baseline.id)
    return f"the mean of {_together(own.runs)}" if own else f"the baseline {evidence.baseline.id}"


def _against_baseline(evidence: Evidence) -> Iterator[str]:
    if evidence.baseline is None:
        yield "There is no baseline run in this thread yet, so nothing can be said against one."
        return
    if [subject.result.id for subject in evidence.subjects] == [evidence.baseline.id]:
        is_it = f"was the baseline before {evidence.moved_to.id}" if evidence.moved_to else "is the baseline"
        yield f"{_with_value(evidence.baseline, evidence)} {is_it}."
    yield from _averages(evidence)
    for metric in wording.primary_metrics(evidence)[:1]:
        winner = wording.best(evidence, metric)
        if winner is not None and len(evidence.subjects) > 1:
            value = evidence.fact(winner.result.id, "metric", metric.name)
            assert value is not None  # noqa: S101 - `best` picks among the runs that have one
            own = winner.result.id == evidence.baseline.id
            role = " It is the baseline." if own else " It repeats the baseline." if winner.repeats else ""
            among = _among(evidence, metric)
            yield f"Best {metric.name}{among}: {_name(evidence, winner)}, at {render(value)}.{role}"
        yield from _verdicts(evidence, metric)


def _among(evidence: Evidence, metric: PrimaryMetric) -> str:
    """Whom the best run was picked from, where others may be better still.

    These are a baseline that is told of elsewhere, and runs that measured something before they failed.
    """
    measured = [s for s in evidence.subjects if evidence.fact(s.result.id, "metric", metric.name) is not None]
    if all(map(_succeeded, measured)):
        assert evidence.baseline is not None  # noqa: S101 - asked by the caller
        return "" if evidence.baseline.id in evidence.runs else f" of {_together(evidence.runs)}"
    return f" of {_together([subject.run.id for subject in measured if _succeeded(subject)])}"


def _verdicts(evidence: Evidence, metric: PrimaryMetric) -> Iterator[str]:
    """A sentence on what repetition alone does, then one for the runs that are better, for the worse, for the equal."""
    assert evidence.baseline is not None  # noqa: S101 - asked by the caller
    baseline, name = evidence.baseline.id, metric.name
    noise = wording.noise(evidence, metric)
    groups: dict[str, list[tuple[str, Fact]]] = {}
    for subject in evidence.subjects:
        change = evidence.fact(subject.result.id, "percent", name)
        if change is not None and wording.is_finite(change) and _succeeded(subject):
            verdict = "repeated" if subject.repeats else _verdict(change, noise)
            groups.setdefault(verdict, []).append((subject.result.id, change))
    for verdict in _VERDICTS if metric.direction else ("repeated",):
        found = groups.get(verdict, [])
        if found:
            ids, amounts = wording.listed([i for i, _ in found]), wording.listed([render(c) for _, c in found])
            yield f"{ids} {_VERDICTS[verdict][len(found) > 1].format(baseline)}: {name} {amounts}."


def _verdict(change: Fact, noise: Fact | None) -> str:
    if noise is not None and abs(number(change)) <= abs(number(noise)):
        return "noise"
    return {1: "better", -1: "worse", 0: "equal"}[wording.improvement(change)]


def _succeeded(subject: Subject) -> bool:
    return subject.result.status is Status.SUCCEEDED


def _fairness(evidence: Evidence) -> Iterator[str]:
    """Whether the comparisons with the baseline are fair."""
    comparisons = [subject.comparison for subject in evidence.subjects if subject.comparison is not None]
    if not comparisons:
        return
    unfair = [comparison for comparison in comparisons if comparison.differences]
    if not unfair:
        keys = [f"`{key}`" for key in (*evidence.axis, *evidence.seeds)]
        verb = "differs" if len(keys) < 2 else "differ"
        what = f"only {wording.listed(keys)}" if keys else "nothing"
        yield f"Apples to apples: {what} {verb} from the baseline."
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


def _together(ids: Sequence[str]) -> str:
    named = wording.id_range(ids)
    return named if ".." in named else wording.listed(list(ids))


def _name(evidence: Evidence, subject: Subject) -> str:
    value = wording.axis_value(subject, evidence.axis)
    return f"{subject.run.id} ({value})" if len(evidence.subjects) > 1 and value else subject.run.id


def ended(subject: Subject) -> str:
    match subject.run.status:
        case Status.FAILED:
            return f"failed: {wording.code(wording.shortened(wording.failure(subject)))}"
        case Status.LOST:
            return f"was lost: {wording.recorded(subject.run.why)}"
        case Status.PREEMPTED:
            return f"was preempted: {wording.recorded(subject.run.why)}"
        case Status.CANCELLED:
            return f"has no result: {wording.recorded(subject.run.why)}"
        case _:
            return "has not ended yet"


def is_unfinished(subject: Subject) -> bool:
    return subject.run.status in _UNFINISHED


def all_cached(evidence: Evidence) -> bool:
    return all(subject.run.status is Status.CACHED for subject in evidence.subjects)

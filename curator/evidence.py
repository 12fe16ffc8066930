"""Takes facts out of records: everything a write-up of some runs may state, and nothing else.

The only module of the curator that reads what a run is made of. A cached run has no result of its own: what is stated
of it is stated of the run that made the output.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from curator.attempt_facts import attempt_facts
from curator.before import negative_results, read_logbook
from curator.facts import Fact, FactError, FactKind, delta, percent, pointer
from curator.failure import Failure, ToRead, analyse, known_facts, post_facts, similar_facts, with_posts
from curator.repeated import Repeated, repetitions
from marin_research.codec import format_time
from marin_research.compare import (
    Comparison,
    baseline_before,
    compare,
    differences,
    find_baseline,
    flat_config,
    is_repetition_key,
    made_by,
    varied_on_purpose,
)
from marin_research.digest.ranking import decisive
from marin_research.digest.stored import digest_of
from marin_research.record import Attempt, Metric, Run, Status, Step
from marin_research.thread import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from curator.plots import Plot
    from curator.skillevolve.craft import Craft
    from marin_research.store import RecordStore
    from marin_research.thread import Thread


_SITE_PACKAGES = re.compile(r"(?<=[\"' ])[^\"' ]*/site-packages/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One run of a write-up, with what it is compared to."""

    run: Run
    result: Run
    """The run that holds the result: ``run`` itself, or for a cached one the run that made the output."""
    comparison: Comparison | None
    """Against the baseline; None for the baseline itself, without one, or without a result."""
    quotes: tuple[str, ...]
    """The decisive lines of a failed run's output."""
    quoted_from: str = ""
    """Where the first of them stands: ``host 3, line 1001``; empty where that is not known."""
    repeats: bool = False
    """It differs from the baseline in nothing but the seed: a second measurement of the same thing, not a variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a drafter gets: the runs, the thread, and every fact by its ID."""

    thread: Thread
    subjects: tuple[Subject, ...]
    of_thread: tuple[Run, ...] = ()
    """Every run of the thread, oldest first."""
    baseline: Run | None
    axis: tuple[str, ...]
    """Config keys that the runs vary on purpose; of a run launched alone the one in which it leaves the baseline."""
    seeds: tuple[str, ...]
    """Config keys that only tell repetitions apart, where they vary."""
    moved_from: Run | None = None
    """What the baseline was before these runs brought another; None where they did not."""
    moved_to: Run | None = None
    """What became the baseline of the thread in a launch since; None where this one still is."""
    facts: dict[str, Fact] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    """What is known of why runs failed."""
    repeated: tuple[Repeated, ...] = ()
    """The settings that were run more than once, by the first metric."""
    plot: Plot | None = None
    """A picture of the sweep, where there is something to see."""
    craft: Craft | None = None
    """What there is beside the records; asked for where a post or a session report is written."""

    def with_posts(self, search: Callable[[str], Iterable[ToRead]]) -> Evidence:
        """The same evidence with what the community wrote about the errors, found by their templates."""
        failures = with_posts(self.failures, search)
        return replace(self, failures=failures, facts=self.facts | {fact.id: fact for fact in post_facts(failures)})

    def fact(self, *path: str) -> Fact | None:
        """The fact with that ID, its parts given one by one: ``fact("LR-003", "metric", "eval/loss")``."""
        return self.facts.get("/".join(path))

    def repeated_of(self, run_id: str) -> Repeated | None:
        """What a run and its repetitions say together; None where it was not repeated."""
        return next((each for each in self.repeated if run_id in each.runs), None)

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(subject.run.id for subject in self.subjects)


def gather(run_ids: Sequence[str], thread: Thread, store: RecordStore) -> Evidence:
    """The evidence for a write-up of the given runs.

    Raises:
        RunNotFoundError: one of the runs is not in the store.
    """
    runs = [store.run(run_id) for run_id in run_ids]
    of_thread = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
    results = [made_by(run, store) or run for run in runs]
    baseline = find_baseline(runs, of_thread, store)
    moved_from = _moved_from(baseline, results, of_thread, store)
    newest = find_baseline(of_thread, of_thread, store)
    moved_to = newest if baseline and newest and newest.launch != baseline.launch else None
    varied = varied_on_purpose(results, baseline, of_thread)
    axis = tuple(key for key in varied if not is_repetition_key(key))
    subjects = tuple(
        Subject(
            run=run,
            result=result,
            comparison=_comparison(baseline, result, varied),
            quotes=quotes,
            quoted_from=quoted_from,
            repeats=_repeats(baseline, result),
        )
        for run, result in zip(runs, results, strict=True)
        for quotes, quoted_from in [_quotes(result, store)]
    )
    failures = _failures(subjects, of_thread, thread)
    facts: dict[str, Fact] = {}
    shown = {run.id: run for run in (*runs, *results, baseline, moved_from, moved_to) if run is not None}
    for run in shown.values():
        _add(facts, run_facts(run, thread))
    for subject in subjects:
        _add(facts, _quote_facts(subject))
        if baseline is not None and subject.comparison is not None:
            _add(facts, _changes(subject.result.id, baseline.id, facts))
    _add(facts, _sweep_facts(subjects, axis))
    _add(facts, _thread_facts(thread))
    _add(facts, [fact for fact in similar_facts(failures, of_thread) if fact.id not in facts])
    _add(facts, known_facts(failures, thread.logbook_path))
    seeds = tuple(key for key in varied if key not in axis)
    repeated = repetitions(results, baseline, of_thread, _headline(thread, results), lambda run: run_facts(run, thread))
    _add(facts, [fact for each in repeated for fact in each.facts if fact.id not in facts])
    return Evidence(
        thread=thread,
        subjects=subjects,
        of_thread=tuple(of_thread),
        baseline=baseline,
        moved_from=moved_from,
        moved_to=moved_to,
        axis=axis,
        seeds=seeds,
        facts=facts,
        failures=failures,
        repeated=repeated,
    )


def _headline(thread: Thread, results: Sequence[Run]) -> str:
    """The metric that the runs are judged by: the thread's first, else the first that they measured."""
    names = [metric.name for metric in thread.metrics] or [name for run in results for name in run.metrics]
    return names[0] if names else ""


def _failures(subjects: Sequence[Subject], of_thread: Sequence[Run], thread: Thread) -> tuple[Failure, ...]:
    if not any(subject.quotes or subject.result.status is Status.FAILED for subject in subjects):
        return ()
    negative = negative_results(read_logbook(thread))
    found = (analyse(subject.result, subject.quotes, of_thread, negative) for subject in subjects)
    return tuple(failure for failure in found if failure is not None)


def groups(run_ids: Sequence[str], store: RecordStore) -> list[list[str]]:
    """Split the runs of one launch into sweeps: runs of one kind of step whose configs have the same keys."""
    found: dict[Any, list[str]] = {}
    for run_id in run_ids:
        run = store.run(run_id)
        result = made_by(run, store) or run
        kind = result.step.artifact_type if isinstance(result.step, Step) else ""
        key = (kind, tuple(sorted(flat_config(result)))) if result.attempts else (kind, run_id)
        found.setdefault(key, []).append(run_id)
    # A run that never started has no config to tell it by; it belongs to the first sweep of its kind of step.
    for key in [key for key in found if isinstance(key[1], str)]:
        home = next((other for other in found if other[0] == key[0] and not isinstance(other[1], str)), None)
        if home is not None:
            found[home] += found.pop(key)
    return list(found.values())


def _moved_from(
    baseline: Run | None, results: Sequence[Run], of_thread: Sequence[Run], store: RecordStore
) -> Run | None:
    if baseline is None or all(result.id != baseline.id for result in results):
        return None
    before = baseline_before(baseline, of_thread, store)
    return None if _repeats(before, baseline) else before


def _comparison(baseline: Run | None, result: Run, axis: Sequence[str]) -> Comparison | None:
    if baseline is None or baseline.id == result.id or not result.attempts:
        return None
    return compare(baseline, result, axis=axis)


def _repeats(baseline: Run | None, result: Run) -> bool:
    if baseline is None or baseline.id == result.id or not result.attempts:
        return False
    return all(d.what == "config" and is_repetition_key(d.key) for d in differences(baseline, result))


def _quotes(run: Run, store: RecordStore) -> tuple[tuple[str, ...], str]:
    """The decisive lines of a failed run's output, and where the first of them stands."""
    attempt = run.attempt
    if attempt is None or run.status not in (Status.FAILED, Status.LOST, Status.PREEMPTED):
        return (), ""
    index = digest_of(store, run.id, attempt.number)
    lines, at = decisive(index)
    if lines:
        host = f"{at.stream}, " if at and len(index.streams) > 1 else ""
        return _shortened(lines, attempt), f"{host}line {at.line}" if at else ""
    exception = attempt.end.exception if attempt.end else None
    return _shortened(exception.traceback.rstrip().splitlines()[-4:] if exception else [], attempt), ""


def _shortened(lines: Sequence[str], attempt: Attempt) -> tuple[str, ...]:
    """Lines without the folders of this machine: paths from the checkout's top and from site-packages."""
    inside = attempt.command.cwd_in_repository
    if isinstance(inside, str):
        top = attempt.command.cwd.removesuffix(inside.removeprefix(".")).rstrip("/")
        lines = [line.replace(f"{top}/", "") for line in lines]
    return tuple(_SITE_PACKAGES.sub("", line) for line in lines)


def _add(facts: dict[str, Fact], more: Sequence[Fact]) -> None:
    facts.update({fact.id: fact for fact in more})


def run_facts(run: Run, thread: Thread) -> list[Fact]:
    """What the record of one run says."""

    def fact(kind: FactKind, path: str, value: Any, at: str, **more: Any) -> Fact:
        return Fact(id=f"{run.id}/{path}", kind=kind, value=value, subject=run.id, source=f"{run.id}#{at}", **more)

    facts = [
        fact(FactKind.RUN, "run", run.id, "/id"),
        fact(FactKind.STATUS, "status", run.status.value, "/status"),
        fact(FactKind.NAME, "label", run.label, "/label", name="label"),
        fact(FactKind.TIME, "time", format_time(run.declared), "/declared"),
    ]
    if run.hypothesis:
        facts.append(fact(FactKind.TEXT, "hypothesis", run.hypothesis, "/hypothesis"))
    if isinstance(run.step, Step):
        facts.append(fact(FactKind.NAME, "step", run.step.address, "/step/name"))
        facts.append(fact(FactKind.NAME, "fingerprint", run.step.fingerprint, "/step/fingerprint"))
    for key, value in flat_config(run).items():
        shown = json.dumps(value) if isinstance(value, list | dict) else value
        facts.append(fact(FactKind.CONFIG, f"config/{key}", shown, f"/attempts/-/config{pointer(key)}", name=key))
    for name, metric in run.metrics.items():
        facts += _metric_facts(run.id, name, metric, thread)
    for index, linked in enumerate(run.wandb):
        where = linked.url if isinstance(linked.url, str) else linked.path
        kind = FactKind.LINK if isinstance(linked.url, str) else FactKind.PATH
        facts.append(fact(kind, f"wandb/{linked.id}", where, f"/wandb/{index}", name=linked.id))
        facts.append(fact(FactKind.NAME, f"wandb-id/{linked.id}", linked.id, f"/wandb/{index}/id", name="W&B run"))
    return facts + attempt_facts(run)


def _metric_facts(run_id: str, name: str, metric: Metric, thread: Thread) -> list[Fact]:
    primary = thread.metric(name)
    unit = metric.unit or (primary.unit if primary else "")
    better = Direction(primary.direction) if primary else None
    values = {"metric": metric.value}
    if metric.count > 1:
        # The last value may be anywhere in its own history; a text may speak of where it began and how far it got.
        values |= {"first": metric.first, "minimum": metric.minimum, "maximum": metric.maximum}  # type: ignore[dict-item]
    fields = {"metric": "value"}
    return [
        Fact(
            id=f"{run_id}/{what}/{name}",
            kind=FactKind.METRIC,
            value=value,
            unit=unit,
            subject=run_id,
            name=name,
            better=better,
            source=f"{run_id}#/metrics{pointer(name, fields.get(what, what))}",
        )
        for what, value in values.items()
        if value is not None
    ]


def _quote_facts(subject: Subject) -> list[Fact]:
    run_id = subject.result.id
    if not subject.quotes:
        return []
    quoted = [
        Fact(
            id=f"{run_id}/quote",
            kind=FactKind.QUOTE,
            value="\n".join(subject.quotes),
            subject=run_id,
            source=f"{run_id}#output",
        )
    ]
    if subject.quoted_from:
        place = Fact(
            id=f"{run_id}/quote/from",
            kind=FactKind.TEXT,
            value=subject.quoted_from,
            subject=run_id,
            source=f"{run_id}#output",
        )
        quoted.append(place)
    return quoted


def _changes(run_id: str, baseline_id: str, facts: dict[str, Fact]) -> list[Fact]:
    changes = []
    for fact in list(facts.values()):
        reference = facts.get(f"{baseline_id}/metric/{fact.name}")
        if fact.id == f"{run_id}/metric/{fact.name}" and reference is not None:
            for derive in (delta, percent):
                with contextlib.suppress(FactError):  # nothing is relative to zero
                    changes.append(derive(fact, reference))
    return changes


def _sweep_facts(subjects: Sequence[Subject], axis: Sequence[str]) -> list[Fact]:
    ids = [subject.run.id for subject in subjects]
    counts = {"runs": len(ids), "axes": len(axis)}
    for status in Status:
        counts[status.value] = sum(subject.run.status is status for subject in subjects)
    source = f"counted over {', '.join(ids)}"
    return [
        *(
            Fact(id=f"sweep/count/{name}", kind=FactKind.COUNT, value=value, name=name, source=source)
            for name, value in counts.items()
        ),
        *(
            Fact(id=f"sweep/axis/{key}", kind=FactKind.NAME, value=key, name=key, source="config keys that differ")
            for key in axis
        ),
    ]


def _thread_facts(thread: Thread) -> list[Fact]:
    found = [Fact(id="thread/topic", kind=FactKind.NAME, value=thread.topic, source="thread file: topic")]
    if thread.issue:
        found.append(Fact(id="thread/issue", kind=FactKind.LINK, value=thread.issue, source="thread file: issue"))
    found.append(
        Fact(id="thread/logbook", kind=FactKind.PATH, value=thread.logbook_path, source="thread file: logbook.path")
    )
    return found

"""The checklist before a result may be posted, gone through from the record alone. Knows no network and no checkout.

A failed run may be posted as well as any other; then nothing is asked of its metrics. A cached run has no result of its
own: what is checked is the run that made the output.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marin_research.compare import changes_between_attempts, compare, find_baseline, made_by, varied_on_purpose
from marin_research.devices import agree
from marin_research.errors import StoreError
from marin_research.record import Attempt, Blob, Devices, Output, Run, Status, Unknown
from marin_research.units import format_size, format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.store import RecordStore
    from marin_research.thread import Thread

_MASKED = re.compile(r"\[REDACTED:[a-z0-9-]+\]")
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One item of the list."""

    name: str
    ok: bool
    why: str
    """What was found, or what is missing and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """All items for one run."""

    run: str
    ok: bool
    """Whether all of them are."""
    checks: tuple[Check, ...]


def check(runs: Sequence[Run], thread: Thread, store: RecordStore) -> tuple[Checklist, ...]:
    """Go through the list for runs of one thread.

    Args:
        runs: what is checked.
        thread: says which metrics a result must have.
        store: where the baseline, the kept diffs and the output are.
    """
    of_thread = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
    return tuple(_checklist(run, of_thread, thread, store) for run in runs)


def newest_launch(runs: Sequence[Run]) -> list[Run]:
    """The runs that the last launch among them declared."""
    last = max(runs, key=lambda run: run.declared, default=None)
    return [run for run in runs if last is not None and run.launch == last.launch]


def _checklist(run: Run, of_thread: Sequence[Run], thread: Thread, store: RecordStore) -> Checklist:
    result = made_by(run, store)
    attempt = result.attempt if result is not None else None
    if result is None or attempt is None:
        checks: tuple[Check, ...] = (Check(name="record", ok=False, why=f"there is nothing to post of it: {run.why}"),)
    else:
        checks = (
            _command(attempt),
            _config(attempt),
            _commit(attempt, store),
            _attempts(result),
            _devices(attempt),
            _end(result),
            _metrics(result, thread),
            _comparison(run, result, of_thread, store),
            _wandb(result),
            _gaps(result),
            _output(result, attempt, store),
        )
    return Checklist(run=run.id, ok=all(each.ok for each in checks), checks=checks)


def _command(attempt: Attempt) -> Check:
    line = attempt.command.line
    masked = ", ".join(dict.fromkeys(_MASKED.findall(line)))
    why = f"recorded; fill in {masked} before it is pasted" if masked else "recorded, can be pasted"
    return Check(name="command", ok=bool(line), why=why if line else "no command was recorded")


def _config(attempt: Attempt) -> Check:
    listed = ", ".join(list(attempt.config)[:_SHOWN]) + (", ..." if len(attempt.config) > _SHOWN else "")
    return Check(name="config", ok=bool(listed), why=listed or "it is empty; give the step one, or say so in the text")


def _commit(attempt: Attempt, store: RecordStore) -> Check:
    git = attempt.git
    if isinstance(git.commit, Unknown):
        return Check(name="commit", ok=False, why=f"unknown: {git.commit.why}")
    if isinstance(git.dirty, Unknown):
        return Check(name="commit", ok=False, why=f"{git.commit}, but not whether the tree was clean: {git.dirty.why}")
    if not git.dirty:
        return Check(name="commit", ok=True, why=f"{git.commit}, clean")
    if not isinstance(git.diff, Blob):
        return Check(name="commit", ok=False, why=f"{git.commit} with changes that were not kept: {git.diff.why}")
    try:
        store.blob(git.diff)
    except StoreError as error:
        return Check(name="commit", ok=False, why=f"{git.commit} with changes that are lost: {error}")
    return Check(name="commit", ok=True, why=f"{git.commit} with changes, kept as {git.diff.sha256[:12]}")


def _devices(attempt: Attempt) -> Check:
    asked, seen = attempt.asked_devices, attempt.seen_devices
    if isinstance(asked, Unknown) and isinstance(seen, Unknown):
        return Check(name="devices", ok=False, why=f"unknown: {asked.why}; {seen.why}")
    if isinstance(seen, Unknown) or isinstance(asked, Unknown):
        known = seen or asked
        assert isinstance(known, Devices)  # noqa: S101 - the line above left no other case
        return Check(name="devices", ok=True, why=f"{_named(known)}, {'seen by JAX' if seen else 'as declared'}")
    others = [
        f"host {host.index} {_named(host.devices)}"
        for host in attempt.workers
        if isinstance(host.devices, Devices) and (host.devices.kind, host.devices.count) != (seen.kind, seen.count)
    ]
    if others:
        return Check(name="devices", ok=False, why=f"JAX saw {_named(seen)}, but on {'; '.join(others)}")
    if agree(asked, seen):
        return Check(name="devices", ok=True, why=f"{_named(seen)}, as declared and as JAX saw them")
    return Check(name="devices", ok=False, why=f"{_named(asked)} declared, but JAX saw {_named(seen)}")


def _attempts(run: Run) -> Check:
    changes = changes_between_attempts(run)
    if changes:
        told = "; ".join(
            f"{change.before} and {change.after} differ in {', '.join(each.name for each in change.differences)}"
            for change in changes
        )
        return Check(name="attempts", ok=False, why=f"{told}; say which of them the result is of")
    ends = ", ".join(attempt.end.status if attempt.end else "not ended" for attempt in run.attempts)
    several = f"{len(run.attempts)}, the same in config, commit and devices: {ends}"
    return Check(name="attempts", ok=True, why=several if len(run.attempts) > 1 else "one")


def _named(devices: Devices) -> str:
    return f"{devices.count} x {devices.kind}"


def _end(run: Run) -> Check:
    ended = run.status not in (Status.RUNNING, Status.LOST)
    return Check(name="end", ok=ended, why=f"{run.status}: {run.why}")


def _metrics(run: Run, thread: Thread) -> Check:
    if run.status is not Status.SUCCEEDED:
        return Check(name="metrics", ok=True, why=f"none are claimed of a run that is {run.status}")
    if not thread.metrics:
        return Check(name="metrics", ok=True, why=f"thread {thread.topic} declares none")
    shown = []
    for metric in thread.metrics:
        found = run.metrics.get(metric.name)
        if found is None:
            return Check(name="metrics", ok=False, why=f"{metric.name} was not recorded")
        if not math.isfinite(found.value):
            return Check(name="metrics", ok=False, why=f"{metric.name} is {format_value(found.value)}")
        shown.append(f"{metric.name} {format_value(found.value, metric.unit or found.unit)}")
    return Check(name="metrics", ok=True, why=", ".join(shown))


def _comparison(run: Run, result: Run, of_thread: Sequence[Run], store: RecordStore) -> Check:
    if result.status is not Status.SUCCEEDED:
        return Check(name="baseline", ok=True, why=f"no comparison is claimed of a run that is {result.status}")
    baseline = find_baseline([run], of_thread, store)
    if baseline is None:
        return Check(name="baseline", ok=False, why="the thread has no succeeded baseline; run one with baseline=True")
    if baseline.id == result.id:
        return Check(name="baseline", ok=True, why="this is the baseline")
    found = compare(baseline, result, axis=varied_on_purpose([result], baseline, of_thread))
    if not found.differences:
        varied = f", which varies {', '.join(found.axis)}" if found.axis else ""
        return Check(name="baseline", ok=True, why=f"apples to apples with {baseline.id}{varied}")
    names = [difference.name for difference in found.differences]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    why = f"not apples to apples with {baseline.id}: {', '.join(names[:_SHOWN])}{more}; name them in the text"
    return Check(name="baseline", ok=False, why=why)


def _wandb(run: Run) -> Check:
    for linked in run.wandb:
        if linked.attribution != "step":
            return Check(name="W&B", ok=False, why=f"{linked.id} may be another step's run; say which it is")
        if not linked.synced or isinstance(linked.url, Unknown):
            return Check(name="W&B", ok=False, why=f"{linked.id} is not synced; run `wandb sync {linked.path}`")
    return Check(name="W&B", ok=True, why=", ".join(str(each.url) for each in run.wandb) or "it started no W&B run")


def _gaps(run: Run) -> Check:
    why = "; ".join(f"{gap.what}: {gap.why}" for gap in run.gaps)
    return Check(name="gaps", ok=not run.gaps, why=why or "none")


def _output(run: Run, attempt: Attempt, store: RecordStore) -> Check:
    size = 0
    for host in attempt.hosts:
        if isinstance(host.output, Unknown) and host not in attempt.workers:
            continue  # it dispatched the work, and printed nothing of it
        if isinstance(host.output, Unknown):
            return Check(name="output", ok=False, why=f"host {host.index}: {host.output.why}")
        if host.output.size and not store.objects.names(store.output_folder(run.id, attempt.number, host.writer)):
            return Check(name="output", ok=False, why=f"host {host.index}: {_lost(host.output)}")
        size += host.output.size
    return Check(name="output", ok=bool(attempt.hosts), why=f"{format_size(size)} of {len(attempt.hosts)} host(s) kept")


def _lost(output: Output) -> str:
    return f"the {format_size(output.size)} that it printed are no longer in the store"

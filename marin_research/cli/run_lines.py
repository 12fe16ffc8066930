"""One run for a terminal: what it was, each try at it, where it ran, what it measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from marin_research.codec import Unknown, encode
from marin_research.compare import changes_between_attempts, flat_config
from marin_research.devices import denied
from marin_research.record import Attempt, Devices, Host, Job, Output, Run, Status, Step
from marin_research.summary import table
from marin_research.units import format_duration, format_number, format_size, format_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.compare import Difference

_HASH = 12
"""Digits of a commit, where two are set side by side."""


def lines(run: Run) -> Iterator[str]:
    yield f"{run.id}  {run.label}"
    yield f"  {run.status}: {run.why}"
    yield from _changes(run)
    yield from _other_devices(run)
    facts = [("thread", run.thread)]
    if run.thread:  # else its declaration is missing
        facts.append(("declared", f"{run.declared:%Y-%m-%d %H:%M:%S} UTC"))
    if run.attempt is not None:
        facts.append(("took", _took(run.attempt)))
    if run.hypothesis:
        facts.append(("hypothesis", run.hypothesis))
    if run.reproduces:
        facts.append(("repeats", run.reproduces))
    if run.baseline:
        facts.append(("baseline", "the thread's other runs are compared with this one"))
    if isinstance(run.step, Step):
        facts += [("step", f"{run.step.address} ({run.step.fingerprint})"), ("output", run.step.output_path)]
    if isinstance(run.cached_from, str):
        facts.append(("made by", run.cached_from))
    for linked in run.wandb:
        where = linked.url if isinstance(linked.url, str) else f"{linked.path} (not yet synced)"
        facts.append(("W&B", f"{where}{'' if linked.attribution == 'step' else f' ({linked.attribution})'}"))
    several = len(run.attempts) > 1
    if run.attempt is not None and not several:
        facts += [*_launched(run.attempt), *_where(run.attempt)]
    yield from table([list(fact) for fact in facts if fact[1]])
    for attempt in run.attempts if several else ():
        yield from _attempt(attempt)
    yield from _block("config", [[key, json.dumps(encode(value))] for key, value in flat_config(run).items()])
    yield from _block("metrics", [_metric_row(run, name) for name in run.metrics])
    yield from _block("gaps in this record", [[gap.what, gap.why] for gap in run.gaps])
    end = run.attempt.end if run.attempt else None
    seen = end.evidence if end else ()
    yield from _block("evidence", [[f"{each.time:%H:%M:%S}", each.source, each.text] for each in seen])
    failed = end.exception if end else None
    if failed:
        yield f"\n{failed.traceback.rstrip()}"


def _changes(run: Run) -> Iterator[str]:
    for change in changes_between_attempts(run):
        told = "; ".join(_changed(difference) for difference in change.differences)
        yield f"  NOT THE SAME in attempts {change.before} and {change.after}: {told}"


def _other_devices(run: Run) -> Iterator[str]:
    for attempt in run.attempts:
        if (asked := denied(attempt)) is not None:
            of = f" in attempt {attempt.number}" if len(run.attempts) > 1 else ""
            yield f"  NOT THE DEVICES IT ASKED FOR{of}: {_devices(attempt.devices)}, not {_devices(asked)}"


def _changed(difference: Difference) -> str:
    before, after = (
        value["sha256"] if isinstance(value, dict) and "sha256" in value else value
        for value in (difference.baseline, difference.run)
    )
    if difference.what in ("commit", "uncommitted changes"):
        before, after = (str(value)[:_HASH] if isinstance(value, str) else "none" for value in (before, after))
        return f"{difference.name} {before} -> {after}"
    return f"{difference.name} {json.dumps(encode(before))} -> {json.dumps(encode(after))}"


def _attempt(attempt: Attempt) -> Iterator[str]:
    took = f", took {_took(attempt)}" if attempt.end else ""
    again = f" ({attempt.retry.job} started again)" if attempt.retry else ""
    yield f"\nattempt {attempt.number}, {attempt.started:%Y-%m-%d %H:%M:%S} UTC{took}{again}"
    ended = f"{attempt.end.status}: {attempt.end.why}" if attempt.end else "not ended"
    yield f"  {ended}"
    # A cluster's retry has the command, commit and environment of the try before it.
    facts = [*([] if attempt.retry else _launched(attempt)), *_where(attempt)]
    yield from table([list(fact) for fact in facts])


def _took(attempt: Attempt) -> str:
    """How long the work took, and how long it was until then where its jobs had to wait; nothing before its end."""
    if attempt.end is None:
        return ""
    worked, whole = (
        "" if isinstance(seconds, Unknown) else format_duration(seconds)
        for seconds in (attempt.wall_s, attempt.whole_s)
    )
    in_all = f"({whole} in all, queueing included)" if whole not in ("", worked) else ""
    return " ".join(filter(None, (worked, in_all))) or "an unknown time: its clocks disagree"


def _launched(attempt: Attempt) -> Iterator[tuple[str, str]]:
    git = attempt.git
    commit = git.commit if isinstance(git.commit, str) else f"unknown ({git.commit.why})"
    yield "command", attempt.command.line
    yield "in", attempt.command.cwd
    yield "commit", f"{commit}{' with uncommitted changes' if git.dirty else ''}"
    yield "python", f"{attempt.python} on {attempt.platform}"


def _where(attempt: Attempt) -> Iterator[tuple[str, str]]:
    yield "devices", _devices(attempt.devices)
    for host in attempt.hosts:
        if host.job is None:
            apart = attempt.workers != attempt.hosts
            yield "dispatched by" if apart else f"host {host.index}", _host(host)
    for job in attempt.jobs:
        yield "job", _job(job)
        for host in attempt.hosts:
            if host.job == job.id:
                yield f"  host {host.index}", _host(host)
    known = {job.id for job in attempt.jobs}
    for host in attempt.hosts:
        if host.job is not None and host.job not in known:
            yield f"host {host.index}", f"{_host(host)}, of job {host.job}"


def _job(job: Job) -> str:
    counters = {"preemption": job.counted_preemptions, "failure": job.counted_failures}
    counted = ", ".join(
        f"{count} {name}{'s' * (count > 1)}" for name, count in counters.items() if isinstance(count, int) and count
    )
    told = f"; {job.backend} counts {counted}" if counted else ""
    if counted and job.outcome is Status.CANCELLED:
        told += ", which is the stop itself"
    kind = "" if job.kind == "callable" else f" ({job.kind})"
    return f"{job.id}{kind}: {job.state}{told}"


def _host(host: Host) -> str:
    process = f"{host.name} (process {host.pid})" if host.pid is not None else host.name
    size = f", {format_size(host.output.size)} of output" if isinstance(host.output, Output) else ""
    worker = host.task.worker if host.task and isinstance(host.task.worker, str) and host.pid is not None else ""
    on = f" on {worker}" if worker else ""
    seen = f", noted by {host.seen_by}" if host.seen_by else ""
    devices = f", {_devices(host.devices)}" if isinstance(host.devices, Devices) and host.job else ""
    observed = "".join(f"; {each.text}" for each in host.evidence) if host.end is None else ""
    return f"{process}{on}{size}{devices}{seen}{observed}"


def _devices(devices: Devices | Unknown) -> str:
    if isinstance(devices, Unknown):
        return f"unknown ({devices.why})"
    here = f", {devices.local_count} here" if isinstance(devices.local_count, int) else ""
    processes = devices.process_count
    over = f" over {processes} hosts" if isinstance(processes, int) and processes > 1 else ""
    return f"{devices.count} x {devices.kind}{over}{here} ({devices.source})"


def _metric_row(run: Run, name: str) -> list[str]:
    metric = run.metrics[name]
    spread = (
        f"{format_number(metric.minimum)} to {format_number(metric.maximum)} over {metric.count} values"
        if metric.count > 1 and metric.minimum is not None and metric.maximum is not None
        else ""
    )
    broken = f"{metric.non_finite} not finite" if metric.non_finite else ""
    return [name, format_value(metric.value, metric.unit), metric.source, spread, broken]


def _block(title: str, rows: list[list[str]]) -> Iterator[str]:
    if rows:
        yield f"\n{title}"
        yield from table(rows)

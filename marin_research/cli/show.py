"""``marin-research show``: one run, whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import json_option, print_json, root_option, show_progress
from marin_research.codec import Unknown, encode
from marin_research.compare import flat_config
from marin_research.errors import RunNotFoundError, UsageError
from marin_research.record import Attempt, Devices, Output, Run, Step
from marin_research.store import RUN_ID, RecordStore
from marin_research.summary import table, wall_time
from marin_research.units import format_number, format_size, format_value

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(
    help="Show everything that is known of a run, given its experiment ID, the path of its output, the URL or path of "
    "one of its W&B runs, or the ID of one of its jobs. `compare` and `logs` take the same.\n\n"
    "\b\nExamples:\n"
    "  marin-research show LR-003\n"
    "  marin-research show LR-003 --json | jq .metrics\n"
    "  marin-research show $MARIN_PREFIX/lr_sweep/lr_0.003/dev\n"
    "  marin-research show https://wandb.ai/marin/lr-sweep/runs/3fa2c1"
)
@click.argument("run")
@root_option
@json_option
def command(*, run: str, root: str | None, as_json: bool) -> None:
    store = RecordStore(root)
    found = find_run(store, run)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(lines(found)))


def find_run(store: RecordStore, name: str) -> Run:
    """A run by its experiment ID, by the output path it wrote last, by one of its W&B runs or of its jobs.

    Raises:
        RunNotFoundError: it is none of them.
        UsageError: several runs share it.
    """
    try:
        return store.run(name)
    except RunNotFoundError:
        if RUN_ID.fullmatch(name):
            raise
        with show_progress(store):
            owners = store.index.named(name)
        if not owners:
            raise
        if len(owners) > 1:
            raise UsageError(f"{name} belongs to {len(owners)} runs; name one of {', '.join(owners)}") from None
        return store.run(owners[0])


def lines(run: Run) -> Iterator[str]:
    """The run for a terminal."""
    yield f"{run.id}  {run.label}"
    yield f"  {run.status}: {run.why}"
    facts = [("thread", run.thread), ("declared", f"{run.declared:%Y-%m-%d %H:%M:%S} UTC"), ("took", wall_time(run))]
    if run.hypothesis:
        facts.append(("hypothesis", run.hypothesis))
    if run.baseline:
        facts.append(("baseline", "the thread's other runs are compared with this one"))
    if isinstance(run.step, Step):
        facts += [("step", f"{run.step.address} ({run.step.fingerprint})"), ("output", run.step.output_path)]
    if isinstance(run.cached_from, str):
        facts.append(("made by", run.cached_from))
    for attempt in run.attempts:
        facts += _attempt_facts(attempt, several=len(run.attempts) > 1)
    for linked in run.wandb:
        where = linked.url if isinstance(linked.url, str) else f"{linked.path} (not yet synced)"
        facts.append(("W&B", f"{where}{'' if linked.attribution == 'step' else f' ({linked.attribution})'}"))
    yield from table([list(fact) for fact in facts if fact[1]])
    yield from _block("config", [[key, json.dumps(encode(value))] for key, value in flat_config(run).items()])
    yield from _block("metrics", [_metric_row(run, name) for name in run.metrics])
    yield from _block("gaps in this record", [[gap.what, gap.why] for gap in run.gaps])
    failed = run.attempt.end.exception if run.attempt and run.attempt.end else None
    if failed:
        yield f"\n{failed.traceback.rstrip()}"


def _attempt_facts(attempt: Attempt, *, several: bool) -> list[tuple[str, str]]:
    git = attempt.git
    commit = git.commit if isinstance(git.commit, str) else f"unknown ({git.commit.why})"
    facts = [
        ("command", attempt.command.line),
        ("in", attempt.command.cwd),
        ("commit", f"{commit}{' with uncommitted changes' if git.dirty else ''}"),
        ("devices", _devices(attempt.devices)),
        ("python", f"{attempt.python} on {attempt.platform}"),
    ]
    for host in attempt.hosts:
        size = f", {format_size(host.output.size)} of output" if isinstance(host.output, Output) else ""
        facts.append((f"host {host.index}", f"{host.name} (process {host.pid}){size}"))
    if several:
        ended = f"{attempt.end.status}: {attempt.end.why}" if attempt.end else "not ended"
        facts.insert(0, (f"attempt {attempt.number}", f"{attempt.started:%Y-%m-%d %H:%M:%S} UTC, {ended}"))
    return facts


def _devices(devices: Devices | Unknown) -> str:
    if isinstance(devices, Unknown):
        return f"unknown ({devices.why})"
    return f"{devices.count} x {devices.kind} ({devices.source})"


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

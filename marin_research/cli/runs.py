"""``marin-research runs``: which runs there are."""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.errors import UsageError
from marin_research.record import Run, Status
from marin_research.store import RecordStore, run_order
from marin_research.summary import table, wall_time
from marin_research.units import format_value

if TYPE_CHECKING:
    from collections.abc import Callable

_CONDITION = re.compile(
    r"\s*(?P<name>[^\s<>][^<>]*?)(?<![\s=!])\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<value>[^\s<>=!]+)\s*"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


@click.command(
    help="List recorded runs, by experiment ID.\n\n\b\nExamples:\n"
    "  marin-research runs --thread lr-sweep\n"
    "  marin-research runs --where 'eval/loss<2.5' --sort -eval/loss --limit 5\n"
    "  marin-research runs --status failed --json | jq '.[].id'"
)
@click.option("--thread", "topic", help="Only this thread's runs.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only runs that stand so.")
@click.option("--where", multiple=True, metavar="METRIC<VALUE", help="Only runs whose metric fits; repeatable.")
@click.option(
    "--sort", default="id", show_default=True, metavar="METRIC", help="`id`, `time` or a metric; `-` reverses."
)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@root_option
@json_option
def command(
    *, topic: str | None, status: str | None, where: tuple[str, ...], sort: str, limit: int | None,
    root: str | None, as_json: bool,
) -> None:  # fmt: skip
    store = RecordStore(root)
    conditions = [parse_condition(text) for text in where]
    found = [
        run
        for run in store.runs()
        if (topic is None or run.thread == topic)
        and (status is None or run.status == status)
        and all(holds(run) for holds in conditions)
    ]
    found = sort_runs(found, sort)[:limit]
    if as_json:
        print_json(found)
    elif not found:
        click.echo(f"no runs in {store.root} fit; experiments record them with `recorded(step, thread)`", err=True)
    else:
        click.echo("\n".join(table([_row(run, sort) for run in found])))


def parse_condition(text: str) -> Callable[[Run], bool]:
    """A test from ``loss<2.5``.

    Raises:
        UsageError: the text is not a comparison.
    """
    parts = _CONDITION.fullmatch(text)
    try:
        threshold = float(parts["value"]) if parts else None
    except ValueError:
        threshold = None
    if parts is None or threshold is None:
        raise UsageError(f"--where {text!r} is not METRIC<VALUE; for example --where 'eval/loss<2.5'")
    name, holds, limit = parts["name"], _SIGNS[parts["sign"]], threshold
    return lambda run: name in run.metrics and holds(run.metrics[name].value, limit)


def sort_runs(runs: list[Run], key: str) -> list[Run]:
    """By ID, time, or a metric with the runs that lack it (or have no number) last."""
    name, reverse = key.removeprefix("-"), key.startswith("-")
    if name == "id":
        return sorted(runs, key=lambda run: run_order(run.id), reverse=reverse)
    if name == "time":
        return sorted(runs, key=lambda run: run.declared, reverse=reverse)
    measured: list[Run] = []
    rest: list[Run] = []
    for run in runs:
        has_number = name in run.metrics and not math.isnan(run.metrics[name].value)
        (measured if has_number else rest).append(run)
    return sorted(measured, key=lambda run: run.metrics[name].value, reverse=reverse) + rest


def _row(run: Run, sort: str) -> list[str]:
    shown = run.metrics.get(sort.removeprefix("-"))
    value = format_value(shown.value, shown.unit) if shown else ""
    return [run.id, run.status, f"{run.declared:%Y-%m-%d %H:%M}", wall_time(run), run.thread, run.label, value]

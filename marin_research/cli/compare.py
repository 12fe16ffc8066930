"""``marin-research compare``: several runs side by side, the first one as the reference."""

from __future__ import annotations

import click

from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.cli.show import find_run
from marin_research.compare import Comparison, compare, made_by, tested_axis
from marin_research.store import RecordStore
from marin_research.summary import table
from marin_research.units import format_number, format_percent


@click.command(
    help="Compare runs with the first one: what they measured, and everything else that differs.\n\n"
    "\b\nExample:\n  marin-research compare LR-001 LR-003 LR-004"
)
@click.argument("baseline")
@click.argument("runs", nargs=-1, required=True)
@root_option
@json_option
def command(*, baseline: str, runs: tuple[str, ...], root: str | None, as_json: bool) -> None:
    store = RecordStore(root)
    named = [find_run(store, name) for name in (baseline, *runs)]
    reference, *others = [made_by(run, store) or run for run in named]
    axis = tested_axis([reference, *others]) if len(others) > 1 else ()
    comparisons = [compare(reference, run, axis=axis) for run in others]
    if as_json:
        print_json(comparisons)
    else:
        click.echo("\n\n".join(_text(comparison) for comparison in comparisons))


def _text(comparison: Comparison) -> str:
    lines = [f"{comparison.run} against {comparison.baseline}"]
    if comparison.axis:
        lines.append(f"  varied on purpose: {', '.join(comparison.axis)}")
    lines += table(
        [
            [
                delta.metric,
                format_number(delta.baseline),
                "->",
                format_number(delta.run),
                format_percent(delta.percent) if isinstance(delta.percent, float) else "",
            ]
            for delta in comparison.deltas
        ]
    )
    if comparison.differences:
        lines.append("  what else differs:")
        lines += table([[d.name, str(d.baseline), "->", str(d.run)] for d in comparison.differences])
    else:
        lines.append("  nothing else differs: apples to apples")
    return "\n".join(lines)

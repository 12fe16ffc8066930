"""``marin-research compare``: several runs side by side, the first one as the reference."""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.cli.show import find_run
from marin_research.compare import Comparison, compare, made_by, tested_axis
from marin_research.store import RecordStore
from marin_research.summary import table
from marin_research.units import format_number, format_percent

if TYPE_CHECKING:
    from marin_research.compare import Difference


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
        lines += table([row for difference in comparison.differences for row in _rows(difference)])
    else:
        lines.append("  nothing else differs: apples to apples")
    return "\n".join(lines)


def _rows(difference: Difference) -> list[list[str]]:
    before, after = str(difference.baseline), str(difference.run)
    flags = changed_flags(before, after) if difference.what == "command" else []
    return [[f"command {flag}", old, "->", new] for flag, old, new in flags] or [[difference.name, before, "->", after]]


def changed_flags(before: str, after: str) -> list[tuple[str, str, str]]:
    """The flags in whose values alone two command lines differ, with both values; none where anything else does too."""
    try:
        words = [shlex.split(line) for line in (before, after)]
    except ValueError:  # a quote without its other half
        return []
    pairs = list(zip(*words, strict=False))
    found = [_flag(*each) for each in itertools.pairwise([("", ""), *pairs]) if each[1][0] != each[1][1]]
    known = [each for each in found if each is not None]
    return known if len(known) == len(found) and len(words[0]) == len(words[1]) else []


def _flag(previous: tuple[str, str], words: tuple[str, str]) -> tuple[str, str, str] | None:
    """Which flag two words are values of: ``--lr=0.1``, or ``0.1`` after ``--lr``."""
    (name, equals, old), (other, _, new) = (word.partition("=") for word in words)
    if equals and name == other and name.startswith("--"):
        return name, old, new
    flag = previous[0]
    if previous[0] == previous[1] and flag.startswith("--") and len(flag) > 2 and "=" not in flag:
        return None if any(word.startswith("--") for word in words) else (flag, *words)
    return None

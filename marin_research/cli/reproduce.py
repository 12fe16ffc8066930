"""``marin-research reproduce``: run a recorded run again as it was, and compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import EXIT_REFUSED, json_option, print_json, root_option
from marin_research.cli.show import find_run
from marin_research.compare import made_by
from marin_research.store import RecordStore
from marin_research.summary import table
from marin_research.thread import find_thread
from marin_research.units import format_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.reproduction.recipe import Recipe
    from marin_research.reproduction.running import Reproduction
    from marin_research.reproduction.verdict import Agreement

EXIT_DIFFERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What ``--dry-run --json`` prints; secrets are masked as they are in the record."""

    original: str
    commit: str
    changed: bool
    """Whether recorded changes are applied."""
    folder: str
    command: str
    variables: dict[str, str]
    unset: tuple[str, ...]
    notes: tuple[str, ...]


@click.command(
    help="Run a recorded run again as it was, under an experiment ID of its own, and compare the two. Its commit is "
    "checked out into a worktree outside of this checkout, the changes it was launched with are applied, variables are "
    "set as they were, and the same command is run; of a script only the step that RUN is, with an output of its own."
    "\n\n"
    "Exits with 0 when the result is reproduced, with 3 when it differs, and with 1 when it could not be told. The "
    "worktree is removed unless the run wrote something into it, or with --keep.\n\n\b\nExamples:\n"
    "  marin-research reproduce LR-003 --dry-run\n"
    "  marin-research reproduce LR-003\n"
    "  marin-research reproduce KER-002 --tolerance 5 --json | jq .judgement.verdict"
)
@click.argument("run")
@click.option("--dry-run", is_flag=True, help="Only check that it can be done, and say how.")
@click.option("--keep", is_flag=True, help="Leave the worktree where it is.")
@click.option("--anyway", is_flag=True, help="Go on where the record lacks some of the changes, and without them.")
@click.option(
    "--tolerance", type=click.FloatRange(min=0), metavar="PERCENT",
    help="How far results may lie apart (default: what replicates may, or do).",
)  # fmt: skip
@root_option
@json_option
def command(
    *, run: str, dry_run: bool, keep: bool, anyway: bool, tolerance: float | None, root: str | None, as_json: bool
) -> int:
    from marin_research.git import WorkTree
    from marin_research.reproduction.recipe import recipe
    from marin_research.reproduction.running import reproduce
    from marin_research.reproduction.worktree import earlier

    store = RecordStore(root)
    named = find_run(store, run)
    original = made_by(named, store) or named
    thread = find_thread(original.thread, store)
    tree = WorkTree.here()
    made = recipe(original, tree, store, anyway=anyway)
    click.echo("\n".join(_told(made)), err=as_json)
    for path in earlier(original.id, tree):
        click.echo(f"there is a worktree of an earlier repetition: git worktree remove --force {path}", err=True)
    if dry_run:
        if as_json:
            print_json(_planned(made))
        return 0
    done = reproduce(made, tree, thread, store, keep=keep, tolerance=tolerance, quiet=as_json)
    if as_json:
        print_json(done)
    else:
        click.echo("\n".join(_result(done)))
    return {"reproduced": 0, "differs": EXIT_DIFFERS}.get(done.judgement.verdict, EXIT_REFUSED)


def _planned(made: Recipe) -> Planned:
    recorded = made.attempt.environment
    return Planned(
        original=made.run.id,
        commit=made.commit,
        changed=bool(made.diff.patch),
        folder=made.folder,
        command=made.attempt.command.line,
        variables={name: recorded[name] for name in made.set},
        unset=made.unset,
        notes=made.notes,
    )


def _told(made: Recipe) -> Iterator[str]:
    planned = _planned(made)
    step = f", of it only {made.run.step.address}" if made.is_step else ""  # type: ignore[union-attr]
    yield f"reproduce {planned.original}  {made.run.label}"
    rows = [
        ["commit", planned.commit + (" with its recorded changes" if planned.changed else "")],
        ["runs", planned.command + step],
        *([["in", planned.folder]] if planned.folder != "." else []),
        *(["sets", f"{name}={value}"] for name, value in planned.variables.items()),
        *([["unsets", ", ".join(planned.unset)]] if planned.unset else []),
        *(["note", note] for note in planned.notes),
    ]
    yield from table(rows)


def _result(done: Reproduction) -> Iterator[str]:
    found = done.judgement
    yield f"{found.verdict}: {found.why}"
    yield from table([_row(each) for each in found.metrics])
    if done.repeated is not None:
        others = [each for each in found.differences if each.what != "command"]
        yield "  what else differs:" if others else "  nothing else differs"
        yield from table([["  " + each.name, str(each.baseline), "->", str(each.run)] for each in others])
        yield f"recorded as {done.repeated}; see `marin-research compare {done.original} {done.repeated}`"
    if done.worktree is None:
        yield "the worktree was removed"
    else:
        tops = list(dict.fromkeys(path.partition("/")[0] for path in done.left))
        why = f"the run left {', '.join(tops[:3])} in it" if tops else "as you asked"
        yield f"the worktree is kept ({why}): git worktree remove --force {done.worktree}"


def _row(each: Agreement) -> list[str]:
    repeated = format_number(each.repeated) if each.repeated is not None else "not measured"
    spread = f"spread {each.spread_percent:.2g} %" if each.spread_percent is not None else ""
    verdict = "agrees" if each.agrees else "DIFFERS"
    allowed = f"of {each.allowed_percent:.2g} % allowed" if spread else ""
    return [each.metric, format_number(each.original), "->", repeated, verdict, f"{spread} {allowed}".strip()]

"""``marin-research show``: one run, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import json_option, print_json, root_option, say_what_waits, show_progress
from marin_research.cli.run_lines import lines
from marin_research.cli.telling import telling_lines
from marin_research.errors import RunNotFoundError, UsageError
from marin_research.store import RUN_ID, RecordStore

if TYPE_CHECKING:
    from marin_research.record import Run


@click.command(
    help="Show everything that is known of a run, given its experiment ID, the path of its output, the URL or path of "
    "one of its W&B runs, or the ID of one of its jobs. `compare` and `logs` take the same.\n\n"
    "\b\nExamples:\n"
    "  marin-research show LR-003\n"
    "  marin-research show LR-003 --json | jq .metrics\n"
    "  marin-research show $MARIN_PREFIX/lr_sweep/lr_0.003/dev\n"
    "  marin-research show https://wandb.ai/marin/lr-sweep/runs/3fa2c1\n"
    "  marin-research show /ada/lr-sweep-1a2b\n"
    "  marin-research show LR-003 --refresh"
)
@click.argument("run")
@click.option("--refresh", is_flag=True, help="First ask its clusters about jobs whose end is not known.")
@root_option
@json_option
def command(*, run: str, refresh: bool, root: str | None, as_json: bool) -> None:
    store = RecordStore(root)
    say_what_waits(store)
    found = find_run(store, run)
    if refresh:
        from marin_research.refresh import refresh as ask_again

        found = ask_again(store, found)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join([*lines(found), *telling_lines(found, store)]))


def find_run(store: RecordStore, name: str) -> Run:
    """A run by its experiment ID, by the output path it wrote last, by one of its W&B runs or of its jobs.

    Raises:
        RunNotFoundError: it is none of them.
        UsageError: several runs share it, or what lies there says that its record is in another store.
    """
    try:
        return store.run(name)
    except RunNotFoundError:
        if RUN_ID.fullmatch(name):
            raise
        with show_progress(store):
            owners = store.index.named(name) or _pointed_to(store, name)
        if not owners:
            raise
        if len(owners) > 1:
            raise UsageError(f"{name} belongs to {len(owners)} runs; name one of {', '.join(owners)}") from None
        return store.run(owners[0])


def _pointed_to(store: RecordStore, folder: str) -> list[str]:
    """The run that is named in the folder of its output, wherever that was moved."""
    from marin_research.join import pointer_in

    pointer = pointer_in(folder) if folder else None
    if pointer is None:
        return []
    if pointer.root != store.objects.url:
        raise UsageError(f"the record of {folder} is {pointer.run_id} in {pointer.root}; add --root {pointer.root}")
    return [pointer.run_id]

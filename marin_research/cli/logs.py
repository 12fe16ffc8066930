"""``marin-research logs``: what a run printed."""

from __future__ import annotations

import sys

import click

from marin_research.cli.lazy import root_option
from marin_research.cli.show import find_run
from marin_research.errors import RunNotFoundError
from marin_research.output import follow as follow_output
from marin_research.output import read_output
from marin_research.store import RecordStore


@click.command(
    help="Print what a run printed, as it was (secrets masked).\n\n\b\nExamples:\n"
    "  marin-research logs LR-003 | less -R\n"
    "  marin-research logs LR-003 --follow"
)
@click.argument("run")
@click.option("--attempt", type=click.IntRange(min=1), help="Which try (default: the last).")
@click.option("--host", type=click.IntRange(min=0), default=0, show_default=True, help="Which host's output.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@root_option
def command(*, run: str, attempt: int | None, host: int, follow: bool, root: str | None) -> None:
    store = RecordStore(root)
    found = find_run(store, run)
    tries = [a for a in found.attempts if attempt is None or a.number == attempt]
    hosts = [h for h in tries[-1].hosts if h.index == host] if tries else []
    if not hosts:
        where = f"attempt {attempt}, host {host}" if attempt else f"host {host}"
        raise RunNotFoundError(f"{found.id} ({where}; its status is {found.status}: {found.why})", store.root)
    read = follow_output if follow else read_output
    for chunk in read(store, found.id, tries[-1].number, hosts[-1].writer):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

"""``marin-research sync``: send the records that wait on this machine."""

from __future__ import annotations

import os
import sys

import click

from marin_research.cli.lazy import EXIT_REFUSED, json_option, print_json, root_option
from marin_research.objects import is_distant
from marin_research.spool.folder import SpoolFolder, all_spools
from marin_research.units import format_size


@click.command(
    help="Send the records that wait on this machine to stores that could not be reached. A launch does that, too, and "
    "goes on with it for a while after its end; this one says what came of it.\n\n"
    "\b\nExamples:\n"
    "  marin-research sync\n"
    "  marin-research sync --root s3://bucket/research --json"
)
@root_option
@json_option
def command(*, root: str | None, as_json: bool) -> int:
    spools = [SpoolFolder(root)] if root and is_distant(root) else [] if root else list(all_spools())
    said = [_sync(spool) for spool in spools]
    if as_json:
        print_json(said)
    elif not said:
        click.echo("nothing waits on this machine", err=True)
    return EXIT_REFUSED if any(each["waiting"] for each in said) else 0


def _sync(spool: SpoolFolder) -> dict[str, object]:
    from marin_research.spool.upload import Sender

    def on_progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{spool.url}: {done:,} of {total:,} objects", nl=False, err=True)

    lock = spool.lock()  # another process may send at the same time, but none is to be started for it
    try:
        sent = Sender(spool).send(on_progress)
    finally:
        if lock is not None:
            os.close(lock)
    if sys.stderr.isatty() and sent.objects:
        click.echo("\r\033[K", nl=False, err=True)
    left = f"; {sent.left:,} wait: {' '.join(sent.problem.split())}" if sent.left else ""
    click.echo(f"{spool.url}: sent {sent.objects:,} objects ({format_size(sent.size)}){left}", err=True)
    refused = spool.refused()
    if refused:
        click.echo(f"{spool.url} has something else in the place of {len(refused):,}; see {refused[0]}", err=True)
    return {
        "store": spool.url, "sent": sent.objects, "size": sent.size, "waiting": sent.left, "why": sent.problem,
        "refused": len(refused),
    }  # fmt: skip

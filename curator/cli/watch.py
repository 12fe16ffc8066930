"""``curator watch``: write up what ends, and say when an update is due."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from curator.drafting import DRAFTERS
from curator.watching import ThreadWatcher, Watcher
from marin_research.cli.lazy import root_option
from marin_research.store import RecordStore


@click.command(
    help="Watch a store: draft the write-up of launches that ended, and say when the experiment issue is due an update "
    "(at a milestone, or after six hours while something runs). Publishes nothing; ends with Ctrl-C.\n\n"
    "\b\nExamples:\n"
    "  curator watch\n"
    "  curator watch lr-sweep --every 300\n"
    "  curator watch --once"
)
@click.argument("threads", nargs=-1)
@click.option("--every", type=click.FloatRange(min=1), default=60, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Look once and end, as for a scheduler.")
@click.option("--drafter", type=click.Choice(DRAFTERS), default="template", show_default=True, help="What writes.")
@root_option
def command(*, threads: tuple[str, ...], every: float, once: bool, drafter: str, root: str | None) -> None:
    watchers: list[Watcher] = [ThreadWatcher(RecordStore(root), threads, drafter)]
    while True:
        for watcher in watchers:
            for line in watcher.look(datetime.now(UTC)):
                click.echo(line)
        if once:
            return
        time.sleep(every)

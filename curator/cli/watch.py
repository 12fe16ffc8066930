"""``curator watch``: write up what ends, and say when an update is due."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import click

from curator.drafting import DRAFTERS
from curator.skillevolve.heartbeat import HeartbeatWatcher
from curator.watching import ThreadWatcher, Watcher
from marin_research.cli.lazy import root_option
from marin_research.store import RecordStore


@click.command(
    help="Watch a store: draft the write-up of launches that ended, and say when the experiment issue is due an update "
    "(at a milestone, or after six hours while something runs). With a key for SkillEvolve, its heartbeat too. "
    "Publishes nothing; ends with Ctrl-C.\n\n"
    "\b\nExamples:\n"
    "  curator watch\n"
    "  curator watch lr-sweep --every 300\n"
    "  curator watch --once"
)
@click.argument("threads", nargs=-1)
@click.option("--every", type=click.FloatRange(min=1), default=60, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Look once and end, as for a scheduler.")
@click.option("--drafter", type=click.Choice(DRAFTERS), default="template", show_default=True, help="What writes.")
@click.option(
    "--heartbeat",
    type=click.IntRange(30, 60),
    default=45,
    show_default=True,
    help="Minutes between two heartbeats of SkillEvolve.",
)
@root_option
def command(
    *, threads: tuple[str, ...], every: float, once: bool, drafter: str, heartbeat: int, root: str | None
) -> None:
    watchers: list[Watcher] = [
        ThreadWatcher(RecordStore(root), threads, drafter),
        HeartbeatWatcher(timedelta(minutes=heartbeat)),
    ]
    if not once:
        click.echo(f"watching {', '.join(threads) or 'all threads'}; Ctrl-C ends it", err=True)
    while True:
        for watcher in watchers:
            for line in watcher.look(datetime.now(UTC)):
                click.echo(line)
        if once:
            return
        time.sleep(every)

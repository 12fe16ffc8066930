"""``marin-research runs``: which runs there are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import json_option, print_json, root_option, say_what_waits, show_progress
from marin_research.errors import StoreError, UsageError
from marin_research.index.listing import declared_metrics, listing
from marin_research.index.query import Query, parse_conditions
from marin_research.record import Status
from marin_research.store import RecordStore
from marin_research.thread import known_topics, unknown_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_MOST_NAMES = 20
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@click.command(
    help="List recorded runs, by experiment ID.\n\n"
    "A condition compares a metric, a key of the config, or one of id, thread, status, label, launch, commit, device, "
    "devices, attempts, wall_s. A name that is both a metric and a key is the metric; `config.NAME` is the key.\n\n"
    "\b\nExamples:\n"
    "  marin-research runs --thread lr-sweep\n"
    "  marin-research runs --where 'eval/loss<2.5 and optimizer.name=adam' --sort eval/loss --limit 5\n"
    "  marin-research runs --since 2d --where 'devices>=8' --sort -time\n"
    "  marin-research runs --status failed --json | jq '.[].id'"
)
@click.option("--thread", "topic", help="Only this thread's runs.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only runs that stand so.")
@click.option("--where", multiple=True, metavar="CONDITIONS", help="Only runs that fit; several with `and`.")
@click.option("--since", metavar="AGE|DATE", help="Only runs declared since: 12h, 7d, 2026-11-22, 2026-11-22T08:00.")
@click.option(
    "--sort",
    default="id",
    show_default=True,
    metavar="NAME",
    help="`id`, `time`, or as in --where; `-` reverses.",
)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@root_option
@json_option
def command(
    *, topic: str | None, status: str | None, where: tuple[str, ...], since: str | None, sort: str, limit: int | None,
    root: str | None, as_json: bool,
) -> None:  # fmt: skip
    wanted = Query(
        topic=topic,
        status=Status(status) if status else None,
        since=parse_since(since) if since else None,
        conditions=[condition for text in where for condition in parse_conditions(text)],
        sort=sort,
        limit=limit,
    )
    store = RecordStore(root)
    say_what_waits(store)
    with show_progress(store):
        found = store.index.find(wanted)
    if topic is not None and not found:
        _refuse_unknown_thread(store, topic)
    if unknown := store.index.unknown_names(wanted):
        _refuse_unknown_names(store, unknown)
    if as_json:
        print_json([store.run(run.id) for run in found])
    elif not found:
        click.echo(f"no runs in {store.root} fit; experiments record them with `recorded(step, thread)`", err=True)
    else:
        click.echo("\n".join(listing(store, found, wanted)))


def _refuse_unknown_thread(store: RecordStore, topic: str) -> None:
    """Raises ``ThreadError`` where neither a run nor a thread has the topic."""
    if topic not in (known := known_topics(store)) and not store.index.find(Query(topic=topic, limit=1)):
        raise unknown_thread(topic, known)


def _refuse_unknown_names(store: RecordStore, asked: Sequence[str]) -> None:
    """Raises ``StoreError`` unless threads declare all the names, which no run has, as metrics to come."""
    declared = set(declared_metrics(store, store.topics()))
    unknown = next((name for name in asked if name not in declared), None)
    if unknown is not None:
        import difflib

        names = store.index.names()
        near = difflib.get_close_matches(unknown, names, n=3)
        shown = [*near, *(name for name in names if name not in near)]
        more = f" and {len(shown) - _MOST_NAMES} more" if len(shown) > _MOST_NAMES else ""
        raise StoreError(f"no run in {store.root} has {unknown!r}; name one of {', '.join(shown[:_MOST_NAMES])}{more}")


def parse_since(text: str, *, now: datetime | None = None) -> datetime:
    """A time from an age (``90m``, ``12h``, ``7d``) or from an ISO date or time, which is local unless it says a zone.

    Raises:
        UsageError: it is neither.
    """
    try:
        if age := _AGE.fullmatch(text):
            return (now or datetime.now(UTC)) - timedelta(seconds=float(age[1]) * _SECONDS[age[2]])
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"--since {text!r} is neither an age nor a time; for example 12h, 7d or 2026-11-22") from None

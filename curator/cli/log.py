"""``curator log``: every decision, and whether the chain of them is whole."""

from __future__ import annotations

import click

from curator.cli.queue import open_queue
from curator.errors import DraftFormatError
from curator.plain import counted, decision_line
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.summary import table


@click.command(
    help="Show every decision and publication, oldest first, and check that none was changed, removed or slipped in. "
    "Exits with 1 if one was.\n\n\b\nExamples:\n"
    "  curator log\n"
    "  curator log --json | jq '.entries[] | select(.draft == \"LR-D004\")'"
)
@root_option
@json_option
def command(*, root: str | None, as_json: bool) -> int:
    log = open_queue(root).log
    problems = log.problems()
    try:
        entries = log.entries()
    except DraftFormatError:  # among the problems
        entries = []
    if as_json:
        print_json({"ok": not problems, "problems": problems, "entries": entries})
        return 1 if problems else 0
    rows = [[f"{entry.time:%Y-%m-%d %H:%M:%S} UTC", entry.draft, decision_line(entry)] for entry in entries]
    click.echo(
        "\n".join([*table(rows), f"{counted(len(rows), 'decision')}; {'BROKEN' if problems else 'the chain is whole'}"])
    )
    for problem in problems:
        click.echo(f"curator: {problem}", err=True)
    return 1 if problems else 0

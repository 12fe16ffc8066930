"""``curator show``: one draft, whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from curator.check import check
from curator.cli.queue import open_queue
from curator.suspicion import suspicious
from curator.verify import to_json
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.codec import encode

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.log import LogEntry
from curator.verify import Report


@click.command(
    help="Show a draft as it will appear, where it goes, the evidence behind it, findings and history.\n\n"
    "\b\nExamples:\n"
    "  curator show LR-D004\n"
    "  curator show LR-D004 --text > entry.md\n"
    "  curator show LR-D004 --json | jq .facts > facts.json"
)
@click.argument("draft")
@click.option("--text", "only_text", is_flag=True, help="Print the text alone, byte for byte.")
@root_option
@json_option
def command(*, draft: str, only_text: bool, root: str | None, as_json: bool) -> None:
    queue = open_queue(root)
    found = queue.get(draft)
    if only_text:
        sys.stdout.buffer.write(found.text.encode("utf-8", "surrogateescape"))
        return
    report = check(found, queue.store)
    entries = [entry for entry in queue.log.entries() if entry.draft == found.id]
    if as_json:
        print_json(document(found, report, entries))
    else:
        _print(found, report, entries)


def document(draft: Draft, report: Report, history: list[LogEntry]) -> dict[str, Any]:
    """What ``--json`` prints: the draft's fields, its hash, what the verification says, and what was decided."""
    return {
        **encode(draft),
        "sha256": draft.sha256,
        **to_json(report),
        "evidence": encode(report.evidence),
        "history": encode(history),
        "warnings": list(suspicious(draft.facts)),
    }


def _print(draft: Draft, report: Report, entries: list[LogEntry]) -> None:
    from rich.console import Console

    from curator.page import history, page, page_width

    console = Console(highlight=False, markup=False, emoji=False)
    for line in (*page(draft, report, console, full=True), *history(entries, width=page_width(console))):
        console.print(line)

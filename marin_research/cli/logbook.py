"""``marin-research logbook``: lists and appends the entries of a logbook file. Knows neither threads nor runs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from marin_research.cli.lazy import json_option, print_json
from marin_research.errors import LogbookError, UsageError

if TYPE_CHECKING:
    from marin_research.logbook import Entry, NewEntry

_FILE = click.Path(path_type=Path)
_APPENDED = ("line", "start", "end", "written", "note")


@click.group(
    name="logbook",
    help="Read and append research logbooks, in the file's own style.\n\n\b\nExamples:\n"
    "  marin-research logbook list .agents/logbooks/lr-sweep.md\n"
    '  marin-research logbook append .agents/logbooks/lr-sweep.md --id LR-003 --label "warm-up" < entry.md',
)
def command() -> None:
    pass


@command.command(
    "list",
    help="List the entries of FILE in their order there.\n\n\b\nExample:\n"
    "  marin-research logbook list .agents/logbooks/lr-sweep.md --json",
)
@click.argument("file", type=_FILE)
@json_option
def list_entries(*, file: Path, as_json: bool) -> None:
    from marin_research.logbook import parse

    logbook = parse(_read(file))
    starts = [0, *(entry.start for entry in logbook.entries)]
    lines = accumulate((logbook.data.count(b"\n", *between) for between in pairwise(starts)), initial=1)
    listed = [_listed(entry, line) for entry, line in zip(logbook.entries, islice(lines, 1, None), strict=True)]
    if as_json:
        print_json(listed)
    elif listed:
        rows = [[f"{file}:{one['line']}", one["time"] or "", ", ".join(one["ids"]), one["label"]] for one in listed]
        click.echo("\n".join("  ".join(filter(None, row)) for row in rows))
    else:
        click.echo(f"{file} has no entries", err=True)


def _listed(entry: Entry, line: int) -> dict[str, Any]:
    """What ``--json`` says of an entry; offsets are in bytes, the heading's line is counted from 1."""
    return {
        "id": entry.ids[0] if entry.ids else None,
        "ids": entry.ids,
        "label": entry.label,
        "time": entry.time,
        "level": entry.level,
        "start": entry.start,
        "end": entry.end,
        "line": line,
    }


@command.command(
    "append",
    help="Append the Markdown on standard input to FILE as an entry, and print FILE:LINE of its heading.\n\n"
    "The same IDs, label and text are appended once, however often this is run.\n\n\b\nExamples:\n"
    '  marin-research logbook append lr-sweep.md --id LR-003 --label "warm-up" < entry.md\n'
    '  marin-research logbook append lr-sweep.md --id LR-003 --label "warm-up" --dry-run < entry.md',
)
@click.argument("file", type=_FILE)
@click.option("--id", "ids", multiple=True, required=True, help="Experiment ID, such as LR-003; repeatable.")
@click.option("--label", required=True, help="What the entry is about, on one line.")
@click.option("--time", metavar="ISO", help="When it was; UTC unless it names a zone (default: now).")
@click.option("--dry-run", is_flag=True, help="Show the change as a unified diff and write nothing.")
@json_option
def append_entry(
    *, file: Path, ids: tuple[str, ...], label: str, time: str | None, dry_run: bool, as_json: bool
) -> None:
    from marin_research.logbook import NewEntry, append, content_marker

    entry = NewEntry(ids=ids, label=label, time=_time(time), body=_body())
    marker = content_marker(entry)
    if dry_run:
        _show_plan(file, entry, marker, as_json=as_json)
        return
    appended = append(file, entry, marker=marker)
    if appended.note:
        click.echo(appended.note, err=True)
    if as_json:
        print_json({"file": str(file), **{name: getattr(appended, name) for name in _APPENDED}})
    else:
        click.echo(f"{file}:{appended.line}")


def _show_plan(file: Path, entry: NewEntry, marker: str, *, as_json: bool) -> None:
    from difflib import unified_diff

    from marin_research.logbook import has_marker, plan_append

    data = _read(file)
    plan = None if has_marker(data, marker) else plan_append(data, entry, marker=marker)
    old, new = (
        text.decode("utf-8", "replace").splitlines(keepends=True) for text in (data, plan.data if plan else data)
    )
    diff = "".join(unified_diff(old, new, str(file), str(file)))
    note = plan.note if plan else "the entry is there already"
    if note:
        click.echo(note, err=True)
    if as_json:
        print_json(
            {"file": str(file), "line": plan.line if plan else None, "written": False, "note": note, "diff": diff}
        )
    else:
        click.echo(diff, nl=False)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise LogbookError(f"{file}: {error.strerror}; make it a readable file and try again") from error


def _body() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise LogbookError(f"standard input is not UTF-8 (byte {error.start}); convert it and try again") from error


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--time {text!r} is no ISO 8601 time; write it like 2026-07-02T09:08Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)

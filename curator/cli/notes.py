"""``curator notes``: what was noted, and what the records suggest to note."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from curator.cli.note import note_json
from curator.plain import counted, one_line, when
from curator.skillevolve.memory import TYPES, read_memory
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.codec import encode
from marin_research.errors import UsageError
from marin_research.summary import table

if TYPE_CHECKING:
    from curator.skillevolve.memory import Memory, Note


@click.command(
    help="List the notes of this project's work memory and of the one below your home folder, oldest first. Lines that "
    "cannot be read are named and left alone.\n\n\b\nExamples:\n"
    "  curator notes --type gotcha --skill vllm\n"
    "  curator notes --json | jq -r '.notes[].text'\n"
    "  curator notes --propose lr-sweep\n"
    "  curator notes --propose lr-sweep --keep"
)
@click.option("--type", "kind", type=click.Choice([*TYPES, "note"]), help="Only this type; note for any other.")
@click.option("--skill", help="Only those about this skill.")
@click.option("--propose", metavar="THREAD", help="Instead, what the records of its runs suggest to note.")
@click.option("--keep", is_flag=True, help="Write the proposed notes down.")
@root_option
@json_option
def command(
    *, kind: str | None, skill: str | None, propose: str | None, keep: bool, root: str | None, as_json: bool
) -> None:
    if keep and propose is None:
        raise UsageError("--keep writes down what is proposed; say --propose THREAD")
    memory = read_memory()
    notes = memory.notes if propose is None else _proposed(propose, memory, root, keep=keep)
    chosen = [note for note in notes if kind in (None, note.type) and skill in (None, note.skill)]
    if as_json:
        print_json({"notes": [note_json(note) for note in chosen], "damaged": encode(_damaged(memory))})
        return
    click.echo("\n".join(table([_row(note) for note in chosen])) or "no notes", err=not chosen)
    for line in _damaged(memory):
        click.echo(f"curator: {line['file']}, line {line['line']}: {line['why']}; it was left as it is", err=True)
    if propose is not None and chosen and not keep:
        click.echo(f"{counted(len(chosen), 'note')} proposed; write them down with --keep", err=True)


def _proposed(topic: str, memory: Memory, root: str | None, *, keep: bool) -> list[Note]:
    from curator.drafters.proposals import proposals
    from curator.evidence import gather, groups
    from curator.skillevolve.notebook import current_file, write_note
    from marin_research.redact import Redactor
    from marin_research.store import RecordStore
    from marin_research.thread import find_thread

    store = RecordStore(root)
    thread = find_thread(topic, store)
    ids = [run.id for run in store.runs(thread.prefix) if run.thread == thread.topic]
    found = [note for group in groups(ids, store) for note in proposals(gather(group, thread, store), memory.notes)]
    if not keep:
        return found
    file = current_file(datetime.now(UTC))
    redactor = Redactor.from_environment()
    from dataclasses import replace

    return [write_note(replace(note, text=redactor.text(note.text).text), file, task=thread.goal) for note in found]


def _damaged(memory: Memory) -> list[dict[str, object]]:
    return [{"file": str(damaged.file), "line": damaged.line, "why": damaged.why} for damaged in memory.damaged]


def _row(note: Note) -> list[str]:
    time = when(note.time) if isinstance(note.time, datetime) else "-"
    return [note.id, time, note.type, note.skill or "-", one_line(note.text)]

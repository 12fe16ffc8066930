"""``curator note``: remember what was just learned."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from curator.skillevolve.memory import TYPES, Note
from curator.skillevolve.notebook import current_file, write_note
from marin_research.cli.lazy import json_option, print_json
from marin_research.codec import encode
from marin_research.errors import UsageError
from marin_research.redact import Redactor

ISSUES = ("error", "warning", "confusion", "performance")


@click.command(
    help="Write a line into the work memory of this project (.skillevolve/memory), while it is fresh. It stays on this "
    "machine; posts and session reports are drafted from it.\n\n\b\nExamples:\n"
    "  curator note --type gotcha --skill vllm 'CUDA_VISIBLE_DEVICES has to be set before torch is imported'\n"
    "  curator note --type fix --issue performance --problem 'training is slow without vLLM' 'set use_vllm=True'\n"
    "  curator note --type struggle --run LR-004 'the loss diverges and nothing in the log says why'\n"
    "  curator note --type reflection < thoughts.txt"
)
@click.argument("text", nargs=-1)
@click.option("--type", "kind", required=True, type=click.Choice(TYPES), help="What kind of thing was learned.")
@click.option("--skill", default="", help="The skill it is about; by default the session's.")
@click.option("--run", metavar="ID", help="The run that showed it.")
@click.option("--issue", type=click.Choice(ISSUES), help="For a fix or a struggle: what kind of problem it was.")
@click.option("--problem", metavar="TEXT", help="For a fix: what was wrong; the note says what helped.")
@click.option("--task", default="", metavar="TEXT", help="What this session is about; kept when the note begins one.")
@click.option("--file", type=click.Path(path_type=Path), help="Another file; <date>-session.jsonl has lines only.")
@json_option
def command(
    *, text: tuple[str, ...], kind: str, skill: str, run: str | None, issue: str | None, problem: str | None, task: str,
    file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    if problem is not None and kind != "fix":
        raise UsageError("--problem is what a fix has helped against; say --type fix")
    if issue is not None and kind not in ("fix", "struggle"):
        raise UsageError("--issue says what kind of problem a fix or a struggle was; say --type fix or struggle")
    said = " ".join(text) if text else sys.stdin.buffer.read().decode("utf-8", "replace")
    if not said.strip():
        raise UsageError("the note is empty; say what was learned")
    redactor, now = Redactor.from_environment(), datetime.now(UTC)
    more = {"run": run, "issue": issue, "problem": redactor.text(problem).text if problem else None}
    note = Note(
        type=kind,
        text=redactor.text(said.strip()).text,
        time=now,
        skill=skill,
        more={key: value for key, value in more.items() if value is not None},
    )
    kept = write_note(note, file or current_file(now), task=redactor.text(task).text)
    if as_json:
        print_json(note_json(kept))
    else:
        click.echo(f"noted {kept.id} in {kept.source}")


def note_json(note: Note) -> dict[str, Any]:
    """A note as ``--json`` prints it."""
    return {"id": note.id, **encode(note)}

"""``curator verify``: whether a text says what the record says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curator.check import check
from curator.cli.queue import open_queue
from curator.errors import CuratorError
from curator.facts import from_json
from curator.plain import counted, line_of, one_line
from curator.verify import to_json, verify
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from curator.facts import Fact
    from curator.verify import Report


def text_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Which text is checked: a draft's, or that of a file beside its facts."""
    text = click.option(
        "--file", "text_file", type=click.Path(), metavar="TEXT.md", help="The text; - reads it from stdin."
    )
    facts = click.option(
        "--facts", type=click.Path(), metavar="FACTS.json", help="What `curator show --json` gives, or its facts."
    )
    return click.argument("draft", required=False)(facts(text(function)))


@click.command(
    help="Check every number, link, commit, run ID and command of a text against the facts. Exits with 1 if something "
    "does not match.\n\n\b\nExamples:\n"
    "  curator verify LR-D004\n"
    "  curator show LR-D004 --json > draft.json\n"
    "  curator verify --facts draft.json --file entry.md --json"
)
@text_options
@root_option
@json_option
def command(*, draft: str | None, facts: str | None, text_file: str | None, root: str | None, as_json: bool) -> int:
    if draft is not None and facts is None and text_file is None:
        queue = open_queue(root)
        found = queue.get(draft)
        name, text, report = found.id, found.text, check(found, queue.store)
    elif draft is None and facts is not None and text_file is not None:
        name, text = text_file, read_text(text_file)
        report = verify(text, read_facts(facts))
    else:
        raise UsageError("name a draft, or both --facts FACTS.json and --file TEXT.md")
    if as_json:
        print_json(to_json(report))
    else:
        click.echo("\n".join(lines(name, text, report)))
    return 0 if report.ok else 1


def lines(name: str, text: str, report: Report) -> list[str]:
    """The findings of a text for a terminal."""
    head = f"{counted(len(report.findings), 'finding')}, {counted(len(report.evidence), 'place')} backed by the record"
    said = [f"{name}: {head}"]
    for finding in report.findings:
        column = finding.start - text.rfind("\n", 0, finding.start)
        said.append(f"  {finding.id}  line {line_of(text, finding.start)}, column {column}: {one_line(finding.text)}")
        said.append(f"              {one_line(finding.why)}")
    return said


def read_facts(path: str) -> tuple[Fact, ...]:
    """Facts from a file that holds a list of them or a whole shown draft.

    Raises:
        CuratorError: the file cannot be read or holds neither.
    """
    try:
        raw: Any = json.loads(Path(path).read_bytes())
        return from_json(raw["facts"] if isinstance(raw, dict) else raw)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CuratorError(
            f"{path} holds no facts ({error}); make it with `curator show DRAFT --json > {path}`"
        ) from error


def read_text(path: str) -> str:
    """A text from a file, or from stdin for ``-``.

    Raises:
        CuratorError: it cannot be read.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CuratorError(f"cannot read {path} ({error}); give a file of UTF-8 text") from error

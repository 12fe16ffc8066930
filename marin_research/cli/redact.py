"""``marin-research redact``: take the secrets out of a text, as recording, models and publishing do."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from marin_research.redact import Redactor


@click.command(
    help="Remove secrets from the text on standard input.\n\n"
    "With --public, also e-mail addresses, user names, private hosts and addresses, and the names given.\n\n"
    "\b\nExamples:\n"
    "  marin-research redact < train.log > train.clean.log\n"
    "  marin-research redact --public --name 'Project Heron' --json < draft.md"
)
@click.option("--public", is_flag=True, help="For everyone to read: remove what identifies people and machines too.")
@click.option(
    "--name", "names", multiple=True, metavar="NAME", help="A private name to remove with --public; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: the text and what was removed from it.")
def command(*, public: bool, names: tuple[str, ...], as_json: bool) -> None:
    if names and not public:
        raise click.UsageError("--name removes a name from public text only; add --public")
    redactor = Redactor.from_environment(public=public, names=names)
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    redaction = redactor.text(text)
    if as_json:
        removed = [asdict(each) for each in redaction.removed]
        click.echo(json.dumps({"text": redaction.text, "removed": removed}))
    else:
        sys.stdout.buffer.write(redaction.text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()

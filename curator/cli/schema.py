"""``curator schema``: the shape of what ``--json`` prints."""

from __future__ import annotations

import json

import click

from curator.schema import schemas


@click.command(
    help="Print the JSON Schemas of what --json prints, by command.\n\n\b\nExample:\n  curator schema | jq .schemas"
)
def command() -> None:
    click.echo(json.dumps(schemas(), indent=2))

"""``marin-research schema``: the shape of what ``--json`` prints."""

from __future__ import annotations

import json
from typing import Any

import click

from marin_research.compare import Comparison
from marin_research.record import SCHEMA_VERSION, Run


@click.command(help="Print the JSON Schemas of `show --json` (Run) and `compare --json` (Comparison).")
def command() -> None:
    click.echo(json.dumps(schemas(), indent=2))


def schemas() -> dict[str, Any]:
    """JSON Schemas by name. Numbers that JSON cannot hold are written as the strings NaN, Infinity and -Infinity."""
    from pydantic import TypeAdapter  # pydantic knows dataclasses and JSON Schema; nothing else here needs it

    kinds: dict[str, Any] = {"Run": Run, "Comparison": Comparison}
    found = {name: TypeAdapter(kind).json_schema(mode="serialization") for name, kind in kinds.items()}
    return {"version": SCHEMA_VERSION, "schemas": found}

"""``marin-research schema``: the shape of what ``--json`` prints."""

from __future__ import annotations

import json
from typing import Any

import click

from marin_research.check import Checklist
from marin_research.cli.snapshot import Sealed
from marin_research.compare import Comparison
from marin_research.digest.index import Index
from marin_research.record import SCHEMA_VERSION, Run
from marin_research.reproduction.running import Reproduction

_UNKNOWN = {
    "description": "A fact that was looked for and not found, with the reason.",
    "type": "object",
    "properties": {"unknown": {"type": "string"}},
    "required": ["unknown"],
    "additionalProperties": False,
}
_NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}


@click.command(
    help="Print the JSON Schemas of what --json prints: Run (show; runs prints a list of them), Comparison (compare, a "
    "list), Checklist (check, a list), Digest (digest) Sealed (snapshot) and Reproduction (reproduce).\n\n"
    "\b\nExample:\n  marin-research schema | jq .schemas.Run"
)
def command() -> None:
    click.echo(json.dumps(schemas(), indent=2))


def schemas() -> dict[str, Any]:
    """JSON Schemas by name. Numbers that JSON cannot hold are written as the strings NaN, Infinity and -Infinity."""
    from pydantic import TypeAdapter  # pydantic knows dataclasses and JSON Schema; nothing else here needs it

    kinds: dict[str, Any] = {
        "Run": Run,
        "Comparison": Comparison,
        "Checklist": Checklist,
        "Digest": Index,
        "Sealed": Sealed,
        "Reproduction": Reproduction,
    }
    found = {name: as_written(TypeAdapter(kind).json_schema()) for name, kind in kinds.items()}
    return {"version": SCHEMA_VERSION, "schemas": found}


def as_written(schema: Any) -> Any:
    """A schema of record types as the codec writes them."""
    if isinstance(schema, list):
        return [as_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "number":
        return {**{key: value for key, value in schema.items() if key != "type"}, **_NUMBER}
    return {key: _UNKNOWN if key == "Unknown" else as_written(value) for key, value in schema.items()}

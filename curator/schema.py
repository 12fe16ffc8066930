"""The JSON Schemas of what ``curator ... --json`` prints. Knows no command."""

from __future__ import annotations

from typing import Any, TypedDict

from curator.draft import SCHEMA_VERSION, Draft
from curator.log import LogEntry  # noqa: TC001 - pydantic reads the annotations at run time
from curator.proof import Proof  # noqa: TC001
from curator.publish import Publication
from curator.verify import Evidence, Finding  # noqa: TC001


class Verification(TypedDict):
    """What ``curator verify --json`` prints."""

    ok: bool
    findings: list[Finding]


class Checked(Verification):
    """What ``curator show --json`` prints beside the draft's own fields."""

    sha256: str
    evidence: list[Evidence]
    history: list[LogEntry]
    warnings: list[str]
    """Recorded text that reads like an instruction: the fact it stands in, and how it begins."""


class Proofread(Verification):
    """What ``curator proofread --json`` prints."""

    proof: Proof


class CheckedLog(TypedDict):
    """What ``curator log --json`` prints."""

    ok: bool
    problems: list[str]
    entries: list[LogEntry]


def schemas() -> dict[str, Any]:
    """JSON Schemas by command. Numbers that JSON cannot hold are written as the strings NaN, Infinity and -Infinity."""
    from pydantic import TypeAdapter  # pydantic knows dataclasses and JSON Schema; nothing else here needs it

    kinds: dict[str, Any] = {
        "drafts": list[Draft],
        "verify": Verification,
        "proofread": Proofread,
        "publish": list[Publication],
        "log": CheckedLog,
    }
    found = {name: TypeAdapter(kind).json_schema(mode="serialization") for name, kind in kinds.items()}
    draft, more = (TypeAdapter(kind).json_schema(mode="serialization") for kind in (Draft, Checked))
    found["show"] = draft | {
        "$defs": draft["$defs"] | more["$defs"],
        "properties": draft["properties"] | more["properties"],
        "required": draft["required"] + more["required"],
    }
    return {"version": SCHEMA_VERSION, "schemas": found}

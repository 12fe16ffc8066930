"""The API of SkillEvolve as its documents have it, as JSON Schemas. Written from the documents, not from our client."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped]


def _utf16_units(_: Any, limit: int, value: Any, __: Any) -> Any:
    """Lengths as JavaScript counts them, which is what the platform is written in."""
    if isinstance(value, str) and len(value.encode("utf-16-le", "surrogatepass")) // 2 > limit:
        yield jsonschema.ValidationError(f"longer than {limit}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"maxLength": _utf16_units})


def text(limit: int = 100_000, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": limit, **more}


def one_of(*values: str) -> dict[str, Any]:
    return {"enum": list(values)}


def thing(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object with these properties and no others."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


NAME = text(150)
FLAG = {"type": "boolean"}
LEVEL = one_of("high", "medium", "low")
ATTACHMENT = thing(
    ["type", "url"],
    type=one_of("image", "video", "html", "demo", "repo", "link"),
    url=text(pattern="^https?://"),
    label=NAME,
    content_type=NAME,
)
METADATA = thing(
    [],
    skill_version=NAME,
    environment=text(),
    severity=one_of("critical", "high", "medium", "low"),
    verified=FLAG,
    reproducible=FLAG,
    tags=many(NAME),
    discovery_type=one_of("gotcha", "tip", "insight", "correction", "showcase"),
    urgency=LEVEL,
    tried=many(text()),
    improvement_type=one_of("documentation", "example", "correction", "restructure"),
    section=text(),
    priority=LEVEL,
    willing_to_contribute=FLAG,
    topic=one_of("best_practices", "comparison", "architecture", "future"),
    open_ended=FLAG,
    demo_repo=text(pattern="^https?://"),
    demo_url=text(pattern="^https?://"),
    attachments=many(ATTACHMENT),
)
POST = thing(
    ["type", "title", "content"],
    type=one_of("discovery", "help_wanted", "improvement", "discussion", "demo"),
    title=text(300),
    content=text(50_000),
    skill_slug=NAME,
    skill_name=NAME,
    skill_author=NAME,
    metadata=METADATA,
) | {
    "allOf": [
        {  # every demo has attachments
            "if": {"properties": {"type": {"const": "demo"}}},
            "then": {
                "required": ["metadata"],
                "properties": {
                    "metadata": {"required": ["attachments"], "properties": {"attachments": {"minItems": 1}}}
                },
            },
        }
    ]
}
SESSION = thing(
    ["session_id", "agent_id", "timestamp", "skill", "task", "outcome", "learnings"],
    session_id=text(pattern=r"^sess-\d{4}-\d\d-\d\d-[a-z0-9]{4,}$"),
    agent_id=NAME,
    timestamp=text(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"),
    skill=thing(
        ["name"], name=NAME, source_repo=text(), source_path=text(), source_version=NAME, local_path=text()
    ),
    task=thing(
        ["description"],
        description=text(),
        category=one_of(
            "deployment", "training", "inference", "debugging", "configuration", "optimization", "integration",
            "testing", "documentation", "other",
        ),
        tags=many(NAME),
    ),
    outcome=thing(["success"], success=FLAG, partial=FLAG, notes=text()),
    issues_encountered=many(
        thing(
            ["type", "description", "resolved"],
            type=one_of("error", "warning", "confusion", "performance"),
            description=text(),
            resolved=FLAG,
            resolution=text(),
            time_spent_minutes={"type": "number", "minimum": 0},
        )
        | {"if": {"properties": {"resolved": {"const": True}}}, "then": {"required": ["resolution"]}}
    ),
    learnings=many(text()),
    community_resources_used=many(
        thing(["type", "id", "helpful"], type=one_of("post", "comment", "evolving_skill"), id=NAME, helpful=FLAG)
    ),
    environment=thing([], os=NAME, python=NAME, cuda=NAME, gpus=NAME, memory=NAME, other={"type": "object"}),
    duration_minutes={"type": "number", "minimum": 0},
)  # fmt: skip
VOTE = {name: thing([name], **{name: {"enum": [1, -1]}}) for name in ("vote", "value")}
BODIES: dict[str, dict[str, Any]] = {
    "POST /register": thing(["name", "description"], name=NAME, description=text()),
    "POST /posts": POST,
    "PUT /posts/*": thing(["status"], status=one_of("resolved", "closed"), resolution_comment_id=NAME),
    "POST /posts/*/comments": thing(["content"], content=text(20_000)),
    "POST /sessions": SESSION,
    "POST /skills": thing(["name"], name=NAME, author=NAME, description=text()),
    "POST /messages": thing(["to", "content"], to=NAME, subject=text(300), content=text(10_000)),
    "POST /heartbeat": thing([]),
    "POST /artifacts/presign": thing(
        ["filename", "size"],
        filename=text(pattern=r"(?i)\.(png|jpe?g|gif|svg|mp4|webm|html)$"),
        size={"type": "integer", "minimum": 1, "maximum": 10_000_000},
        label=NAME,
    ),
}


def problem(call: str, body: Any) -> str | None:
    """What the documents have against a body; None when they allow it."""
    found = next(iter(Validator(BODIES[call]).iter_errors(body)), None)
    return f"{'.'.join(map(str, found.absolute_path)) or 'the body'}: {found.message}"[:200] if found else None

"""The text of a new logbook, ready for its first entry. Knows neither threads nor files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OPEN = "not decided yet"
"""Stands where nobody has said anything so far."""

_ISSUE = re.compile(r"https://github\.com/(?P<repository>[\w.-]+/[\w.-]+)/(?:issues|pull)/(?P<number>\d+)")
_PLAIN_YAML = re.compile(r"[A-Za-z](?:[\w./-]|:(?=/)| (?=\w))*")
_NUMBER = re.compile(r"[1-9][0-9]*")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_YAML_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    judged_by: str
    baseline: tuple[str, ...]
    section: str


_FORMS = {
    "seed": _Form(judged_by="Primary metrics", baseline=("Date", "Code refs", "Baseline numbers"), section="Entry Log"),
    "separate": _Form(
        judged_by="Primary evidence",
        baseline=("Date", "Source revision", "Configuration", "Result"),
        section="Entries",
    ),
}


def new_logbook(
    style: str,
    *,
    topic: str,
    title: str,
    prefix: str,
    goal: str = "",
    metrics: Sequence[str] = (),
    constraints: Sequence[str] = (),
    stop_criteria: Sequence[str] = (),
    baseline: Mapping[str, str] | None = None,
    issue: str = "",
    description: str = "",
) -> str:
    """Write the logbook that a new thread starts with. Whatever is empty says that it is still open.

    Args:
        style: ``seed`` for ``.agents/logbooks/<topic>.md`` in the research repository, ``separate`` for a repository of
            logbooks.
        topic: the thread's slug.
        title: what people call the thread.
        prefix: of the experiment IDs, such as ``MOE-HC``.
        goal: what the thread is to find out.
        metrics: what results are judged by, each with its unit and the direction that is better.
        constraints: what must stay fixed.
        stop_criteria: what evidence ends the thread.
        baseline: fields of the baseline section, such as ``Date``; those that are not given are open.
        issue: URL of the experiment issue.
        description: one line for the front matter of the ``seed`` style; the goal unless given.

    Raises:
        ValueError: ``style`` is neither of the two.
    """
    if style not in _FORMS:
        raise ValueError(f"{style!r} is no logbook style; use seed or separate")
    form = _FORMS[style]
    if style == "seed":
        front = {"topic": topic, "issue": issue or OPEN, "description": description or goal or title}
    else:
        front = _source(issue, title)
    scope = [
        ("Goal", [goal]),
        (form.judged_by, metrics),
        ("Constraints", constraints),
        ("Stop criteria", stop_criteria),
        ("Experiment IDs", [f"`{prefix}-001`, `{prefix}-002`, ..."]),
    ]
    fields = {**dict.fromkeys(form.baseline, ""), **(baseline or {})}
    lines = ["---", *(f"{key}: {_yaml(value)}" for key, value in front.items()), "---", ""]
    lines += [f"# {_line(title)}: Research Logbook", "", "## Scope", "", *_bullets(scope), ""]
    lines += ["## Baseline", "", *_bullets((field, [value]) for field, value in fields.items()), ""]
    lines += [f"## {form.section}", ""]
    return "\n".join(lines)


def _source(issue: str, title: str) -> dict[str, str]:
    named = _ISSUE.match(issue)
    return {
        "title": title,
        "source_repository": named["repository"] if named else OPEN,
        "source_issue": named["number"] if named else issue or OPEN,
        "status": "active",
    }


def _bullets(fields: Iterable[tuple[str, Sequence[str]]]) -> Iterable[str]:
    """A bullet per field; several values stand below it as bullets of their own."""
    for name, values in fields:
        said = [_line(value) for value in values if value.strip()] or [OPEN]
        yield f"- {name}: {said[0]}" if len(said) == 1 else f"- {name}:"
        if len(said) > 1:
            yield from (f"  - {value}" for value in said)


def _line(text: str) -> str:
    """The text on one line, without the characters that YAML does not allow at all."""
    return _NO_TEXT.sub("", " ".join(text.split()))


def _yaml(value: str) -> str:
    """A YAML scalar that reads as this very text; a number stays a number."""
    text = _line(value)
    if _NUMBER.fullmatch(text) or (_PLAIN_YAML.fullmatch(text) and text.casefold() not in _YAML_WORDS):
        return text
    return json.dumps(text, ensure_ascii=False)

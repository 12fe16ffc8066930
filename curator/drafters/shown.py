"""How facts and texts are shown to a model: each fact on one line under its ID, and no secret in any of it.

Only values that bear on the result are shown. Commands, commits, links, paths, packages, the environment, hosts and
whatever begins with an underscore stay here: no model needs them to read a result.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from curator.facts import CHANGES, Fact, FactKind, render
from curator.writing import Masked

if TYPE_CHECKING:
    from marin_research.redact import Redactor

_SENT = frozenset(
    {
        *CHANGES,
        FactKind.METRIC,
        FactKind.DEVIATION,
        FactKind.COUNT,
        FactKind.CONFIG,
        FactKind.DURATION,
        FactKind.DEVICE,
        FactKind.LABEL,
        FactKind.STATUS,
        FactKind.RUN,
        FactKind.QUOTE,
        FactKind.TEXT,
    }
)
_NAMES_SENT = ("/exception", "/label")
LONGEST_VALUE = 600
"""Characters of one value; more of a config or a message tells nothing new."""


class Mask:
    """Takes secrets out of what is shown, and remembers of which kind and where they were."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.found: list[Masked] = []

    def text(self, text: str, where: str) -> str:
        redaction = self._redactor.text(text)
        self.found += [Masked(kind=removed.kind, where=where) for removed in redaction.removed]
        return redaction.text

    def tree(self, value: Any, where: str) -> Any:
        if isinstance(value, str):
            return self.text(value, where)
        if isinstance(value, dict):
            return {key: self.tree(item, where) for key, item in value.items()}
        return [self.tree(item, where) for item in value] if isinstance(value, list) else value


def is_sent(fact: Fact) -> bool:
    """Whether a fact bears on the result."""
    private = any(part.startswith("_") for part in fact.name.replace("/", ".").split("."))
    named = fact.kind is FactKind.NAME and (fact.id.endswith(_NAMES_SENT) or fact.id.startswith("sweep/axis/"))
    return not private and (fact.kind in _SENT or named) and not fact.id.endswith(("/end", "/count/hosts"))


def shown(fact: Fact) -> str:
    """A fact's value with its unit, what it is against, and which way is better."""
    text = render(fact)
    text = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    notes = []
    if fact.kind in CHANGES and fact.inputs:
        notes.append(f"against {fact.inputs[1].partition('/')[0]}")
    if fact.better is not None and fact.kind in (FactKind.METRIC, *CHANGES):
        notes.append(f"{fact.better} is better")
    return f"{text} ({'; '.join(notes)})" if notes else text


def as_json(value: Any) -> str:
    """JSON that people can read and diff."""
    return json.dumps(value, ensure_ascii=False, indent=1)

"""What the text of a kick-off says, and which issues look like it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator import front_matter
from curator.errors import PublicationError
from curator.github.address import Repository, parse_repository

if TYPE_CHECKING:
    from curator.github.client import GitHub
    from curator.github.model import Issue

_ALIKE = 0.85
"""From here on two titles are taken to name the same experiment."""
_PREFIX = re.compile(r"^\s*experiments?\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kickoff:
    """What a kick-off's text says."""

    title: str
    repository: Repository
    labels: list[str]
    looked_at: list[int]
    """Issues that a person says are something else."""
    body: str


def read_kickoff(text: str) -> Kickoff:
    """Take a kick-off's text apart.

    Raises:
        CuratorError: the head is not YAML.
        PublicationError: something is missing in it.
    """
    fields, body = front_matter.split(text)
    title = str(fields.get("title") or "").strip()
    if not title or not body.strip():
        raise PublicationError("an issue needs a title and a text; give it both with `curator edit`")
    try:
        looked_at = [int(str(number).lstrip("#")) for number in _listed(fields.get("looked_at"))]
    except ValueError as error:
        raise PublicationError(
            "looked_at lists issues by their numbers, like [12, 34]; mend it with `curator edit`"
        ) from error
    return Kickoff(
        title=title,
        repository=parse_repository(str(fields.get("repository") or "")),
        labels=[str(label) for label in _listed(fields.get("labels"))],
        looked_at=looked_at,
        body=body,
    )


def look_alikes(github: GitHub, repository: Repository, title: str) -> list[Issue]:
    """The issues whose titles name the same experiment, open and closed ones.

    Raises:
        NotYetError: GitHub cannot be asked.
    """
    bare = _PREFIX.sub("", title)
    # The longest words say most; with more of them an issue that spells one differently would not be found.
    words = sorted(re.findall(r"\w+", bare), key=len, reverse=True)[:3]
    found = github.search_issues(f"repo:{repository} is:issue in:title {' '.join(words)}")
    wanted = _plain(bare)
    return [
        issue
        for issue in found
        if difflib.SequenceMatcher(None, _plain(_PREFIX.sub("", issue.title)), wanted).ratio() >= _ALIKE
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))

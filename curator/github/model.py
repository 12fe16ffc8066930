"""What the API answers, as far as it is used. Tolerant of everything else that is in an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curator.github.errors import GitHubError


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    number: int
    title: str
    body: str
    """Empty where GitHub says null."""
    state: str
    """``open`` or ``closed``."""
    url: str
    created: str
    """ISO 8601."""
    labels: tuple[str, ...]
    is_pull_request: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    id: int
    body: str
    url: str
    author: str


def issue(raw: Any) -> Issue:
    """An issue out of its JSON form.

    Raises:
        GitHubError: it is something else.
    """
    try:
        return Issue(
            number=int(raw["number"]),
            title=str(raw["title"]),
            body=raw.get("body") or "",
            state=str(raw["state"]),
            url=str(raw["html_url"]),
            created=str(raw["created_at"]),
            labels=tuple(label if isinstance(label, str) else str(label["name"]) for label in raw.get("labels", [])),
            is_pull_request="pull_request" in raw,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GitHubError(f"what came back is no issue ({error!r}); is GITHUB_API_URL right?") from error


def comment(raw: Any) -> Comment:
    """A comment out of its JSON form.

    Raises:
        GitHubError: it is something else.
    """
    try:
        author = (raw.get("user") or {}).get("login") or ""
        return Comment(id=int(raw["id"]), body=raw.get("body") or "", url=str(raw["html_url"]), author=author)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GitHubError(f"what came back is no comment ({error!r}); is GITHUB_API_URL right?") from error

"""Where things are on GitHub: issues, the API's address, permalinks and their anchors. Knows no network."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from curator.errors import PublicationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PART = r"[\w.-]+"
_ISSUE = re.compile(
    rf"https?://(?P<host>[\w.-]+(?::\d+)?)/(?P<owner>{_PART})/(?P<name>{_PART})/(?:issues|pull)/(?P<number>\d+)"
    r"(?:[/?#].*)?",
    re.ASCII,
)
_COMMENT = re.compile(r"#issuecomment-(?P<id>\d+)\Z")
_REPOSITORY = re.compile(rf"(?:https?://(?P<host>[\w.-]+(?::\d+)?)/)?(?P<owner>{_PART})/(?P<name>{_PART})", re.ASCII)
_HOST = "github.com"
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Repository:
    host: str
    owner: str
    name: str

    @property
    def path(self) -> str:
        """Of the repository in the API."""
        return f"/repos/{self.owner}/{self.name}"

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class IssueAddress:
    repository: Repository
    number: int

    @property
    def path(self) -> str:
        """Of the issue in the API."""
        return f"{self.repository.path}/issues/{self.number}"

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


def parse_issue(url: str) -> IssueAddress:
    """The issue (or pull request) that a URL names.

    Raises:
        PublicationError: it names none.
    """
    found = _ISSUE.fullmatch(url.strip())
    if found is None:
        raise PublicationError(
            f"{url!r} is no issue; give its address like https://github.com/marin-community/marin/issues/7"
        )
    return IssueAddress(Repository(found["host"], found["owner"], found["name"]), int(found["number"]))


def parse_comment(url: str) -> int:
    """The ID of the comment that a URL names.

    Raises:
        PublicationError: it names none.
    """
    found = _COMMENT.search(url)
    if found is None:
        raise PublicationError(f"{url!r} is no comment; its address ends with #issuecomment- and a number")
    return int(found["id"])


def parse_repository(text: str) -> Repository:
    """``owner/name``, or the URL of a repository.

    Raises:
        PublicationError: it is neither.
    """
    found = _REPOSITORY.fullmatch(text.strip().removesuffix("/").removesuffix(".git"))
    if found is None:
        raise PublicationError(f"{text!r} is no repository; write it like marin-community/marin")
    return Repository(found["host"] or _HOST, found["owner"], found["name"])


def api_base(host: str, environ: Mapping[str, str] = os.environ) -> str:
    """The address of the API of a host: ``GITHUB_API_URL`` if it is set, else what GitHub or an Enterprise server has.

    Raises:
        PublicationError: the token would go over an open line.
    """
    base = environ.get("GITHUB_API_URL", "").strip().rstrip("/")
    if not base:
        return "https://api.github.com" if host == _HOST else f"https://{host}/api/v3"
    parts = urlsplit(base)
    if parts.scheme != "https" and parts.hostname not in _HERE:
        raise PublicationError(
            f"GITHUB_API_URL is {base!r}, and the token goes only to an address that begins with https://; correct it"
        )
    return base


def permalink(web: str, commit: str, path: str, anchor: str = "") -> str:
    """A file as it is in one commit, which no later commit changes."""
    return f"{web}/blob/{commit}/{quote(path)}{f'#{anchor}' if anchor else ''}"


def tag_page(web: str, tag: str) -> str:
    """The files of a tag."""
    return f"{web}/tree/{quote(tag)}"


def commit_page(web: str, commit: str) -> str:
    """What a commit changed."""
    return f"{web}/commit/{commit}"


def raw_permalink(web: str, commit: str, path: str) -> str:
    """The same file as an image can be shown."""
    return f"{web}/blob/{commit}/{quote(path)}?raw=true"


def anchors(headings: Iterable[str]) -> list[str]:
    """The anchors that GitHub gives to the headings of one file, in order."""
    seen: dict[str, int] = {}
    found = []
    for heading in headings:
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        base = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        count = seen.get(base, 0)
        seen[base] = count + 1
        found.append(f"{base}-{count}" if count else base)
    return found

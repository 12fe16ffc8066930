"""A client for issues and their comments over httpx.

What may have been done is never asked for again here: a write whose answer is lost raises ``LostAnswerError``, and
whoever asked looks for the marker before the next try. Credentials go to one origin: redirects are not followed, and of
the links between pages only those that stay there.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from curator.errors import NotYetError
from curator.github import model
from curator.github.errors import GitHubError, LostAnswerError, MissingError, RateLimitError, UnreachableError
from curator.github.pace import PATIENCE_S, Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    import httpx

    from curator.github.address import IssueAddress, Repository
    from curator.github.model import Comment, Issue

_PAGE = 100
_READ_TRIES = 4
_POLITE_TRIES = 3
_LONGEST_BODY = 65_536
"""Characters that GitHub takes for a body."""
_GONE = frozenset({301, 302, 303, 307, 308})
_MISSING = frozenset({404, 410})
_FLEETING = frozenset({500, 502, 503, 504})
_COMMENT = re.compile(r"/issues/comments/\d+$")


class GitHub:
    """The API at one address.

    Args:
        base: its address, see `api_base`.
        token: sent to that address only; empty reads what is public.
        pace: how fast it may be asked.
    """

    def __init__(self, base: str, token: str = "", *, pace: Pace | None = None) -> None:
        import httpx

        self._base = base.rstrip("/")
        self._pace = pace or Pace()
        self._has_token = bool(token)
        self._known: dict[str, tuple[str, Any, str]] = {}
        """By URL: the ETag, the answer and the next page's link of what was read before."""
        self._unreachable: str | None = None
        headers = {
            # The second one only matters to servers that know the first by no name.
            "Accept": "application/vnd.github+json, application/json;q=0.9",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "marin-research-curator",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(30, connect=10), follow_redirects=False)

    @classmethod
    def from_environment(cls, base: str, environ: Mapping[str, str] = os.environ) -> Self:
        """A client with the token in ``GITHUB_TOKEN``.

        Raises:
            NotYetError: what is there is no token.
        """
        token = environ.get("GITHUB_TOKEN", "").strip()
        if not token.isprintable() or not token.isascii() or " " in token:
            raise NotYetError("GITHUB_TOKEN holds something that is no token; set it to one")
        return cls(base, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def require_token(self) -> None:
        """Return if there is a token.

        Raises:
            NotYetError: there is none.
        """
        if not self._has_token:
            raise NotYetError(
                "there is no GITHUB_TOKEN; set it to a token that may write issues "
                "(fine-grained: Issues, read and write), then publish again"
            )

    # Issues

    def issue(self, address: IssueAddress) -> Issue:
        return model.issue(self._read(f"{self._base}{address.path}", {})[0])

    def create_issue(self, repository: Repository, *, title: str, body: str, labels: list[str]) -> Issue:
        fields = {"title": title, "body": _checked(body), "labels": labels}
        return model.issue(self._write("POST", f"{repository.path}/issues", fields))

    def edit_issue(self, address: IssueAddress, **fields: str) -> Issue:
        """Change ``body``, ``state`` (with ``state_reason``) or ``title``; what is not given stays."""
        _checked(fields.get("body", ""))
        return model.issue(self._write("PATCH", address.path, fields))

    def newest_issues(self, repository: Repository) -> Iterator[Issue]:
        """Every issue and pull request, newest first, as far as is asked."""
        asked = {"state": "all", "sort": "created", "direction": "desc"}
        for raw in self._pages(f"{repository.path}/issues", asked):
            yield model.issue(raw)

    def search_issues(self, query: str) -> list[Issue]:
        """The first page of what GitHub's search finds; the newest changes may be missing from it."""
        answer, _ = self._read(f"{self._base}/search/issues", {"q": query, "per_page": "50"})
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            raise GitHubError("what came back is no search result; is GITHUB_API_URL right?")
        return [model.issue(raw) for raw in items]

    # Comments

    def comments(self, address: IssueAddress, *, since: str = "") -> Iterator[Comment]:
        """The comments of an issue, oldest first.

        Args:
            address: the issue.
            since: only those that changed at or after this time (ISO 8601, UTC).
        """
        for raw in self._pages(f"{address.path}/comments", {"since": since} if since else {}):
            yield model.comment(raw)

    def comment(self, repository: Repository, comment_id: int) -> Comment:
        return model.comment(self._read(f"{self._base}{repository.path}/issues/comments/{comment_id}", {})[0])

    def create_comment(self, address: IssueAddress, body: str) -> Comment:
        return model.comment(self._write("POST", f"{address.path}/comments", {"body": _checked(body)}))

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> Comment:
        fields = {"body": _checked(body)}
        return model.comment(self._write("PATCH", f"{repository.path}/issues/comments/{comment_id}", fields))

    def delete_comment(self, repository: Repository, comment_id: int) -> None:
        self._write("DELETE", f"{repository.path}/issues/comments/{comment_id}", None)

    # Requests

    def _pages(self, path: str, asked: dict[str, str]) -> Iterator[Any]:
        url, number = f"{self._base}{path}", 1
        query: dict[str, str] = {**asked, "per_page": str(_PAGE), "page": "1"}
        while True:
            page, following = self._read(url, query)
            if not isinstance(page, list):
                raise GitHubError("what came back is no list; is GITHUB_API_URL right?")
            yield from page
            number += 1
            if following and _origin(following) == _origin(self._base):
                url, query = following, {}
            elif len(page) == _PAGE:
                # A link to another origin is not followed: the next page is asked for by its number.
                url, query = f"{self._base}{path}", {**asked, "per_page": str(_PAGE), "page": str(number)}
            else:
                return

    def _read(self, url: str, query: dict[str, str]) -> tuple[Any, str]:
        """The answer to a GET and the link to the next page; asked again where that can help."""
        key = f"{url}?{sorted(query.items())}"
        known = self._known.get(key)
        headers = {"If-None-Match": known[0]} if known else {}
        answer = self._patiently(url, params=query or None, headers=headers)
        if answer.status_code == 304 and known:
            return known[1], known[2]
        content, following = _json(answer), answer.links.get("next", {}).get("url", "")
        if etag := answer.headers.get("etag"):
            self._known[key] = (etag, content, following)
        return content, following

    def _patiently(self, url: str, **more: Any) -> httpx.Response:
        """The answer to a GET, which is asked again for a while where nothing comes back."""
        start = self._pace.now()
        for attempt in range(_READ_TRIES):
            try:
                return self._send("GET", url, **more)
            except LostAnswerError as error:
                if attempt == _READ_TRIES - 1 or self._pace.now() - start > PATIENCE_S:
                    raise UnreachableError(str(error)) from error
            self._pace.sleep(0.25 * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def _write(self, method: str, path: str, fields: dict[str, Any] | None) -> Any:
        """The answer to a change. Sent once, or again only after GitHub said that it did nothing."""
        self.require_token()
        answer = self._send(method, f"{self._base}{path}", json=fields)
        return _json(answer) if answer.content else None

    def _send(self, method: str, url: str, **more: Any) -> httpx.Response:
        import httpx

        if self._unreachable:  # once is enough: every draft would wait for the same timeout
            raise UnreachableError(self._unreachable)
        for _ in range(_POLITE_TRIES):
            self._pace.wait_turn(writes=method != "GET")
            try:
                answer = self._http.request(method, url, **more)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
                self._unreachable = f"GitHub cannot be reached ({error}); try again when {self._base} answers"
                raise UnreachableError(self._unreachable) from error
            except httpx.HTTPError as error:
                raise LostAnswerError(_lost(method, str(error) or type(error).__name__)) from error
            self._pace.note(answer.headers)
            if not self._pace.refused(answer.status_code, answer.headers, _message(answer)):
                return _understood(method, answer)
        raise RateLimitError("GitHub asks for a slower pace and still refuses; try again in a few minutes")


def _understood(method: str, answer: httpx.Response) -> httpx.Response:
    """The answer, unless it is an error."""
    status, said = answer.status_code, _message(answer)
    where = f"{method} {answer.request.url.path}"
    if answer.is_success or status == 304:
        return answer
    if status in _GONE:
        to = answer.headers.get("location", "another place")
        raise GitHubError(f"GitHub says that this has moved to {to} ({where}); correct the issue in the thread's file")
    if status in _FLEETING:
        raise LostAnswerError(_lost(method, f"GitHub answered {status}"))
    advice = _advice(status, said, answer.request.url.path)
    kind = MissingError if status in _MISSING else GitHubError
    raise kind(f"GitHub answered {status}{f' ({said})' if said else ''} to {where}: {advice}")


def _advice(status: int, said: str, path: str) -> str:
    """What to do about an error."""
    if status == 403 and "locked" in said:
        return "somebody locked it; have it unlocked, then publish again"
    if status == 403 and "archived" in said:
        return "that repository takes no changes any more; correct the issue in the thread's file"
    if status in _MISSING and _COMMENT.search(path):
        return "somebody deleted the comment, or the token may not see it; say it anew with `curator draft`"
    return {
        401: "GITHUB_TOKEN is refused; set it to a new token, then try again",
        403: "the token may not do this; it needs to read and write issues there",
        404: "it does not exist, or the token may not see it; check the issue in the thread's file and GITHUB_TOKEN",
        410: "it was deleted, or issues are turned off there; correct the issue in the thread's file",
        422: "GitHub does not accept the text as it is; change it with `curator edit`",
    }.get(status, "try again later")


def _lost(method: str, why: str) -> str:
    if method == "GET":
        return f"GitHub did not answer ({why}); try again later"
    return f"the answer was lost ({why}), so it may be out; publish again, it is looked for before anything is sent"


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        if answer.request.method != "GET":
            raise LostAnswerError(_lost(answer.request.method, "what came back is not JSON")) from error
        raise GitHubError("what came back is not JSON; is GITHUB_API_URL right?") from error


def _message(answer: httpx.Response) -> str:
    """What an error says, on one line."""
    if answer.is_success:
        return ""
    try:
        raw = answer.json()
    except ValueError:
        return ""
    if not isinstance(raw, dict):
        return ""
    details = [
        " ".join(str(each[key]) for key in ("field", "code", "message") if each.get(key))
        for each in raw.get("errors") or []
        if isinstance(each, dict)
    ]
    return " ".join("; ".join([str(raw.get("message", "")), *details]).split())[:300]


def _checked(body: str) -> str:
    if len(body) > _LONGEST_BODY:
        raise GitHubError(
            f"the text has {len(body)} characters and GitHub takes {_LONGEST_BODY}; shorten it with `curator edit`"
        )
    return body


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port

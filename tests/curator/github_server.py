"""A GitHub of our own on this machine: issues and comments that stay, over real HTTP, with every way to go wrong."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

WEB = "https://github.com"
TIME = "2026-11-22T{:02d}:{:02d}:{:02d}Z"

REFUSED = "the connection is cut before anything is done"
LOST = "it is done, and the connection is cut before the answer"
HALF = "it is done, and half of the answer comes"
TWICE = "a proxy sends the request twice, and the second answer comes"
ANSWERED_TWICE = "the answer comes twice"
BAD_GATEWAY = "it is done, and a proxy answers 502"
NOT_DONE = "nothing is done, and a proxy answers 502"
SLOW_DOWN = "it is refused for the pace"
FAULTS = (REFUSED, LOST, HALF, TWICE, ANSWERED_TWICE, BAD_GATEWAY, NOT_DONE, SLOW_DOWN)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes


@dataclass
class Answer:
    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class GitHubServer:
    """What GitHub holds. Tests read and change it; ``fault`` decides what happens to the n-th request."""

    token = "ghp_" + "t" * 36

    def __init__(self) -> None:
        self.issues: dict[tuple[str, int], dict[str, Any]] = {}
        self.comments: dict[int, dict[str, Any]] = {}
        self.requests: list[Request] = []
        self.fault: Callable[[int, Request], str | None] = lambda _n, _r: None
        self.answer: Callable[[Request], Answer | None] = lambda _r: None
        """Takes the place of the usual answer where it gives one."""
        self.watch: Callable[[Request, Answer], None] = lambda _r, _a: None
        self.per_page = 100
        self.next_link = "{base}{path}?{query}"
        self.may_label = True
        self._lock = threading.RLock()
        self._ids = 1000
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # What tests do by hand

    def open_issue(self, title: str, body: str = "", *, repository: str = "marin-community/marin", **more: Any) -> str:
        """Somebody opens an issue; gives its URL."""
        url: str = self._create_issue(repository, {"title": title, "body": body, **more})["html_url"]
        return url

    def say(self, number: int, body: str, *, repository: str = "marin-community/marin", by: str = "eve") -> int:
        """Somebody comments; gives the comment's ID."""
        made: int = self._create_comment(repository, number, body, by)["id"]
        return made

    def bodies(self, number: int, repository: str = "marin-community/marin") -> list[str]:
        """The comments of an issue, oldest first."""
        return [c["body"] for c in self.comments.values() if c["of"] == (repository, number)]

    def body(self, number: int, repository: str = "marin-community/marin") -> str:
        text: str = self.issues[repository, number]["body"]
        return text

    # What the API does

    def respond(self, request: Request) -> Answer:
        with self._lock:
            if said := self.answer(request):
                return said
            return self._respond(request)

    def _respond(self, request: Request) -> Answer:
        authorised = request.headers.get("authorization") == f"Bearer {self.token}"
        if request.method != "GET" and not authorised:
            return Answer(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})
        for method, pattern, act in _ROUTES:
            if method == request.method and (found := re.fullmatch(pattern, request.path)):
                answer: Answer = act(self, request, **found.groupdict())
                return answer
        return Answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})

    def _issue_at(self, repository: str, number: str) -> dict[str, Any] | None:
        return self.issues.get((repository, int(number)))

    def _get_issue(self, _: Request, repository: str, number: str) -> Answer:
        found = self._issue_at(repository, number)
        return Answer(200, found) if found else self._missing()

    def _post_issue(self, request: Request, repository: str) -> Answer:
        if not isinstance(request.body, dict) or not request.body.get("title"):
            return self._unprocessable("title", "missing_field")
        return Answer(201, self._create_issue(repository, request.body))

    def _patch_issue(self, request: Request, repository: str, number: str) -> Answer:
        found = self._issue_at(repository, number)
        if found is None:
            return self._missing()
        found.update(
            {key: request.body[key] for key in ("title", "body", "state", "state_reason") if key in request.body}
        )
        found["updated_at"] = self._now()
        return Answer(200, found)

    def _list_issues(self, request: Request, repository: str) -> Answer:
        found = [issue for (own, _), issue in self.issues.items() if own == repository]
        found.sort(key=lambda issue: issue["created_at"], reverse=request.query.get("direction") == "desc")
        return self._page(request, found)

    def _search(self, request: Request) -> Answer:
        words = [word for word in request.query["q"].split() if ":" not in word]
        found = [i for i in self.issues.values() if all(w.strip('"').lower() in i["title"].lower() for w in words)]
        return Answer(
            200, {"total_count": len(found), "incomplete_results": False, "search_type": "lexical", "items": found}
        )

    def _list_comments(self, request: Request, repository: str, number: str) -> Answer:
        since = request.query.get("since", "")
        of = (repository, int(number))
        return self._page(request, [c for c in self.comments.values() if c["of"] == of and c["updated_at"] >= since])

    def _post_comment(self, request: Request, repository: str, number: str) -> Answer:
        if self._issue_at(repository, number) is None:
            return self._missing()
        return Answer(201, self._create_comment(repository, int(number), request.body["body"], "ada"))

    def _get_comment(self, _: Request, repository: str, comment: str) -> Answer:
        found = self.comments.get(int(comment))
        return Answer(200, found) if found and found["of"][0] == repository else self._missing()

    def _patch_comment(self, request: Request, repository: str, comment: str) -> Answer:
        found = self.comments.get(int(comment))
        if found is None or found["of"][0] != repository:
            return self._missing()
        found.update(body=request.body["body"], updated_at=self._now())
        return Answer(200, found)

    def _delete_comment(self, _: Request, repository: str, comment: str) -> Answer:
        gone = self.comments.pop(int(comment), None)
        return Answer(204) if gone and gone["of"][0] == repository else self._missing()

    def _page(self, request: Request, items: list[dict[str, Any]]) -> Answer:
        size = min(int(request.query.get("per_page", "30")), self.per_page)
        number = int(request.query.get("page", "1"))
        headers = {}
        if len(items) > size * number:
            query = "&".join(f"{k}={v}" for k, v in {**request.query, "page": str(number + 1)}.items())
            link = self.next_link.format(base=self.url, path=request.path, query=query)
            headers["Link"] = f'<{link}>; rel="next"'
        return Answer(200, items[size * (number - 1) : size * number], headers)

    def _create_issue(self, repository: str, said: dict[str, Any]) -> dict[str, Any]:
        number = 1 + max((n for own, n in self.issues if own == repository), default=6)
        api = f"https://api.github.com/repos/{repository}/issues/{number}"
        labels = said.get("labels", []) if self.may_label else []
        made = {
            "id": self._next_id(),
            "node_id": "I_1",
            "number": number,
            "title": said["title"],
            "body": said.get("body"),
            "state": said.get("state", "open"),
            "state_reason": None,
            "locked": False,
            "comments": 0,
            "html_url": f"{WEB}/{repository}/issues/{number}",
            "url": api,
            "repository_url": f"https://api.github.com/repos/{repository}",
            "labels_url": f"{api}/labels{{/name}}",
            "comments_url": f"{api}/comments",
            "events_url": f"{api}/events",
            "labels": [{"name": name, "color": "ededed", "default": False} for name in labels],
            "user": _user("ada"),
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "closed_at": None,
            "created_at": said.get("created_at") or self._now(),
            "updated_at": self._now(),
            "author_association": "MEMBER",
            "score": 1,
        }
        self.issues[repository, number] = made
        return made

    def _create_comment(self, repository: str, number: int, body: str, by: str) -> dict[str, Any]:
        own = self._next_id()
        made = {
            "id": own,
            "node_id": "IC_1",
            "of": (repository, number),
            "body": body,
            "url": f"https://api.github.com/repos/{repository}/issues/comments/{own}",
            "html_url": f"{WEB}/{repository}/issues/{number}#issuecomment-{own}",
            "issue_url": f"https://api.github.com/repos/{repository}/issues/{number}",
            "user": _user(by),
            "created_at": self._now(),
            "updated_at": self._now(),
            "author_association": "MEMBER",
        }
        self.comments[own] = made
        return made

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids

    def _now(self) -> str:
        seconds = self._next_id()
        return TIME.format(12 + seconds // 3600 % 12, seconds // 60 % 60, seconds % 60)

    def _missing(self) -> Answer:
        return Answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})

    def _unprocessable(self, name: str, code: str) -> Answer:
        error = {"resource": "Issue", "field": name, "code": code}
        return Answer(422, {"message": "Validation Failed", "errors": [error], "documentation_url": "https://docs"})


def _public(content: Any) -> Any:
    """Without what is only known here."""
    if isinstance(content, list):
        return [_public(each) for each in content]
    return {key: value for key, value in content.items() if key != "of"} if isinstance(content, dict) else content


def _user(login: str) -> dict[str, Any]:
    api = f"https://api.github.com/users/{login}"
    links = (
        "followers_url following_url gists_url starred_url subscriptions_url organizations_url repos_url events_url "
        "received_events_url avatar_url url html_url"
    )
    return {
        "login": login,
        "id": 1,
        "node_id": "U_1",
        "gravatar_id": "",
        "type": "User",
        "site_admin": False,
        **dict.fromkeys(links.split(), api),
    }


_REPOSITORY = r"/repos/(?P<repository>[^/]+/[^/]+)"
_ROUTES: list[tuple[str, str, Any]] = [
    ("GET", rf"{_REPOSITORY}/issues", GitHubServer._list_issues),
    ("POST", rf"{_REPOSITORY}/issues", GitHubServer._post_issue),
    ("GET", rf"{_REPOSITORY}/issues/(?P<number>\d+)", GitHubServer._get_issue),
    ("PATCH", rf"{_REPOSITORY}/issues/(?P<number>\d+)", GitHubServer._patch_issue),
    ("GET", rf"{_REPOSITORY}/issues/(?P<number>\d+)/comments", GitHubServer._list_comments),
    ("POST", rf"{_REPOSITORY}/issues/(?P<number>\d+)/comments", GitHubServer._post_comment),
    ("GET", rf"{_REPOSITORY}/issues/comments/(?P<comment>\d+)", GitHubServer._get_comment),
    ("PATCH", rf"{_REPOSITORY}/issues/comments/(?P<comment>\d+)", GitHubServer._patch_comment),
    ("DELETE", rf"{_REPOSITORY}/issues/comments/(?P<comment>\d+)", GitHubServer._delete_comment),
    ("GET", "/search/issues", GitHubServer._search),
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    github: GitHubServer
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it that
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(
            method=self.command,
            path=parts.path,
            query={key: values[-1] for key, values in parse_qs(parts.query).items()},
            headers={key.lower(): value for key, value in self.headers.items()},
            body=json.loads(raw) if raw else None,
            raw=raw,
        )
        with self.github._lock:
            self.github.requests.append(request)
            fault = self.github.fault(len(self.github.requests), request)
        self._act(request, fault)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the base class calls them that

    def _act(self, request: Request, fault: str | None) -> None:
        if fault == REFUSED:
            self.close_connection = True
            return
        if fault == NOT_DONE:
            self._reply(request, Answer(502, {"message": "Bad Gateway"}))
            return
        if fault == SLOW_DOWN:
            said = {"message": "You have exceeded a secondary rate limit."}
            self._reply(request, Answer(403, said, {"Retry-After": "0"}))
            return
        answer = self.github.respond(request)
        if fault == TWICE:
            answer = self.github.respond(request)
        if fault == LOST:
            self.close_connection = True
        elif fault == BAD_GATEWAY:
            self._reply(request, Answer(502, {"message": "Bad Gateway"}))
        else:
            self._reply(request, answer, half=fault == HALF)
            if fault == ANSWERED_TWICE:
                self._reply(request, answer)

    def _reply(self, request: Request, answer: Answer, *, half: bool = False) -> None:
        shown = _public(answer.content)
        self.github.watch(request, Answer(answer.status, shown, answer.headers))
        data = b"" if answer.status == 204 else json.dumps(shown).encode()
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        status = answer.status
        if status == 200 and request.headers.get("if-none-match") == etag:
            status, data = 304, b""
        self.send_response(status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if status == 200:
            self.send_header("ETag", etag)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)
        if half:
            self.close_connection = True

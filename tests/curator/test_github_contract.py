"""What we send to GitHub, and what our own GitHub answers, against GitHub's description of its API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from curator import front_matter
from curator.draft import DraftKind
from curator.github.address import parse_issue
from curator.github.client import GitHub
from tests.curator.github_description import NoNpmError, description

ISSUE = parse_issue("https://github.com/marin-community/marin/issues/7")


@pytest.fixture(scope="session")
def api(pytestconfig: pytest.Config) -> OpenAPI:
    try:
        said = description(pytestconfig.cache.mkdir("github-openapi"))
    except NoNpmError:
        pytest.skip("there is no npm to fetch GitHub's description of its API with")
    return OpenAPI.from_dict(said)


class Judge:
    """Holds every request and every answer against the description."""

    def __init__(self, api):
        self.api = api
        self.seen = set()
        self.problems = []

    def __call__(self, request, answer):
        asked = described(request.method, request.path, query=request.query, data=request.raw)
        data = json.dumps(answer.content).encode() if answer.content is not None else b""
        given = MockResponse(data=data, status_code=answer.status, content_type="application/json")
        self.seen.add((request.method, answer.status))
        for judge in (lambda: self.api.validate_request(asked), lambda: self.api.validate_response(asked, given)):
            try:
                judge()
            except OpenAPIError as error:
                self.problems.append(f"{request.method} {request.path}: {error} {error.__cause__ or ''}"[:2000])


def described(method: str, path: str, *, query: dict[str, str] | None = None, data: bytes = b"") -> Any:
    return MockRequest(
        "https://api.github.com", method.lower(), path, args=query, data=data or None, content_type="application/json"
    )


@pytest.fixture
def judge(api, github):
    watching = Judge(api)
    github.watch = watching
    yield watching
    assert watching.problems == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/repos/o/r/issues", {"body": "no title"}),
        ("POST", "/repos/o/r/issues", {"title": "x", "labels": "experiment"}),
        ("POST", "/repos/o/r/issues", {"title": "x", "labels": ["experiment", 5]}),
        ("POST", "/repos/o/r/issues", {"title": "x", "milestone": [1]}),
        ("PATCH", "/repos/o/r/issues/7", {"state": "ended"}),
        ("PATCH", "/repos/o/r/issues/7", {"state": "closed", "state_reason": "because"}),
        ("PATCH", "/repos/o/r/issues/seven", {"state": "closed"}),
        ("POST", "/repos/o/r/issues/7/comments", {}),
        ("POST", "/repos/o/r/issues/7/comments", {"body": 5}),
        ("PATCH", "/repos/o/r/issues/comments/7", {"text": "x"}),
        ("GET", "/repos/o/r/issues/7/comments?per_page=many", None),
        ("GET", "/repos/o/r/issues?state=some", None),
        ("GET", "/search/issues", None),
        ("GET", "/repos/o/r/nothing", None),
    ],
)
def test_the_description_refuses_what_is_wrong(api, method, path, body):
    """A validator that accepts everything would prove nothing of what follows."""
    path, _, query = path.partition("?")
    asked = dict([query.split("=")]) if query else {}
    with pytest.raises(OpenAPIError):
        api.validate_request(described(method, path, query=asked, data=json.dumps(body).encode() if body else b""))


def test_every_call_of_the_client_is_as_described(github, judge):
    """Each operation, and the answers that our own GitHub gives in the tests."""
    github.open_issue("Experiment: Learning rates", "text", labels=["experiment"])
    with GitHub(github.url, github.token) as client:
        client.create_issue(ISSUE.repository, title="Another", body="text", labels=["experiment", "agent-generated"])
        client.edit_issue(ISSUE, body="new")
        client.edit_issue(ISSUE, state="closed", state_reason="completed")
        client.edit_issue(ISSUE, state="closed", state_reason="not_planned")
        comment = client.create_comment(ISSUE, "text")
        client.edit_comment(ISSUE.repository, comment.id, "new")
        client.comment(ISSUE.repository, comment.id)
        list(client.comments(ISSUE, since="2026-11-21T00:00:00Z"))
        list(client.newest_issues(ISSUE.repository))
        client.issue(ISSUE)
        client.search_issues("repo:marin-community/marin is:issue in:title Learning")
        client.delete_comment(ISSUE.repository, comment.id)

    assert judge.seen == {("GET", 200), ("POST", 201), ("PATCH", 200), ("DELETE", 204)}


def test_a_whole_thread_is_as_described(checkout, here, github, approved, judge):
    """From the kick-off to the closing, through the command line."""
    fields = {"title": "Experiment: Learning rates", "repository": "marin-community/marin", "labels": ["experiment"]}
    text = front_matter.join(fields, "## Description\n\nWords.\n\n## Conclusion\n\nWords.\n")
    approved(text, kind=DraftKind.KICKOFF, runs=(), facts=())
    approved()
    approved(checkout.UPDATE, kind=DraftKind.ISSUE, runs=("LR-002",))
    approved("## TL;DR\n\n- words\n", kind=DraftKind.ISSUE_BODY, runs=())
    approved("🤖 Final summary: words\n", kind=DraftKind.CLOSING, runs=())

    said = checkout.curator("publish", "--approved", "--push")

    assert said.out.count("published") == 5, said
    assert github.issues["marin-community/marin", 7]["state"] == "closed"
    assert judge.seen == {("GET", 200), ("POST", 201), ("PATCH", 200)}

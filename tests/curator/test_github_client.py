"""The client for GitHub: what it sends, where it sends it, and what it makes of every way to go wrong."""

from __future__ import annotations

import time

import pytest

from curator.errors import NotYetError, PublicationError
from curator.github.address import anchors, api_base, parse_issue, parse_repository, permalink
from curator.github.client import GitHub
from curator.github.errors import GitHubError, LostAnswerError, RateLimitError, UnreachableError
from curator.github.pace import Pace
from tests.curator.github_server import (
    ANSWERED_TWICE,
    BAD_GATEWAY,
    HALF,
    LOST,
    NOT_DONE,
    REFUSED,
    SLOW_DOWN,
    WEB,
    Answer,
)

ISSUE = parse_issue(f"{WEB}/marin-community/marin/issues/7")


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time = 1_800_000_000.0
        self.slept = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(github, clock):
    github.open_issue("Experiment: Learning rates", "text\r\n")
    with GitHub(github.url, github.token, pace=Pace(now=clock.now, sleep=clock.sleep)) as made:
        yield made


def fail(github, how, *, at=1):
    """The ``at``-th request from now on goes wrong."""
    first = len(github.requests)
    github.fault = lambda number, _: how if number == first + at else None


# What is read


def test_all_pages_are_read(github, client):
    """A marker on the third page must be found, whatever the size of a page is."""
    for number in range(25):
        github.say(7, f"comment {number}")
    github.per_page = 10

    assert [comment.body for comment in client.comments(ISSUE)] == [f"comment {number}" for number in range(25)]


@pytest.mark.parametrize("link", ["https://elsewhere.example/{path}?{query}", "http://127.0.0.1:1{path}?{query}"])
def test_a_link_to_another_origin_is_never_followed(github, client, link):
    """A next page elsewhere would get the token; the page is asked for by its number here instead."""
    for number in range(205):
        github.say(7, f"comment {number}")
    github.next_link = link

    assert len(list(client.comments(ISSUE))) == 205
    assert [request.query.get("page") for request in github.requests] == ["1", "2", "3"]


def test_a_redirect_is_not_followed(github, client):
    """It would take the token along, and turn a POST into a GET."""
    github.answer = lambda _: Answer(301, {"message": "Moved"}, {"Location": f"{github.url}/repos/o/r/issues/1"})

    for ask in (lambda: client.issue(ISSUE), lambda: client.create_comment(ISSUE, "text")):
        with pytest.raises(GitHubError, match="has moved to"):
            ask()
    assert len(github.requests) == 2


def test_what_was_read_before_is_asked_for_on_condition(github, client):
    """Unchanged answers do not count against the rate limit."""
    first, second = client.issue(ISSUE), client.issue(ISSUE)
    github.issues["marin-community/marin", 7]["body"] = "new"

    assert first == second
    assert client.issue(ISSUE).body == "new"
    assert ["if-none-match" in request.headers for request in github.requests] == [False, True, True]


@pytest.mark.parametrize("how", [REFUSED, HALF, BAD_GATEWAY, NOT_DONE, SLOW_DOWN, ANSWERED_TWICE])
def test_reading_is_tried_again(github, client, how):
    """A hiccup must not fail a publication before it began."""
    fail(github, how)

    assert client.issue(ISSUE).title == "Experiment: Learning rates"
    assert client.issue(ISSUE).body == "text\r\n"


def test_reading_gives_up_after_a_while(github, client, clock):
    """It waits for the next try then; nothing was sent."""
    github.fault = lambda *_: NOT_DONE

    with pytest.raises(UnreachableError):
        client.issue(ISSUE)
    assert sum(clock.slept) < 10


# What is sent


def test_a_change_whose_answer_is_lost_is_not_made_again(github, client):
    """It may have been made; only the marker can tell."""
    for how in (LOST, HALF, BAD_GATEWAY):
        fail(github, how)
        before = len(github.requests)
        with pytest.raises(LostAnswerError, match="publish again"):
            client.create_comment(ISSUE, how)
        assert len(github.requests) == before + 1
    assert github.bodies(7) == [LOST, HALF, BAD_GATEWAY]


def test_a_change_that_was_refused_for_the_pace_is_made_later(github, client):
    """GitHub said that it did nothing."""
    fail(github, SLOW_DOWN)

    client.create_comment(ISSUE, "text")

    assert github.bodies(7) == ["text"]


def test_changes_are_a_second_apart(github, client, clock):
    """Faster writers are taken for abusers."""
    for _ in range(3):
        client.create_comment(ISSUE, "text")

    assert clock.slept == pytest.approx([1.0, 1.0])


def limited(status, **headers):
    return Answer(status, {"message": "API rate limit exceeded"}, {k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("refusal", "waits"),
    [
        (limited(429, Retry_After="5"), 5.0),
        (limited(403, Retry_After="0"), 1.0),
        (limited(403, X_RateLimit_Remaining="0", X_RateLimit_Reset="1800000020"), 20.0),
        (limited(403, X_RateLimit_Remaining="0", X_RateLimit_Reset="1800003600"), None),
        (limited(429), None),
        (limited(429, Retry_After="4000"), None),
    ],
)
def test_a_rate_limit_is_waited_for_or_left_to_the_next_try(github, client, clock, refusal, waits):
    """A program that hammers on is locked out, and one that sleeps for an hour looks dead."""
    answers = [refusal, None]
    github.answer = lambda _: answers.pop(0)

    if waits is None:
        with pytest.raises(RateLimitError, match="UTC"):
            client.create_comment(ISSUE, "text")
        assert (len(github.requests), github.bodies(7)) == (1, [])
    else:
        client.create_comment(ISSUE, "text")
        assert sum(clock.slept) == pytest.approx(waits)
        assert github.bodies(7) == ["text"]


def test_the_last_permitted_request_is_the_last(github, client, clock):
    """GitHub said that nothing is left until then."""
    reset = str(int(clock.time) + 3000)
    github.answer = lambda _: Answer(200, [], {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    list(client.comments(ISSUE))

    with pytest.raises(RateLimitError):
        list(client.comments(ISSUE))
    assert len(github.requests) == 1


def test_a_limit_that_never_ends_ends_the_try(github, client):
    """Refused again and again at once, it must not go on for ever."""
    github.fault = lambda *_: SLOW_DOWN

    with pytest.raises(RateLimitError):
        client.create_comment(ISSUE, "text")


@pytest.mark.parametrize(
    ("status", "clear"),
    [(401, "new token"), (403, "read and write issues"), (404, "check the issue"), (410, "deleted"), (422, "edit")],
)
def test_a_refusal_says_what_to_do(github, client, status, clear):
    """One line, with GitHub's own reason in it."""
    error = {"resource": "Issue", "field": "title", "code": "invalid"}
    github.answer = lambda _: Answer(status, {"message": "Nope", "errors": [error]})

    with pytest.raises(GitHubError, match=clear) as raised:
        client.create_comment(ISSUE, "text")
    assert "Nope; title invalid" in str(raised.value)


def test_somebody_elses_doing_is_told_from_a_wrong_token(github, client):
    """A lock and a deletion are mended by people; a new token would not help."""
    github.answer = lambda _: Answer(403, {"message": "Unable to create comment because issue is locked."})
    with pytest.raises(GitHubError, match="have it unlocked"):
        client.create_comment(ISSUE, "text")

    github.answer = lambda _: None
    with pytest.raises(GitHubError, match="somebody deleted the comment"):
        client.comment(ISSUE.repository, 4711)


@pytest.mark.parametrize("content", ["<html>", {"message": "ok"}, [1], None, {"number": "x"}])
def test_an_answer_from_something_else_is_an_error(github, client, content):
    """A proxy's login page answers 200 to everything."""
    github.answer = lambda _: Answer(200, content)

    for ask in (lambda: client.issue(ISSUE), lambda: list(client.comments(ISSUE)), lambda: client.search_issues("x")):
        with pytest.raises(PublicationError, match="GITHUB_API_URL"):
            ask()


def test_a_text_that_is_too_long_is_not_sent(github, client):
    """GitHub would refuse it with a riddle."""
    with pytest.raises(GitHubError, match="65536"):
        client.create_comment(ISSUE, "x" * 65_537)
    assert github.requests == []


# The network and the token


def test_without_a_network_nothing_is_sent_and_nobody_waits_twice():
    """On a train each of ten drafts must not take its own timeout."""
    with GitHub("http://127.0.0.1:9", "token") as client:
        start = time.monotonic()
        for _ in range(10):
            with pytest.raises(UnreachableError, match="cannot be reached"):
                client.create_comment(ISSUE, "text")
        assert time.monotonic() - start < 8


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ключ"])
def test_without_a_token_nothing_is_sent(github, token):
    """And a token that is none does not end in a traceback."""
    with pytest.raises(NotYetError, match="GITHUB_TOKEN"):
        GitHub.from_environment(github.url, {"GITHUB_TOKEN": token}).create_comment(ISSUE, "text")
    assert github.requests == []


def test_what_is_public_can_be_read_without_a_token(github):
    """A dry run needs no credentials."""
    github.open_issue("Experiment: Learning rates")

    assert GitHub.from_environment(github.url, {}).issue(ISSUE).number == 7
    assert "authorization" not in github.requests[0].headers


@pytest.mark.parametrize(
    ("host", "said", "base"),
    [
        ("github.com", "", "https://api.github.com"),
        ("ghe.example.org", "", "https://ghe.example.org/api/v3"),
        ("github.com", "https://ghe.example.org/api/v3/", "https://ghe.example.org/api/v3"),
        ("github.com", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_api_is_where_the_host_has_it(host, said, base):
    """Enterprise servers have theirs elsewhere."""
    assert api_base(host, {"GITHUB_API_URL": said}) == base


def test_the_token_never_goes_over_an_open_line():
    """Anybody on the way could read it."""
    with pytest.raises(PublicationError, match="https"):
        api_base("github.com", {"GITHUB_API_URL": "http://ghe.example.org/api/v3"})


# Addresses


def test_issues_are_known_by_their_addresses():
    """People paste them with anchors and queries, and pull requests have comments too."""
    for tail in ("issues/7", "pull/7", "issues/7#issuecomment-1", "issues/7?x=1"):
        assert parse_issue(f"https://github.com/marin-community/marin/{tail}") == ISSUE
    assert parse_issue("https://ghe.example.org/o/r.x/issues/12").repository.host == "ghe.example.org"
    for other in ("", "#7", "https://github.com/marin-community/marin", "https://github.com/a/b/../issues/7", "TBD"):
        with pytest.raises(PublicationError):
            parse_issue(other)
    assert str(parse_repository("https://github.com/o/r.git")) == str(parse_repository("o/r")) == "o/r"


def test_permalinks_and_anchors_are_githubs():
    """As found under real headings there."""
    headings = [
        "2026-08-13 19:12 - FD10X-001 local corpus",
        "`a_b` — [x](y), z!",
        "Log",
        "Log",
        "TL;DR",
        "Änderung 🤖 x",
    ]
    assert anchors(headings) == [
        "2026-08-13-1912---fd10x-001-local-corpus",
        "a_b--x-z",
        "log",
        "log-1",
        "tldr",
        "änderung--x",
    ]
    assert permalink(f"{WEB}/o/r", "c0ffee", "a b/c.md", "log") == f"{WEB}/o/r/blob/c0ffee/a%20b/c.md#log"

"""The kill matrix: whatever dies, and at whatever point, what was approved is out once after the next try.

Every kind of publication to GitHub is killed before and during each system call that matters, and meets every fault of
the network at each of its requests. Git's own steps are in test_publish_git.py, the file's in test_publish_logbook.py.
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
import socket

import pytest

from curator import front_matter
from curator.draft import DraftKind
from curator.github.pace import Pace
from curator.publish import Outcome, publish
from curator.publish.marker import marker
from marin_research.thread import Thread
from tests.curator.dying import in_child
from tests.curator.github_server import FAULTS, SLOW_DOWN

CALLS = ((socket.socket, ("connect", "send", "sendall", "recv")), (os, ("link", "replace", "fsync")))
"""What changes something outside of the program, or learns of it."""

REPOSITORY = "marin-community/marin"


class Case:
    """One kind of publication: how a draft of it is made, and what has to be true when it is out."""

    def __init__(self, checkout, github, issue):
        self.checkout, self.github, self.issue = checkout, github, issue
        self.thread = checkout.top / ".agents/research/lr-sweep.yaml"
        self.number = 0

    def draft(self):
        """An approved draft and a fresh place for it."""
        raise NotImplementedError

    def check(self, draft):
        """It is out exactly once."""
        raise NotImplementedError

    def approve(self, text, kind, **fields):
        made = self.checkout.draft(text, kind=kind, runs=(), target=self.issue, facts=(), **fields)
        findings = self.checkout.queue.get(made.id)
        assert findings.text == text
        self.checkout.curator("approve", made.id)
        return self.checkout.queue.get(made.id)

    def occurrences(self, draft):
        mark = marker(draft.id, draft.sha256)
        texts = [c["body"] for c in self.github.comments.values()] + [i["body"] for i in self.github.issues.values()]
        return sum((text or "").count(mark) for text in texts)


class Comment(Case):
    def draft(self):
        return self.approve("🤖 Update: words.\n", DraftKind.ISSUE)

    def check(self, draft):
        assert self.occurrences(draft) == 1


class Body(Case):
    def draft(self):
        self.github.issues[REPOSITORY, 7]["body"] = "## TL;DR\n\n- old\n\n## Results\n\nSoon.\n"
        return self.approve("## TL;DR\n\n- new\n", DraftKind.ISSUE_BODY, replaces="## TL;DR\n\n- old")

    def check(self, draft):
        mark = marker(draft.id, draft.sha256)
        assert self.github.body(7) == f"## TL;DR\n\n- new\n\n{mark}\n\n## Results\n\nSoon.\n"


class Kickoff(Case):
    def draft(self):
        self.thread.write_text("".join(line for line in self.thread.open() if not line.startswith("issue")))
        self.checkout.logbook.write_text(self.checkout.LOGBOOK)
        for issue in self.github.issues.values():
            issue["title"] = "something else"
        fields = {"title": "Experiment: Learning rates", "repository": REPOSITORY, "labels": ["experiment"]}
        return self.approve(front_matter.join(fields, "## Description\n\nWords.\n"), DraftKind.KICKOFF)

    def check(self, draft):
        assert self.occurrences(draft) == 1
        mark = marker(draft.id, draft.sha256)
        (opened,) = [number for (_, number), issue in self.github.issues.items() if mark in issue["body"]]
        url = f"https://github.com/{REPOSITORY}/issues/{opened}"
        assert Thread.load("lr-sweep").issue == url
        assert self.checkout.logbook.read_text().count("- Experiment issue:") == 1
        assert url in self.checkout.logbook.read_text()


class Fix(Case):
    def draft(self):
        posted = self.github.say(7, "wrods\n", by="ada")
        self.issue = self.github.comments[posted]["html_url"]
        return self.approve("words\n", DraftKind.FIX, replaces="wrods")

    def check(self, draft):
        assert self.occurrences(draft) == 1
        (newest,) = list(self.github.comments.values())[-1:]
        assert newest["body"] == f"words\n\n{marker(draft.id, draft.sha256)}\n"


class Closing(Case):
    def draft(self):
        self.github.issues[REPOSITORY, 7].update(body="## Conclusion\n\nWords.\n", state="open")
        return self.approve("🤖 Final summary: words.\n", DraftKind.CLOSING)

    def check(self, draft):
        assert self.occurrences(draft) == 1
        assert self.github.issues[REPOSITORY, 7]["state"] == "closed"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """How long the client waits is tested elsewhere."""
    pace = functools.partial(Pace, between_writes=0, sleep=lambda _: None)
    monkeypatch.setattr("curator.github.client.Pace", pace)


@pytest.fixture(params=[Comment, Body, Kickoff, Fix, Closing])
def case(request, checkout, here, github, issue):
    return request.param(checkout, github, issue)


def publish_once(checkout, draft):
    (publication,) = publish([checkout.queue.get(draft.id)], checkout.queue, by="Ada")
    return publication


def publish_until_out(checkout, draft):
    """What a person does: the same command again until it says that it is done."""
    for _ in range(3):
        publication = publish_once(checkout, draft)
        if publication.outcome in (Outcome.PUBLISHED, Outcome.ALREADY):
            return publication
    raise AssertionError(publication)


def publish_and_die(checkout, draft, point):
    """Publish in a process that is killed just before its ``point``-th call; gives how many there were, or None."""

    def until_then():
        count = itertools.count()

        def deadly(call):
            def counted(*args, **more):
                if next(count) == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **more)

            return counted

        for home, names in CALLS:
            for name in names:
                setattr(home, name, deadly(getattr(home, name)))
        publish_once(checkout, draft)
        return next(count)

    return in_child(until_then)


# The threads of the server wait for a request while the process forks; none of them holds what the child needs.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_kill_at_any_call_leaves_one_publication_after_the_next_try(case, record_property):
    """Before, during and after each request and each write."""
    for point in itertools.count():
        case.checkout.forget()
        draft = case.draft()
        made = publish_and_die(case.checkout, draft, point)

        publish_until_out(case.checkout, draft)

        case.check(draft)
        assert case.checkout.decisions(draft.id).count("published") == 1
        if made is not None:  # it came through: there is no such point
            break
    assert point > 10
    assert case.checkout.queue.log.problems() == []
    record_property("points", point)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_leaves_one_publication_after_the_next_try(case, fault, record_property):
    """Cut before or after it was done, half an answer, two of them, done twice, a proxy's error, a rate limit."""
    draft, github = case.draft(), case.github
    before = len(github.requests)
    publish_until_out(case.checkout, draft)
    requests = len(github.requests) - before
    for number in range(1, requests + 1):
        case.checkout.forget()
        draft, start = case.draft(), len(github.requests)
        github.fault = lambda n, _, at=start + number: fault if n == at else None

        publish_until_out(case.checkout, draft)

        github.fault = lambda *_: None
        case.check(draft)
        assert case.checkout.decisions(draft.id).count("published") == 1
    assert requests > 1
    record_property("points", requests)


def test_nothing_is_hammered(case):
    """A server that refuses everything is asked a few times and then left alone."""
    draft, start = case.draft(), len(case.github.requests)
    case.github.fault = lambda *_: SLOW_DOWN

    assert publish_once(case.checkout, draft).outcome is Outcome.WAITS
    assert len(case.github.requests) - start < 10

"""What the template says of a sweep, as those read it who have to sign it."""

from __future__ import annotations

import math

import pytest

from curator.draft import DraftKind
from curator.drafters import template, wording
from curator.evidence import gather
from curator.verify import verify
from marin_research.record import End, Status
from tests.conftest import NOON


def text_of(drafted: template.Drafted) -> str:
    assert isinstance(drafted.content, str | template.Entry)
    return drafted.content if isinstance(drafted.content, str) else drafted.content.body


@pytest.fixture
def drafted(sweep):
    """Drafts one kind of text about a sweep; gives the text, and what is doubted in it."""

    def make(kind, **said):
        evidence, of_thread = sweep(**said)
        (one,) = template.draft(evidence, of_thread, {kind})
        text = text_of(one)
        return text, verify(text, tuple(evidence.facts.values())).findings

    return make


@pytest.mark.parametrize("kind", [DraftKind.LOGBOOK, DraftKind.ISSUE])
def test_what_a_run_measured_before_it_failed_is_no_result(drafted, kind):
    """The best number of a sweep may be that of a run that crashed on the way to it."""
    ended = End(status=Status.FAILED, time=NOON, why="it exited with code 1")

    text, doubted = drafted(kind, LR_004={"metrics": {"eval/loss": 2.1}, "end": ended})

    assert ("In brackets: the change against the baseline LR-001." in text) == (kind is DraftKind.LOGBOOK)
    assert "Best eval/loss of LR-001..LR-003: LR-003 (lr=0.1), at 2.363 nats/byte." in text
    assert "2.100 (" not in text
    assert doubted == ()


def test_brackets_are_explained_where_there_are_any(drafted):
    """A line about numbers that are not there sends a reader looking for them."""
    ended = End(status=Status.FAILED, time=NOON, why="it exited with code 1")
    none, _ = drafted(DraftKind.LOGBOOK, LR_002={"end": ended}, LR_003={"end": ended})

    assert "In brackets" not in none


def test_a_baseline_alone_is_called_the_baseline(sweep, store):
    """That it has none to be compared with is no finding."""
    evidence, of_thread = sweep()
    alone = gather(["LR-001"], evidence.thread, store)
    (one,) = template.draft(alone, of_thread, {DraftKind.LOGBOOK})

    assert "  - LR-001 (eval/loss 2.459 nats/byte) is the baseline.\n" in text_of(one)
    assert verify(text_of(one), tuple(alone.facts.values())).findings == ()


def test_an_update_stands_on_its_own(drafted):
    """Whoever reads the issue alone has to be able to run it again, and to know what it was for."""
    text, doubted = drafted(DraftKind.ISSUE, LR_004={"metrics": {"train/loss": math.nan}})

    change, _, rest = text.partition("- Result delta:")
    assert "doubling the rate lowers the loss" in change
    assert "  - Command: `" in change
    assert "  - Config: `seed=0`, `steps=400`" in change
    assert "  - Devices: " in change
    assert "its numbers stopped being finite" in rest
    assert "- Next:" in rest
    assert doubted == ()


def test_a_reference_to_an_issue_stays_one(drafted):
    """GitHub links ``#1234`` only where it is no code."""
    text, _ = drafted(DraftKind.LOGBOOK, LR_002={"hypothesis": "as said in #1234, a higher rate is better"})

    assert "as said in #1234, a higher rate is better" in text


@pytest.mark.parametrize("text", ["see #1234 and <b>", "@grace", "#1234 `x`", "## a heading", "[a](b)"])
def test_what_more_than_refers_to_an_issue_stays_text(text):
    """A label is no place for links, mentions and HTML."""
    assert wording.stated(text).startswith("`")

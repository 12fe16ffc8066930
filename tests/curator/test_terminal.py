"""The review in a terminal: nothing is approved that a person did not mean to approve."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import termios
import time
from contextlib import nullcontext

import pexpect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from curator.draft import DraftStatus
from curator.errors import CuratorError
from curator.proof import Objection, Proof
from curator.terminal import Desk, review
from curator.verify import verify
from curator.writing import Writing

KEYS = set("aerspv?q")


class Answers:
    """A person who answers as written down; an answer may also be something that happens meanwhile."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def key(self, _prompt):
        answer = self._answers.pop(0) if self._answers else "q"
        while callable(answer):
            answer()
            answer = self._answers.pop(0)
        return answer

    line = key

    def released(self):
        return nullcontext()


@pytest.fixture
def desk(checkout):
    """Makes a desk whose console can be read."""

    def make(*answers, edit=lambda _: None, proofread=lambda _: None):
        console = Console(file=io.StringIO(), width=80, highlight=False, markup=False, emoji=False)
        return Desk(
            queue=checkout.queue, by="Ada", keys=Answers(*answers), console=console, edit=edit, proofread=proofread
        )

    return make


def said(desk):
    return desk.console.file.getvalue()


@pytest.mark.parametrize("key", ["<Enter>", "<Esc>", "<Tab>", "<key>", "<several keys>", " ", "A", "y", "Y", "ä", "1"])
def test_a_key_that_means_nothing_decides_nothing(checkout, desk, key):
    """Whoever falls onto the keyboard must not sign anything."""
    draft = checkout.draft()

    decided = review([draft.id], desk(key, key, "q"))

    assert (decided, checkout.decisions()) == ([], [])


@pytest.fixture
def waiting(checkout):
    """The ID of a draft that waits for a person."""
    return checkout.draft().id


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(keys=st.lists(st.text(max_size=3).filter(lambda key: key and key not in KEYS), max_size=8))
def test_no_other_input_decides_anything(checkout, desk, waiting, keys):
    """Only the keys on the screen mean anything."""
    review([waiting], desk(*keys, "q"))

    assert checkout.decisions() == []


def test_approving_logs_the_text_that_was_shown(checkout, desk):
    """The log must say who said yes to what."""
    first, second = checkout.draft(), checkout.draft()

    decided = review([first.id, second.id], at := desk("a", "s"))

    (entry,) = checkout.queue.log.entries()
    assert (entry.draft, entry.sha256, entry.by) == (first.id, first.sha256, "Ada")
    assert [(each.draft, each.what) for each in decided] == [(first.id, "approved"), (second.id, "skipped")]
    assert "curator publish --approved" in said(at)


def test_each_finding_has_to_be_accepted(checkout, desk):
    """One yes must not cover a doubt that was never looked at."""
    draft = checkout.draft(checkout.WRONG.replace("2.373", "2.111"))
    findings = [finding.id for finding in verify(draft.text, draft.facts).findings]
    assert len(findings) == 2

    for answers in (["a", "<Enter>"], ["a", "y", "n"], ["a", "y", "a"], ["a", "a", "y"]):
        review([draft.id], desk(*answers, "q"))
    assert checkout.decisions() == []

    review([draft.id], desk("a", "y", "y"))
    assert [finding.id for finding in checkout.queue.log.entries()[0].accepted] == findings


def test_a_text_that_changed_meanwhile_is_shown_again(checkout, desk):
    """The yes was meant for the text on the screen."""
    draft = checkout.draft()
    change = lambda: checkout.queue.edit(draft, checkout.ENTRY + "\nmore\n", by="Bob")  # noqa: E731

    review([draft.id], at := desk(change, "a", "a"))

    (entry,) = checkout.queue.log.entries()
    assert entry.sha256 == checkout.queue.get(draft.id).sha256 != draft.sha256
    assert "changed meanwhile" in said(at)
    assert said(at).count("### 2026-11-22") == 2


def test_an_objection_that_arrives_meanwhile_is_shown_before_anything_is_approved(checkout, desk):
    """Somebody had the draft proofread elsewhere; nobody approves past what they did not see."""
    draft = checkout.draft()
    objection = Objection(text="higher", start=32, end=38, why="it is lower")
    proof = Proof(sha256=draft.sha256, time=draft.created, objections=(objection,), writing=Writing(model="claude"))

    review([draft.id], at := desk(lambda: checkout.queue.keep_proof(draft, proof), "a", "q"))

    assert checkout.decisions() == []
    assert "claude objects: it is lower" in said(at)


@pytest.mark.parametrize("key", ["a", "r"])
def test_what_somebody_else_decided_meanwhile_stands(checkout, desk, key):
    """Two people at two terminals must not undo each other's decision unseen."""
    draft = checkout.draft()
    reject = lambda: checkout.curator("reject", draft.id, "--why", "no", "--by", "Bob")  # noqa: E731

    decided = review([draft.id], desk(reject, key, "mine too"))

    assert [entry.by for entry in checkout.queue.log.entries()] == ["Bob"]
    assert decided[0].what == "rejected"


def test_a_rejection_asks_for_a_reason_and_takes_nothing_for_no(checkout, desk):
    """A no without a reason teaches nobody anything; no answer is no answer."""
    draft = checkout.draft()

    review([draft.id], desk("r", "  ", "r", "wrong baseline"))

    (entry,) = checkout.queue.log.entries()
    assert (entry.decision, entry.why) == ("rejected", "wrong baseline")


def test_an_edited_text_is_checked_and_shown_again(checkout, desk):
    """A number that a person typed is as wrong as any other."""
    draft = checkout.draft()

    at = desk("e", "a", "n", "q", edit=lambda draft: checkout.queue.edit(draft, checkout.WRONG, by="Ada"))
    review([draft.id], at)

    assert checkout.decisions() == []
    assert "no findings" in said(at)
    assert "1 finding" in said(at)
    assert "-9.1 %" in said(at)


def test_an_editor_that_fails_ends_neither_the_review_nor_the_draft(checkout, desk):
    """A typo in EDITOR must not throw the person out."""
    draft = checkout.draft()

    def fail(_):
        raise CuratorError("no editor found; set EDITOR to one")

    review([draft.id], at := desk("e", "a", edit=fail))

    assert "set EDITOR" in said(at)
    assert checkout.decisions() == ["approved"]


def test_whatever_ends_a_review_what_was_decided_is_kept_and_shown(checkout, desk):
    """Ctrl-C in the second draft must not cost the decision on the first."""
    first, second = checkout.draft(), checkout.draft()

    def interrupt():
        raise KeyboardInterrupt

    at = desk("a", interrupt)
    with pytest.raises(KeyboardInterrupt):
        review([first.id, second.id], at)

    assert checkout.queue.get(first.id).status is DraftStatus.APPROVED
    assert re.search(rf"reviewed 1 of 2.*{first.id}  approved", said(at), re.DOTALL)


# A real terminal

PROMPT = "quit  > "


@pytest.fixture
def terminal(checkout):
    """Starts `curator review` in a pseudo-terminal of 80 columns."""
    started = []

    def start(*arguments, **env):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "curator.cli.main", "review", *arguments],
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **env},
            dimensions=(30, 80),
            encoding="utf-8",
            timeout=30,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def ended(child, code=0):
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code, child.before


def test_a_whole_review(checkout, terminal, editor):
    """The way a researcher goes through the drafts of a night."""
    fine, wrong, other = checkout.draft(), checkout.draft(), checkout.draft()
    child = terminal("lr-sweep", EDITOR=editor("file.write_text(file.read_text().replace('-3.5 %', '-9.1 %'))"))

    child.expect("logbook entry ─+ 1 of 3")
    child.expect(r"2\.373 nats/byte")
    child.expect("LR-002/metric/eval/loss")
    child.expect(PROMPT)
    child.send("\r")
    child.expect("<Enter> decides nothing")
    child.send(" ")
    child.expect("decides nothing")
    child.send("v")
    child.expect("LR-002#/metrics/eval~1loss/value")
    child.expect(PROMPT)
    assert checkout.decisions() == []
    child.send("a")
    child.expect(f"approved {fine.id}")

    child.expect("2 of 3")
    child.expect(PROMPT)
    child.send("e")
    child.expect("1 finding")
    child.expect(PROMPT)
    child.send("a")
    child.expect("accepts it")
    child.send("n")
    child.expect("nothing was approved")
    child.expect(PROMPT)
    child.send("a")
    child.expect("accepts it")
    child.send("y")
    child.expect(f"approved {wrong.id}")

    child.expect("3 of 3")
    child.expect(PROMPT)
    child.send("r")
    child.expect("why")
    child.sendline("the wrong baseline, übrigens")
    child.expect(f"rejected {other.id}")
    child.expect("reviewed 3 of 3")
    child.expect("curator publish --approved")
    ended(child)

    assert checkout.decisions() == ["approved", "approved", "rejected"]
    assert [entry.by for entry in checkout.queue.log.entries()] == ["Ada Lovelace"] * 3
    assert checkout.queue.get(other.id).why == "the wrong baseline, übrigens"
    assert [len(entry.accepted) for entry in checkout.queue.log.entries()] == [0, 1, 0]


@pytest.mark.parametrize(
    "keys", ["aaaa", "sa", "\x1b[A", "\x1bOa", "\x1b[a", "paste\na\n", "\x1b", "\x04", "\x7f", "ä"]
)
def test_pastes_arrows_and_escapes_decide_nothing(checkout, terminal, keys):
    """The last letter of an arrow key's sequence, or of a paste, is not an answer."""
    checkout.draft()
    child = terminal()
    child.expect(PROMPT)
    child.send(keys)
    child.expect("decides nothing.*> ")
    child.send("q")
    ended(child)
    assert checkout.decisions() == []


def test_a_key_held_down_decides_once(checkout, terminal):
    """The second draft must not be approved by the key that was still down from the first."""
    first, _ = checkout.draft(), checkout.draft()
    child = terminal()
    child.delaybeforesend = None
    child.expect(PROMPT)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        child.send("a")
        time.sleep(0.02)
    child.expect("2 of 2")
    child.expect(PROMPT)
    child.send("q")
    ended(child)
    assert checkout.decisions() == ["approved"]
    assert checkout.queue.get(first.id).status is DraftStatus.APPROVED


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, None])
def test_however_a_review_ends_its_decisions_are_kept(checkout, terminal, end):
    """A closed window, a Ctrl-C and a crash cost nothing that was decided, and decide nothing."""
    first, _ = checkout.draft(), checkout.draft()
    child = terminal()
    child.expect(PROMPT)
    child.send("a")
    child.expect("2 of 2")
    child.expect(PROMPT)
    if end is None:
        child.close()
    elif end is signal.SIGINT:
        child.sendintr()
        child.expect("reviewed 1 of 2")
        child.expect("interrupted")
        ended(child, code=1)
    else:
        child.kill(end)
        child.expect(pexpect.EOF)
    assert checkout.decisions() == ["approved"]
    assert checkout.queue.get(first.id).status is DraftStatus.APPROVED
    assert checkout.queue.log.problems() == []


@pytest.mark.parametrize("way", ["q", "intr", "term"])
def test_the_terminal_is_left_as_it_was(checkout, terminal, way):
    """A terminal that no longer shows what is typed has to be closed."""
    checkout.draft()
    child = terminal()
    before = termios.tcgetattr(child.child_fd)[3]
    child.expect(PROMPT)
    assert termios.tcgetattr(child.child_fd)[3] != before
    {"q": lambda: child.send("q"), "intr": child.sendintr, "term": lambda: child.kill(signal.SIGTERM)}[way]()
    child.expect(["reviewed", pexpect.EOF])
    while child.isalive():
        time.sleep(0.01)
    assert termios.tcgetattr(child.child_fd)[3] == before


def test_keys_work_after_the_program_was_stopped_and_continued(checkout, terminal):
    """After Ctrl-Z and `fg` the shell has changed the terminal's settings."""
    checkout.draft()
    child = terminal()
    usual = termios.tcgetattr(child.child_fd)
    child.expect(PROMPT)
    child.kill(signal.SIGSTOP)
    termios.tcsetattr(child.child_fd, termios.TCSANOW, usual)
    child.kill(signal.SIGCONT)
    deadline = time.monotonic() + 10
    while termios.tcgetattr(child.child_fd)[3] == usual[3] and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send("q")
    ended(child)


def test_nothing_to_review_is_said(checkout, terminal):
    """A person who comes too early should not wonder whether it works."""
    child = terminal()
    child.expect("nothing waits for review")
    ended(child)
    checkout.draft()
    child = terminal("another")
    child.expect("lr-sweep")
    ended(child, code=1)

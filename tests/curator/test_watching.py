"""When an update is due, and what watching does about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from curator.cadence import Due, Reason, due
from curator.check import check
from curator.draft import DraftKind, DraftStatus
from curator.log import Decision, LogEntry
from curator.queue import DraftQueue
from curator.watching import ThreadWatcher
from marin_research.record import Status
from tests.conftest import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
def running(a_run, an_attempt, a_host):
    """A run that still runs."""

    def make(run_id="LR-001", *, started=NOON, **said):
        attempt = an_attempt(started=started, end=None, hosts=(a_host(started=started, heartbeat=datetime.now(UTC)),))
        return a_run(run_id, attempts=(attempt,), status=Status.RUNNING, declared=started, **said)

    return make


def published(draft, time):
    return LogEntry(decision=Decision.PUBLISHED, draft=draft.id, sha256=draft.sha256, time=time, by="Ada")


@pytest.fixture
def update(checkout):
    """An update of the issue, in whatever state."""

    def make(*runs, status=DraftStatus.PUBLISHED, created=NOON, kind=DraftKind.ISSUE):
        draft = checkout.draft("words", kind=kind, runs=runs, created=created)
        return replace(draft, status=status)

    return make


def test_a_run_that_ended_is_a_milestone_until_it_is_told(a_run, update):
    """Somebody will want to find that update later."""
    runs = [a_run("LR-001"), a_run("LR-002")]
    told = update("LR-001")

    assert due(runs, [told], [published(told, NOON)], NOON + HOUR) == Due(
        reason=Reason.MILESTONE, runs=("LR-002",), since=NOON
    )
    for status in (DraftStatus.DRAFT, DraftStatus.APPROVED, DraftStatus.PUBLISHED):
        assert due(runs, [told, update("LR-002", status=status)], [], NOON + HOUR) is None
    assert due(runs, [told, update("LR-002", status=DraftStatus.REJECTED)], [], NOON + HOUR) is not None


def test_no_update_of_a_closed_issue_is_due(a_run, update):
    """Whoever closed it said the last word."""
    assert due([a_run("LR-001")], [update(kind=DraftKind.CLOSING)], [], NOON + 99 * HOUR) is None


def test_six_hours_of_silence_are_too_long_while_something_runs(running, a_run, update):
    """Readers cannot tell a long run from a forgotten one."""
    runs = [running("LR-001")]
    said = update(kind=DraftKind.KICKOFF)
    log = [published(said, NOON + HOUR)]

    assert due(runs, [said], log, NOON + 6 * HOUR) is None
    assert due(runs, [said], log, NOON + 7 * HOUR) == Due(reason=Reason.SILENCE, runs=("LR-001",), since=NOON + HOUR)
    assert due([a_run("LR-001", status=Status.CACHED)], [said], log, NOON + 99 * HOUR) is None


def test_an_update_that_waits_for_its_approval_counts(running, update):
    """Another one would only be one more to read."""
    waits = update(status=DraftStatus.DRAFT, created=NOON + 5 * HOUR)

    assert due([running("LR-001")], [waits], [], NOON + 8 * HOUR) is None
    assert due([running("LR-001")], [waits], [], NOON + 12 * HOUR) is not None


def test_a_thread_in_which_nothing_ran_owes_nothing():
    """There is nothing to say."""
    assert due([], [], [], NOON) is None


@pytest.fixture
def watched(checkout, sweep, store, monkeypatch):
    """A store with a launch that ended, and the thread's checkout around it."""
    sweep()
    store.put_thread("lr-sweep", {"topic": "lr-sweep", "prefix": "LR"})
    monkeypatch.chdir(checkout.top)
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    return store


def test_a_launch_that_ended_is_written_up_once(watched):
    """Whoever only recorded finds drafts in the queue; looking again adds nothing."""
    lines = ThreadWatcher(watched).look(datetime.now(UTC))

    assert "logbook: lr sweep" in "\n".join(lines)
    before = len(DraftQueue(watched).all())
    assert ThreadWatcher(watched).look(datetime.now(UTC)) == []
    assert len(DraftQueue(watched).all()) == before


def test_what_still_runs_gets_a_heartbeat(watched, running, keep):
    """Status, blockers and what comes next, from the record; approved like any other text."""
    keep(running("LR-005", metrics={"eval/loss": 2.51}, launch="20261122T130000Z-bbbbbb", label="lr=0.2"))
    watcher = ThreadWatcher(watched)

    lines = watcher.look(datetime.now(UTC) + 7 * HOUR)

    assert "an update of the issue is due (LR-005 in progress" in lines[-1]
    (draft,) = [draft for draft in DraftQueue(watched).all() if draft.title == "LR-005 in progress"]
    assert draft.text.startswith("🤖 Update: LR-005 in progress\n")
    assert "eval/loss 2.510 nats/byte so far" in draft.text
    assert [finding.kind.value for finding in check(draft, watched).findings] == ["open"]  # when the next result comes
    assert watcher.look(datetime.now(UTC) + HOUR) == []


def test_a_thread_that_cannot_be_read_does_not_keep_the_others_from_it(watched, checkout):
    """Somebody is in the middle of editing a thread's file."""
    watched.put_thread("aaa", {"topic": 1})

    lines = ThreadWatcher(watched).look(datetime.now(UTC))

    assert "damaged" in lines[0]
    assert "logbook: lr sweep" in lines[1]


def test_the_command_looks_once_or_goes_on_until_it_is_stopped(watched, checkout):
    """Under a scheduler it ends; in a terminal Ctrl-C ends it without a traceback."""
    assert "drafted LR-D001" in checkout.curator("watch", "--once").out

    command = [sys.executable, "-m", "curator.cli.main", "watch", "--every", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as watching:
        assert watching.stderr is not None
        assert watching.stderr.readline() == "watching all threads; Ctrl-C ends it\n"
        watching.send_signal(signal.SIGINT)
        said = watching.stderr.read()
    assert watching.returncode == 1
    assert "Traceback" not in said


def test_drafting_says_what_is_due(watched, checkout):
    """Who drafts by hand learns that the readers of the issue wait."""
    said = checkout.curator("draft", "lr-sweep", "--kind", "logbook").err
    assert "an update of the issue is due (LR-001, LR-002, LR-003 and LR-004 ended" in said

    assert "is due" not in checkout.curator("draft", "lr-sweep", "--kind", "issue").err


def test_drafting_says_when_nothing_decides_which_run_is_better(watched, checkout):
    """A draft that ranks nothing looks as if there were nothing to say."""
    assert "declares no metric" not in checkout.curator("draft", "lr-sweep").err

    thread = checkout.top / ".agents" / "research" / "lr-sweep.yaml"
    thread.parent.mkdir(parents=True, exist_ok=True)
    thread.write_text("topic: lr-sweep\nprefix: LR\n")

    assert "lr-sweep declares no metric" in checkout.curator("draft", "lr-sweep").err

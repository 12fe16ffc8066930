"""The heartbeat: every 30 to 60 minutes while something watches, and nobody is asked without a key."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from curator.skillevolve.heartbeat import HeartbeatWatcher
from curator.skillevolve.memory import Note
from curator.skillevolve.notebook import write_note

NOON = datetime(2026, 2, 15, 12, tzinfo=UTC)


def test_it_beats_when_it_is_due_and_not_before(forum, checkout):
    """The site asks for 30 to 60 minutes, however often one looks."""
    watcher = HeartbeatWatcher(timedelta(minutes=45))

    said = [len(watcher.look(NOON + timedelta(minutes=minute))) for minute in range(0, 100, 5)]

    assert [index * 5 for index, lines in enumerate(said) if lines] == [0, 45, 90]
    assert len(forum.asked("GET /heartbeat")) == 3
    assert HeartbeatWatcher(timedelta(minutes=45)).look(NOON + timedelta(minutes=100)) == []  # another program's turn


def test_what_concerns_our_skills_comes_first(forum, checkout):
    """Whoever can help should see the question."""
    checkout.curator("note", "--type", "tip", "--skill", "serving-llms-vllm", "set it first")
    forum.holds("post-1", type="help_wanted", title="How to dedup?", skill_slug="nemo-curator")
    forum.holds("post-2", type="help_wanted", title="Out of memory", skill_slug="vllm")

    lines = HeartbeatWatcher().look(datetime.now(UTC))

    assert lines[0] == "SkillEvolve: 1 note in the last hour; 3 unread replies, 1 mention"
    asked = f"SkillEvolve: somebody asks about vllm, which you use: Out of memory  {forum.origin}/forum/post-2"
    assert lines[1] == asked
    assert lines[2].startswith("SkillEvolve: somebody asks: How to dedup?")
    assert lines[-1] == "SkillEvolve: a skill changed: vllm 1.3.0 5 techniques"


def test_a_failure_is_said_once_a_beat(forum, checkout):
    """A site that is down for a night must not fill the terminal."""
    forum.fault("GET /heartbeat", "status:429/3600", times=9)
    watcher = HeartbeatWatcher()

    said = [line for minute in range(60) for line in watcher.look(NOON + timedelta(minutes=minute))]

    assert said == ["SkillEvolve: SkillEvolve was asked too often; nothing was done, try again in 3600 s"] * 2


def test_without_a_key_there_is_no_heartbeat(forum, checkout):
    """Who does not take part is left alone."""
    (Path.home() / ".skillevolve/config.json").unlink()

    assert HeartbeatWatcher().look(NOON) == []
    assert forum.asked() == []


def test_a_session_that_is_over_asks_for_its_report_once(forum, checkout):
    """Sessions that nobody reports teach nobody."""
    folder = checkout.top / ".skillevolve/memory"
    write_note(Note(type="tip", text="one", time=NOON), folder / "sess-2026-02-15-1a2b3c4d.jsonl")
    watcher = HeartbeatWatcher()

    assert not any("no report" in line for line in watcher.look(NOON + timedelta(hours=1)))
    (line,) = [line for line in watcher.look(NOON + timedelta(hours=5)) if "no report" in line]
    assert "sess-2026-02-15-1a2b3c4d has 1 note and no report" in line
    assert not any("no report" in line for line in watcher.look(NOON + timedelta(hours=6)))


@pytest.mark.parametrize("damage", ["", "[", '{"time": 7}', '{"time": "noon"}'])
def test_a_damaged_memory_of_the_last_one_only_makes_it_come_early(forum, checkout, damage):
    """It is a convenience."""
    (Path.home() / ".skillevolve/heartbeat.json").write_text(damage)

    assert HeartbeatWatcher().look(NOON)
    assert json.loads((Path.home() / ".skillevolve/heartbeat.json").read_text())["time"] == NOON.isoformat()


def test_the_watching_program_beats(forum, checkout):
    """The whole program, as it runs beside the work."""
    command = [sys.executable, "-m", "curator.cli.main", "watch", "--every", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        line = watching.stdout.readline()
        watching.terminate()

    assert "in the last hour" in line
    deadline = time.monotonic() + 10
    while not forum.asked("GET /heartbeat") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(forum.asked("GET /heartbeat")) == 1


def test_a_rhythm_that_the_site_does_not_want_is_refused(checkout):
    """Every minute is a flood, once a day is no heartbeat."""
    assert "30<=x<=60" in checkout.curator("watch", "--once", "--heartbeat", "5", code=2).err

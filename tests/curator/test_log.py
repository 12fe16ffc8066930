"""The log of decisions: nothing in it can be changed, removed or slipped in without being seen."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from curator.errors import DraftFormatError
from curator.log import Decision, DecisionLog, LogEntry
from marin_research.objects import LocalObjects


def entry(draft: str = "LR-D001", decision: Decision = Decision.APPROVED) -> LogEntry:
    return LogEntry(decision=decision, draft=draft, sha256="ab" * 32, time=datetime.now(UTC), by="Ada")


@pytest.fixture
def log(tmp_path):
    log = DecisionLog(LocalObjects(tmp_path))
    for number in range(1, 6):
        log.append(entry(f"LR-D{number:03d}"))
    return log


def test_entries_come_back_in_order(log):
    """A decision that is lost or out of order gives a draft the wrong status."""
    assert [each.draft for each in log.entries()] == [f"LR-D{number:03d}" for number in range(1, 6)]
    assert log.problems() == []


def test_a_changed_entry_is_seen(log, tmp_path):
    """Somebody could make an approval out of a rejection."""
    path = tmp_path / "log/00000003.json"
    path.write_text(path.read_text().replace('"Ada"', '"Eve"'))

    assert any("00000004.json" in problem for problem in log.problems())


@pytest.mark.parametrize("number", [1, 3])
def test_a_removed_entry_is_seen(log, tmp_path, number):
    """Somebody could make a rejection disappear."""
    (tmp_path / f"log/{number:08d}.json").unlink()

    assert any(f"entry {number} is missing" in problem for problem in log.problems())


def test_an_entry_slipped_in_is_seen(log, tmp_path):
    """Somebody could put an approval between two entries and number the rest anew."""
    folder = tmp_path / "log"
    for number in (5, 4, 3):
        (folder / f"{number:08d}.json").rename(folder / f"{number + 1:08d}.json")
    forged = json.loads((folder / "00000002.json").read_text())
    forged["number"] = 3
    forged["previous"] = hashlib.sha256((folder / "00000002.json").read_bytes()).hexdigest()
    (folder / "00000003.json").write_text(json.dumps(forged) + "\n")

    assert log.problems()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"{}", b"[1]"])
def test_an_entry_that_cannot_be_read_is_named_and_left_alone(log, tmp_path, damage):
    """A damaged entry must stop decisions from being made up, and stay there for whoever repairs it."""
    path = tmp_path / "log/00000002.json"
    path.write_bytes(damage)

    assert any("00000002.json" in problem for problem in log.problems())
    with pytest.raises(DraftFormatError, match=r"00000002\.json"):
        log.entries()
    assert path.read_bytes() == damage


DECIDE = """
import sys
from datetime import UTC, datetime
from curator.log import Decision, DecisionLog, LogEntry
from marin_research.objects import open_objects
log = DecisionLog(open_objects(sys.argv[1]))
for number in range(10):
    draft = f"{sys.argv[2]}-D{number:03d}"
    log.append(LogEntry(decision=Decision.REJECTED, draft=draft, sha256="", time=datetime.now(UTC), by="Ada", why="no"))
"""


def test_people_who_decide_at_once_all_get_their_entries(tmp_path):
    """A decision that another one overwrites would be a decision nobody knows of."""
    people = [subprocess.Popen([sys.executable, "-c", DECIDE, str(tmp_path), who]) for who in "ABC"]
    assert [person.wait(60) for person in people] == [0, 0, 0]

    log = DecisionLog(LocalObjects(tmp_path))
    drafts = [each.draft for each in log.entries()]
    assert sorted(drafts) == [f"{who}-D{number:03d}" for who in "ABC" for number in range(10)]
    assert log.problems() == []

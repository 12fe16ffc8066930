"""Real logbooks, from the folder that MARIN_RESEARCH_CORPUS names: every one must be read right and can be added to."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marin_research.logbook import NewEntry, Order, has_marker, parse, plan_append, style_of
from marin_research.logbook.markdown import read_with_markdown_it
from marin_research.logbook.structure import scan

CORPUS = os.environ.get("MARIN_RESEARCH_CORPUS")
pytestmark = pytest.mark.skipif(not CORPUS, reason="MARIN_RESEARCH_CORPUS names no folder of logbooks")

# Counted by reading: the entries, and how many of them name an experiment.
ENTRIES = {
    "520m-1.2b-babysit-20260421.md": (0, 0),
    "6597-source-push-inbox.md": (2, 2),
    "7279-outstanding-b200-runs.md": (0, 0),
    "8734-qk175-long-context-skew.md": (4, 0),
    "8790-qk175-long-context-skew4.md": (1, 0),
    "baseline-scaling-trajectories.md": (2, 0),
    "context-norm.md": (3, 0),
    "cw-grug-moe-accelerator-perf.md": (5, 5),
    "d12-remat-fit.md": (2, 2),
    "d2-qualification.md": (1, 0),
    "echo-wiki.md": (5, 0),
    "finestore-transactions.md": (8, 0),
    "fuzzy-dedup-10x.md": (5, 5),
    "gated_post_norm.md": (1, 0),
    "glu-activation.md": (1, 0),
    "stratified-num-train-steps-bug.md": (0, 0),
}
LOGBOOKS = [Path(CORPUS or "", name) for name in ENTRIES]
MARKER = "<!-- marin-research: 0123abc -->"
ENTRY = NewEntry(
    ids=("LR-003",), label="label", time=datetime(2026, 9, 1, 12, 30, tzinfo=UTC), body="- Result: fine\n  - more\n"
)

each_logbook = pytest.mark.parametrize("path", LOGBOOKS, ids=lambda path: path.name)


def logbook(name):
    return parse(Path(CORPUS or "", name).read_bytes())


@each_logbook
def test_every_entry_is_found(path):
    """An entry that is missed, or a comment in a command that is taken for one, spoils every list."""
    entries = parse(path.read_bytes()).entries

    assert (len(entries), sum(bool(entry.ids) for entry in entries)) == ENTRIES[path.name]


@each_logbook
def test_reading_and_writing_back_changes_nothing(path):
    """Logbooks are append-only."""
    data = path.read_bytes()

    assert parse(data).data == data


@each_logbook
@pytest.mark.parametrize("ends", ["as it is", "CRLF", "no final newline", "with a byte order mark"])
def test_appending_adds_the_entry_and_nothing_else(path, ends):
    """Old bytes are a prefix and a suffix of the new file, and all the old entries are still there."""
    data = path.read_bytes()
    data = {
        "as it is": data,
        "CRLF": data.replace(b"\n", b"\r\n"),
        "no final newline": data.rstrip(b"\n"),
        "with a byte order mark": b"\xef\xbb\xbf" + data,
    }[ends]
    before = parse(data)

    plan = plan_append(data, ENTRY, marker=MARKER)
    after = parse(plan.data)

    grown = len(plan.data) - len(data)
    assert any(plan.data[:cut] + plan.data[cut + grown :] == data for cut in range(plan.start + 1))
    assert has_marker(plan.data, MARKER)
    mine = next(entry for entry in after.entries if entry.start == plan.start)
    assert (mine.ids, mine.label) == (("LR-003",), "label")
    assert [entry.heading for entry in after.entries if entry != mine] == [entry.heading for entry in before.entries]
    assert ends != "CRLF" or plan.data.count(b"\n") == plan.data.count(b"\r\n")


@each_logbook
def test_the_quick_scanner_understands_real_logbooks(path):
    """Real logbooks must be quick to append to, and seen as markdown-it sees them."""
    data = path.read_bytes()
    start = data.index(b"\n---\n") + 5 if data.startswith(b"---\n") else 0

    assert scan(data, start=start) == read_with_markdown_it(data, start=start)


def test_a_log_in_the_middle_of_a_file_grows_in_the_middle():
    """What follows the log here says what went wrong before; an entry behind it would be taken for a part of that."""
    plan = plan_append(logbook("gated_post_norm.md").data, ENTRY, marker=MARKER)

    assert plan.data[plan.start :].startswith("### 2026-09-01 12:30 — LR-003 label\n- Result: fine".encode())
    assert plan.data[plan.end :].startswith(b"## Prior context")


def test_a_log_that_has_the_newest_entry_first_grows_at_its_top():
    """The log is no section of its own, and its entries are as high as the other sections."""
    book = logbook("cw-grug-moe-accelerator-perf.md")
    plan = plan_append(book.data, ENTRY, marker=MARKER)

    assert style_of(book).order is Order.NEWEST_FIRST
    assert plan.start == book.entries[0].start
    assert plan.data[plan.start :].startswith(b"## 2026-09-01T12:30Z - LR-003 label\n\n- Result: fine")


def test_a_log_out_of_order_grows_at_its_end_and_says_so():
    """Two entries of an evening were written in the other order."""
    book = logbook("fuzzy-dedup-10x.md")
    plan = plan_append(book.data, ENTRY, marker=MARKER)

    assert plan.data.startswith(book.data)
    assert "no order" in (plan.note or "")


def test_lists_and_ranges_of_experiments_are_written_out():
    """Who looks for PERF-007 must find the sweep 004..012."""
    sweep, *_, smokes, _, _ = logbook("cw-grug-moe-accelerator-perf.md").entries

    assert list(sweep.ids) == [f"CW-GRUG-PERF-{number:03}" for number in range(4, 13)]
    assert list(smokes.ids) == [f"CW-GRUG-{number:03}" for number in range(4, 7)]
    assert smokes.time == "2026-05-05T22:05Z"

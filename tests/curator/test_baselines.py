"""Which run others are measured against, told the same in every text, and said where it changes."""

from __future__ import annotations

import pytest

from curator.check import check
from curator.draft import DraftKind
from curator.drafting import make_drafts
from marin_research.record import End, Status
from marin_research.thread import Thread
from tests.curator.conftest import NOON


@pytest.fixture
def drafted(checkout, store):
    """What is drafted of some runs: the text of the entry, or of a section; empty where there is none to draft."""

    def draft(*runs, section=None):
        kind = DraftKind.INDEX if section else DraftKind.LOGBOOK
        (outcome,) = make_drafts(
            runs, Thread.load("lr-sweep"), store, kinds=[kind], sections=[section] if section else []
        )
        if outcome.draft is None:
            return ""
        assert check(outcome.draft, store).findings == (), outcome.draft.text
        return outcome.draft.text

    return draft


@pytest.fixture
def record(a_run, keep):
    """Keeps a run that was launched alone, as a command is."""

    def record(number, lr, loss=None, **said):
        metrics = {"eval/loss": loss} if loss else {}
        said = {"label": f"lr={lr}", "config": {"lr": lr, "seed": 0}} | said
        return keep(a_run(f"LR-{number:03}", launch=f"launch-{number}", metrics=metrics, **said))

    return record


@pytest.fixture
def moved(record):
    """A baseline, a run that is better, and a second baseline with that run's rate."""
    record(1, 0.03, 2.4586, baseline=True)
    record(2, 0.06, 2.373)
    record(3, 0.06, 2.3728, baseline=True)
    record(4, 0.1, 2.3627)


TRACEBACK = """\
Traceback (most recent call last):
  File "bench.py", line 3, in <module>
    raise ValueError("block too large: VMEM")
ValueError: block too large: VMEM
"""
MOVED = "The baseline moved from LR-001 (eval/loss 2.459 nats/byte) to LR-003 (eval/loss 2.373 nats/byte)"


def test_a_moved_baseline_is_said_in_its_entry(moved, drafted):
    """Whoever compares two entries must know that they speak of two references."""
    entry = drafted("LR-003")

    assert f"  - {MOVED}; they differ in `lr`.\n" in entry
    assert "To decide: why does the baseline move from LR-001 to LR-003?" in entry
    assert "moved" not in drafted("LR-001") + drafted("LR-004")


def test_a_moved_baseline_asks_for_a_line_in_the_decision_log(moved, drafted):
    """A decision that nobody wrote down is made again a month later."""
    log = drafted("LR-003", section="Decision log")

    assert f"{MOVED}; they differ in `lr`. Why: to be said." in log
    assert "Owner: to be named." in log


def test_a_baseline_of_old_does_not_come_back_when_it_is_written_up_late(moved, drafted):
    """Entries are often written in another order than the runs ended."""
    assert "LR-001 (eval/loss 2.459 nats/byte) was the baseline before LR-003." in drafted("LR-001")
    assert drafted("LR-001", section="Current baseline") == ""
    assert "- Run: LR-003," in drafted("LR-003", section="Current baseline")


def test_the_same_runs_are_measured_against_the_same_baseline_alone_and_together(moved, drafted):
    """The newest, also of a snapshot that begins with an older one."""
    assert "the change against the baseline LR-003" in drafted("LR-004")
    together = drafted("LR-001", "LR-002", "LR-003", "LR-004")
    assert "the change against the baseline LR-003" in together
    assert MOVED in together


def test_a_baseline_that_is_measured_again_is_not_moved(record, drafted):
    """Another seed of it is more evidence for the same reference."""
    record(1, 0.03, 2.4586, baseline=True)
    record(2, 0.03, 2.4581, baseline=True, config={"lr": 0.03, "seed": 1})

    assert "moved" not in drafted("LR-002")


def test_each_line_of_a_summary_has_the_label_of_its_own_runs(moved, drafted):
    """One lucky run beside a result that was repeated makes neither of them the other."""
    lines = drafted("LR-004", section="Current TL;DR").splitlines()

    assert lines[2].startswith("- `replicated`: LR-002 and LR-003: mean eval/loss 2.373 nats/byte over 2 runs")
    assert lines[3].startswith("- `exploratory`: LR-004 is better than the baseline LR-003")


def test_the_index_of_negative_results_says_what_a_command_said(record, drafted, printed):
    """``It exited with code 1`` helps nobody who is about to try the same."""
    end = End(status=Status.FAILED, time=NOON, why="it exited with code 1")
    printed(record(1, 0.03, end=end), TRACEBACK)

    line = drafted("LR-001", section="Negative results index").splitlines()[2]

    assert line == (
        "- LR-001 failed: `it exited with code 1`. It said `ValueError: block too large: VMEM`. See entry LR-001."
    )


def test_a_run_launched_alone_may_differ_in_the_one_setting_that_it_tests(record, drafted):
    """Changing one thing at a time is how an experiment is made, also without a sweep around it."""
    record(1, 0.03, 2.4586, baseline=True)
    record(2, 0.06, 2.173)
    record(3, 0.1, 2.2, config={"lr": 0.1, "seed": 0, "batch": 64})

    one, two = drafted("LR-002"), drafted("LR-003")

    assert "Apples to apples: only `lr` differs from the baseline." in one
    assert "- Config: `lr=0.06`, `seed=0`\n" in one
    assert "Not apples to apples: LR-003 also differs from the baseline in `lr` and `batch`." in two


def test_a_clear_win_of_a_run_launched_alone_is_worth_a_post(record, checkout, store):
    """The community need not wait for a sweep."""
    record(1, 0.03, 2.4586, baseline=True)
    record(2, 0.06, 2.173)

    (outcome,) = make_drafts(["LR-002"], Thread.load("lr-sweep"), store, kinds=[DraftKind.POST])

    assert outcome.draft is not None, outcome.why_none
    assert outcome.draft.title == "lr=0.06: eval/loss -11.6 % against the baseline"
    (finding,) = check(outcome.draft, store).findings
    assert "name one skill" in finding.why

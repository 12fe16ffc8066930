"""Pictures of sweeps: drawn where there is something to see, committed with the entry, shown at that commit."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from curator.check import check
from curator.draft import DraftKind
from curator.drafting import make_drafts
from curator.plots import sweep_plot
from marin_research.thread import Thread

SVG = "{http://www.w3.org/2000/svg}"


def elements(plot):
    return list(ET.fromstring(plot.svg).iter())  # noqa: S314 - our own


def texts(plot):
    return [element.text for element in elements(plot) if element.tag == f"{SVG}text"]


def test_a_sweep_is_drawn_with_every_value_of_its_axis(sweep):
    """The failed value is there too, and says that it has no result; the baseline is a line."""
    plot = sweep_plot(sweep()[0])

    assert plot is not None
    assert plot.title == "eval/loss by lr"
    said = texts(plot)
    assert [text for text in said if str(text)[:2] == "0." and " b" not in text] == [
        "0.03",
        "0.06",
        "0.1",
        "0.3 (no result)",
    ]
    assert "baseline LR-001" in said
    assert [element.tag for element in elements(plot)].count(f"{SVG}circle") == 3


def test_the_same_sweep_is_the_same_picture(sweep):
    """Drafting twice must not draft two entries that differ in the name of a file."""
    evidence, _ = sweep()

    assert sweep_plot(evidence) == sweep_plot(evidence)


def test_a_plot_is_an_image_and_nothing_else(sweep):
    """It is shown on pages; a script or a link in it would be somebody's."""
    evil = "</text><script>alert(1)</script>"
    plot = sweep_plot(sweep(LR_002={"config": {"lr": evil, "seed": 0, "steps": 400}})[0])

    assert plot is not None
    assert any(evil in str(text) for text in texts(plot))
    names = {element.tag.removeprefix(SVG) for element in elements(plot)}
    assert names <= {"svg", "g", "rect", "text", "line", "path", "circle"}


def test_too_little_is_not_drawn(sweep):
    """Two numbers are quicker read, and a single run has no axis."""
    evidence, _ = sweep()
    few = {f"LR-00{n}/metric/eval/loss" for n in (2, 3)}

    assert sweep_plot(replace(evidence, axis=())) is None
    assert sweep_plot(replace(evidence, axis=("lr", "steps"))) is None
    assert sweep_plot(replace(evidence, facts={k: f for k, f in evidence.facts.items() if k not in few})) is None


@pytest.fixture
def drafted(sweep, store, checkout, issue, monkeypatch):
    """The entry and the update about the sweep, drafted in the checkout and approved."""
    sweep()
    monkeypatch.chdir(checkout.top)
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    kinds = [DraftKind.LOGBOOK, DraftKind.ISSUE]
    outcomes = make_drafts(store.run_ids(), Thread.load("lr-sweep"), store, kinds=kinds)
    drafts = {outcome.kind: outcome.draft for outcome in outcomes if outcome.draft}
    assert [check(draft, store).findings for draft in drafts.values()] == [(), ()]
    checkout.curator("approve", *(draft.id for draft in drafts.values()))
    return drafts


def test_the_picture_goes_out_with_the_entry_and_is_shown_at_that_commit(here, drafted, checkout, github, git):
    """In the logbook beside the text; in the issue pinned, so that it never changes below what was said of it."""
    (attachment,) = drafted[DraftKind.LOGBOOK].attachments
    path = f".agents/logbooks/lr-sweep-files/{attachment.name}"
    assert f"![eval/loss by lr](lr-sweep-files/{attachment.name})" in drafted[DraftKind.LOGBOOK].text

    checkout.curator("publish", "--approved", "--push")

    commit = git(here, "rev-parse", "main")
    assert sorted(git(here, "show", "--format=", "--name-only", commit).split()) == sorted(
        [path, ".agents/logbooks/lr-sweep.md"]
    )
    assert (checkout.top / path).stat().st_size == attachment.blob.size
    assert git(here, "show", f"{commit}:{path}") == (checkout.top / path).read_text().strip()
    pinned = f"https://github.com/marin-community/marin/blob/{commit}/{path}?raw=true"
    assert f"![eval/loss by lr]({pinned})" in github.bodies(7)[0]
    assert git(checkout.top, "status", "--porcelain", "--untracked-files=all", ".agents/logbooks") == ""


def test_a_comment_waits_for_a_picture_that_was_not_pushed(here, drafted, checkout, github, git):
    """Somebody committed the logbook by hand and forgot the new file; a broken image helps nobody."""
    checkout.curator("publish", drafted[DraftKind.LOGBOOK].id)
    git(checkout.top, "commit", "--quiet", "--all", "--message", "mine")
    git(checkout.top, "push", "--quiet")

    assert "lr-sweep-files/" in checkout.curator("publish", "--approved").out
    assert github.bodies(7) == []
    git(checkout.top, "add", ".agents")
    git(checkout.top, "commit", "--quiet", "--message", "the file too")
    git(checkout.top, "push", "--quiet")
    checkout.curator("publish", "--approved")
    assert git(here, "rev-parse", "main") in github.bodies(7)[0]

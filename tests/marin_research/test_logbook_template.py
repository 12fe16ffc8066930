"""New logbooks: they must take their first entry, and their front matter must be YAML whatever people type."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from marin_research.logbook import NewEntry, parse, plan_append, style_of
from marin_research.logbook.template import new_logbook

ISSUE = "https://github.com/marin-community/marin/issues/7123"


@pytest.mark.parametrize(("style", "section"), [("seed", "Entry Log"), ("separate", "Entries")])
def test_a_new_logbook_takes_its_first_entry(style, section):
    """A template that its own program cannot append to would be of no use."""
    text = new_logbook(style, topic="lr-sweep", title="LR sweep", prefix="LR").encode()
    entry = NewEntry(ids=("LR-001",), label="kick-off", time=datetime(2026, 9, 1, tzinfo=UTC), body="- Result: fine")

    plan = plan_append(text, entry, marker="<!-- marin-research: 1 -->")

    assert parse(text).entries == ()
    assert style_of(parse(text)).section == section
    assert plan.data.startswith(text + b"\n### 2026-09-01 00:00 UTC - LR-001 kick-off\n\n- Result: fine\n")
    assert plan.note is None


def test_what_is_known_is_said_and_what_is_not_is_open():
    """A researcher must see what is still to be decided."""
    text = new_logbook(
        "seed",
        topic="lr-sweep",
        title="LR sweep",
        prefix="LR",
        goal="find the best\nlearning rate",
        metrics=["eval/loss (lower is better)"],
        constraints=["one batch size", "one mesh"],
        baseline={"Date": "2026-09-01", "Commit": "0123abc"},
        issue=ISSUE,
    )

    for line in (
        "- Goal: find the best learning rate",
        "- Primary metrics: eval/loss (lower is better)",
        "- Constraints:\n  - one batch size\n  - one mesh",
        "- Stop criteria: not decided yet",
        "- Experiment IDs: `LR-001`",
        "- Date: 2026-09-01\n- Code refs: not decided yet",
        "- Commit: 0123abc",
    ):
        assert f"\n{line}" in text


def test_a_separate_logbook_names_the_issue_it_belongs_to():
    """Its repository is not the one in which the work is done."""
    text = new_logbook("separate", topic="lr-sweep", title="LR sweep", prefix="LR", issue=ISSUE)

    assert yaml.safe_load(text.split("---\n")[1]) == {
        "title": "LR sweep",
        "source_repository": "marin-community/marin",
        "source_issue": 7123,
        "status": "active",
    }


@pytest.mark.parametrize("style", ["seed", "separate"])
@given(
    text=st.text(min_size=1)
    | st.sampled_from(["a: b", "no", "12", "007", "# x", "'", '"', "a #b", "- x", "2026-09-01"])
)
def test_front_matter_is_yaml_whatever_people_type(style, text):
    """A colon in a title must not make the file unreadable to the tools that index logbooks."""
    written = new_logbook(style, topic="lr-sweep", title=text, prefix="LR", description=text, issue=ISSUE)
    front = yaml.safe_load(written.split("\n---\n")[0].removeprefix("---\n"))

    assert len(front) >= 3
    if text.isprintable():
        assert str(front["description" if style == "seed" else "title"]) == " ".join(text.split())


def test_an_unknown_style_is_refused():
    """A typing error in a thread file must not choose a template at random."""
    with pytest.raises(ValueError, match="seed or separate"):
        new_logbook("other", topic="t", title="T", prefix="T")

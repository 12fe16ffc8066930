"""Living index sections: found in real logbooks, replaced whole, and every byte outside of them left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.errors import LogbookError
from marin_research.logbook import has_marker, parse
from marin_research.logbook.sections import edit_section, find_section, plan_section, section_name
from marin_research.thread import INDICES

MARK = "<!-- marin-research: LR-D001 sha256:0123456789abcdef -->"
NEXT = "<!-- marin-research: LR-D002 sha256:fedcba9876543210 -->"
BOOK = b"""\
# Rates

## Current TL;DR (as of today)
- `stable`: it trains.

```text
## Decision log
```

### Details
- more

## Scope
- Goal: rates


## Decision Log

- 2026-01-01: go.
## Entry Log

### 2026-01-02 10:00 - LR-001 first
- Result: fine.

#### Decision log
- none

### Decision log
- an entry that is called like an index
"""


def replaced(data, name, text, **said):
    section = find_section(data, name)
    return plan_section(data, text, replaces=section.text if section else None, **{"marker": MARK, **said})


@pytest.mark.parametrize("ends", ["LF", "CRLF"])
def test_only_the_section_changes(ends):
    """Other files cite this one by line and anchor; what is not the section stays byte for byte."""
    data = BOOK if ends == "LF" else BOOK.replace(b"\n", b"\r\n")
    section = find_section(data, "Current TL;DR")
    assert section is not None

    plan = replaced(data, "Current TL;DR", section.text.replace("it trains", "it flies"))

    assert plan.data[: plan.start] == data[: section.start]
    assert plan.data[plan.end :] == data[section.end :]
    assert plan.data[plan.start : plan.end].endswith(MARK.encode())
    assert ends == "LF" or plan.data.count(b"\n") == plan.data.count(b"\r\n")
    after = find_section(plan.data, "Current TL;DR")
    assert after is not None
    assert after.text == section.text.replace("it trains", "it flies")
    back = plan_section(plan.data, section.text, replaces=after.text, marker=NEXT)
    blank = b"\r\n\r\n" if ends == "CRLF" else b"\n\n"
    assert back.data == data[: section.end] + blank + NEXT.encode() + data[section.end :]


def test_a_heading_in_a_fence_or_an_entry_is_no_index():
    """A command's output or an entry's own subsection must not be overwritten."""
    section = find_section(BOOK, "Decision log")

    assert section is not None
    assert section.text == "## Decision Log\n\n- 2026-01-01: go."


def test_a_section_that_was_changed_meanwhile_is_left_alone():
    """Somebody wrote a better summary by hand after the draft was made."""
    section = find_section(BOOK, "Decision log")
    assert section is not None
    edited = BOOK.replace(b"go.", b"stop.")

    with pytest.raises(LogbookError, match="draft it again"):
        plan_section(edited, section.text + "\n- more", replaces=section.text, marker=MARK)
    with pytest.raises(LogbookError, match="draft it again"):
        plan_section(BOOK, "## Decision Log\n- new", replaces=None, marker=MARK)


def test_a_section_that_the_file_does_not_have_is_added_in_front_of_its_log():
    """The summary goes to the top, where readers look; the others stand before the entries."""
    plan = plan_section(BOOK, "## Negative results index\n\n- LR-002", replaces=None, marker=MARK)
    assert plan.data[plan.end :].startswith(b"\n\n## Entry Log") or plan.data[plan.end :].startswith(b"## Entry Log")
    bare = b"# Rates\n\n## Scope\n- Goal\n"
    plan = plan_section(bare, "## Current TL;DR\n\n- it trains", replaces=None, marker=MARK)
    assert plan.data == b"# Rates\n\n## Current TL;DR\n\n- it trains\n\n" + MARK.encode() + b"\n\n## Scope\n- Goal\n"
    assert "added" in (plan.note or "")


@pytest.mark.parametrize(
    "text", ["no heading", "## A\n\n## B", "## A\n\n# B", "## A\n\n```\nopen", "words\n\n## A", ""], ids=repr
)
def test_what_is_not_one_section_is_refused(text):
    """It would swallow or split what follows it."""
    with pytest.raises(LogbookError):
        section_name(text)


def test_editing_twice_edits_once(tmp_path):
    """A retry after a crash finds its own marker."""
    file = tmp_path / "book.md"
    file.write_bytes(BOOK)
    section = find_section(BOOK, "Decision log")
    assert section is not None

    first = edit_section(file, section.text + "\n- more", replaces=section.text, marker=MARK)
    second = edit_section(file, section.text + "\n- more", replaces=section.text, marker=MARK)

    assert (first.written, second.written) == (True, False)
    assert file.read_bytes().count(MARK.encode()) == 1


LINES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], exclude_characters="\x85"), max_size=30)
    .map(lambda line: "- " + line.replace("`", "").replace("<", "").replace("~", "").strip())
    .filter(lambda line: line.strip("- ")),
    min_size=1,
    max_size=5,
)


@given(before=LINES, after=LINES)
def test_any_bullets_can_follow_any_others(before, after):
    """Whatever people write into a bullet, the section is what was approved and its neighbours are as they were."""
    data = f"# T\n\n## Decision log\n\n{chr(10).join(before)}\n\n## Entry log\n\n### 2026-01-02 - x\n- y\n".encode()
    text = "## Decision log\n\n" + "\n".join(after)

    plan = replaced(data, "Decision log", text)

    section = find_section(plan.data, "Decision log")
    assert section is not None
    assert section.text == text.rstrip()
    assert plan.data.endswith(b"\n\n## Entry log\n\n### 2026-01-02 - x\n- y\n")


CORPUS = os.environ.get("MARIN_RESEARCH_CORPUS")
HAVE = {
    "6597-source-push-inbox.md": set(INDICES),
    "d2-qualification.md": {"Decision log"},
    "echo-wiki.md": {"Current TL;DR"},
    "fuzzy-dedup-10x.md": {"Current TL;DR", "Hypothesis queue"},
}
"""The indices that real logbooks have; the others have none."""
real_logbooks = pytest.mark.parametrize("path", sorted(Path(CORPUS or ".").glob("*.md")) if CORPUS else [], ids=str)


@pytest.mark.skipif(not CORPUS, reason="MARIN_RESEARCH_CORPUS names no folder of logbooks")
@real_logbooks
@pytest.mark.parametrize("name", INDICES)
def test_in_real_logbooks_an_index_is_found_and_edited_alone(path, name):
    """Replaced or added, everything else stays: the entries too."""
    data = path.read_bytes()
    section = find_section(data, name)
    assert (section is not None) == (name in HAVE.get(path.name, set()))
    text = (section.text if section else f"## {name}\n") + "\n- LR-001: fine"

    plan = replaced(data, name, text)

    assert has_marker(plan.data, MARK)
    grown = len(plan.data) - len(data)
    if section:
        assert plan.data[: plan.start] + plan.data[plan.end :] == data[: section.start] + data[section.end :]
    else:
        assert any(plan.data[:cut] + plan.data[cut + grown :] == data for cut in range(plan.start + 1))
    assert [e.heading for e in parse(plan.data).entries] == [e.heading for e in parse(data).entries]
    found = find_section(plan.data, name)
    assert found is not None
    assert found.text == text

"""Logbooks as people write them: reading entries, and adding one that looks as if they had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marin_research.errors import LogbookError
from marin_research.logbook import (
    NewEntry,
    Order,
    content_marker,
    entry_text,
    has_marker,
    parse,
    plan_append,
    style_of,
)
from marin_research.logbook.heading import read_heading

MARKER = "<!-- marin-research: 0123abc -->"
NOON = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)


def new_entry(ids=("LR-003",), label="short label", time=NOON, body="- Result: fine\n"):
    return NewEntry(ids=ids, label=label, time=time, body=body)


def added(data, entry=None):
    """What appending puts into ``data``, and nothing else."""
    plan = plan_append(data, entry or new_entry(), marker=MARKER)
    grown = len(plan.data) - len(data)
    cut = next(cut for cut in range(len(data), -1, -1) if plan.data[:cut] + plan.data[cut + grown :] == data)
    return plan.data[cut : cut + grown].decode()


def first(heading):
    """The one entry of a log that holds nothing but ``heading``."""
    (entry,) = parse(f"# T\n\n## Entry Log\n\n{heading}\n\ntext\n".encode()).entries
    return entry


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "time", "ids", "label"),
    [
        ("### 2026-07-02 09:08 - MOE-SP-001 set-up", "2026-07-02 09:08", ["MOE-SP-001"], "set-up"),
        ("### 2026-07-02 - set-up", "2026-07-02", [], "set-up"),
        ("### 2026-07-02 09:08 UTC - D12-001 fit", "2026-07-02 09:08 UTC", ["D12-001"], "fit"),
        ("### 2026-07-02 9:08 PDT: fit", "2026-07-02 9:08 PDT", [], "fit"),
        ("### 2026-07-02T23:36Z - A-004..006 sweep", "2026-07-02T23:36Z", ["A-004", "A-005", "A-006"], "sweep"),
        ("### 2026-07-02 ~08:15Z — A-004/005 sweep", "2026-07-02 ~08:15Z", ["A-004", "A-005"], "sweep"),
        ("### 2026-07-02 – A-003b, A-009: again", "2026-07-02", ["A-003b", "A-009"], "again"),
        ("### 2026-07-02 003b again", "2026-07-02", ["003b"], "again"),
        ("### A-001 kick-off (2026-07-02)", "2026-07-02", ["A-001"], "kick-off"),
        ("### A-001 - 2026-07-02 - kick-off", "2026-07-02", ["A-001"], "kick-off"),
        ("### Kick-off [A-001]", None, ["A-001"], "Kick-off"),
        ("### 2026-02-31 - no such day", None, [], "2026-02-31 - no such day"),
        ("### 2026-07-02 H100-8 and SHA-256", "2026-07-02", [], "H100-8 and SHA-256"),
        ("### 2026-07-02 - A-001, 128 chips", "2026-07-02", ["A-001"], "128 chips"),
        ("**2026-07-02 09:08 - A-001 bold**", "2026-07-02 09:08", ["A-001"], "bold"),
        ("## 2026-07-02 - A-001 as high as its section", "2026-07-02", ["A-001"], "as high as its section"),
    ],
)
def test_every_way_people_head_an_entry_is_read(heading, time, ids, label):
    """A heading that is not understood hides an experiment from `logbook list`."""
    entry = first(heading)

    assert (entry.time, list(entry.ids), entry.label) == (time, ids, label)


def test_headings_in_fences_tables_and_front_matter_are_no_entries():
    """Shell comments and pasted logs look like headings; an entry cut there would lose its end."""
    data = (
        b"---\ntopic: x\n# 2026-01-01 - yaml\n---\n\n# T\n\n## Experiment Log\n### 2026-01-02 - one\n"
        b"- Command:\n  ```bash\n  # 2026-01-03 - a comment\n  ```\n```\n### 2026-01-04 - pasted\n```\n"
        b"| ### 2026-01-05 |\n|---|\n| # x |\n#### 2026-01-06 detail\n### 2026-01-07 - two\n"
    )

    assert [entry.label for entry in parse(data).entries] == ["one", "two"]


def test_an_entry_ends_where_the_next_entry_or_section_starts():
    """Offsets are what scripts cut entries out with."""
    data = (
        "# T é\n\n## Log\n\n### 2026-01-02 - one\n\ntext\n#### detail\n\n### 2026-01-03 - two\nx\n\n## Next\n".encode()
    )

    one, two = parse(data).entries

    assert data[one.start : one.end] == b"### 2026-01-02 - one\n\ntext\n#### detail\n\n"
    assert data[two.start : two.end] == b"### 2026-01-03 - two\nx\n\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"# Status 2026-04-21\n\n## Notes\n",
        b"# T\n\n## Baseline (2026-04-21)\n",
        b"# T\n\n## Decision log\n- 2026-01-01: x\n",
        b"# T\n\n## Experiment Log\n\n### YYYY-MM-DD HH:MM - <short label>\n- Hypothesis:\n",
    ],
)
def test_a_file_without_entries_has_none(data):
    """A dated title, a dated section and a template's sample are not experiments."""
    assert parse(data).entries == ()


@given(st.binary() | st.text("#`-* \n\r2026-01LogEntry:").map(str.encode))
def test_reading_keeps_every_byte_of_any_file(data):
    """A logbook that is read must be the logbook that is written, whatever stands in it."""
    logbook = parse(data)

    assert logbook.data == data
    bounds = [bound for entry in logbook.entries for bound in (entry.start, entry.end)]
    assert bounds == sorted(bounds)
    assert all(0 <= bound <= len(data) for bound in bounds)


# --- style -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ("### 2026-07-02 - one", "### 2026-09-01 - LR-003 short label"),
        ("### 2026-07-02 09:08 - one", "### 2026-09-01 12:30 - LR-003 short label"),
        ("### 2026-07-02 09:08 UTC - one", "### 2026-09-01 12:30 UTC - LR-003 short label"),
        ("### 2026-07-02 09:08 PDT - one", "### 2026-09-01 12:30 UTC - LR-003 short label"),
        ("### 2026-07-02 ~09:08Z — one", "### 2026-09-01 12:30Z — LR-003 short label"),
        ("### 2026-07-02T09:08Z: one", "### 2026-09-01T12:30Z: LR-003 short label"),
        ("### 2026-07-02 one", "### 2026-09-01 LR-003 short label"),
        ("### one (2026-07-02)", "### LR-003 short label (2026-09-01)"),
        ("#### 2026-07-02 - one", "#### 2026-09-01 - LR-003 short label"),
        ("**2026-07-02 - one**", "**2026-09-01 - LR-003 short label**"),
        ("### one", "### 2026-09-01 12:30 UTC - LR-003 short label"),
    ],
)
def test_the_heading_follows_the_entries_that_are_there(existing, expected):
    """A logbook in two styles is hard to read and harder to search."""
    data = f"# T\n\n## Entry Log\n\n{existing}\n\ntext\n".encode()

    assert expected in added(data).splitlines()


@pytest.mark.parametrize("field", ["- Result:", "- **Result:**", "- **Result**:"])
@pytest.mark.parametrize("blank", ["", "\n"])
def test_fields_and_blank_lines_follow_the_entries_that_are_there(field, blank):
    """Fields are found by their look, also by people's scripts."""
    data = f"## Log\n\n### 2026-07-02 - one\n{blank}{field} x\n  - Sub: y\n".encode()
    body = "- Result: 1\n- **Next action:** go\n- **Seen**: a: b\n  - Sub: z\n"

    text = added(data, new_entry(body=body))

    look = field.replace("Result", "{}")
    fields = [
        look.format("Result") + " 1",
        look.format("Next action") + " go",
        look.format("Seen") + " a: b",
        "  - Sub: z",
    ]
    assert f"short label\n{blank}" + "\n".join(fields) in text


def test_what_stands_in_fences_tables_and_sentences_is_not_restyled():
    """A command or a configuration that changed on its way into the logbook would not run again."""
    data = b"## Log\n\n### 2026-07-02 - one\n- **Result:** x\n"
    body = (
        "```yaml\n- Name: x\n```\n\n| - Name: x |\n|---|\n\nSee - Name: x\n- name: x\n- a://b: c\n<!--\n- Name: x\n-->"
    )

    assert body in added(data, new_entry(body=body))


def test_the_line_ends_of_the_file_are_kept():
    """One LF in a CRLF file makes editors and diffs complain about all of it."""
    data = b"# T\r\n\r\n## Log\r\n\r\n### 2026-07-02 - one\r\ntext\r\n"

    text = added(data, new_entry(body="a\nb\r\nc"))

    assert text.count("\n") == text.count("\r\n") == 7


@pytest.mark.parametrize(
    ("section", "heading"),
    [
        ("## Experiment Log", "### 2026-09-01 12:30 - LR-003 short label\n- Result: fine\n"),
        ("## Entry Log", "### 2026-09-01 12:30 UTC - LR-003 short label\n\n- Result: fine\n"),
        ("## Entries", "### 2026-09-01 12:30 UTC - LR-003 short label\n\n- Result: fine\n"),
        ("# Part\n### log", "#### 2026-09-01 12:30 UTC - LR-003 short label\n\n- Result: fine\n"),
    ],
)
def test_the_first_entry_follows_the_template(section, heading):
    """A fresh logbook has no entries to imitate."""
    data = f"# T\n\n{section}\n".encode()

    assert added(data) == f"\n{heading}\n{MARKER}\n"
    assert style_of(parse(data)).section == section.split("# ")[-1].strip()


def test_a_time_in_another_zone_is_written_in_utc():
    """Two people in two zones write into the same logbook."""
    there = NOON.astimezone(timezone(timedelta(hours=-7)))

    assert "12:30 UTC" in added(b"## Entries\n", new_entry(time=there))


def test_the_text_of_an_entry_can_be_had_before_it_is_written():
    """People approve the very text that goes into the file."""
    data = b"## Log\n\n### 2026-07-02: one\n- **Result:** x\n"

    text = entry_text(data, new_entry())

    assert text == "### 2026-09-01: LR-003 short label\n- **Result:** fine"
    assert added(data, text) == added(data)


# --- place -----------------------------------------------------------------------------------------------------------

ONE, TWO = b"### 2026-01-01 - one\n\ntext\n\n", b"### 2026-01-02 - two\n\ntext\n\n"
AFTER = b"## Next steps\n\n- none\n"


def place(data):
    """The text right before and right behind the new entry, and the note about the place."""
    plan = plan_append(data, new_entry(), marker=MARKER)
    return plan.data[: plan.start], plan.data[plan.end :], plan.note


def test_an_entry_goes_to_the_end_of_the_log_not_of_the_file():
    """Next steps and appendices stay where they are."""
    head = b"# T\n\n## Experiment Log\n\n" + ONE + TWO

    assert place(head + AFTER) == (head, AFTER, None)


def test_an_entry_goes_to_the_top_of_a_log_that_has_the_newest_first():
    """Readers of such a log look at its top."""
    head = b"# T\n\n## Experiment Log\n\nIntroduction.\n\n"

    assert place(head + TWO + ONE + AFTER) == (head, TWO + ONE + AFTER, None)


def test_a_mixed_log_is_never_sorted():
    """Line numbers and anchors that others cite must stay true, so the entry goes to the end, and says so."""
    head = b"# T\n\n## Experiment Log\n\n" + TWO + ONE + TWO

    before, behind, note = place(head + AFTER)

    assert (before, behind) == (head, AFTER)
    assert "no order" in (note or "")


def test_dated_headings_without_a_section_are_a_log():
    """A third of the logbooks have no log section; a second log in them would split the record."""
    head = b"# T\n\n## Scope\n\nx\n\n"
    entries = b"## 2026-01-02 - two\n\n## 2026-01-01 - one\n\n"

    assert place(head + entries) == (head, entries, None)


def test_an_empty_log_section_does_not_hide_the_entries():
    """Somebody keeps the template's section and writes elsewhere."""
    data = b"# T\n\n## 2026-01-01 - one\n\n## 2026-01-02 - two\n\n## Entry Log\n"

    assert [entry.label for entry in parse(data).entries] == ["one", "two"]
    assert place(data)[1] == b"## Entry Log\n"


def test_of_several_logs_the_latest_one_grows():
    """People start a new log and leave the old one be."""
    head = b"## Entry Log\n\n" + TWO
    old = b"## Experiment Log\n\n" + ONE

    before, behind, note = place(head + old)

    assert (before, behind) == (head, old)
    assert "2 logs" in (note or "")


@pytest.mark.parametrize(
    "data", [b"", b"# T\n", b"# T\n\n## Summary\n\ntext", b"---\ntopic: x\n---\n", b"\xef\xbb\xbf"]
)
def test_a_file_without_a_log_gets_one_at_its_end(data):
    """Nothing that is recorded may be lost for want of a heading."""
    plan = plan_append(data, new_entry(), marker=MARKER)

    assert plan.data.startswith(data)
    assert b"## Entry Log\n\n### 2026-09-01" in plan.data
    assert "no log" in (plan.note or "")
    assert [entry.ids for entry in parse(plan.data).entries] == [("LR-003",)]


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n", "\n  ", "\r\n\r\n"])
def test_a_blank_line_parts_the_entry_from_what_was_there(end):
    """Without it Markdown could take the heading for the rest of a paragraph or for code."""
    data = f"## Log\n\n### 2026-01-01 - one\ntext{end}".encode()
    plan = plan_append(data, new_entry(), marker=MARKER)

    assert plan.data.startswith(data)
    assert plan.data[: plan.start].splitlines()[-1].strip() == b""
    assert len(parse(plan.data).entries) == 2


PIECES = [
    *("# T", "## Log", "## Experiment Log", "## Entry Log (append-only)", "## Next", "### Kick-off", "#### detail"),
    *("### 2026-01-01 - A-001 x", "### 2026-01-02 10:00 UTC — y", "## 2026-01-03: z", "### w (2026-01-04)"),
    *(
        "**2026-01-05 - bold**",
        "- Result: x",
        "- **Result:** x",
        "  - Sub: y",
        "1. one",
        "text",
        "",
        "",
        "| a |",
        "|---|",
    ),
    *(
        "```",
        "  ```",
        "~~~",
        "<!-- a",
        "-->",
        "<details>",
        "---",
        "# 2026-01-06",
        "### YYYY-MM-DD HH:MM - <label>",
        "\udcff",
    ),
]
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["\n", "\n", "\n\n", "\r\n"])), max_size=16)


@settings(max_examples=300, deadline=None)
@given(
    texts.map(lambda lines: "".join(piece + end for piece, end in lines).encode("utf-8", "surrogateescape")),
    st.booleans(),
)
def test_appending_adds_one_entry_and_touches_nothing_else(data, ends):
    """Whatever people did to the file: their bytes stay, their entries stay, and one more can be read."""
    data = data if ends else data.rstrip()
    before = parse(data)
    if before.structure.open_at is not None:
        return
    plan = plan_append(data, new_entry(), marker=MARKER)
    after = parse(plan.data)
    mine = [entry for entry in after.entries if entry.start == plan.start]

    grown = len(plan.data) - len(data)
    assert any(plan.data[:cut] + plan.data[cut + grown :] == data for cut in range(plan.start + 1))
    assert [(entry.ids, entry.label) for entry in mine] == [(("LR-003",), "short label")]
    assert [entry.heading for entry in after.entries if entry not in mine] == [
        entry.heading for entry in before.entries
    ]
    assert has_marker(plan.data[plan.start : plan.end], MARKER)
    assert plan.data.count(b"\n", 0, plan.start) + 1 == plan.line


# --- refusals and markers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"body": " \n\n"}, "no text"),
        ({"label": " "}, "label"),
        ({"label": "two\nlines"}, "label"),
        ({"label": "\udcff"}, "Unicode"),
        ({"ids": ("lr three",)}, "no experiment ID"),
        ({"time": datetime(2026, 9, 1)}, "zone"),  # noqa: DTZ001 - a time without a zone is the point
    ],
)
def test_what_is_no_entry_cannot_be_built(given, reason):
    """What is missing must be said to whoever wrote the entry, not to whoever publishes it."""
    with pytest.raises(LogbookError, match=reason):
        new_entry(**given)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (new_entry(body="## A section\n"), "plain text"),
        (new_entry(body="### Another entry\n"), "plain text"),
        (new_entry(body="Underlined\n----------\n"), "plain text"),
        (new_entry(body="```\nnever closed\n"), "never closed"),
        ("- Result: no heading", "level 3"),
        ("## 2026-09-01 - too high\n\ntext", "level 3"),
        ("### 2026-09-01 - nothing but a heading\n", "no text"),
    ],
)
def test_an_entry_that_would_break_the_logbook_is_refused(entry, reason):
    """A heading or an open fence in a body would turn the rest of the file into something else."""
    with pytest.raises(LogbookError, match=reason):
        plan_append(b"## Entry Log\n", entry, marker=MARKER)


def test_nothing_is_appended_behind_a_fence_that_is_never_closed():
    """The entry would be shown as code, and every later one too."""
    data = b"## Entry Log\n\n### 2026-01-01 - one\n\n```\ncode\n"

    with pytest.raises(LogbookError, match="line 5 opens a block that is never closed"):
        plan_append(data, new_entry(), marker=MARKER)


@pytest.mark.parametrize(
    "marker", ["", "abc", "<!-- other -->", "<!-- marin-research: a -->\n# x", "<!-- marin-research: -- -->"]
)
def test_a_marker_that_would_show_is_refused(marker):
    """A marker must stay hidden and on one line."""
    with pytest.raises(LogbookError, match="no marker"):
        plan_append(b"## Entry Log\n", new_entry(), marker=marker)


def test_a_marker_is_known_only_on_a_line_of_its_own():
    """An entry that talks about a marker is not the entry that carries it."""
    assert has_marker(f"text\r\n{MARKER} \r\n".encode(), MARKER)
    assert not has_marker(f"see `{MARKER}`\n".encode(), MARKER)


def test_the_marker_of_an_entry_depends_on_what_it_says_not_on_when():
    """The same text sent twice is one entry; another text is another one."""
    later = new_entry(time=NOON + timedelta(days=1), body="- Result: fine\r\n\r\n")

    assert content_marker(later) == content_marker(new_entry())
    assert content_marker(new_entry(body="- Result: bad\n")) != content_marker(new_entry())
    assert content_marker(new_entry(ids=("LR-004",))) != content_marker(new_entry())


words = st.text(st.characters(categories=["L"]), min_size=1, max_size=8).filter(lambda word: word not in ("to", "and"))
labels = st.builds(
    lambda first, inside, last: first + inside + last,
    words,
    st.text(st.characters(categories=["L", "N"], include_characters=" .,:;-–—/()[]`*_+&"), max_size=20),
    words,
)


@settings(deadline=None)
@given(
    labels.filter(lambda label: read_heading(label).label == label and read_heading(label).time is None),
    st.lists(st.integers(1, 99999).map("MOE-2B-{:03}".format), min_size=1, max_size=3, unique=True),
    st.sampled_from(
        ["### 2026-07-02 - x", "### 2026-07-02 10:00 UTC: x", "### x (2026-07-02)", "## 2026-07-02T10:00Z — x"]
    ),
)
def test_an_entry_that_was_written_reads_back(label, ids, existing):
    """`logbook list` must name the experiment that `logbook append` was given."""
    data = f"# T\n\n{existing}\n\n{existing}\n".encode()
    plan = plan_append(data, new_entry(ids=tuple(ids), label=label), marker=MARKER)

    (entry,) = [entry for entry in parse(plan.data).entries if entry.start == plan.start]
    assert (entry.ids, entry.label) == (tuple(ids), label)


def test_the_order_of_a_log_is_told_from_its_times():
    """Entries of one day without a clock say nothing about the order."""
    orders = {
        ("2026-01-01", "2026-01-02"): Order.OLDEST_FIRST,
        ("2026-01-02 10:00", "2026-01-02 09:00"): Order.NEWEST_FIRST,
        ("2026-01-02 10:00 PDT", "2026-01-02 16:00 UTC"): Order.NEWEST_FIRST,
        ("2026-01-02 10:00", "2026-01-02"): Order.UNKNOWN,
        ("2026-01-01", "2026-01-02", "2026-01-01"): Order.MIXED,
    }
    for times, order in orders.items():
        data = "## Log\n" + "".join(f"### {time} - x\n" for time in times)
        assert style_of(parse(data.encode())).order is order

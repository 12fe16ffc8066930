"""The quick line scanner against markdown-it: whatever it claims to understand it must see exactly as a parser does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marin_research.logbook.markdown import BOLD_LEVEL, read_with_markdown_it
from marin_research.logbook.structure import scan, structure_of

STARTS = [b""] * 6 + [b" ", b"  ", b"   ", b"    ", b"\t", b"      "]
PIECES = [
    *(b"# a", b"## b #", b"###", b"####### c", b"#x"),
    *(b"```", b"```py", b"````", b"~~~", b"``` `"),
    *(b"- ", b"-", b"- x", b"* y", b"+ z", b"-\t", b"-     c", b"1. z", b"2. w", b"10. v", b"01) y"),
    *(b">", b"> q", b"| a | b |", b"|---|---|", b"[a]: /u", b'"t'),
    *(
        b"<!-- c",
        b"-->",
        b"<!-- c -->",
        b"<div>",
        b"</div>",
        b"<b>",
        b"<pre>",
        b"<PRE x",
        b"</pre>",
        b"<?",
        b"?>",
        b"<!D",
    ),
    *(b"<![CDATA[", b"]]>", b"<https://a.b>", b"---", b"===", b"***", b"* * *", b"- - -"),
    *(b"**2026-01-02 x**", b"**2026-01-02 x**:", b"**2026-01-02** x", b"text", b"", b"\xff", b"\xc3\xa9", b"\xc2\xa0"),
]
ENDS = [b"\n"] * 9 + [b"\r\n", b"\n\n", b"\n\n", b"\n \n"]

lines = st.builds(
    lambda start, pieces, end: start + b"".join(pieces) + end,
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=2),
    st.sampled_from(ENDS),
)
documents = st.lists(lines, max_size=14).map(b"".join)


def headings(data: bytes) -> list[tuple[int, str]]:
    return [(heading.level, heading.text) for heading in structure_of(data).headings]


@settings(max_examples=1000, deadline=None)
@given(documents | st.text("# `~-\n<!>*1.2 \t\r|[]:=").map(str.encode))
def test_the_scanner_agrees_with_markdown_it_wherever_it_answers(data):
    """A fence or a list seen otherwise than a parser sees it would put an entry into the middle of another one."""
    found = scan(data)

    assert found is None or found == read_with_markdown_it(data)


@pytest.mark.parametrize(
    "data",
    [
        b"```\n# not\n```\n# a\n",
        b"- Command:\n  ```bash\n  # not\n  ```\n\n# a\n",
        b"- Command:\n\n  ```bash\n# a\n  ```\n",
        b"1. one\n   ```\n   # not\n   ```\n2. two\n   ```\n   # not\n   ```\n# a\n",
        b"Text.\n\n  ```\n# not\n  ```\n# a\n",
        b"- item\n\nText.\n\n  ~~~\n# not\n  ~~~\n# a\n",
        b"<!-- hidden\n\n# not\n-->\n# a\n",
        b"<details>\n<summary>more</summary>\n\n# a\n\n</details>\n",
        b"````\n```\n# not\n````\n# a\n",
        b"> # not\n\n    # not\n\n\t# not\n\n# a ##\n",
        b"| a |\n| - |\n| 1 |\n# a\n",
    ],
)
def test_what_logbooks_are_made_of_needs_no_parser(data):
    """If the scanner gave up on such text, every append to a real logbook would be slow."""
    found = scan(data)

    assert found == read_with_markdown_it(data)
    assert [heading.text for heading in found.headings] == ["a"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Title\n=====\n\nPart\ntwo\n---\n", [(1, "Title"), (2, "Part two")]),
        (b"- item\nlazy\n  ```\n# a\n", [(1, "a")]),
        (b"# one\r## two\r```\r# not\r", [(1, "one"), (2, "two")]),
        (b"- item\nlazy\n\n  more\n\n  ```\n# a\n  ```\n# not\n", [(1, "a")]),
        (b"<div>\n# not\n\n# a\n", [(1, "a")]),
        (b"<div>\n- item\n\n  # a\n", [(1, "a")]),
        (b"<pre\x1c\n\n# not\n</pre>\n\n# a\n", [(1, "a")]),
    ],
)
def test_what_only_a_parser_can_tell_is_left_to_the_parser(data, expected):
    """Underlined headings, lazy continuations, old line ends and HTML are rare, and right all the same."""
    assert scan(data) is None
    assert headings(data) == expected


@pytest.mark.parametrize(
    ("data", "opening"),
    [
        (b"a\n\n```\n# not\n", b"```"),
        (b"a\n\n<!-- b\n\n# not\n", b"<!--"),
        (b"Part\n---\n\n~~~\n# not\n", b"~~~"),
    ],
)
def test_a_block_that_is_never_closed_is_noticed(data, opening):
    """An entry appended behind an open fence would be shown as code."""
    assert structure_of(data).open_at == data.index(opening)


def test_a_bold_line_with_a_date_counts_as_a_heading_of_the_lowest_level():
    """Some logbooks head their entries with bold paragraphs."""
    data = b"**Root cause**: x\n\n**2026-05-05 10:00 - launch**\n\ntext\n**2026-05-06** in a sentence\n"

    assert headings(data) == [(BOLD_LEVEL, "2026-05-05 10:00 - launch")]

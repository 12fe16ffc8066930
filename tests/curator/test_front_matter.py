"""Fields at the head of a text: what was put there is what is read, and the body stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import CuratorError
from curator.front_matter import join, read_head, split

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"]), max_size=40)


@given(
    fields=st.dictionaries(st.sampled_from(["title", "labels", "type"]), WORDS | st.lists(WORDS), min_size=1),
    body=st.text(st.characters(codec="utf-8", exclude_characters="\r")).filter(lambda t: not t.startswith("\n")),
)
def test_what_was_put_at_the_head_is_read_there(fields, body):
    """A title with a colon or a quote must not become another title, nor eat a line of the body."""
    assert split(join(fields, body)) == (fields, body)


def test_a_text_without_a_head_is_all_body():
    """A rule of dashes further down is no head."""
    assert split("Words.\n\n---\na: b\n---\n") == ({}, "Words.\n\n---\na: b\n---\n")


@pytest.mark.parametrize("value", ["3.10", "no", "2026-02-15", "0x10", "~", "'quoted'", "1_000"])
def test_a_value_is_the_text_that_it_is_written_as(value):
    """YAML's own reading would turn the Python version 3.10 into 3.1, and Norway into false."""
    fields, _ = split(f"---\nvalue: {value}\nleft_out:\n---\n")

    assert fields == {"value": value.strip("'")}


def test_it_is_known_where_a_value_stands():
    """A person who has to mend a field is shown the place."""
    text = "---\ntask:\n  tags: [one, 'two']\n---\nbody\n"
    head = read_head(text)

    assert head is not None
    start, end = head.span(("task", "tags", 1))
    assert text[start:end] == "'two'"
    assert head.span(("task", "tags", 1, "no", "such")) == (start, end)


@pytest.mark.parametrize(
    "head",
    [
        "title: [",
        "- just\n- a list",
        "title: a\ntitle",
        "a: 1\na: 2",
        "a: &x 1\nb: *x",
        "[a]: b",
        "a: " + "[" * 5000,
        "\0: 1",
    ],
)
def test_a_broken_head_says_what_to_do(head):
    """An edit went wrong; the person is told where to mend it."""
    with pytest.raises(CuratorError, match="curator edit"):
        split(f"---\n{head}\n---\nbody\n")

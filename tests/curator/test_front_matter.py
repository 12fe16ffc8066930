"""Fields at the head of a text: what was put there is what is read, and the body stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import CuratorError
from curator.front_matter import join, split

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


@pytest.mark.parametrize("head", ["title: [", "- just\n- a list", "title: a\ntitle"])
def test_a_broken_head_says_what_to_do(head):
    """An edit went wrong; the person is told where to mend it."""
    with pytest.raises(CuratorError, match="curator edit"):
        split(f"---\n{head}\n---\nbody\n")

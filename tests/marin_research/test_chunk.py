"""A chunk of output is a gzip file for everybody, and says when it was printed to those who ask."""

from __future__ import annotations

import gzip
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.capture.chunk import format_mark, marks_of, pack, parse_marks

MARKS = st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 4 * 10**12).map(lambda ms: ms / 1000)), max_size=50)


@given(raw=st.binary(max_size=2000), marks=MARKS)
def test_text_and_times_come_back(raw, marks):
    """Neither may cost the other."""
    packed = pack(raw, marks)

    assert gzip.decompress(packed) == raw
    assert marks_of(packed) == marks


def test_any_gunzip_reads_it():
    """A record must be readable when this program is gone."""
    packed = pack(b"training\n" * 1000, [(0, 1.0), (9, 2.0)])

    assert subprocess.run(["gzip", "-dc"], input=packed, capture_output=True, check=True).stdout == b"training\n" * 1000


def test_more_times_than_there_is_room_for_are_thinned():
    """A host that printed little by little for days must not lose its times, nor its text."""
    marks = [(index * 97, 1_790_000_000 + index * 0.251) for index in range(200_000)]
    packed = pack(b"x", marks)
    kept = marks_of(packed)

    assert gzip.decompress(packed) == b"x"
    assert 1000 < len(kept) < len(marks)
    assert kept[0] == (0, 1_790_000_000)


@pytest.mark.parametrize(
    "packed", [b"", b"\x1f\x8b", gzip.compress(b"text", mtime=0), b"not gzip at all, but long enough"]
)
def test_a_chunk_without_times_has_none(packed):
    """Older chunks, and such as were cut off, are read without them."""
    assert marks_of(packed) == []


@given(raw=st.binary(max_size=100), marks=MARKS, size=st.integers(0, 400))
def test_a_chunk_that_was_cut_off_gives_whole_times_or_none(raw, marks, size):
    """A wrong time would put a line of one host before the one that caused it."""
    assert marks_of(pack(raw, marks)[:size]) in ([], marks)


def test_a_mark_that_was_cut_off_is_none():
    """A machine may go away between two digits."""
    text = (format_mark(7, 1.5) + format_mark(19, 2.25)).encode()

    assert parse_marks(text[:-1]) == [(7, 1.5)]
    assert parse_marks(b"x 1\n" + text) == [(7, 1.5), (19, 2.25)]

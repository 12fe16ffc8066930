"""The text of a digest: within its bounds, most important things first, and open about what it left out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marin_research.digest.text import FEWEST_BYTES, MOST_BYTES, render

TRACEBACK = b'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    g()\n%bError: %b\n'
NAMES = [bytes([97 + n // 26, 97 + n % 26]) * 3 for n in range(600)]
LINE = b"[03:00:00] task=/a/b/%d attempt=0 | %b\n"
LOUD = b"".join(
    b"%b failed to open\n" % name + TRACEBACK % (name.title(), name) + LINE % (n, name) for n, name in enumerate(NAMES)
)


@settings(max_examples=30)
@given(size=st.integers(FEWEST_BYTES, 3 * MOST_BYTES))
def test_the_text_is_never_longer_than_asked_for(loud, size):
    """A digest goes into a prompt or a comment, and what is too long is cut there, blindly."""
    assert len(render(loud, max_bytes=size).encode()) <= size


@pytest.fixture(scope="module")
def loud(digested):
    """The index of a log in which far more went wrong than a text has room for."""
    return digested(LOUD + b"Segmentation fault (core dumped)\n" + "ü".encode() * 500)


def test_room_is_used(loud):
    """Half of what could be told would be missing for nothing."""
    assert len(render(loud, max_bytes=8000).encode()) > 7000


def test_each_section_says_what_it_left_out(loud):
    """What was dropped silently might have been the cause."""
    text = render(loud, max_bytes=8000)

    shown = text.count("\n    once")
    left_out = sum(int(number.replace(",", "")) for number in re.findall(r"… ([\d,]+) kinds left out", text))
    told = text.partition("== Tracebacks")[2].partition("== First")[0].partition("== Suspicious")[0]
    assert "kinds left out; --json has them" in told
    assert shown + left_out > 1000


def test_the_gravest_comes_first(loud):
    """A reader has time for the first screen."""
    text = render(loud, max_bytes=FEWEST_BYTES)

    assert "Segmentation fault (core dumped)" in text
    assert text.index("== The most telling lines") < text.index("== Errors") < text.index("== The end")


def test_an_error_that_came_once_is_shown_before_frequent_ones(digested):
    """One RESOURCE_EXHAUSTED in ten million lines has to be there."""
    usual = b"".join(b"E1122 03:00:00.592194 7 a.cc:1] retrying shard %d failed\n" % n for n in range(20_000))
    log = usual + b"E1122 03:00:00.592194 7 b.cc:2] RESOURCE_EXHAUSTED: hbm\n" + usual

    text = render(digested(log))

    errors = text.partition("== Errors")[2]
    assert errors.index("RESOURCE_EXHAUSTED: hbm") < errors.index("retrying shard")
    assert "once, line 20,001 (1122 03:00:00)" in errors
    assert "40,000 times" in errors


def test_hosts_are_named_shortly(digested):
    """Sixty-four names of a hundred characters would be the whole digest."""
    line = b"[03:00:00] task=/ada/a-very-long-name-of-a-job/train/%d attempt=0 | ValueError: bad shape\n"
    log = b"".join(line % host for host in range(64))

    assert "64 times on all 64 hosts" in render(digested(log))
    some = b"".join(line % host for host in (9, 11, 2)) + b"".join(
        line.replace(b"ValueError: bad shape", b"ok") % host for host in range(64)
    )
    assert "3 times on 2, 9, 11, line 1" in render(digested(some))


def test_the_progress_of_a_run_is_told(digested):
    """Whether it learned anything is the second question."""
    log = b"".join(b"step:%d/999 val_loss:%.4f\n" % (n, 4 - n / 500) for n in range(1000))

    text = render(digested(log))

    assert "val_loss: 4 → 2.002, 1,000 values, lowest 2.002 at line 1,000, highest 4 at line 1" in text
    assert "█▇" in text


def test_an_empty_log_has_a_digest(digested):
    """A run that printed nothing would break the page that shows it."""
    assert render(digested(b"")) == "Digest of log: 0 B, 0 lines of 0 kinds\n"

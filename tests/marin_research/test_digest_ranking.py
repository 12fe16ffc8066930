"""The few lines that say how a run ended: what `show` prints of it, and what a draft quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.digest.ranking import decisive

TRACEBACK = b"""Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
  File "train.py", line 2, in main
    raise FloatingPointError("loss is nan at step 1234")
FloatingPointError: loss is nan at step 1234
"""
COORDINATION = (
    b"E1122 03:00:%02d.592194 7 coordination_service_agent.cc:332] Terminating process because the JAX distributed "
    b"service detected fatal errors. This most likely indicates that another task died; see the other task logs.\n"
)


def test_the_end_of_the_last_traceback_is_decisive(digested):
    """A failed run's summary would show its progress bar."""
    log = b"step 1\n" + TRACEBACK.replace(b"1234", b"7").replace(b"nan", b"big") + b"error: retrying\n" + TRACEBACK
    lines, at = decisive(digested(log + b"Killed\nbye\n"))

    assert lines[-2:] == ("FloatingPointError: loss is nan at step 1234", "Killed")
    assert at is not None
    assert at.line == 9
    assert not any("step 7" in line or "retrying" in line for line in lines)


@pytest.mark.parametrize("prefix", [b"[rank3]: ", b"2026-11-22T07:10:0%d | ", b"(Worker pid=123) "])
def test_a_traceback_is_found_behind_what_a_launcher_puts_before_each_line(digested, prefix):
    """On a cluster every line has a prefix, and no traceback would be found."""
    lines = TRACEBACK.splitlines(keepends=True)
    prefixed = b"".join(prefix.replace(b"%d", b"%d" % second) + line for second, line in enumerate(lines))

    assert decisive(digested(b"start\n" + prefixed + b"cleaning up\n")).lines[-1].endswith("loss is nan at step 1234")


def test_without_a_traceback_severe_lines_are_decisive(digested):
    """A crash in native code has no traceback, and its reason would not be shown."""
    log = b"loading\n" + b"\x1b[31mRESOURCE_EXHAUSTED: Out of memory\x1b[0m\n" * 3 + b"1%\r2%\r100%\nok\n"

    lines, at = decisive(digested(log))

    assert at is not None
    assert (lines, at.line) == (("RESOURCE_EXHAUSTED: Out of memory",), 4)


def test_without_anything_severe_the_last_lines_are_shown(digested):
    """A run that was killed says nothing of it, and its last progress is all there is."""
    log = b"start\n" + b"\r".join(b"%d %%" % done for done in range(100))

    assert decisive(digested(log), limit=2) == (("start", "99 %"), None)


def test_the_cause_comes_from_the_host_that_failed_first(digested):
    """Every host says that another one died, and the write-up would blame the coordination service."""
    oom = b"E1122 03:00:07.592194 7 tpu.cc:1] RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm\n"
    streams = {f"host {host}": b"ok\n" + COORDINATION % (host + 10) for host in range(8)}
    streams["host 5"] = b"ok\n" + oom + COORDINATION % 20
    late = b"E1122 03:00:30.592194 7 tpu.cc:1] INTERNAL: could not close the socket\n"
    streams["host 2"] += late

    lines, at = decisive(digested(**streams))

    assert lines == ("RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm",)
    assert at is not None
    assert (at.stream, at.line) == ("host 5", 2)


def test_consequences_are_shown_when_the_cause_is_not_known(digested):
    """A host whose output was lost took the reason with it; what the others saw is better than nothing."""
    lines, _ = decisive(digested(one=b"ok\n" + COORDINATION % 1, two=b"ok\n" + COORDINATION % 2))

    assert len(lines) == 1
    assert "another task died" in lines[0]


@given(log=st.lists(st.binary(max_size=60)).map(b"\n".join), limit=st.integers(1, 12))
def test_any_bytes_give_a_bounded_answer(digested, log, limit):
    """Binary junk in a log would break the summary of the run."""
    lines, _ = decisive(digested(log), limit=limit)

    assert len(lines) <= limit
    assert all(len(line) <= 400 and "\n" not in line and "\x00" not in line for line in lines)


def test_a_line_without_end_does_not_fill_the_answer(digested):
    """A step that never prints a newline would make its summary take megabytes."""
    assert [len(line) for line in decisive(digested(b"x" * 2_000_000)).lines] == [400]

"""The index of a log: every line is counted, placed and kept within bounds, however its bytes look and arrive."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marin_research.digest import blocks, templates
from marin_research.digest.blocks import SIZE
from marin_research.digest.severity import Severity

WORDS = st.sampled_from(
    [
        *(
            b"loss=2.5",
            b"step 7",
            b"failed",
            b"exit_code=1",
            b"\r",
            b"\n",
            b"\r\n",
            b" ",
            b"\x1b[31m",
            b"\xff",
            b"\x00",
        ),
        *(b"Traceback (most recent call last):\n", b'  File "a.py", line 3, in f\n', b"ValueError: no\n", b"nan"),
        *(b"E0929 17:42:48.59 7 a.cc:3] ", b"[03:00:00] task=/a/b/3 attempt=0 | ", b"(Worker pid=7, ip=10.0.0.1) "),
        *("ü".encode(), b"45%|###  | 4/9 [00:01<00:02, 1.0it/s]"),
    ]
)
LOGS = st.lists(st.one_of(WORDS, st.binary(max_size=40)), max_size=60).map(b"".join)


def lines_of(log: bytes) -> int:
    """How many lines a log has, each state of a progress bar counted."""
    states = log.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return states.count(b"\n") + (not states.endswith(b"\n") and states != b"")


@given(LOGS)
@example(b"")
@example(b"\n")
@example(b"\r")
@example(b"a\r\nb")
def test_every_line_is_counted_once(digested, log):
    """Something would have been dropped silently, and it might be the error."""
    index = digested(log)

    assert sum(template.count for template in index.templates) == index.streams[0].states == lines_of(log)
    assert index.streams[0].bytes == len(log)


@given(LOGS, st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_how_bytes_arrive_makes_no_difference(digested, log, sizes):
    """The digest of a pipe would differ from that of the file it was written to."""
    pieces: list[bytes] = []
    at = 0
    while at < len(log):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(log[at : at + size])
        at += size

    assert digested(pieces) == digested(log)


def test_lines_are_where_they_are_said_to_be(digested):
    """Somebody who looks at the line a digest names would find another one."""
    filler = b"".join(b"I20261122 01:05:28 1400 some.logger line %d \xff\r\n" % number for number in range(60_000))
    bars = b"".join(b"\r%3d%%|##  | %d/100 [00:01<00:02, 1.0it/s]" % (done, done) for done in range(100)) + b"\n"
    log = bars + filler + bars + b"ValueError: here\n" + filler + b"KeyError: the end"

    index = digested(log)

    assert len(log) > SIZE
    found = {line.text: line for line in index.severe}
    for text in ("ValueError: here", "KeyError: the end"):
        first = found[text].first
        assert log[first.offset :].startswith(text.encode())
        assert log.split(b"\n")[first.line - 1] == text.encode()


@pytest.fixture(scope="module")
def small_blocks():
    """Blocks small enough for an example to have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SIZE", 256)
        patch.setattr(blocks, "LONGEST", 1024)
        yield


@given(
    filler=st.sampled_from([b"x", b"a b ", b"\r1 of 2", b"\n", b"\r\n", b"\xff", b"quiet\n"]),
    edge=st.sampled_from([256, 512, 1024, 2048]),
    shift=st.integers(-40, 40),
    ending=st.sampled_from([b"\n", b"\r", b"\r\n", b""]),
)
@pytest.mark.usefixtures("small_blocks")
def test_an_error_at_the_edge_of_a_block_is_kept(digested, filler, edge, shift, ending):
    """An error that is cut in two would be no error any more."""
    before = (filler * edge)[: edge + shift] + b"\n"

    index = digested(before + b"ZeroDivisionError: needle" + ending)

    assert [line.text for line in index.severe if "needle" in line.text] == ["ZeroDivisionError: needle"]


@given(LOGS, LOGS)
@pytest.mark.usefixtures("small_blocks")
def test_positions_are_right_across_blocks(digested, before, after):
    """Somebody who looks at the place a digest names would find another line."""
    log = before + b"\nZeroDivisionError: needle\n" + after

    index = digested(log)

    (found,) = [line for line in index.severe if line.text == "ZeroDivisionError: needle"]
    assert log[found.first.offset :].startswith(b"ZeroDivisionError: needle")
    assert log.split(b"\n")[found.first.line - 1].startswith(b"ZeroDivisionError: needle")


def test_the_digits_of_an_exit_code_are_not_forgotten(digested):
    """Ten thousand successes would hide the one that was killed."""
    log = b"".join(b"task %d finished: exit_code=0\n" % number for number in range(10_000))
    lines = log.splitlines(keepends=True)
    lines[5000] = b"task 5000 finished: exit_code=137\n"

    index = digested(b"".join(lines))

    (severe,) = index.severe
    assert severe.text == "task 5000 finished: exit_code=137"
    assert (severe.severity, severe.count, severe.first.line) == (Severity.FATAL, 1, 5001)


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        (b"GET /runs/%d HTTP/1.1 200", b"GET /runs/7 HTTP/1.1 503"),
        (b"worker %d: errors=0", b"worker 7: errors=3"),
        (b"child %d ended, signal=0", b"child 7 ended, signal=9"),
        (b"shard %d read with status 0", b"shard 7 exited with status 134"),
        (b"step %d loss=2.5", b"step 7 loss=nan"),
    ],
)
def test_numbers_that_tell_failure_are_found_among_those_that_do_not(digested, usual, odd):
    """What fails differs from what does not by a digit, and digits are what a digest folds."""
    log = b"\n".join([*(usual % number for number in range(3000)), odd, *(usual % number for number in range(3000))])

    index = digested(log)

    assert [line.text for line in index.severe] == [odd.decode()]


def test_the_same_error_on_many_hosts_is_one_line(digested):
    """Sixty-four hosts would fill the digest with one error."""
    line = (
        b"[03:00:%02d] task=/ada/train/%d attempt=0 | E20261122 03:00:%02d 14%d levanter.trainer lost the coordinator\n"
    )

    index = digested(b"".join(line % (host % 60, host, host % 60, host) for host in range(64)))

    (severe,) = index.severe
    assert severe.text == "lost the coordinator"
    assert severe.hosts == {f"/ada/train/{host}": 1 for host in range(64)}
    assert (severe.first.line, severe.last.line, severe.first.time) == (1, 64, "20261122 03:00:00")


def test_what_ray_counted_instead_of_printing_it_is_counted(digested):
    """An error of forty workers would look like one of a single worker."""
    log = (
        b"(Worker pid=7, ip=10.0.0.1) RuntimeError: no route (Ray deduplicates logs by default. Set RAY_DEDUP_LOGS=0)\n"
        b"(Worker pid=9, ip=10.0.0.2) RuntimeError: no route [repeated 39x across cluster]\n"
    )

    (template,) = digested(log).templates

    assert (template.count, template.repeats) == (2, 38)
    assert template.hosts == ("10.0.0.1", "10.0.0.2")


def test_several_streams_keep_their_hosts_apart(digested):
    """Whose error it was is the first question."""
    index = digested(one=b"ok\nValueError: bad shape\n", two=b"ok\n", three=b"ValueError: bad shape\nok\n")

    (severe,) = index.severe
    assert severe.hosts == {"one": 1, "three": 1}
    assert (severe.first.stream, severe.first.line) == ("one", 2)
    assert [stream.lines for stream in index.streams] == [2, 1, 2]


def test_information_is_merged_only_where_it_means_the_same(digested):
    """Starting and stopping would become one kind of line."""
    names = [b"ada", b"grace", b"alan", b"edsger", b"barbara", b"donald", b"leslie"]
    log = b"".join(b"user %b started the session\nuser %b stopped the session\n" % (name, name) for name in names)

    kinds = {(template.text, template.count) for template in digested(log).templates}

    assert kinds == {("user <*> started the session", 7), ("user <*> stopped the session", 7)}


def test_every_severe_line_is_counted_as_somebody_else_counts_them(digested):
    """An error could hide among kinds of lines that it does not belong to."""
    words = [b"failed to bind", b"Permission denied", b"core dumped", b"was refused", b"all is well", b"1 of 2 read"]
    log = b"".join(b"%b: item %d of shard %d\n" % (words[n % 6], n * n, n % 7) for n in range(9000))

    index = digested(log)

    counted = Counter(match.group().lower() for match in re.finditer(rb"failed|denied|dumped|refused", log))
    severe = [template for template in index.templates if template.severity is not Severity.INFO]
    assert sum(template.count for template in severe) == sum(counted.values())
    assert sum(line.count for line in index.severe) + index.left_out.severe_lines == sum(counted.values())


def test_more_kinds_than_there_is_room_for_are_still_counted(digested, monkeypatch):
    """A log of noise would push out the errors, or fill the memory."""
    monkeypatch.setattr(templates, "MOST_PLAIN", 1000)
    monkeypatch.setattr(templates, "MOST_GRAVE", 400)
    names = [bytes([103 + n // 676, 97 + n // 26 % 26, 97 + n % 26]) * 4 for n in range(1700)]
    noise = b"".join(b"%b is what it says\n" % name for name in names)
    errors = b"".join(b"zeta %b failed\n" % name for name in names[:500])

    index = digested(noise + errors + b"Segmentation fault (core dumped)\n" + noise)

    assert sum(template.count for template in index.templates) == 2 * 1700 + 500 + 1
    assert index.severe[0].text == "Segmentation fault (core dumped)"
    assert index.left_out.pooled_lines > 0
    assert len(index.severe) + index.left_out.severe_lines == 501


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="elsewhere a peak includes the parent's")
def test_memory_is_bounded_whatever_comes():
    """A digest that needs the log's own size in memory cannot be made where the log is."""
    script = """
        import random, re
        from pathlib import Path
        from marin_research.digest.build import index_of
        dice = random.Random(7)
        def blocks():
            for number in range(4):
                for _ in range(250):
                    yield b"%x failed: %x\\n" % (dice.getrandbits(99), dice.getrandbits(64))
                    yield b"%d%%|##| %d/100 [00:01<00:02, 1.0it/s]\\r" % (dice.randrange(100), dice.randrange(100))
                    yield bytes(dice.randrange(97, 123) for _ in range(40)) + b" " + dice.randbytes(20)
                yield from [b"x" * 1_000_000]
                yield from [b"word " * 2000 + b"\\n"] * 4000
        index_of([("log", blocks())], several=False)
        print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=True, text=True)

    assert int(done.stdout) / 1024 < 128

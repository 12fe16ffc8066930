"""Tracebacks in logs: of many hosts at once, chained, in groups, cut off, with anything before each line."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

PLAIN = [
    "Traceback (most recent call last):",
    '  File "/app/train.py", line 431, in main',
    "    trainer.train(state)",
    "    ~~~~~~~~~~~~~^^^^^^^",
    "ValueError: bad shape",
]
CHAINED = [
    "Traceback (most recent call last):",
    '  File "/app/read.py", line 88, in read',
    "    return await arr.read()",
    "OSError: [Errno 5] Input/output error",
    "",
    "The above exception was the direct cause of the following exception:",
    "",
    "Traceback (most recent call last):",
    '  File "/app/loader.py", line 260, in __next__',
    "    batch = next(self._batches)",
    "RuntimeError: Data loading failed",
]
MEMORY = [
    "Traceback (most recent call last):",
    '  File "/app/trainer.py", line 555, in train_step',
    "    result = self._step(state)",
    "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm. Used 21.95G",
    "",
    "Total hbm usage >= 22.47G:",
    "    reserved        530.00M",
    "    program          21.95G",
    "",
    "Largest program allocations in hbm:",
    "",
    "  1. Size: 2.00G",
]
GROUP = [
    "  + Exception Group Traceback (most recent call last):",
    '  |   File "/app/main.py", line 3, in main',
    "  |     raise ExceptionGroup('several', errors)",
    "  | ExceptionGroup: several (2 sub-exceptions)",
    "  +-+---------------- 1 ----------------",
    "    | ValueError: one",
    "    +---------------- 2 ----------------",
    "    | KeyError: 'two'",
    "    +------------------------------------",
]
NATIVE = [
    "Fatal Python error: Segmentation fault",
    "",
    "Current thread 0x00007f0eac161580 (most recent call first):",
    '  File "/app/kernel.py", line 7, in launch',
    '  File "/app/train.py", line 9 in <module>',
    "",
]
PREFIXES = {
    "none": "",
    "iris": "[03:00:{second:02d}] task=/ada/train/{host} attempt=0 | ",
    "ray": "\x1b[36m(train_lm pid={host}, ip=10.0.0.{host})\x1b[0m ",
    "rank": "[rank{host}]: ",
    "time": "2026-11-22 03:00:{second:02d}.12{host}456 ",
}


def prefixed(lines: list[str], prefix: str, host: int = 3) -> list[bytes]:
    return [(PREFIXES[prefix].format(host=host, second=n % 60) + line).encode() for n, line in enumerate(lines)]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("lines", "exceptions"),
    [
        (PLAIN, ("ValueError: bad shape",)),
        (CHAINED, ("OSError: [Errno 5] Input/output error", "RuntimeError: Data loading failed")),
        (MEMORY, (MEMORY[3],)),
        (GROUP, ("ExceptionGroup: several (2 sub-exceptions)", "ValueError: one", "KeyError: 'two'")),
        (NATIVE, ()),
    ],
    ids=["plain", "chained", "memory", "group", "native"],
)
def test_a_traceback_is_kept_whole(digested, lines, exceptions, prefix):
    """The frame that matters, or the allocation that did not fit, would be missing."""
    log = b"\n".join([b"before", *prefixed(lines, prefix), *prefixed(["and after it", "more"], prefix)])

    (traceback,) = digested(log).tracebacks

    assert traceback.text.rstrip() == "\n".join(lines).rstrip()
    assert traceback.exceptions == exceptions
    assert (traceback.count, traceback.first.line) == (1, 2)


@given(seed=st.integers(0, 2**32), prefix=st.sampled_from(["iris", "ray", "rank"]))
def test_tracebacks_of_many_hosts_are_taken_apart(digested, seed, prefix):
    """A pod fails on all hosts within a second, and their lines come mixed."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    waiting = {host: prefixed(dice.choice([PLAIN, CHAINED, MEMORY]), prefix, host) for host in range(8)}
    lengths = {lines[0].rpartition(b" Trace")[0]: len(lines) for lines in waiting.values()}
    log = []
    while waiting:
        host = dice.choice(list(waiting))
        log.append(waiting[host].pop(0))
        if not waiting[host]:
            del waiting[host]

    index = digested(b"\n".join(log))

    assert sum(traceback.count for traceback in index.tracebacks) == 8
    assert sorted(len(one.text.splitlines()) for one in index.tracebacks for _ in one.hosts) == sorted(lengths.values())
    assert {one.exceptions[-1] for one in index.tracebacks} <= {PLAIN[-1], CHAINED[-1], MEMORY[3]}


def test_the_same_traceback_is_one_kind_whatever_its_numbers(digested):
    """Sixty-four copies would fill the digest."""
    log = b"".join(
        b"\n".join(prefixed([line.replace("shape", f"shape {host}") for line in PLAIN], "iris", host)) + b"\n"
        for host in range(64)
    )

    (traceback,) = digested(log).tracebacks

    assert traceback.count == 64
    assert len(traceback.hosts) == 64


def test_an_error_of_another_host_inside_a_traceback_is_kept(digested):
    """The one line that says why would be taken for somebody's stack."""
    lines = prefixed(CHAINED, "iris", 3)
    needle = b"[03:00:05] task=/ada/train/4 attempt=0 | Segmentation fault (core dumped)"

    index = digested(b"\n".join([*lines[:2], needle, *lines[2:]]))

    assert index.severe[0].text == "Segmentation fault (core dumped)"
    assert index.severe[0].hosts == {"/ada/train/4": 1}
    assert len(index.tracebacks[0].text.splitlines()) == len(CHAINED)


def test_a_traceback_that_is_cut_off_is_still_one(digested):
    """The machine died while it printed, and all that is known would be dropped."""
    (traceback,) = digested("\n".join(PLAIN[:3]).encode()).tracebacks

    assert traceback.text.splitlines() == PLAIN[:3]
    assert traceback.exceptions == ()


def test_that_another_task_died_is_told_apart_from_a_cause(digested):
    """Seven of eight hosts would look guilty."""
    lines = [*PLAIN[:-1], "jaxlib.XlaRuntimeError: UNAVAILABLE: Failed to send RPC to coordination service."]

    (traceback,) = digested("\n".join(lines).encode()).tracebacks

    assert traceback.severity == "secondary"

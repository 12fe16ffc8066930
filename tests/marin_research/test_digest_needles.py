"""A rare error survives: whatever it says, whatever stands before it, wherever it comes, among millions of lines."""

from __future__ import annotations

import builtins
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.digest import blocks

EXCEPTIONS = sorted(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and name.endswith("Error")
)
NEEDLES = st.one_of(
    st.builds("{}: needle in the hay".format, st.sampled_from(EXCEPTIONS)),
    st.builds("needle: {}".format, st.sampled_from(sorted({os.strerror(number) for number in range(1, 100)}))),
    st.sampled_from(
        [
            *("needle: Segmentation fault (core dumped)", "the needle gave up", "needle is stuck", "needle exploded"),
            *("CUDA_ERROR_ILLEGAL_ADDRESS at needle", "needle exited with code 134", "HTTP/1.1 502 for the needle"),
            *("loss=nan at the needle", "uncorrectable ECC in needle", "needle unreachable", "signal: 9, needle"),
        ]
    ),
)
PREFIXES = [
    "",
    "[03:00:00] task=/ada/train/{host} attempt=0 | ",
    "[03:00:00] task=/ada/train/{host} attempt=0 | I20261122 03:00:00 140052865689280 some.logger ",
    "\x1b[36m(train_lm pid=12{host}, ip=10.0.0.{host})\x1b[0m ",
    "E0929 17:42:48.594192 1044529 agent.cc:332] ",
    "2026-11-22 03:00:00.123456: I external/xla/service.cc:73] ",
    "[rank{host}]: ",
    "2024-02-29T17:06:36 - {host} - levanter.trainer - trainer.py:189 - INFO :: ",
    "INFO:2024-06-25 00:34:55,109:jax._src.xla_bridge:889: ",
    "torn line without an end of its own ",
]
SURROUNDINGS: dict[str, tuple[bytes, bytes]] = {
    "first": (b"", b"\nall is well\n"),
    "last": (b"all is well\n", b""),
    "lines": (b"all is well\n" * 40, b"\n" + b"all is well\n" * 40),
    "bar": (b"10%|# | 1/9 [00:01<00:02, 1.0it/s]\r" * 20, b"\r90%|#| 8/9 [00:01<00:02, 1.0it/s]\r"),
    "windows": (b"all is well\r\n" * 9, b"\r\nall is well\r\n"),
    "traceback": (b'Traceback (most recent call last):\n  File "a.py", line 3, in f\n', b"\nValueError: hay\n"),
    "long line": (b"word " * 3000, b" word" * 3000 + b"\n"),
    "junk": (b"\xff\xfe\x00\n\x00", b"\x00\n\xc3"),
    "colour": (b"\x1b[31;1m", b"\x1b[0m\n"),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """Blocks so small that every needle is near an edge of one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SIZE", 512)
        patch.setattr(blocks, "LONGEST", 1 << 16)
        yield


@given(
    needle=NEEDLES,
    prefix=st.sampled_from(PREFIXES),
    host=st.integers(0, 63),
    place=st.sampled_from(sorted(SURROUNDINGS)),
    shift=st.integers(0, 600),
)
def test_a_needle_is_found_anywhere(digested, *, needle, prefix, host, place, shift):
    """The one line that says why a run of a week died would be lost."""
    before, after = SURROUNDINGS[place]
    line = (prefix.format(host=host) + needle).encode()

    index = digested(b"x" * shift + b"\n" + before + line + after)

    found = [severe for severe in index.severe if "needle" in severe.text]
    assert [needle in severe.text or severe.text in needle for severe in found] == [True]
    assert (found[0].count, list(found[0].hosts.values())) == (1, [1])
    assert found[0].first.offset <= shift + 1 + len(before)


def test_a_thousand_errors_of_sixty_four_hosts_are_kept_word_for_word(digested, benchmark_module, monkeypatch):
    """A fifth of them is what the log libraries bury."""
    monkeypatch.setattr(blocks, "SIZE", 1 << 18)
    training_log = benchmark_module("training_log")
    needles = training_log.needles(1000, random.Random(5))  # noqa: S311 - no secret
    run = training_log.Run(5, 64)

    index = digested([f"{line}\n".encode() for _, line, _ in training_log.lines(run, 4_000_000, 0.1, needles)])

    once = {" ".join(severe.text.split()) for severe in index.severe if severe.count == 1}
    messages = [needle.partition(": ")[2] for needle in needles]
    assert len(needles) == 1000
    assert [message for message in messages if not any(message in text for text in once)] == []
    assert sum(template.count for template in index.templates) == index.streams[0].states

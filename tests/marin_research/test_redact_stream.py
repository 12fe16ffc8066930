"""Redacting a log while it is written: in any pieces, with lines of any length, and never holding back much."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.redact import Redactor

SOURCE = random.Random(20261122)  # noqa: S311 - fakes, made when the tests run so that no scanner takes them for real
REDACTOR = Redactor({"correct-horse-battery": "password"})
HELD = 64 * 1024


def letters(length: int) -> str:
    return "".join(SOURCE.choices(string.ascii_letters + string.digits, k=length))


TOKEN = "ghp_" + letters(36)
JWT = f"eyJ{letters(30)}.eyJ{letters(900)}.{letters(43)}"
PEM = "\n".join(
    [f"-----BEGIN {'PRIVATE KEY'}-----", *(letters(64) for _ in range(25)), f"-----END {'PRIVATE KEY'}-----"]
)
CUT_PEM = f"{PEM[:60]}...\n[cut]\n{PEM[-27:]}\n"
SECRETS = [
    TOKEN,
    JWT,
    f'"api_key": "{letters(40)}"',
    "password=correct-horse-battery",
    f"Authorization: Bearer {letters(80)}",
]
NOISE = [b"loss=2.3 step=10 ", b"\n", b"\r", b"\r\n", b"\0", b"\xff\xfe", "é☃".encode(), b"tokens=5 ", b"-----BEGIN "]


def streamed(data: bytes, sizes: list[int]) -> bytes:
    """The data in pieces of these sizes, over and over, through a redacting writer."""
    out: list[bytes] = []
    writer = REDACTOR.stream(out.append)
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        writer.write(data[at : at + size])
        at, turn = at + size, turn + 1
    writer.flush()
    return b"".join(out)


def whole(data: bytes) -> bytes:
    return REDACTOR.text(data.decode("utf-8", "surrogateescape")).text.encode("utf-8", "surrogateescape")


pieces = st.one_of(
    st.sampled_from(
        [*(secret.encode() for secret in SECRETS), *(key.encode() for key in (PEM, PEM[:300], CUT_PEM)), *NOISE]
    ),
    st.binary(max_size=6),
)
logs = st.lists(pieces, max_size=15).map(b"".join)
splits = st.lists(st.integers(1, 200), min_size=1, max_size=5)


@given(logs, splits)
def test_a_stream_gives_the_same_as_the_whole_text_however_it_is_split(data, sizes):
    """Pipes split where they like: inside a token, inside a character, inside a private key."""
    assert streamed(data, sizes) == whole(data)


@pytest.mark.parametrize("secret", [*SECRETS, PEM.replace("\n", "\\n")])
@pytest.mark.parametrize("sizes", [[1 << 20], [7_919, 3]])
def test_a_line_that_hardly_ever_ends_is_redacted_the_same_in_any_pieces(secret, sizes):
    """A progress bar or a dumped config never ends its line, and a secret may stand anywhere in it."""
    filler = "loss=2.345678 step=100 é "
    line = "".join(filler * SOURCE.randint(500, 2_500) + f" {secret} " for _ in range(10))

    result = streamed(line.encode(), sizes)

    assert result.decode() == REDACTOR.text(line).text
    assert secret not in result.decode()


@pytest.mark.parametrize("shift", range(-60, 60, 7))
def test_no_place_in_a_long_line_lets_a_secret_slip_through(shift):
    """Windows over a long line overlap; a secret over the edge of one stands whole in the next."""
    for edge in (HELD - 20 * 1024, HELD - 16 * 1024, HELD - 4 * 1024, HELD, 2 * HELD - 20 * 1024):
        line = "x " * ((edge + shift) // 2) + TOKEN + " y" * HELD

        assert TOKEN.encode() not in streamed(line.encode(), [4_096])


@pytest.mark.parametrize("filler", [b"x", b"loss=2.3 ", "☃".encode(), b"key=", b"\xff"])
def test_little_is_held_back_of_a_line_that_never_ends(filler):
    """What is held back when the machine dies is lost."""
    out: list[bytes] = []
    writer = REDACTOR.stream(out.append)
    line = filler * (300_000 // len(filler))

    for start in range(0, len(line), 1_000):
        writer.write(line[start : start + 1_000])
        assert start + 1_000 - sum(map(len, out)) <= HELD + 1_000

    writer.flush()
    assert b"".join(out) == line


def test_whole_lines_are_handed_on_at_once():
    """Following a run must not lag behind it."""
    out: list[bytes] = []

    REDACTOR.stream(out.append).write(f"step 1\nusing {TOKEN}\nstep".encode())

    assert b"".join(out) == b"step 1\nusing [REDACTED:github]\n"


def test_a_private_key_is_caught_over_many_lines_and_frees_the_log_after_it():
    """Its lines arrive one by one; what follows must not wait for the end of the run."""
    out: list[bytes] = []
    writer = REDACTOR.stream(out.append)

    for line in f"before\n{PEM}\nafter\n".splitlines(keepends=True):
        writer.write(line.encode())

    assert b"".join(out) == b"before\n[REDACTED:private-key]\nafter\n"


def test_the_start_of_a_private_key_without_an_end_holds_back_only_so_much():
    """A log that merely mentions a key, or is cut short, goes on."""
    out: list[bytes] = []
    writer = REDACTOR.stream(out.append)
    body = "".join(letters(64) + "\n" for _ in range(2_000))

    writer.write((PEM.split("\n", 1)[0] + "\n" + body).encode())

    assert len(b"".join(out)) > len(body) // 2

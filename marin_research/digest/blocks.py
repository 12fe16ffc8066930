"""Cuts a stream of bytes into blocks of whole lines that know where they stand. Knows nothing of what lines say.

What a terminal would have shown is a line: the states of a progress bar, which are separated by carriage returns, are
lines of their own that share a line number. Where blocks begin depends on the bytes alone, not on how they arrive.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIZE = 1 << 20
"""Bytes that are looked at together; with smaller and larger blocks the digest is slower."""
LONGEST = 4 * SIZE
"""A longer line is taken in pieces."""

_DIGITS = b"0123456789"
_HEAD = 120


class Readable(Protocol):
    """A binary file, a pipe, a socket's file: whatever gives some bytes, and none at the end."""

    def read(self, size: int, /) -> bytes: ...


class Place(NamedTuple):
    """Where a line stands."""

    stream: int
    line: int
    """Line number, from 1."""
    offset: int
    """Bytes before it."""
    head: bytes
    """How it begins: what says the time."""


class Block:
    """Some consecutive lines of one stream."""

    def __init__(self, data: bytes, *, stream: int, line: int, offset: int) -> None:
        self.size = len(data)
        self._stream = stream
        self._line = line
        self._offset = offset
        self._physical = data if b"\r" in data else None
        if self._physical:
            # A carriage return before a line feed ends the line with it; the blank keeps offsets right.
            data = data.replace(b"\r\n", b" \n").replace(b"\r", b"\n")
        body = data[:-1] if data.endswith(b"\n") else data
        self.lines = body.split(b"\n")
        self.keys = body.translate(None, _DIGITS).split(b"\n")
        """The lines without their digits: few distinct ones stand for many lines."""
        self.newlines = self._physical.count(b"\n") if self._physical else len(self.lines) - 1 + data.endswith(b"\n")

    def number(self, index: int) -> int:
        """The line number of ``lines[index]``."""
        if self._physical is None:
            return self._line + index
        return self._line + bisect_right(self._line_starts, self._start(index)) - 1

    def place(self, index: int) -> Place:
        head = self.lines[index][:_HEAD]
        return Place(self._stream, self.number(index), self._offset + self._start(index), head)

    def last(self, count: int) -> list[bytes]:
        """The last lines, of a progress bar only its last state."""
        found: list[bytes] = []
        number = 0
        for index in range(len(self.lines) - 1, -1, -1):
            if len(found) == count:
                break
            if self.number(index) != number and self.lines[index].strip():
                found.append(self.lines[index])
                number = self.number(index)
        return found[::-1]

    def _start(self, index: int) -> int:
        return (self._lengths[index - 1] if index else 0) + index

    @cached_property
    def _lengths(self) -> list[int]:
        """How many bytes each of ``lines`` and those before it have, without what separates them."""
        return list(accumulate(map(len, self.lines)))

    @cached_property
    def _line_starts(self) -> list[int]:
        """Where each numbered line begins."""
        lines = self._physical.split(b"\n") if self._physical else self.lines
        return [0, *(end + index for index, end in enumerate(accumulate(map(len, lines)), 1))]


def blocks(source: Iterable[bytes] | Readable, stream: int) -> Iterator[Block]:
    """All of a stream, in order; at most a few times ``LONGEST`` is held in memory."""
    line, offset, rest = 1, 0, b""
    for chunk in _sized(_chunks(source)):
        data = rest + chunk
        cut = _cut(data)
        rest = data[cut:]
        if cut:
            block = Block(data[:cut], stream=stream, line=line, offset=offset)
            line, offset = line + block.newlines, offset + block.size
            yield block
    if rest:
        yield Block(rest, stream=stream, line=line, offset=offset)


def _chunks(source: Iterable[bytes] | Readable) -> Iterable[bytes]:
    return iter(lambda: source.read(SIZE), b"") if hasattr(source, "read") else source


def _sized(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, ``SIZE`` of them at a time."""
    held = bytearray()
    for chunk in chunks:
        view = memoryview(chunk)
        while len(held) + len(view) >= SIZE:
            needed = SIZE - len(held)
            yield bytes(held + view[:needed])
            held.clear()
            view = view[needed:]
        held += view
    if held:
        yield bytes(held)


def _cut(data: bytes) -> int:
    """Where the last whole line of ``data`` ends; 0 if the line goes on and is not too long yet."""
    cut = data.rfind(b"\n") + 1
    if (
        cut == 0
    ):  # a progress bar that never ends its line; a carriage return at the very end may be half of a line's end
        cut = data.rfind(b"\r", 0, len(data) - 1) + 1
    if cut == 0 and len(data) >= LONGEST:
        cut = data.rfind(b" ") + 1 or len(data)
    return cut

"""Cuts a stream of bytes into blocks of whole lines that know where they stand. Knows nothing of what lines say.

What a terminal would have shown is a line: the states of a progress bar, which are separated by carriage returns, are
lines of their own that share a line number. Where blocks begin depends on the bytes alone, not on how they arrive.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIZE = 1 << 21
"""Bytes that are looked at together: with more of them the digest is somewhat faster and takes more memory."""
LONGEST = SIZE
"""A longer line is taken in pieces."""

type Numbers = NDArray[np.intp]

_DIGITS = b"0123456789"
_RETURN, _NEWLINE = b"\r\n"
_RETURN_IS_NEWLINE = bytes.maketrans(b"\r", b"\n")
_HEAD = 120
_END = 1 << 16


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
        self.end = data[-_END:]
        """Its last bytes as they were."""
        self._stream = stream
        self._line = line
        self._offset = offset
        self._ends: Numbers
        self._returns: list[int]
        """Where carriage returns separate the states of progress bars."""
        whole = data.endswith(b"\n")
        if not whole:
            data += b"\n"
        if b"\r" in data:
            data = self._with_returns(data)
        else:
            self._ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
            self._returns = []
        self.data = data
        self.keys = data.translate(_RETURN_IS_NEWLINE, _DIGITS).split(b"\n")
        """The lines without their digits: few distinct ones stand for many lines."""
        self.keys.pop()
        self.newlines = len(self) - len(self._returns) - (not whole)

    def __len__(self) -> int:
        return len(self.keys)

    def line(self, index: int) -> bytes:
        return self.data[self._start(index) : self._ends.item(index)]

    def lines(self, indexes: Numbers) -> list[bytes]:
        data = self.data
        starts = self._ends[indexes - 1] + 1
        starts[indexes == 0] = 0
        return [data[start:end] for start, end in zip(starts.tolist(), self._ends[indexes].tolist(), strict=True)]

    def span(self, first: int, behind: int) -> tuple[int, int]:
        """Where some consecutive lines begin and end in ``data``."""
        return self._start(first), self._start(behind)

    def place(self, index: int) -> Place:
        start, end = self._start(index), self._ends.item(index)
        line = self._line + index - bisect_left(self._returns, start)
        return Place(self._stream, line, self._offset + start, self.data[start : min(start + _HEAD, end)])

    def _with_returns(self, data: bytes) -> bytes:
        """Find the ends of lines among carriage returns too, but for those before a newline, which become blank."""
        characters = np.frombuffer(data, np.uint8)
        self._ends = np.flatnonzero((characters == _NEWLINE) | (characters == _RETURN))
        is_return = characters[self._ends] == _RETURN
        if np.any(is_return[:-1] & ~is_return[1:] & (np.diff(self._ends) == 1)):
            return self._with_returns(data.replace(b"\r\n", b" \n"))
        self._returns = self._ends[is_return].tolist()
        return data

    def _start(self, index: int) -> int:
        return self._ends.item(index - 1) + 1 if index else 0


def blocks(source: Iterable[bytes] | Readable, stream: int) -> Iterator[Block]:
    """All of a stream, in order; at most a few times ``SIZE`` is held in memory."""
    line, offset, rest = 1, 0, b""
    for chunk in _sized(_chunks(source)):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            data, rest = b"".join((rest, memoryview(chunk)[:cut])), chunk[cut:]
        else:
            rest += chunk
            cut = _cut(rest)
            data, rest = rest[:cut], rest[cut:]
        if data:
            block = Block(data, stream=stream, line=line, offset=offset)
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
        if not held and len(chunk) == SIZE:
            yield chunk
            continue
        held += chunk
        while len(held) >= SIZE:
            yield bytes(held[:SIZE])
            del held[:SIZE]
    if held:
        yield bytes(held)


def _cut(data: bytes) -> int:
    """Where the part of a line ends that can be taken by itself; 0 if it is not too long yet."""
    # A progress bar that never ends its line; a return at the very end may be half of a line's end.
    cut = data.rfind(b"\r", 0, len(data) - 1) + 1
    if cut == 0 and len(data) >= LONGEST:
        cut = data.rfind(b" ") + 1 or len(data)
    return cut

"""What is known of one stream as a whole: its size, its silences, its end. Knows no templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marin_research.digest.gaps import Gaps

if TYPE_CHECKING:
    from marin_research.digest.blocks import Block, Place

TAIL = 40
_TAIL_BYTES = 1 << 16


class Stream:
    """One file, or what one host printed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.bytes = 0
        self.lines = 0
        """As numbered: what is separated by line feeds."""
        self.states = 0
        """Lines, and each state of a progress bar."""
        self.first: Place | None = None
        self.last: Place | None = None
        self.silences = Gaps()
        self._end = b""

    def add(self, block: Block) -> None:
        """Count a block, the next one."""
        self.first = self.first or block.place(0)
        self.last = block.place(len(block) - 1)
        self.bytes += block.size
        self.lines = self.last.line
        self.states += len(block)
        self.silences.feed(block, range(len(block)))
        self._end = block.end if len(block.end) >= _TAIL_BYTES else (self._end + block.end)[-_TAIL_BYTES:]

    def tail(self) -> list[bytes]:
        """The last lines, of a progress bar only its last state."""
        lines = (line.rstrip(b"\r").rpartition(b"\r")[2] for line in self._end.split(b"\n"))
        return [line for line in lines if line.strip()][-TAIL:]

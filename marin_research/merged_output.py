"""What the hosts of an attempt printed, in one stream: line by line, in the order in which it was printed.

Each host's output lies apart in the store, with a note of the time every now and then
(``marin_research.capture.chunk``). Lines of one host keep their order whatever its clock says.
"""

from __future__ import annotations

import bisect
import heapq
import time
from operator import itemgetter
from typing import TYPE_CHECKING

from marin_research.capture.chunk import marks_of
from marin_research.capture.live_output import marks_in, times_file
from marin_research.output import StoredOutput, has_ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marin_research.capture.chunk import Marks
    from marin_research.record import Host
    from marin_research.store import RecordStore

_POLL_S = 0.2


class _Source:
    """The lines of one host, each with its time."""

    def __init__(self, store: RecordStore, run_id: str, attempt: int, host: Host) -> None:
        self.host = host
        self._stored = StoredOutput(store, run_id, attempt, host.writer)
        self._known: dict[int, Marks] = {}
        """By the first byte of the part that they are of."""
        self._read: set[tuple[int, int]] = set()
        """The chunks whose marks are known; those of a live file may still become more."""
        self._rest = b""
        self._newest = host.started.timestamp()

    def lines(self, *, last: bool) -> Iterator[tuple[float, Host, bytes]]:
        """The whole lines that have come since the last call; at the ``last`` one also one without an end."""
        marks = self._marks()
        at = self._stored.position - len(self._rest)
        for block in self._stored.read():
            *whole, self._rest = (self._rest + block).split(b"\n")
            for line in whole:
                yield self._time_of(at, marks), self.host, line + b"\n"
                at += len(line) + 1
        if last and self._rest:
            yield self._time_of(at, marks), self.host, self._rest + b"\n"
            self._rest = b""

    def _time_of(self, at: int, marks: Marks) -> float:
        place = bisect.bisect_right(marks, at, key=itemgetter(0))
        if place:
            self._newest = max(self._newest, marks[place - 1][1])
        return self._newest

    def _marks(self) -> Marks:
        for part in self._stored.parts():
            if part.path is not None:
                self._known[part.start] = marks_in(times_file(part.path.parent, part.start))
            elif (part.start, part.end) not in self._read:
                self._read.add((part.start, part.end))
                self._known[part.start] = marks_of(self._stored.packed(part))
        return sorted(mark for marks in self._known.values() for mark in marks)


def merged(
    store: RecordStore, run_id: str, attempt: int, hosts: Sequence[Host], *, follow: bool = False
) -> Iterator[tuple[Host, bytes]]:
    """The lines of several hosts by time, each with the host that printed it.

    Args:
        store: where the run is recorded.
        run_id: the run.
        attempt: the try that the hosts belong to.
        hosts: whose output.
        follow: go on until all of them have ended.
    """
    sources = [_Source(store, run_id, attempt, host) for host in hosts]
    while True:
        # Asked first: what is printed between the question and the reading is still read.
        ended = not follow or all(has_ended(store, run_id, attempt, host.writer) for host in hosts)
        for _, host, line in heapq.merge(*(source.lines(last=ended) for source in sources), key=itemgetter(0)):
            yield host, line
        if ended:
            return
        time.sleep(_POLL_S)

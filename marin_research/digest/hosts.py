"""Names the hosts whose lines are mixed in one log, and samples when each was heard of. Knows no templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.gaps import SHORTEST_S, Gap
from marin_research.digest.header import read_header
from marin_research.digest.times import Time, passed, read_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marin_research.digest.blocks import Block, Place

MOST_HOSTS = 4096
_MOST_ATTEMPTS = 100


class NewAttempt(NamedTuple):
    """A task that was tried again."""

    host: str
    before: int
    after: int
    place: Place


class Host:
    """Somebody whose lines say whose they are, in what a launcher or a logger puts before the message."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.first = place
        self.last = place
        self.silence: Gap | None = None
        """The longest between two lines that were looked at."""
        self.mean_s = 0.0
        """Between two lines that were looked at."""
        self.attempt: int | None = None
        self._looks = 0
        self._time: Time | None = None

    def heard(self, place: Place, time: Time | None) -> None:
        """Note one of its lines, a later one."""
        if time and self._time:
            seconds = passed(self._time, time)
            self._looks += 1
            self.mean_s += (seconds - self.mean_s) / self._looks
            if seconds >= SHORTEST_S and seconds > (self.silence.seconds if self.silence else 0):
                self.silence = Gap(seconds, self.last, place)
        self.last = place
        self._time = time or self._time


class Hosts:
    """Args: several: Whether there are several streams, so that the stream is part of a host's name."""

    def __init__(self, *, several: bool) -> None:
        self.seen: dict[str, Host] = {}
        """As far as the lines that were looked at tell."""
        self.attempts: list[NewAttempt] = []
        self._several = several
        self._stream = ""

    def begin(self, stream: str) -> None:
        """What comes now is of another stream."""
        self._stream = stream

    def name(self, said: bytes, stream: str | None = None) -> str:
        """The name of the host whose lines call it ``said``, or say nothing, in a stream (the current one)."""
        host = said.decode("ascii", "replace")
        return f"{stream or self._stream} {host}".strip() if self._several or not host else host

    def look(self, block: Block, indexes: Iterable[int]) -> None:
        """Look at some lines of a block, which ascend."""
        for index in indexes:
            header = read_header(block.line(index))
            if not header.host:
                continue
            name, place = self.name(header.host), block.place(index)
            host = self.seen.get(name)
            if host is None:
                if len(self.seen) >= MOST_HOSTS:
                    continue
                host = self.seen[name] = Host(name, place)
            host.heard(place, read_time(header.time))
            if header.attempt is not None:
                self._note_attempt(host, header.attempt, place)

    def _note_attempt(self, host: Host, attempt: int, place: Place) -> None:
        before, host.attempt = host.attempt, attempt
        if before is not None and attempt > before and len(self.attempts) < _MOST_ATTEMPTS:
            self.attempts.append(NewAttempt(host.name, before, attempt, place))

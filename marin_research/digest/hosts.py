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
_UNUSUAL = 12
"""So many lines that did not come are no chance."""
_FEWEST = 10
"""Lines that tell how often a host is heard of."""


class NewAttempt(NamedTuple):
    """A task that was tried again."""

    host: str
    before: int
    after: int
    place: Place


class Host:
    """Somebody whose lines say whose they are, in what a launcher or a logger puts before the message.

    Only some lines are looked at, more of them in some parts of a log than in others. Whether a silence is unusual is
    therefore counted in lines that were looked at, not in seconds.
    """

    def __init__(self, name: str, place: Place, look: int) -> None:
        self.name = name
        self.first = place
        self.last = place
        self.silence: Gap | None = None
        """The longest between two of its lines that were looked at, if it was unusual at all."""
        self.attempt: int | None = None
        self._first_look = self._last_look = look
        self._heard = 0
        self._time: Time | None = None

    def heard(self, place: Place, time: Time | None, look: int) -> None:
        """Note one of its lines, a later one; ``look`` numbers the lines that were looked at."""
        seconds = passed(self._time, time) if time and self._time else 0
        if seconds > (self.silence.seconds if self.silence else SHORTEST_S) and self.is_missed(look):
            self.silence = Gap(seconds, self.last, place)
        self.last = place
        self._time = time or self._time
        self._last_look = look
        self._heard += 1

    def is_missed(self, look: int) -> bool:
        """Whether many of its lines would be expected since its last one, and there was none."""
        share = self._heard / (self._last_look - self._first_look + 1)
        return self._heard >= _FEWEST and share * (look - self._last_look) > _UNUSUAL


class Hosts:
    """Args: several: Whether there are several streams, so that the stream is part of a host's name."""

    def __init__(self, *, several: bool) -> None:
        self.seen: dict[str, Host] = {}
        """As far as the lines that were looked at tell."""
        self.attempts: list[NewAttempt] = []
        self.looks = 0
        """Lines that were looked at and say whose they are."""
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
            self.looks += 1
            name, place = self.name(header.host), block.place(index)
            host = self.seen.get(name)
            if host is None:
                if len(self.seen) >= MOST_HOSTS:
                    continue
                host = self.seen[name] = Host(name, place, self.looks)
            host.heard(place, read_time(header.time), self.looks)
            if header.attempt is not None:
                self._note_attempt(host, header.attempt, place)

    def _note_attempt(self, host: Host, attempt: int, place: Place) -> None:
        before, host.attempt = host.attempt, attempt
        if before is not None and attempt > before and len(self.attempts) < _MOST_ATTEMPTS:
            self.attempts.append(NewAttempt(host.name, before, attempt, place))

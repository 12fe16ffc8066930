"""Names the hosts that printed a log, and samples when each was heard of. Knows no templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.header import host_in, read_header
from marin_research.digest.template import Sighting

if TYPE_CHECKING:
    from marin_research.digest.blocks import Block, Place

MOST_HOSTS = 4096
_OTHERS = "other hosts"
_ALL_OF_FIRST = 2000
_EVERY = 256
_MOST_ATTEMPTS = 100


class NewAttempt(NamedTuple):
    """A task that was tried again."""

    host: str
    before: int
    after: int
    place: Place


class Hosts:
    """Args: several: Whether there are several streams, so that the stream is part of a host's name."""

    def __init__(self, *, several: bool) -> None:
        self.seen: dict[str, Sighting] = {}
        """The hosts that lines name, as far as the sample shows; counts are of sampled lines."""
        self.attempts: list[NewAttempt] = []
        self.stream = ""
        """The name of the stream that is being read."""
        self._several = several
        self._names: dict[tuple[str, str], str] = {}
        self._attempt: dict[str, int] = {}

    def name(self, said: str) -> str:
        """The name of the host of a line that calls it ``said``, or says nothing."""
        known = self._names.get((self.stream, said))
        if known is None:
            known = f"{self.stream} {said}".strip() if self._several or not said else said
            if len(self._names) >= MOST_HOSTS:
                return _OTHERS
            self._names[self.stream, said] = known
        return known

    def sample(self, block: Block, *, before: int) -> None:
        """Look at some lines of a block that comes after ``before`` lines of its stream: at first at all of them."""
        start = min(len(block.lines), max(0, _ALL_OF_FIRST - before))
        for index in (*range(start), *range(start, len(block.lines), _EVERY)):
            line = block.lines[index]
            header = read_header(line)
            if not header.host:
                continue
            host = self.name(host_in(line, header.host))
            place = block.place(index)
            seen = self.seen.setdefault(host, Sighting(place))
            seen.count += 1
            seen.last = place
            if header.attempt:
                self._note_attempt(host, int(line[slice(*header.attempt)]), place)

    def _note_attempt(self, host: str, attempt: int, place: Place) -> None:
        before = self._attempt.setdefault(host, attempt)
        if attempt > before:
            self._attempt[host] = attempt
            if len(self.attempts) < _MOST_ATTEMPTS:
                self.attempts.append(NewAttempt(host, before, attempt, place))

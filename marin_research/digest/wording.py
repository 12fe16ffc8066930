"""How a digest's text says where and when, on which hosts and how often. Knows no sections."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marin_research.digest.index import Index, Position

_FRACTION = re.compile(r"(?<=:\d\d)[.,]\d+")
_MOST_HOSTS = 4
_CURVE = "▁▂▃▄▅▆▇█"
_CURVE_POINTS = 32


class Wording:
    """Speaks of one log: names a stream only if there are several, and leaves out what all hosts' names begin with."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._several = len(index.streams) > 1
        self._streams = {stream.name for stream in index.streams} if index.hosts else set()
        self.hosts = [host.name for host in index.hosts] or [stream.name for stream in index.streams]
        first, last = (min(self.hosts), max(self.hosts)) if len(self.hosts) > 1 else ("", "")
        common = "".join(
            one for one, other in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
        )
        self.common = common[: common.rfind("/") + 1]
        """What the names of all hosts begin with."""

    def host(self, name: str) -> str:
        return name.removeprefix(self.common)

    def on(self, hosts: Iterable[str]) -> str:
        """`` on 3, 5 and 7 more``; nothing where there is but one host."""
        if len(self.hosts) < 2:
            return ""
        names = sorted((self.host(host) for host in hosts if host not in self._streams), key=_natural)
        if not names:
            return ""
        if len(names) == len(self.hosts):
            return f" on all {len(names)} hosts"
        shown = names[:_MOST_HOSTS] if len(names) > _MOST_HOSTS + 1 else names
        more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
        return f" on {', '.join(shown)}{more}"

    def at(self, position: Position) -> str:
        """``line 12,345 (03:05:11)``."""
        return f"{self.place(position)} ({when(position)})" if position.time else self.place(position)

    def place(self, position: Position) -> str:
        """``line 12,345``, or ``host-3.log:12345``."""
        return f"{position.stream}:{position.line}" if self._several else f"line {position.line:,}"

    def seen(self, count: int, first: Position, last: Position, hosts: Iterable[str]) -> str:
        """``12 times on 3 and 5, line 17 (03:05:11) to line 99 (03:10:00)``."""
        if count == 1:
            return f"once{self.on(hosts)}, {self.at(first)}"
        return f"{count:,} times{self.on(hosts)}, {self.at(first)} to {self.at(last)}"


def when(position: Position) -> str:
    return _FRACTION.sub("", position.time or "")


def curve(points: Sequence[float]) -> str:
    """A line of blocks, one for each of some values; a blank for what is no number."""
    points = points[:: max(1, -(-len(points) // _CURVE_POINTS))]
    finite = [point for point in points if abs(point) < float("inf")]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(_CURVE) - 1) / (high - low) if high > low else 0.0
    return "".join(_CURVE[round((point - low) * scale)] if abs(point) < float("inf") else " " for point in points)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts ``host-2`` before ``host-10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]

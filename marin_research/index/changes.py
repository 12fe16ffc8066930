"""Which runs an index has to read to be as its store is. How that is found out depends on where the store is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from marin_research.objects import LocalObjects

if TYPE_CHECKING:
    from marin_research.index.tables import Tables
    from marin_research.objects import Objects


class Mark(NamedTuple):
    """That a run changed, left in a store whose folders do not show it."""

    hour: str
    name: str


class Unread(NamedTuple):
    """A run that has to be read."""

    name: str
    state: str
    """What it looked like before; empty if it may change once more without looking different."""


@dataclass(frozen=True, slots=True)
class Changes:
    unread: list[Unread]
    gone: list[str]
    stamp: str
    """To be noted once everything was read; empty while the store is being written to."""
    marks: tuple[Mark, ...] = ()
    """Likewise."""


class Watch(Protocol):
    """Looks at one store."""

    reads_at_once: int
    """How many runs are read at the same time, where reading is mostly waiting."""

    def changes(self, tables: Tables, stamp: str) -> Changes:
        """What is to be read so that ``tables`` are as the store is now.

        Args:
            tables: the index.
            stamp: what the last ``Changes`` said.
        """


def watch(objects: Objects) -> Watch:
    from marin_research.index.distant_changes import DistantWatch, EverythingChanges
    from marin_research.index.local_changes import LocalWatch
    from marin_research.objects import is_distant

    if isinstance(objects, LocalObjects):
        return LocalWatch(objects)
    return DistantWatch(objects) if is_distant(objects.url) else EverythingChanges(objects)

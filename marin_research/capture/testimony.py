"""What the sidecar saw of the end of a process that did not say itself how its step or its command ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.capture.witness import Witness
    from marin_research.memory_kills import MemoryKills
    from marin_research.record import Evidence


class Testimony:
    """Of one step or command. It only matters when the process that is served ends without a word."""

    def __init__(self) -> None:
        self.command: Witness | None = None
        """The process that prints, where that is another one than the one that is served."""
        self._memory: MemoryKills | None = None
        self._told: set[Witness] = set()

    def begin(self) -> None:
        """Remember what the kernel has counted so far. Called by the first heartbeat, which waits for no imports."""
        from marin_research.memory_kills import memory_kills

        self._memory = self._memory or memory_kills()  # we are in the same control group as the process

    def is_complete(self, served: Witness) -> bool:
        return {served, self.command} - {None} <= self._told

    def look(self, served: Witness) -> Iterator[Evidence]:
        """What has come to be known since the last look."""
        from marin_research.record import Evidence

        for witness in (served, self.command):
            if witness is not None and witness not in self._told and witness.settled():
                self._told.add(witness)
                yield Evidence(time=datetime.now(UTC), source="sidecar", text=self._text(witness))
                killed = None if self._memory is None else self._memory.since()
                # The recorder's own end says nothing of the command that it leaves behind.
                if killed and witness.was_killed is not False and (witness is self.command or self.command is None):
                    yield killed

    def _text(self, witness: Witness) -> str:
        if witness is self.command:
            return f"the command (process {witness.pid}) ended: {witness.how}"
        if self.command is None:
            return f"process {witness.pid} ended in the middle of its step: {witness.how}"
        ran_on = f"; the command (process {self.command.pid}) ran on" if self.command.is_alive else ""
        return f"the recorder (process {witness.pid}) ended: {witness.how}{ran_on}"

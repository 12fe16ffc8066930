"""How far a step has come, as far as its output shows. Cheap for every chunk; looks closer only for a heartbeat."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marin_research.record import Progress

_WINDOW = 4096


class OutputProgress:
    def __init__(self) -> None:
        self._output_at: datetime | None = None
        self._end = b""
        """Of the output: enough for the last line that tells a step."""
        self._step: int | None = None
        self._step_at: datetime | None = None

    def feed(self, data: bytes) -> None:
        self._output_at = datetime.now(UTC)
        self._end = (self._end + data[-_WINDOW:])[-_WINDOW:]

    def now(self) -> Progress:
        """With the time at which a step was first seen by a heartbeat."""
        from marin_research.progress import last_step
        from marin_research.record import Progress

        step = last_step(self._end)
        if step is not None and step != self._step:
            self._step, self._step_at = step, self._output_at
        return Progress(output_at=self._output_at, step=self._step, step_at=self._step_at)

"""How fast GitHub may be asked: its limits as it states them, and the pause it wants between changes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from curator.github.errors import RateLimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE_S = 30.0
"""What it takes longer than this for is left to the next try."""
BETWEEN_WRITES_S = 1.0
"""GitHub takes faster writers for abuse."""
_SECONDARY_S = 60.0
"""GitHub says so much where it names no time."""


@dataclass(slots=True)
class Pace:
    """The pace of one client."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    between_writes: float = BETWEEN_WRITES_S
    _closed_until: float = 0.0
    _last_write: float = 0.0

    def wait_turn(self, *, writes: bool) -> None:
        """Return when the next request may be made.

        Raises:
            RateLimitError: that is too far off.
        """
        pause = self._last_write + self.between_writes - self.now() if writes else 0.0
        self._pause(max(pause, self._closed_until - self.now()))
        if writes:
            self._last_write = self.now()

    def note(self, headers: Mapping[str, str]) -> None:
        """Remember what an answer says of how much is left."""
        if headers.get("x-ratelimit-remaining") == "0" and (reset := _number(headers.get("x-ratelimit-reset"))):
            self._closed_until = reset

    def refused(self, status: int, headers: Mapping[str, str], message: str) -> bool:
        """Whether an answer refuses for the pace alone; then the next turn is as late as it asks."""
        limited = "rate limit" in message.lower() or "abuse" in message.lower()
        asked = _number(headers.get("retry-after"))
        spent = headers.get("x-ratelimit-remaining") == "0"
        if status != 429 and not (status == 403 and (limited or spent or asked is not None)):
            return False
        reset = _number(headers.get("x-ratelimit-reset")) if spent else None
        wait = asked if asked is not None else reset - self.now() if reset else _SECONDARY_S
        self._closed_until = max(self._closed_until, self.now() + max(wait, 0.0))
        return True

    def _pause(self, seconds: float) -> None:
        if seconds > PATIENCE_S:
            then = datetime.fromtimestamp(self.now() + seconds, UTC)
            raise RateLimitError(f"GitHub's rate limit is reached until {then:%H:%M} UTC; try again then")
        if seconds > 0:
            self.sleep(seconds)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None

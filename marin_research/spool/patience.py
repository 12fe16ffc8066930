"""How long a process that records waits for a store that is far away, all in all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWANCE_S = 10.0
"""What a process may spend on waiting before it does without the store."""
FIRST_S = 5.0
"""How much of it may be spent on waiting for the first answer of all: what is only slow has answered by then."""
_FREE_S = 0.5
"""An answer that takes no longer costs nothing."""
_REFILL = 1 / 60
"""What a process gets back of it, in seconds a second."""
_PAUSE_S = 30.0
"""After a request that failed the store is left alone for so long."""


class Patience:
    """An allowance that waiting uses up and time brings back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.why = ""
        """What was wrong with the last request that failed."""
        self._clock = clock
        self._left = ALLOWANCE_S
        self._counted = clock()
        self._again = 0.0
        self._was_answered = False

    def left(self) -> float:
        """Seconds that the next request may take; 0 for not to ask at all."""
        now = self._clock()
        self._left = min(ALLOWANCE_S, self._left + _REFILL * (now - self._counted))
        self._counted = now
        if self.is_pausing or self._left < _FREE_S:
            self.why = self.why or f"it is so slow that {ALLOWANCE_S:g} s of waiting are used up"
            return 0.0
        return self._left if self._was_answered else min(FIRST_S, self._left)

    @property
    def is_pausing(self) -> bool:
        """Whether the store is left alone at the moment, after a request that failed."""
        return self._clock() < self._again

    def waited(self, seconds: float) -> None:
        """A request was answered after so long."""
        self._was_answered = True
        if seconds > _FREE_S:
            self._left -= seconds

    def failed(self, seconds: float, why: str) -> None:
        """A request was given up after so long."""
        self._left -= seconds
        self._again = self._clock() + _PAUSE_S
        self.why = why

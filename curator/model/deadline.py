"""One point in time after which nothing more is waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from curator.model.port import ModelError


@dataclass(frozen=True, slots=True)
class Deadline:
    """Counts from when it was made."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.started + self.seconds - time.monotonic())

    def check(self) -> None:
        """Stop when the time is up.

        Raises:
            ModelError: nothing is left.
        """
        if not self.remaining:
            raise ModelError(f"it did not answer within {self.seconds:g} s")

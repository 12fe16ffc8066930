"""Waits for what may take for ever, and for no longer than somebody has patience."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Eventually[T]:
    """What an action gives, which goes on in a thread of its own until it has ended or the process does."""

    def __init__(self, action: Callable[[], T]) -> None:
        self._action = action
        self._given: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="marin-research-eventually", daemon=True)
        self._thread.start()

    def within(self, seconds: float) -> T:
        """What the action gives; may be asked again.

        Raises:
            TimeoutError: it takes longer.
            BaseException: what the action has raised.
        """
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        if not self._given:
            raise TimeoutError(f"no answer within {seconds:g} s")
        return self._given[0]

    def _run(self) -> None:
        try:
            self._given.append(self._action())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._error = error

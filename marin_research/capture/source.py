"""What the sidecar reads: pipes, the groups that they come in, and who waits for all of a group to be kept."""

from __future__ import annotations

import fcntl
import json
import os
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marin_research.capture.echo import Echo
    from marin_research.capture.step import StepOutput

_ECHO_WAIT_S = 5.0


class Source:
    """One pipe or pseudo-terminal that somebody prints into."""

    def __init__(self, fd: int, echo: Echo | None, group: Group) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self.echo = echo
        self.group = group
        self._window = b""

    def follow_window(self) -> None:
        """Give the pseudo-terminal the size of the terminal it stands for."""
        if self.echo and os.isatty(self.fd):
            with suppress(OSError):
                window = fcntl.ioctl(self.echo.fd, termios.TIOCGWINSZ, bytes(8))
                if window != self._window:
                    self._window = window
                    fcntl.ioctl(self.fd, termios.TIOCSWINSZ, window)


class Group:
    """The pipes of one step, or those that several steps share."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.id: str = message["id"]
        self.steps: list[str] = message.get("steps", [self.id])
        """Whose output it is."""
        self.sources: list[Source] = []


class Answer:
    """What the process waits for at the end of a step."""

    def __init__(self, fd: int, step: StepOutput, echoes: list[Echo]) -> None:
        self.fd = fd
        self.step = step
        self.echoes = [(echo, echo.queued) for echo in echoes]
        self.patience = time.monotonic() + _ECHO_WAIT_S

    @property
    def due(self) -> bool:
        shown = all(echo.written >= queued for echo, queued in self.echoes)
        return self.step.kept and (shown or time.monotonic() > self.patience)

    def give(self) -> None:
        with suppress(OSError):  # nobody waits any more
            os.write(self.fd, json.dumps(self.step.summary()).encode() + b"\n")
        os.close(self.fd)

"""Puts pipes in the place of the standard streams, and those back again. Knows no step and no sidecar."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, TextIO

from marin_research.capture.channel import Channel, copy_fd

if TYPE_CHECKING:
    from marin_research.capture import streams

_NUMBERS = {"stdout": 1, "stderr": 2}


class Terminals:
    """Where descriptors 1 and 2 led before anything was captured."""

    def __init__(self) -> None:
        self.name = os.urandom(4).hex()
        self.fds: dict[int, int] = {}
        self._placed: dict[int, tuple[int, int]] = {}
        """What stands at a descriptor since it was last changed here."""
        for number in (1, 2):
            with contextlib.suppress(OSError):  # the process was started without it
                self._placed[number] = _identity(number)
        try:
            for number in self._placed:
                self.fds[number] = copy_fd(number)
        except OSError:
            self.close()
            raise
        self.same = len(self.fds) == 2 and self._placed[1] == self._placed[2]
        """Both lead to the same place, where the order of what is printed to them is to be kept."""

    def exchange(self, fds: dict[int, int]) -> None:
        """Put ``fds`` in place of the standard descriptors, where nobody else has put something meanwhile."""
        for number, fd in fds.items():
            with contextlib.suppress(OSError):  # somebody has closed it
                if _identity(number) == self._placed[number]:
                    os.dup2(fd, number)
                    self._placed[number] = _identity(number)

    def close(self) -> None:
        for fd in self.fds.values():
            os.close(fd)


def _identity(fd: int) -> tuple[int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


class Destination:
    """Pipes in place of the standard streams: those of one step, or those that several steps share."""

    def __init__(self, name: str, terminals: Terminals, standing_in: dict[str, streams.RoutedStream]) -> None:
        self.name = name
        self.channels: list[Channel] = []
        self.fds: dict[int, int] = {}
        """What takes the place of descriptors 1 and 2."""
        self.texts: dict[str, TextIO] = {}
        """What takes the place of ``sys.stdout`` and ``sys.stderr``."""
        try:
            self._fill(terminals, standing_in)
        except BaseException:
            self.close()
            raise

    def _fill(self, terminals: Terminals, standing_in: dict[str, streams.RoutedStream]) -> None:
        for number, terminal in terminals.fds.items():
            same = self.fds.get(1) if number == 2 and terminals.same else None
            self.fds[number] = same or self._channel(terminal, f"{terminals.name}:{number}")
        for stream in standing_in.values():
            # What does not go through a descriptor is shown by the original stream and only kept by the sidecar.
            through = self.fds.get(_NUMBERS[stream.standard]) if stream.through_fd else None
            fd = through or self._channel(None, None)
            encoding, errors = (stream.encoding, stream.errors) if through else ("utf-8", "backslashreplace")
            self.texts[stream.standard] = os.fdopen(copy_fd(fd), "w", 1, encoding, errors, "\n")

    def _channel(self, terminal: int | None, name: str | None) -> int:
        channel = Channel(terminal, name)
        self.channels.append(channel)
        return channel.write

    def message(self) -> dict[str, Any]:
        return {"id": self.name, "echo": [channel.echo_name for channel in self.channels]}

    def close_write(self) -> None:
        for text in self.texts.values():
            with contextlib.suppress(ValueError, OSError):
                text.close()
        for channel in self.channels:
            channel.close_write()

    def close(self) -> None:
        """Close it on both sides, before the sidecar has it."""
        self.close_write()
        for channel in self.channels:
            channel.close()

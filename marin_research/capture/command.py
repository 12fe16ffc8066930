"""Keeps what a command prints: pipes for a child of this process, in the hands of a sidecar. Knows no Python stream."""

from __future__ import annotations

import fcntl
import os
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from marin_research.capture.destination import Destination, Terminals
from marin_research.capture.link import SidecarLink, opening
from marin_research.record import Output, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from marin_research.recorder import Recorder

_PATIENCE_S = 10.0


class CommandCapture:
    """One capture. The child is started after it is made, with ``outputs``; then come ``started`` and ``close``."""

    def __init__(self, recorder: Recorder, *, metrics_file: Path, heartbeat_s: float) -> None:
        """Make the pipes. Where that fails the child prints where we would, and ``problem`` says why.

        Args:
            recorder: of the command.
            metrics_file: where the command may leave metrics, should the recorder not live to read them.
            heartbeat_s: seconds between signs of life.
        """
        self.output: Output | Unknown = Unknown("the output is still being captured")
        self.problem: str | None = None
        """What of the output is missing in the record, and why."""
        self.outputs: dict[int, int] = {}
        """Which of our descriptors takes the place of which of the child's."""
        self._link = SidecarLink(lambda _: True, fork=True)
        self._destination: Destination | None = None
        store = recorder.store
        message = opening(store, recorder.run.id, recorder.attempt, recorder.writer, heartbeat_s=heartbeat_s)
        message |= {"metrics_file": str(metrics_file), "metric_patterns": recorder.run.metric_patterns}
        self._name: str = message["id"]
        if store.objects.url.startswith("memory://"):
            self._fail("output was not captured: a store in memory cannot be written by another process")
            return
        try:
            self._destination = self._open(message)
        except OSError as error:
            self._fail(f"output could not be captured: {error}")
        else:
            self.outputs = self._destination.fds

    def _open(self, message: dict[str, Any]) -> Destination:
        terminals = Terminals()
        try:
            destination = Destination(self._name, terminals, {})
        finally:
            terminals.close()
        try:
            self._link.open(message | destination.message(), destination.channels)
        except OSError:
            destination.close()
            raise
        return destination

    def started(self, pid: int) -> None:
        """Say which process it is that prints."""
        if self._destination is not None:
            self._link.started(self._name, pid)

    def follow_window(self) -> None:
        """Give the child's terminal the size of ours."""
        for channel in self._destination.channels if self._destination else ():
            if channel.echo is not None and os.isatty(channel.write):
                with suppress(OSError):
                    window = fcntl.ioctl(channel.echo, termios.TIOCGWINSZ, bytes(8))
                    fcntl.ioctl(channel.write, termios.TIOCSWINSZ, window)

    def hurry(self) -> None:
        """Have everything shipped soon: the machine may go away."""
        self._link.hurry()

    def close(self) -> None:
        """Wait (10 s at most) until what was printed is kept."""
        if self._destination is None:
            return
        self._destination.close_write()
        summary = self._link.end(self._name, _PATIENCE_S)
        if summary is None:
            unheard = "the process that keeps output did not answer; the output may lack its end"
            self._fail(self._link.problem or unheard)
            return
        self.output = Output(size=summary["size"], lines=summary["lines"])
        self.problem = summary["problem"]

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self.output = Unknown(problem)

"""Captures what a step prints: Python's streams, native libraries, child processes. Knows nothing of Marin or models.

All of a process's steps run in its threads and share descriptors 1 and 2, so these lead to the step's own pipes only while
it is the only one that runs. While several run they lead to pipes that all of them share, and Python's streams tell the
steps apart by their context. What is printed is read by another process, the sidecar, which shows it at once where it
would have been shown without it, and keeps it whatever becomes of this process.

Capturing never harms a step: where it fails, the descriptors are what they were and ``CapturedOutput.problem`` says why.
"""

from __future__ import annotations

import contextlib
import contextvars
import fcntl
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from marin_research import streams
from marin_research.channel import Channel
from marin_research.record import Output, Unknown
from marin_research.sidecar_link import SidecarLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.store import RecordStore

_PATIENCE_S = 10.0
_STANDARD = {"stdout": 1, "stderr": 2}

_current: contextvars.ContextVar[CapturedOutput | None] = contextvars.ContextVar("marin_research_capture", default=None)


@contextlib.contextmanager
def capture(
    store: RecordStore, run_id: str, folder: str, writer: str, *, heartbeat_s: float = 30.0
) -> Iterator[CapturedOutput]:
    """Keep what the code inside prints in ``folder`` of the store, and give signs of life while it runs.

    Args:
        store: where the run is recorded.
        run_id: the run whose heartbeats are written.
        folder: the key that ``RecordStore.output_folder`` gives.
        writer: the host's event writer.
        heartbeat_s: seconds between heartbeats.
    """
    captured = CapturedOutput(store.objects.url, run_id, folder, writer, heartbeat_s, parent=_current.get())
    captured.open()
    before = _current.get()
    _current.set(captured)
    try:
        yield captured
    finally:
        _current.set(before)
        captured.close()


class CapturedOutput:
    """One capture: open from the start of the step until ``close``."""

    def __init__(
        self, root: str, run_id: str, folder: str, writer: str, heartbeat_s: float, *, parent: CapturedOutput | None
    ) -> None:
        self.output: Output | Unknown = Unknown("the output is still being captured")
        self.problem: str | None = None
        """What of the output is missing in the record, and why."""
        self.name = f"{folder}#{os.urandom(4).hex()}"
        self.message = {
            "id": self.name,
            "root": root,
            "run_id": run_id,
            "folder": folder,
            "writer": writer,
            "heartbeat_s": heartbeat_s,
        }
        self.parent = parent
        self.destination: _Destination | None = None
        """Where what the step prints goes, while it is captured."""
        self._process = _process()
        self._closed = False

    def open(self) -> None:
        try:
            self._process.enter(self)
        except Exception as error:  # noqa: BLE001 - the boundary: capturing never harms a step
            self._fail(f"output could not be captured: {error!r}")

    def close(self) -> None:
        """Stop capturing, and wait (10 s at most) until what was printed is kept. May be called more than once."""
        if self._closed or self._process is not _process():
            return  # in a forked child, the capture is its parent's
        self._closed = True
        try:
            summary = self._process.leave(self)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(f"the end of the output could not be captured: {error!r}")
            return
        if summary is None:
            self._fail(self.problem or "the process that keeps output did not answer; the output may lack its end")
            return
        self.output = Output(size=summary["size"], lines=summary["lines"], shared=summary["shared"])
        self.problem = self.problem or summary["problem"]

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self.output = Unknown(problem)


class _Destination:
    """Pipes in place of the standard streams: those of one step, or those that several steps share."""

    def __init__(self, name: str, terminals: _Terminals, standing_in: dict[str, streams.RoutedStream]) -> None:
        self.name = name
        self.channels: list[Channel] = []
        self.fds: dict[int, int] = {}
        """What takes the place of descriptors 1 and 2."""
        self.texts: dict[str, TextIO] = {}
        """What takes the place of ``sys.stdout`` and ``sys.stderr``."""
        for number, terminal in terminals.fds.items():
            same = self.fds.get(1) if number == 2 and terminals.same else None
            self.fds[number] = same or self._channel(terminal, f"{terminals.name}:{number}")
        for stream in standing_in.values():
            # What does not go through a descriptor is shown by the original stream and only kept by the sidecar.
            through = self.fds.get(_STANDARD[stream.name]) if stream.through_fd else None
            fd = through or self._channel(None, None)
            encoding, errors = (stream.encoding, stream.errors) if through else ("utf-8", "backslashreplace")
            self.texts[stream.name] = open(os.dup(fd), "w", 1, encoding=encoding, errors=errors, newline="\n")

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


class _Terminals:
    """Where descriptors 1 and 2 led before anything was captured."""

    def __init__(self) -> None:
        self.name = os.urandom(4).hex()
        self.fds: dict[int, int] = {}
        self._placed: dict[int, tuple[int, int]] = {}
        """What stands at a descriptor since it was last changed here."""
        for number in (1, 2):
            with contextlib.suppress(OSError):  # the process was started without it
                self.fds[number] = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
                self._placed[number] = _identity(number)
        self.same = len(self.fds) == 2 and self._placed[1] == self._placed[2]
        """Both lead to the same place, where the order of what is printed to them is to be kept."""

    def exchange(self, fds: dict[int, int]) -> None:
        """Put ``fds`` in place of the standard descriptors, where nobody else has put something meanwhile."""
        for number, fd in fds.items():
            if _identity(number) == self._placed[number]:
                os.dup2(fd, number)
                self._placed[number] = _identity(number)

    def restore(self) -> None:
        self.exchange(self.fds)

    def close(self) -> None:
        for fd in self.fds.values():
            os.close(fd)


def _identity(fd: int) -> tuple[int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


class _Process:
    """What this process captures at the moment. There is one, because descriptors 1 and 2 and ``sys.stdout`` are one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._link = SidecarLink(self._give_up)
        self._active: list[CapturedOutput] = []
        self._terminals: _Terminals | None = None
        self._owner: _Destination | None = None
        """Whose pipes are descriptors 1 and 2."""
        self._shared: _Destination | None = None
        self._streams: dict[str, streams.RoutedStream] = {}
        self._buffered: dict[str, bool | None] = {}

    def enter(self, captured: CapturedOutput) -> None:
        with self._lock:
            if self._link.problem:
                raise OSError(self._link.problem)
            if not self._active:
                self._begin()
            try:
                destination = self._open(captured.name, captured.message)
            except BaseException:
                if not self._active:
                    self._end()
                raise
            captured.destination = destination
            self._active.append(captured)
            self._direct()

    def leave(self, captured: CapturedOutput) -> dict[str, Any] | None:
        with self._lock:
            destination = captured.destination
            if destination is None:
                return None
            captured.destination = None
            streams.flush(destination.texts.values())
            self._active.remove(captured)
            self._direct()
            destination.close_write()
            if not self._active:
                self._end()
        return self._link.end(captured.name, _PATIENCE_S)

    def route(self, stream: streams.RoutedStream) -> TextIO | None:
        """What to write to instead of the stream that ``stream`` stands in for."""
        step = _current.get()
        destination = (step and step.destination) or self._owner
        if destination is None or self._owner is None or (destination is self._owner and stream.through_fd):
            return None
        return destination.texts.get(stream.name)

    def _open(self, name: str, message: dict[str, Any]) -> _Destination:
        assert self._terminals
        destination = _Destination(name, self._terminals, self._streams)
        if not self._link.open(message | destination.message(), destination.channels):
            destination.close()
            raise OSError(self._link.problem)
        return destination

    def _direct(self) -> None:
        """Lead descriptors 1 and 2 to where they now belong."""
        parents = {captured.parent for captured in self._active}
        running = [captured for captured in self._active if captured not in parents]
        ...

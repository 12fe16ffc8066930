"""Captures what a step prints: Python's streams, native libraries, child processes. Knows nothing of Marin or models.

All of a process's steps run in its threads and share descriptors 1 and 2, so these lead to the step's own pipes only
while it is the only one that runs. While several run they lead to pipes that all of them share, and Python's streams
tell the steps apart by their context. What is printed is read by another process, the sidecar, which shows it at once
where it would have been shown without it, and keeps it whatever becomes of this process.

Capturing never harms a step: where it fails, the descriptors are what they were, ``CapturedOutput.problem`` says why.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from marin_research.capture import streams
from marin_research.capture.destination import Destination, Terminals
from marin_research.capture.link import SidecarLink, opening
from marin_research.record import Output, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marin_research.capture.streams import RoutedStream
    from marin_research.store import RecordStore

_PATIENCE_S = 10.0
_GATE_S = 0.01
"""How long whoever reads the pipes waits for one who may be waiting for them to be read."""

_current: contextvars.ContextVar[CapturedOutput | None] = contextvars.ContextVar("marin_research_capture", default=None)


@contextlib.contextmanager
def capture(
    store: RecordStore, run_id: str, attempt: int, writer: str, *, heartbeat_s: float = 30.0
) -> Iterator[CapturedOutput]:
    """Keep what the code inside prints in the store, and give signs of life while it runs.

    Args:
        store: where the run is recorded.
        run_id: the run whose heartbeats are written.
        attempt: the try at it.
        writer: the host's event writer.
        heartbeat_s: seconds between heartbeats.
    """
    before = _current.get()
    message = opening(store, run_id, attempt, writer, heartbeat_s=heartbeat_s)
    captured = CapturedOutput(message, parent=before)
    try:
        captured.open()
        _current.set(captured)
        yield captured
    finally:
        _current.set(before)
        captured.close()


class CapturedOutput:
    """One capture: open from the start of the step until ``close``."""

    def __init__(self, message: dict[str, Any], *, parent: CapturedOutput | None) -> None:
        self.output: Output | Unknown = Unknown("the output is still being captured")
        self.problem: str | None = None
        """What of the output is missing in the record, and why."""
        self.name: str = message["id"]
        self.message = message
        self.parent = parent
        self.destination: Destination | None = None
        """Where what the step prints goes, while it is captured."""
        self._process = _process()
        self._closed = False

    def open(self) -> None:
        if str(self.message["root"]).startswith("memory://"):
            self._fail("output was not captured: a store in memory cannot be written by another process")
            return
        try:
            self._process.enter(self)
        except Exception as error:  # noqa: BLE001 - the boundary: capturing never harms a step
            self._fail(f"output could not be captured: {error}")

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


class _Process:
    """What this process captures at the moment. There is one, as there is one ``sys.stdout`` and one descriptor 1."""

    def __init__(self) -> None:
        self.gate = threading.RLock()
        """Held while Python's streams are written to, or led elsewhere."""
        self._lock = threading.RLock()
        self._link = SidecarLink(self._give_up)
        self._active: list[CapturedOutput] = []
        self._terminals: Terminals | None = None
        self._owner: Destination | None = None
        """Whose pipes are in the place of descriptors 1 and 2."""
        self._shared: Destination | None = None
        self._streams: dict[str, RoutedStream] = {}
        self._buffering: dict[str, bool | None] = {}
        self._given_up = False

    def enter(self, captured: CapturedOutput) -> None:
        with self._lock:
            terminals = self._terminals or self._begin()
            try:
                captured.destination = self._open(captured.name, captured.message, terminals)
                self._active.append(captured)
                self._direct(terminals)
            finally:
                if not self._active:
                    self._end(terminals)

    def leave(self, captured: CapturedOutput) -> dict[str, Any] | None:
        with self._lock:
            destination, terminals = captured.destination, self._terminals
            if destination is None or terminals is None:
                return None
            with self.gate:
                streams.flush(destination.texts.values())
                captured.destination = None
            self._active.remove(captured)
            self._direct(terminals)
            destination.close_write()
            if not self._active:
                self._end(terminals)
        return self._link.end(captured.name, _PATIENCE_S)

    def route(self, stream: RoutedStream) -> TextIO | None:
        """What to write to instead of the stream that ``stream`` stands in for."""
        step = _current.get()
        destination = self._owner if step is None else step.destination or self._owner
        if destination is None or self._given_up or (destination is self._owner and stream.through_fd):
            return None
        return destination.texts.get(stream.standard)

    def abandon(self) -> None:
        """Leave everything to the process that was forked to make this one; what it has routed goes on as before."""
        self.gate = threading.RLock()
        self._link.abandon()

    def _begin(self) -> Terminals:
        terminals = self._terminals = Terminals()
        for name in ("stdout", "stderr"):
            self._stand_in(name, getattr(sys, name))
        return terminals

    def _stand_in(self, name: str, stream: Any) -> None:
        known = self._streams.pop(name, None)
        if stream is None:
            return
        if known is None or (stream is not known and stream is not known.original):
            known = streams.stand_in(name, stream, self)
        if known is not None:
            self._streams[name] = known
            self._buffering[name] = streams.line_buffering(known.original, True) if known.through_fd else None
            setattr(sys, name, known)

    def _end(self, terminals: Terminals) -> None:
        for name, stream in self._streams.items():
            streams.redirect_log_handlers(stream, stream.original)
            streams.line_buffering(stream.original, self._buffering.pop(name, None))
            if getattr(sys, name) is stream:
                setattr(sys, name, stream.original)
        if self._shared is not None:
            self._shared.close_write()
        self._shared = self._owner = self._terminals = None
        terminals.close()

    def _open(self, name: str, message: dict[str, Any], terminals: Terminals) -> Destination:
        destination = Destination(name, terminals, self._streams)
        try:
            self._link.open(message | destination.message(), destination.channels)
        except OSError:
            destination.close()
            raise
        return destination

    def _direct(self, terminals: Terminals) -> None:
        """Lead descriptors 1 and 2 to where they now belong."""
        waiting = {captured.parent for captured in self._active}
        running = [captured for captured in self._active if captured not in waiting]
        owner = running[0].destination if len(running) == 1 else None
        if len(running) > 1:
            owner = self._shared = self._shared or self._share(terminals, running)
        if self._shared is not None:
            self._link.share(self._shared.name, [captured.name for captured in running])
        with self.gate:
            streams.flush(stream.original for stream in self._streams.values())
            streams.flush(owner.texts.values() if owner else ())
            streams.flush_native()
            self._owner = None if self._given_up else owner
            terminals.exchange(self._owner.fds if self._owner else terminals.fds)

    def _share(self, terminals: Terminals, running: list[CapturedOutput]) -> Destination | None:
        for stream in self._streams.values():
            # Log handlers are mostly older than the capture, and would write to the descriptor that is shared now.
            streams.redirect_log_handlers(stream.original, stream)
        try:
            return self._open(f"shared#{os.urandom(4).hex()}", {"steps": []}, terminals)
        except OSError as error:
            for captured in running:
                captured.problem = f"what native code and children printed was not captured: {error}"
            return None

    def _give_up(self, show_all: Callable[[], None]) -> bool:
        """Let everybody print as if nothing were captured; False if that must wait for another thread.

        What was printed before is shown first. Whoever holds the gate may wait for a full pipe to be read, and by whom
        but the caller?
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if not self.gate.acquire(timeout=_GATE_S):
                return False
            try:
                self._given_up, self._owner = True, None
                if self._terminals is not None:
                    self._terminals.exchange(self._terminals.fds)
                show_all()
            finally:
                self.gate.release()
            for captured in self._active:
                captured.problem = self._link.problem
        finally:
            self._lock.release()
        return True


_the_process = _Process()


def _process() -> _Process:
    return _the_process


def _forked() -> None:
    global _the_process  # noqa: PLW0603 - a forked child is another process
    _the_process.abandon()
    _the_process = _Process()


os.register_at_fork(after_in_child=_forked)

"""Keeps a sidecar process at this process's side. Knows neither Python's streams nor which step prints what.

The pipes' reading ends stay open here, too: when the sidecar is killed, nobody who prints meets a broken pipe, and the
next sidecar reads on where the last one stopped. When none can be started, the pipes are read and shown from here.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marin_research.capture.channel import Channel, above_standard

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from marin_research.store import RecordStore

SILENCE_LIMIT_S = 60.0
"""How long a sidecar may say nothing before it is taken for stuck: the pipes fill up, and steps would wait for ever."""
_MAX_STARTS = 4
_SEND_TIMEOUT_S = 2.0
_PIECES_IN_PIPES = 32
_MAIN = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from marin_research.capture.sidecar import main; main(int(sys.argv[2]))"
)


def opening(store: RecordStore, run_id: str, attempt: int, writer: str, *, heartbeat_s: float) -> dict[str, Any]:
    """What a sidecar is to know of the output of one host of one attempt."""
    folder = store.output_folder(run_id, attempt, writer)
    return {
        "id": f"{folder}#{os.urandom(4).hex()}",
        "root": store.objects.url,
        "run_id": run_id,
        "attempt": attempt,
        "folder": folder,
        "writer": writer,
        "heartbeat_s": heartbeat_s,
    }


class _Entry:
    """What the sidecar was told of one step, or of the pipes that several share, and would have to be told again."""

    def __init__(self, message: dict[str, Any], channels: list[Channel]) -> None:
        self.message = message
        self.channels = channels
        self.interrupted: str | None = None

    def fds(self) -> list[int]:
        return [fd for channel in self.channels for fd in channel.fds()]


class SidecarLink:
    """The connection to the sidecar, which is started when the first pipes are handed over."""

    def __init__(self, on_failure: Callable[[Callable[[], None]], bool], *, fork: bool = False) -> None:
        """Nothing is started yet.

        Args:
            on_failure: called when there can be no sidecar any more, until it returns True. It is given what shows all
                that still stands in the pipes.
            fork: whether this process has only one thread, so that the first sidecar may be a fork of it, which has
                loaded already what it needs.
        """
        self.problem: str | None = None
        """Why there is no sidecar and will be none."""
        self._on_failure = on_failure
        self._may_fork = fork
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._socket: socket.socket | None = None
        self._starts = 0
        self._busy_since = 0.0
        self._told: dict[str, str] = {}

    def open(self, message: dict[str, Any], channels: list[Channel]) -> None:
        """Hand over pipes, which from now on belong to the link.

        Raises:
            OSError: there is nobody to take them, and they are still the caller's.
        """
        with self._lock:
            if self._socket is None:
                self._start()
            self._tell_environment()
            if not self._entries:
                self._busy_since = time.monotonic()
            entry = self._entries[message["id"]] = _Entry(message, channels)
            self._send(message | {"op": "open"}, entry.fds())

    def started(self, name: str, pid: int) -> None:
        """Say which process prints into the pipes ``name``."""
        with self._lock:
            self._entries[name].message["command"] = pid
            self._send({"op": "started", "id": name, "command": pid}, [])

    def hurry(self) -> None:
        """Have everything shipped soon."""
        with self._lock:
            self._send({"op": "hurry"}, [])

    def share(self, name: str, steps: list[str]) -> None:
        """Say whose output the shared pipes ``name`` now are."""
        with self._lock:
            if name in self._entries:
                self._entries[name].message["steps"] = steps
                self._send({"op": "share", "id": name, "steps": steps}, [])

    def end(self, name: str, patience_s: float) -> dict[str, Any] | None:
        """Wait until all that was printed into the pipes ``name`` is kept; gives what it was, None if nobody knows."""
        deadline = time.monotonic() + patience_s
        entry = self._entries.get(name)
        answer = b""
        while entry is not None and not answer and self.problem is None and time.monotonic() < deadline:
            read, write = (above_standard(fd) for fd in os.pipe())
            with self._lock:
                self._send({"op": "end", "id": name}, [write])
            os.close(write)
            answer = _read_line(read, deadline)
            os.close(read)
            if not answer:
                time.sleep(0.02)  # killed just now; the next one is being started
        if entry is None or not answer:
            return None
        entry.message["ended"] = True
        summary: dict[str, Any] = json.loads(answer)
        return summary | {"problem": summary["problem"] or entry.interrupted}

    def abandon(self) -> None:
        """Let go of what a fork copied; the sidecar serves the process that was forked."""
        if self._socket is not None:
            self._socket.close()
        for entry in self._entries.values():
            for channel in entry.channels:
                channel.close()

    def _tell_environment(self) -> None:
        """A secret that came into the environment since the sidecar was started is to be masked, too."""
        changed = {name: value for name, value in os.environ.items() if self._told.get(name) != value}
        if changed:
            self._told |= changed
            self._send({"op": "environment", "changed": changed}, [])

    def _send(self, message: dict[str, Any], fds: list[int]) -> None:
        """Send if anybody is there; a sidecar that is started anew is told everything again."""
        if self._socket is not None:
            line = json.dumps(message | {"fds": len(fds)}).encode() + b"\n"
            with contextlib.suppress(OSError):
                sent = socket.send_fds(self._socket, [line], fds)
                self._socket.sendall(line[sent:])

    def _start(self) -> None:
        """Start a sidecar and tell it all there is to know. Needs the lock.

        Raises:
            OSError: it could not be started.
        """
        if self.problem is None and self._starts == _MAX_STARTS:
            self.problem = f"the process that keeps output ended {self._starts} times"
        if self.problem is not None:
            raise OSError(self.problem)
        ours, theirs = (socket.socket(fileno=above_standard(end.detach())) for end in socket.socketpair())
        try:
            process = None if self._may_fork else _start_process(theirs)
            if process is None:
                _fork(theirs)
            threading.Thread(
                target=self._watch, args=(process, ours), name="marin-research-sidecar", daemon=True
            ).start()
        except (OSError, RuntimeError) as error:  # the latter when the interpreter is about to end
            ours.close()
            raise OSError(f"the process that keeps output could not be started: {error}") from error
        finally:
            theirs.close()
        self._may_fork = False
        self._starts += 1
        self._told = dict(os.environ)
        self._socket = ours
        ours.settimeout(_SEND_TIMEOUT_S)
        self._send({"op": "hello", "pid": os.getpid(), "path": [str(path) for path in sys.path if path]}, [])
        for entry in self._entries.values():
            self._send(entry.message | {"op": "open"}, entry.fds())

    # In a thread of its own

    def _watch(self, process: subprocess.Popen[bytes] | None, connection: socket.socket) -> None:
        if process is not None:
            _wait_for_detachment(process)
        why, pid = "was killed", None
        for message in self._messages(connection):
            if message is None:
                why = "was stuck"
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                break
            if "closed" in message:
                self._close(message["closed"])
            pid = message.get("pid", pid)
            why = message.get("problem", why)
        with self._lock:
            connection.close()
            self._socket = None
            for entry in self._entries.values():
                entry.interrupted = f"the process that keeps output {why}; what it had just read may be missing"
            if not self._entries:
                return
            try:
                self._start()
            except OSError as error:
                self.problem = str(error)
        if self.problem is not None:
            self._show()

    def _messages(self, connection: socket.socket) -> Iterator[dict[str, Any] | None]:
        """What the sidecar says until it is gone, and None when it has been silent for too long."""
        readable = select.poll()
        readable.register(connection, select.POLLIN)
        heard = time.monotonic()
        rest = b""
        while True:
            if readable.poll(100 * SILENCE_LIMIT_S):
                heard = time.monotonic()
                try:
                    data = connection.recv(1 << 16)
                except OSError:
                    return
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                yield from map(json.loads, lines)
            elif self._entries and time.monotonic() - max(heard, self._busy_since) > SILENCE_LIMIT_S:
                yield None

    def _close(self, name: str) -> None:
        with self._lock:
            for channel in self._entries.pop(name).channels:
                channel.close()

    def _show(self) -> None:
        """Read the pipes for as long as somebody may print into them, and show what comes."""
        selector = selectors.DefaultSelector()
        for entry in self._entries.values():
            for channel in entry.channels:
                os.set_blocking(channel.read, False)
                selector.register(channel.read, selectors.EVENT_READ, channel.echo)
        restored = False
        while selector.get_map():
            _show_ready(selector, 0.1)
            restored = restored or self._on_failure(lambda: _show_all(selector))


def _show_all(selector: selectors.BaseSelector) -> None:
    """Show what stands in the pipes; no more than they hold, as children may go on to print into them."""
    for _ in range(_PIECES_IN_PIPES):
        if not _show_ready(selector, 0):
            return


def _show_ready(selector: selectors.BaseSelector, timeout_s: float) -> bool:
    """Show a piece of whatever can be read from the pipes; False if there is none."""
    ready = selector.select(timeout_s) if selector.get_map() else []
    for key, _ in ready:
        try:
            data = os.read(key.fd, 1 << 16)
        except OSError:  # how a pseudo-terminal says that nobody has it open any more
            data = b""
        if not data:
            selector.unregister(key.fd)
        elif key.data is not None:
            _write_all(key.data, data)
    return bool(ready)


def _start_process(theirs: socket.socket) -> subprocess.Popen[bytes]:
    import subprocess

    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _MAIN, str(Path(__file__).parents[2]), str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        cwd="/",
    )


def _wait_for_detachment(process: subprocess.Popen[bytes]) -> None:
    import subprocess

    try:
        process.wait(SILENCE_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _fork(theirs: socket.socket) -> None:
    """Make a copy of this process a sidecar that shares nothing with it but the socket."""
    from marin_research.capture import sidecar  # loaded here, so that both have it

    child = os.fork()
    if child:
        os.waitpid(child, 0)  # it detaches itself at once
        return
    try:
        os.setsid()
        os.chdir("/")
        with contextlib.suppress(OSError):  # not Linux
            Path("/proc/self/comm").write_text("mr-sidecar", encoding="ascii")
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        fd = theirs.detach()
        os.closerange(3, fd)
        os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))
        sidecar.main(fd)
    finally:
        os._exit(0)


def _read_line(fd: int, deadline: float) -> bytes:
    """The line that comes before the deadline, else nothing."""
    readable = select.poll()
    readable.register(fd, select.POLLIN)
    line = b""
    while not line.endswith(b"\n") and readable.poll(max(0, 1000 * (deadline - time.monotonic()))):
        data = os.read(fd, 1 << 16)
        if not data:
            return b""
        line += data
    return line if line.endswith(b"\n") else b""


def _write_all(fd: int, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the terminal is gone
        while data:
            data = data[os.write(fd, data) :]

"""Runs one task of a job on its machine, in a process of its own, and reports to the server. A Ray task itself.

A process of its own gets a fresh JAX at every try, its environment before Python starts, an exit code, and its output
kept apart; when the runner is gone it is ended by its guard (``marin_research.ray.task``). That the runner is a task,
and no actor, lets Ray use one worker process for many jobs, which makes them start at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray  # noqa: TID253 - this module is about Ray

from marin_research.parts import Cause
from marin_research.ray.place import COORDINATOR, SHIPPED, Place
from marin_research.ray.versions import Versions, difference, versions_here

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPORT_S = 0.2
_LINE_SIZE = 64 * 1024
"""What is longer is cut into several lines."""
_RAYS_OWN = ("RAY_JOB", "RAY_RAYLET", "RAY_WORKER", "RAY_CLIENT", "TPU_VISIBLE_CHIPS", "TPU_CHIPS_PER_", "TPU_HOST_B")
"""What Ray sets for its worker. A task has all chips of its host, and says so to nobody but libtpu."""
_TASK = str(Path(__file__).with_name("task.py"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a runner is to do."""

    try_id: str
    place: Place
    slices: int
    """TPU slices of several hosts in the job."""
    slice_index: int
    command: tuple[str, ...]
    """Empty for a function."""
    env: Mapping[str, str]
    paths: tuple[str, ...]
    versions: Versions
    grace_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a task ended that its runner saw end."""

    exit_code: int | None
    """Negative for a signal; None if it was not started."""
    error: str = ""
    time: float
    """Seconds since the epoch, by the clock of its machine."""
    stopped: bool = False
    """The runner ended it because it was told to."""

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(self.time, UTC)

    @property
    def cause(self) -> Cause:
        if self.exit_code is None:
            return Cause.NOT_STARTED
        return Cause.SIGNALLED if self.exit_code < 0 else Cause.EXITED


@ray.remote  # type: ignore[untyped-decorator]
def run_task(server: Any, order: Order, payload: bytes) -> Ended:
    """Run the task that ``order`` names, from when all of its gang have a runner to when it or the try ends."""
    with ThreadPoolExecutor(1) as pool:  # Ray lends a task's CPUs to others while its main thread waits for an answer
        return pool.submit(_run, server, order, payload).result()


@ray.remote  # type: ignore[untyped-decorator]
def warm_up() -> None:
    """Do nothing, in a worker process that has loaded what every task needs."""


def _run(server: Any, order: Order, payload: bytes) -> Ended:
    different = difference(order.versions, versions_here())
    if different:
        return Ended(exit_code=None, error=different, time=time.time())
    node = ray.get_runtime_context().get_node_id()
    order = replace(order, place=replace(order.place, node=node))
    over = server.over.remote(order.try_id)
    address = f"{ray.util.get_node_ip_address()}:{_free_port()}"
    coordinator = ray.get(server.meet.remote(order.try_id, order.place.index, address, node))
    if coordinator is None:
        return Ended(exit_code=None, error="the others did not start", time=time.time(), stopped=True)
    with tempfile.TemporaryDirectory(prefix="fray-ray-") as folder:
        task = _TaskProcess(order, payload, coordinator, Path(folder))
        try:
            stopped = _attend(task, server, order, over)
        finally:
            task.end()
        if lines := task.take_lines():
            ray.get(server.printed.remote(order.try_id, order.place.index, lines))
        return Ended(exit_code=task.exit_code, error=task.error(), time=task.ended, stopped=stopped)


def _attend(task: _TaskProcess, server: Any, order: Order, over: Any) -> bool:
    """Hand on what the task prints until it ends; whether it was stopped."""
    while not task.wait(_REPORT_S):
        lines = task.take_lines()
        if lines:
            ray.get(server.printed.remote(order.try_id, order.place.index, lines))
        if ray.wait([over], timeout=0)[0]:
            task.stop(order.grace_s)
            return True
    return False


class _TaskProcess:
    """The child process, and all of its group."""

    def __init__(self, order: Order, payload: bytes, coordinator: str, folder: Path) -> None:
        self.ended = 0.0
        self._folder = folder
        self._lines: list[tuple[float, bytes]] = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        (folder / "payload").write_bytes(payload)
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-P", _TASK, str(folder), *order.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(order, coordinator),
            process_group=0,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._await_end, daemon=True).start()

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def error(self) -> str:
        """What the function raised, or what else there is to say of a task that did not succeed."""
        code = self.exit_code
        if not code:
            return ""
        with contextlib.suppress(OSError, ValueError):
            said = json.loads((self._folder / "error.json").read_text())
            return f"{said['type']}: {said['message']}"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def take_lines(self) -> list[tuple[float, bytes]]:
        with self._lock:
            taken, self._lines = self._lines, []
        return taken

    def stop(self, grace_s: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._done.wait(grace_s)

    def end(self) -> None:
        """Leave nothing behind, of the group and of the output."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._done.wait()
        self._reader.join(1)
        if self._process.stdin is not None:
            self._process.stdin.close()  # which ends the guard

    def _await_end(self) -> None:
        self._process.wait()
        self.ended = time.time()
        self._done.set()

    def _read(self) -> None:
        output = self._process.stdout
        assert output is not None  # noqa: S101 - for the type checker
        while line := output.readline(_LINE_SIZE):
            with self._lock:
                self._lines.append((time.time(), line.rstrip(b"\n") + b"\n"))


def _environment(order: Order, coordinator: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_RAYS_OWN)}
    # Ray's worker finds what was shipped by this variable, and so does the task.
    search = os.pathsep.join([str(Path.cwd() / path) for path in order.paths] + [inherited.get("PYTHONPATH", "")])
    shipped = json.dumps(dict(ray.get_runtime_context().runtime_env))
    own = {"PYTHONPATH": search, COORDINATOR: coordinator, SHIPPED: shipped}
    made = inherited | dict(order.env) | order.place.environment() | own
    if order.slices > 1:
        from ray.util.tpu import get_tpu_coordinator_env_vars

        made |= get_tpu_coordinator_env_vars(coordinator.rpartition(":")[0], order.slices, order.slice_index)
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port

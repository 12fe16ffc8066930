"""Programs that capture steps, as real processes whose output goes to files: the test runner captures output, too."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marin_research.codec import decode
from marin_research.errors import RunNotFoundError
from marin_research.output import read_output
from marin_research.record import End, Output, Run
from marin_research.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable

PRELUDE = """
import contextlib, contextvars, ctypes, json, logging, os, signal, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from marin_research.capture.process import capture
from marin_research.codec import encode
from marin_research.store import RecordStore

HERE = Path(os.environ["CAPTURE_TEST"])
store = RecordStore(str(HERE / "store"))

@contextlib.contextmanager
def step(number, heartbeat_s=30.0):
    run = f"T-{number:03d}"
    with capture(store, run, 1, "h0", heartbeat_s=heartbeat_s) as captured:
        yield captured
    result = {"run": run, "output": encode(captured.output), "problem": captured.problem}
    (HERE / f"{run}.json").write_text(json.dumps(result))

def in_thread(pool, function, *arguments):
    return pool.submit(contextvars.copy_context().run, function, *arguments)

def sidecars():
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if b"marin_research.capture.sidecar" in (process / "cmdline").read_bytes():
                if os.environ["CAPTURE_TEST"].encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
    return found

def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("waited in vain")
        time.sleep(0.01)
"""


@dataclass
class Program:
    """A script that captures steps, and what came of it."""

    folder: Path
    code: int = 0

    @property
    def out(self) -> bytes:
        return (self.folder / "out").read_bytes()

    @property
    def err(self) -> bytes:
        return (self.folder / "err").read_bytes()

    @property
    def store(self) -> RecordStore:
        return RecordStore(str(self.folder / "store"))

    def stored(self, number: int = 1) -> bytes:
        return b"".join(read_output(self.store, f"T-{number:03d}", 1, "h0"))

    def output(self, number: int = 1) -> Output:
        return decode(Output, self._result(number)["output"])

    def problem(self, number: int = 1) -> str | None:
        problem: str | None = self._result(number)["problem"]
        return problem

    def _result(self, number: int):
        return json.loads((self.folder / f"T-{number:03d}.json").read_text())

    def names(self, number: int = 1) -> list[str]:
        return self.store.objects.names(f"runs/T-{number:03d}/output/001-h0")

    def start(self, source: str, *, env=None, **options) -> subprocess.Popen[bytes]:
        script = self.folder / "program.py"
        script.write_text(PRELUDE + textwrap.dedent(source))
        environment = {**os.environ, "CAPTURE_TEST": str(self.folder), **(env or {})}
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            places: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
            command = [sys.executable, str(script)]
            return subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2], **(places | options))

    def run(self, source: str, *, timeout: float = 60, **options) -> Program:
        self.code = self.start(source, **options).wait(timeout)
        self.wait_for_sidecar()
        return self

    def sidecars(self) -> list[int]:
        found = []
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                if (
                    b"marin_research.capture.sidecar" in (process / "cmdline").read_bytes()
                    and str(self.folder).encode() in (process / "environ").read_bytes()
                ):
                    found.append(int(process.name))
        return found

    def wait_for_sidecar(self, seconds: float = 10) -> None:
        # Looked for twice: while it detaches itself it is in none of the two places for a moment.
        self.wait_until(lambda: not self.sidecars() and not self.sidecars(), seconds)

    @staticmethod
    def wait_until(condition, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)


@dataclass
class Workplace:
    """A checkout with a thread declared in it, where commands are recorded."""

    top: Path
    program: tuple[str, ...] = (sys.executable, "-m", "marin_research.cli.main")

    @property
    def store(self) -> RecordStore:
        return RecordStore(str(self.top / "records"))

    def line(self, *command: str, options: tuple[str, ...] = ()) -> list[str]:
        return [*self.program, "run", "--thread", "kernels", *options, "--", *command]

    def record(self, *command: str, options: tuple[str, ...] = (), **said: Any) -> subprocess.CompletedProcess[str]:
        usual: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60, "cwd": self.top}
        return subprocess.run(self.line(*command, options=options), check=False, **(usual | said))

    def start(self, *command: str, options: tuple[str, ...] = (), **said: Any) -> subprocess.Popen[str]:
        usual: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True, "cwd": self.top, "start_new_session": True}
        return subprocess.Popen(self.line(*command, options=options), **(usual | said))

    def run(self, run_id: str = "KER-001") -> Run:
        return self.store.run(run_id)

    def end(self, run_id: str = "KER-001") -> End:
        attempt = self.run(run_id).attempt
        assert attempt is not None
        assert attempt.end is not None
        return attempt.end

    def printed(self, run_id: str = "KER-001") -> bytes:
        attempt = self.run(run_id).attempts[-1]
        return b"".join(read_output(self.store, run_id, attempt.number, attempt.hosts[0].writer))

    def wait_until(self, condition: Callable[[], Any], seconds: float = 30) -> None:
        """Wait for what a record says, or for the record."""

        def holds() -> Any:
            with suppress(RunNotFoundError):
                return condition()

        Program.wait_until(holds, seconds)


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Workplace:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".agents/research").mkdir(parents=True)
    (tmp_path / ".agents/research/kernels.yaml").write_text("topic: kernels\nprefix: KER\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", str(tmp_path / "records"))
    return Workplace(tmp_path)


@pytest.fixture
def program(tmp_path):
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()
    return Program(folder)


@pytest.fixture(scope="session")
def digested():
    """The index of some logs, each a stream: bytes, or pieces of bytes as they arrive; several have names."""

    def digest(log: bytes | list[bytes] | None = None, **streams: bytes | list[bytes]):
        from marin_research.digest.build import index_of

        logs = streams or {"log": log or b""}
        sources = ((name, [data] if isinstance(data, bytes) else data) for name, data in logs.items())
        return index_of(sources, several=len(logs) > 1)

    return digest


@pytest.fixture(scope="session")
def benchmark_module():
    """A module of the benchmarks' folder; pytest's importlib mode puts no folder of tests on the path."""

    def load(name: str) -> Any:
        path = Path(__file__).parents[1] / "benchmarks" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load

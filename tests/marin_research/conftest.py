"""Programs that capture steps, as real processes whose output goes to files: the test runner captures output, too."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
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
def wandb_server():
    """Starts W&B servers on this machine and gives their URLs; an argument is the status with which one refuses all."""
    running = []

    def start(*refuses_with: str) -> str:
        command = [sys.executable, str(Path(__file__).with_name("wandb_server.py")), *refuses_with]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        running.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{int(process.stdout.readline())}"

    yield start
    for process in running:
        process.kill()
        process.communicate()


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


@dataclass
class Bench:
    """A checkout with two recorded commands, work in progress, and a bare remote."""

    top: Path
    say: Callable[..., Any]

    @property
    def remote(self) -> Path:
        return self.top.parent / "remote.git"

    @property
    def store(self) -> RecordStore:
        return RecordStore(str(self.top / ".marin-research"))

    def git(self, *args: str, at: Path | None = None) -> str:
        done = subprocess.run(["git", *args], cwd=at or self.top, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def state(self) -> tuple[str, ...]:
        """Everything that git and the store hold."""
        files = sorted(str(path) for path in (self.top / ".marin-research").rglob("*") if "/." not in str(path)[10:])
        return (self.git("for-each-ref"), self.git("status", "--porcelain"), self.git("diff", "--cached"), *files)


@pytest.fixture(scope="session")
def bench_template(tmp_path_factory) -> Path:
    """KER-001 ran on a clean tree, KER-002 with a change of its script, beside other people's work in progress."""
    folder: Path = tmp_path_factory.mktemp("bench")
    (folder / "gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MARIN", "GIT"))}
    environment = {**kept, "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}

    def run(*command: str) -> None:
        subprocess.run(command, cwd=top, env=environment, check=True, capture_output=True)

    top = folder / "checkout"
    top.mkdir()
    run("git", "init", "--quiet", "--bare", "../remote.git")
    run("git", "init", "--quiet")
    run("git", "remote", "add", "origin", "../remote.git")
    (top / "bench.py").write_text(
        "import os, sys\nSCALE = 2\nprint(f'tok/s={SCALE * int(sys.argv[1])}')\nassert os.environ.get('FAIL') is None\n"
    )
    (top / "notes.txt").write_text("notes\n")
    program = [sys.executable, "-m", "marin_research.cli.main"]
    run(*program, "init", "kernels", "--prefix", "KER", "--metric", "tok/s:higher:tok/s")
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--message", "start")
    record = [*program, "run", "--thread", "kernels", "--metric", "tok/s=([0-9.e+]+)"]
    run(*record, "--baseline", "--set", "block=128", "--", "python3", "bench.py", "128")
    (top / "bench.py").write_text((top / "bench.py").read_text().replace("SCALE = 2", "SCALE = 3"))
    (top / "notes.txt").write_text("notes\nhalf a thought\n")
    (top / "draft.txt").write_text("somebody else's\n")
    run(*record, "--set", "block=256", "--", "env", "XLA_FLAGS=--xla_dump", "python3", "bench.py", "256")
    return folder


@pytest.fixture
def bench(bench_template, tmp_path, monkeypatch, command_line) -> Bench:
    for name in ("checkout", "remote.git"):
        shutil.copytree(bench_template / name, tmp_path / name, symlinks=True)
    monkeypatch.chdir(tmp_path / "checkout")
    return Bench(tmp_path / "checkout", lambda *args: command_line("marin-research", *args))

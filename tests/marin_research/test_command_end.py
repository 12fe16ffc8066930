"""How a command ended: what each piece of evidence says, and what none of them says."""

from __future__ import annotations

import http.server
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from marin_research.command_end import Surroundings, command_end
from marin_research.foreground import Ended, Received
from marin_research.memory_kills import memory_kills
from marin_research.preemption import preemption_notice
from marin_research.record import Cause, Evidence, Status

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MEMORY = Evidence(time=NOON, source="memory.events", text="the kernel killed a process", cause=Cause.OUT_OF_MEMORY)
NOTICE = Evidence(time=NOON, source="GCE metadata", text="instance/preempted is TRUE", cause=Cause.PREEMPTED)


def received(name: str, *, seconds_ago: float = 1, sender: int | None = 4711) -> Received:
    time = NOON - timedelta(seconds=seconds_ago)
    return Received(signal=signal.Signals[name], time=time, at=-seconds_ago, sender=sender, sender_name="kill")


def ended(code: int | None = None, name: str | None = None, *, timed_out: bool = False) -> Ended:
    number = signal.Signals[name] if name else None
    return Ended(time=NOON, at=0, exit_code=code, signal=number, timed_out=timed_out)


@pytest.mark.parametrize(
    ("how", "around", "status", "cause", "why"),
    [
        (ended(0), {}, Status.SUCCEEDED, Cause.EXITED, "it exited with code 0"),
        (ended(3), {}, Status.FAILED, Cause.EXITED, "it exited with code 3"),
        (
            ended(137),
            {},
            Status.FAILED,
            Cause.EXITED,
            "it exited with code 137: its own command was killed by SIGKILL, possibly for lack of memory",
        ),
        (ended(139), {}, Status.FAILED, Cause.EXITED, "it exited with code 139, which is how a shell reports SIGSEGV"),
        (ended(124), {}, Status.FAILED, Cause.EXITED, "it exited with code 124"),
        (ended(name="SIGSEGV"), {}, Status.FAILED, Cause.SIGNALLED, "it was killed by SIGSEGV"),
        (
            ended(name="SIGKILL"),
            {},
            Status.FAILED,
            Cause.SIGNALLED,
            "it was killed by SIGKILL; nothing says by whom",
        ),
        (
            ended(name="SIGKILL"),
            {"memory": MEMORY},
            Status.FAILED,
            Cause.OUT_OF_MEMORY,
            "it was killed by SIGKILL: the kernel killed a process",
        ),
        (
            ended(1),
            {"memory": MEMORY},
            Status.FAILED,
            Cause.EXITED,
            "it exited with code 1; meanwhile the kernel killed a process",
        ),
        (
            ended(name="SIGTERM", timed_out=True),
            {"timeout_s": 90.0},
            Status.FAILED,
            Cause.TIMED_OUT,
            "its time limit of 1 min 30 s was up, and it was killed by SIGTERM",
        ),
        (
            ended(0, timed_out=True),
            {"timeout_s": 5.0},
            Status.FAILED,
            Cause.TIMED_OUT,
            "its time limit of 5.0 s was up, and it exited with code 0",
        ),
        (
            ended(name="SIGTERM"),
            {"received": [received("SIGTERM")]},
            Status.CANCELLED,
            Cause.STOPPED,
            "it was killed by SIGTERM, 1.0 s after SIGTERM from process 4711 (kill)",
        ),
        (
            ended(name="SIGKILL"),
            {"received": [received("SIGTERM", seconds_ago=30, sender=-1)]},
            Status.CANCELLED,
            Cause.STOPPED,
            "it was killed by SIGKILL, 30.0 s after SIGTERM from outside this container",
        ),
        (
            ended(7),
            {"received": [received("SIGINT", sender=0)]},
            Status.CANCELLED,
            Cause.STOPPED,
            "it exited with code 7, 1.0 s after SIGINT from the terminal",
        ),
        (
            ended(0),
            {"received": [received("SIGHUP", seconds_ago=7200)]},
            Status.SUCCEEDED,
            Cause.EXITED,
            "it exited with code 0",
        ),
        (
            ended(name="SIGSEGV"),
            {"received": [received("SIGTERM")]},
            Status.FAILED,
            Cause.SIGNALLED,
            "it was killed by SIGSEGV",
        ),
        (
            ended(0),
            {"received": [received("SIGTERM")], "notice": NOTICE},
            Status.PREEMPTED,
            Cause.PREEMPTED,
            (
                "it exited with code 0, 1.0 s after SIGTERM from process 4711 (kill); "
                "GCE metadata: instance/preempted is TRUE"
            ),
        ),
        (ended(0), {"notice": NOTICE}, Status.SUCCEEDED, Cause.EXITED, "it exited with code 0"),
    ],
)  # fmt: skip
def test_an_end_is_what_the_evidence_says(how, around, status, cause, why):
    """Each of these has been reported as another one somewhere, and somebody searched at the wrong place."""
    end = command_end(how, Surroundings(**around))

    assert (end.status, end.cause, end.why) == (status, cause, why)
    assert len(end.evidence) == len(around.get("received", [])) + ("memory" in around) + ("notice" in around)


# The kernel's counters


def a_group(top: Path, file: str, text: str) -> Path:
    (top / file).parent.mkdir(parents=True, exist_ok=True)
    (top / file).write_text(text)
    return top


def own_group(controller: str) -> str:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return next((line.split(":", 2)[2] for line in lines if line.split(":")[1] == controller), "/").lstrip("/")


@pytest.mark.parametrize("file", ["memory.events", "unified/memory.events", "memory/memory.oom_control"])
@pytest.mark.parametrize("inside", [True, False])
def test_kills_are_counted_where_the_control_group_counts_them(tmp_path, file, inside):
    """Version 1 and 2 keep them in other files, and a container sees its own group at the top."""
    folder, _, name = file.rpartition("/")
    group = own_group("memory" if folder == "memory" else "") if inside else ""
    if folder == "memory" and not any(
        ":memory:" in line for line in Path("/proc/self/cgroup").read_text().splitlines()
    ):
        pytest.skip("no control groups of version 1 here")
    path = os.path.normpath(f"{folder}/{group}/{name}").lstrip("/")
    top = a_group(tmp_path, path, "low 0\nunder_oom 0\noom_kill 3\n")

    before = memory_kills(groups=top)
    assert before is not None
    assert before.since() is None
    (top / path).write_text("low 0\nunder_oom 0\noom_kill 5\n")
    seen = before.since()

    assert seen is not None
    assert (seen.source, seen.cause) == (str(top / path), Cause.OUT_OF_MEMORY)
    assert seen.text == (
        "the kernel killed 2 processes of its control group for lack of memory (oom_kill was 3, now 5)"
    )


def test_a_broken_counter_is_no_counter(tmp_path):
    """The machine's own is asked then, and says that it is the machine's."""
    before = memory_kills(groups=a_group(tmp_path, "memory.events", "\xff"))

    assert before is None or not before.of_group


@contextmanager
def memory_limit(size: int):
    """Have this process's children run in a control group of their own."""
    own = next((line for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line), None)
    top = Path("/sys/fs/cgroup/memory" + own.split(":", 2)[2]) if own else Path("/sys/fs/cgroup")
    group = top / f"marin-research-test-{os.getpid()}"
    limit = group / ("memory.limit_in_bytes" if own else "memory.max")
    try:
        group.mkdir()
        limit.write_text(str(size))
    except OSError as error:
        pytest.skip(f"no control groups can be made here: {error}")
    try:
        yield group
    finally:
        deadline = time.monotonic() + 20
        while group.exists() and time.monotonic() < deadline:
            try:
                group.rmdir()
            except OSError:  # the last of its processes is just ending
                time.sleep(0.1)


def test_a_real_kill_for_lack_of_memory_is_recorded_as_one(workplace):
    """It is the most frequent end of a training job, and exit code 137 alone does not tell it from a `kill -9`."""
    eat = "import time; x = [bytearray(10_000_000) for _ in range(100)]; time.sleep(5)"

    with memory_limit(200_000_000) as group:
        line = shlex.join(workplace.line(sys.executable, "-c", eat))
        enter = f"echo $$ > {group}/cgroup.procs; exec {line}"
        done = subprocess.run(["sh", "-c", enter], check=False, capture_output=True, timeout=60)

    assert done.returncode == 137
    end = workplace.end()
    assert (end.status, end.cause, end.signal) == (Status.FAILED, Cause.OUT_OF_MEMORY, "SIGKILL")
    assert end.evidence[0].source.startswith(str(group))


# The platform's word


class Metadata(http.server.BaseHTTPRequestHandler):
    """Google's metadata server, as far as it is asked."""

    answers = {"instance/preempted": "FALSE", "instance/maintenance-event": "NONE"}  # noqa: RUF012 - set by tests

    def do_GET(self) -> None:
        found = self.answers.get(self.path.removeprefix("/computeMetadata/v1/"))
        ok = found is not None and self.headers["Metadata-Flavor"] == "Google"
        self.send_response(200 if ok else 403)
        self.end_headers()
        self.wfile.write((found or "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def metadata(monkeypatch):
    """A machine at Google; gives what its metadata server answers."""
    answers = dict(Metadata.answers)
    monkeypatch.setattr(Metadata, "answers", answers)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.server_port}")
    yield answers
    server.shutdown()
    server.server_close()


def test_only_an_announced_preemption_is_one(metadata, monkeypatch):
    """Every stop would be blamed on the platform, or none."""
    assert preemption_notice() is None
    metadata["instance/maintenance-event"] = "TERMINATE_ON_HOST_MAINTENANCE"
    notice = preemption_notice()
    assert notice is not None
    assert (notice.text, notice.cause) == (
        "instance/maintenance-event is TERMINATE_ON_HOST_MAINTENANCE",
        Cause.PREEMPTED,
    )
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    assert preemption_notice() is None


def test_a_command_that_is_stopped_on_a_machine_that_goes_away_was_preempted(workplace, metadata):
    """A preempted run is started again; a cancelled one is not."""
    metadata["instance/preempted"] = "TRUE"
    script = "trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    with workplace.start("sh", "-c", script) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0

    end = workplace.end()
    assert (end.status, end.cause) == (Status.PREEMPTED, Cause.PREEMPTED)
    assert [seen.source for seen in end.evidence] == ["signal", "GCE metadata"]
    assert f"SIGTERM from process {os.getpid()}" in end.evidence[0].text

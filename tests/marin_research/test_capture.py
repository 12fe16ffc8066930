"""Capturing what steps print, in processes whose output goes to files, so that the test runner does not capture it."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from marin_research.codec import decode
from marin_research.output import read_output
from marin_research.record import Output
from marin_research.store import RecordStore

PRELUDE = """
import contextlib, contextvars, ctypes, json, logging, os, signal, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from marin_research.capture import capture
from marin_research.codec import encode
from marin_research.store import RecordStore

HERE = Path(os.environ["CAPTURE_TEST"])
store = RecordStore(str(HERE / "store"))

@contextlib.contextmanager
def step(number, heartbeat_s=30.0):
    run = f"T-{number:03d}"
    with capture(store, run, store.output_folder(run, 1, "h0"), "h0", heartbeat_s=heartbeat_s) as captured:
        yield captured
    result = {"run": run, "output": encode(captured.output), "problem": captured.problem}
    (HERE / f"{run}.json").write_text(json.dumps(result))

def in_thread(pool, function, *arguments):
    return pool.submit(contextvars.copy_context().run, function, *arguments)

def sidecars():
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if b"marin_research.sidecar" in (process / "cmdline").read_bytes():
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
                    b"marin_research.sidecar" in (process / "cmdline").read_bytes()
                    and str(self.folder).encode() in (process / "environ").read_bytes()
                ):
                    found.append(int(process.name))
        return found

    def wait_for_sidecar(self, seconds: float = 10) -> None:
        # Looked for twice: while it detaches itself it is in none of the two places for a moment.
        wait_until(lambda: not self.sidecars() and not self.sidecars(), seconds)


def wait_until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def program(tmp_path):
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()
    return Program(folder)


def test_prints_are_shown_and_kept_and_nothing_else_is(program):
    """A step's output would be missing from its record, or the record full of what the launcher printed."""
    program.run("""
        print("before")
        with step(1):
            print("inside")
            print("trouble", file=sys.stderr)
        print("after")
    """)
    assert program.out == b"before\ninside\nafter\n"
    assert program.err == b"trouble\n"
    assert sorted(program.stored().splitlines()) == [b"inside", b"trouble"]
    assert program.output() == Output(size=15, lines=2)
    assert program.problem() is None
    assert program.names() == ["000000000000-000000000015.gz"]


def test_native_libraries_and_children_are_captured_in_order(program):
    """XLA's warnings and a subprocess's traceback would be in the terminal only."""
    program.run("""
        libc = ctypes.CDLL(None)
        with step(1):
            print("python")
            os.write(1, b"descriptor\\n")
            libc.puts(b"C library")
            subprocess.run(["echo", "child"], check=True)
            print("python again")
            libc.printf(b"held back by the C library")
        libc.puts(b"not the step's")
    """)
    expected = b"python\ndescriptor\nC library\nchild\npython again\nheld back by the C library"
    assert program.stored() == expected
    assert program.out == expected + b"not the step's\n"


def test_one_terminal_for_both_streams_keeps_their_order(program):
    """Errors would stand at another place of the record than where they were printed."""
    program.run(
        """
        with step(1):
            for i in range(200):
                print("out", i)
                print("err", i, file=sys.stderr)
        """,
        stderr=subprocess.STDOUT,
    )
    expected = b"".join(b"out %d\nerr %d\n" % (i, i) for i in range(200))
    assert program.stored() == program.out == expected


def test_parallel_steps_are_kept_apart(program):
    """A failed step would be explained with the output of its neighbour."""
    program.run("""
        logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
        together = threading.Barrier(2)

        def work(number):
            with step(number):
                together.wait()
                for i in range(300):
                    print(f"step {number} line {i}")
                    logging.info("step %d log %d", number, i)
                    sys.stdout.buffer.write(b"step %d bytes\\n" % number)
                subprocess.run(["echo", f"step {number} child"], stdout=sys.stdout, check=True)
                together.wait()
                os.write(1, b"native %d\\n" % number)
                together.wait()

        with ThreadPoolExecutor() as pool:
            for future in [in_thread(pool, work, number) for number in (1, 2)]:
                future.result()
        logging.info("the end")
    """)
    for own, other in ((1, 2), (2, 1)):
        lines = program.stored(own).splitlines()
        assert [line for line in lines if b" line " in line] == [b"step %d line %d" % (own, i) for i in range(300)]
        assert [line for line in lines if b" log " in line] == [b"step %d log %d" % (own, i) for i in range(300)]
        assert lines.count(b"step %d bytes" % own) == 300
        assert lines.count(b"step %d child" % own) == 1
        assert not [line for line in lines if line.startswith(b"step %d" % other)]
        assert {b"native 1", b"native 2"} <= set(lines)
        assert program.output(own).shared
    shown = program.out.splitlines()
    assert len(shown) == 2 * 900 + 5
    assert shown[-1] == b"the end"


def test_a_step_that_is_alone_again_gets_native_output_again(program):
    """After a short neighbour, a long step's native output would be called shared for ever."""
    program.run("""
        with ThreadPoolExecutor() as pool:
            with step(1):
                def neighbour():
                    with step(2):
                        print("neighbour")
                in_thread(pool, neighbour).result()
                os.write(1, b"alone\\n")
                print("python")
    """)
    assert program.stored(1) == b"alone\npython\n"
    assert program.stored(2) == b"neighbour\n"
    assert not program.output(1).shared


def test_a_step_inside_a_step_keeps_its_own_output(program):
    """A step that runs other steps would get their output, or they its."""
    program.run("""
        with step(1):
            print("outer")
            with step(2):
                print("inner")
                os.write(1, b"native inner\\n")
            print("outer again")
            os.write(1, b"native outer\\n")
        with step(3):
            print("next")
    """)
    assert program.stored(1) == b"outer\nouter again\nnative outer\n"
    assert program.stored(2) == b"inner\nnative inner\n"
    assert program.stored(3) == b"next\n"
    assert program.out == b"outer\ninner\nnative inner\nouter again\nnative outer\nnext\n"


def test_two_hundred_megabytes_arrive_whole(program):
    """A step that dumps its graphs would have a hole in its record or on the terminal."""
    program.run(
        """
        line = "0123456789 " * 90
        with step(1):
            for i in range(200_000):
                print(i, line)
        """,
        timeout=200,
    )
    line = b"0123456789 " * 90
    expected, stored = hashlib.sha256(), hashlib.sha256()
    for i in range(200_000):
        expected.update(b"%d %s\n" % (i, line))
    for block in read_output(program.store, "T-001", 1, "h0"):
        stored.update(block)
    assert program.problem() is None
    assert program.output().lines == 200_000
    assert hashlib.sha256(program.out).hexdigest() == expected.hexdigest()
    assert stored.hexdigest() == expected.hexdigest()
    assert not [name for name in program.names() if not name.endswith(".gz")]


def test_what_was_printed_before_the_process_exits_hard_is_kept(program):
    """The last line before ``os._exit`` says why, and it would be missing."""
    program.run("""
        with step(1):
            print("the reason")
            os._exit(3)
    """)
    assert program.code == 3
    assert program.out == program.stored() == b"the reason\n"


def test_a_killed_process_leaves_all_it_printed(program):
    """A preempted or OOM-killed step would lose its last lines, or its sidecar would stay behind."""
    running = program.start("""
        with step(1):
            for i in range(100_000_000):
                print("line", i)
    """)
    wait_until(lambda: len(program.out) > 100_000)
    running.kill()
    running.wait()
    program.wait_for_sidecar(5)
    assert program.stored() == program.out
    assert program.out.startswith(b"line 0\nline 1\n")


def test_a_segmentation_fault_is_on_record(program):
    """A crash in native code ends without a word but for what the fault handler writes."""
    program.run("""
        import faulthandler
        faulthandler.enable()
        with step(1):
            print("going down")
            faulthandler._sigsegv()
    """)
    assert program.code == -signal.SIGSEGV
    assert program.stored().startswith(b"going down\n")
    assert b"Fatal Python error: Segmentation fault" in program.stored()


def test_the_loss_of_the_sidecar_costs_nothing_printed_later(program):
    """The OOM killer may take the sidecar, and the rest of a long run would go unrecorded or hang."""
    program.run("""
        with step(1):
            print("first")
            wait_until(lambda: b"first" in (HERE / "out").read_bytes())
            os.kill(sidecars()[0], signal.SIGKILL)
            for i in range(100_000):
                print("later", i)
            subprocess.run(["echo", "child"], check=True)
        with step(2):
            print("second step")
    """)
    later = b"".join(b"later %d\n" % i for i in range(100_000)) + b"child\n"
    assert program.code == 0
    assert program.out == b"first\n" + later + b"second step\n"
    assert program.stored().endswith(later)
    assert "was killed" in (program.problem() or "")
    assert program.stored(2) == b"second step\n"
    assert program.problem(2) is None


def test_a_sidecar_lost_at_the_very_end_is_replaced(program):
    """What the step printed would be in nobody's hands, and its size unknown."""
    program.run("""
        for number in (1, 2, 3):
            with step(number):
                print("text")
                files = lambda: (HERE / "store").rglob(f"T-00{number}/**/live-*")
                wait_until(lambda: any(file.stat().st_size for file in files()))
                os.write(1, b"native\\n")
                os.kill(sidecars()[0], signal.SIGKILL)
    """)
    for number in (1, 2, 3):
        assert program.stored(number).startswith(b"text\n")
        assert program.output(number).size == len(program.stored(number))


def test_without_any_sidecar_left_the_step_still_prints(program):
    """Where no sidecar can live, steps must run as if nothing had been tried."""
    program.run("""
        with step(1):
            for life in range(4):
                print("life", life)
                wait_until(lambda: b"life %d" % life in (HERE / "out").read_bytes() and sidecars())
                sidecar = sidecars()[0]
                os.kill(sidecar, signal.SIGKILL)
                wait_until(lambda: sidecar not in sidecars())
            for i in range(100_000):
                print("later", i)
            subprocess.run(["echo", "child"], check=True)
        print("after")
        with step(2):
            print("second step")
    """)
    later = b"".join(b"later %d\n" % i for i in range(100_000))
    assert program.code == 0
    assert program.out == b"life 0\nlife 1\nlife 2\nlife 3\n" + later + b"child\nafter\nsecond step\n"
    assert "4 times" in (program.problem(1) or "")
    assert "4 times" in (program.problem(2) or "")


def test_where_no_sidecar_can_be_started_the_step_runs_all_the_same(program):
    """An interpreter that is embedded or was moved cannot start another one."""
    program.run("""
        sys.executable = "/nowhere/python"
        with step(1):
            print("inside")
    """)
    assert (program.code, program.out, program.err) == (0, b"inside\n", b"")
    assert "could not be started" in (program.problem() or "")


def test_a_stuck_sidecar_does_not_stop_the_step(program):
    """A sidecar that waits for a dead file server would fill the pipes, and the step would wait with it."""
    program.run("""
        from marin_research import sidecar_link
        sidecar_link.SILENCE_LIMIT_S = 4.0
        with step(1):
            print("first")
            wait_until(lambda: any(file.stat().st_size for file in (HERE / "store").rglob("live-*")))
            os.kill(sidecars()[0], signal.SIGSTOP)
            for i in range(300_000):
                print("later", i)
    """)
    assert program.out == b"first\n" + b"".join(b"later %d\n" % i for i in range(300_000))
    assert program.stored() == program.out
    assert program.problem()


def test_log_handlers_work_before_during_and_after(program):
    """Logging set up inside a step would go silent, or fail, when the step has ended."""
    program.run("""
        def handler(name):
            made = logging.StreamHandler()
            made.setFormatter(logging.Formatter(name + ": %(message)s"))
            logging.getLogger().addHandler(made)

        handler("old")
        with step(1):
            handler("new")
            logging.warning("during")
        logging.warning("after")
        with step(2):
            logging.warning("second")
    """)
    assert program.stored(1) == b"old: during\nnew: during\n"
    assert program.stored(2) == b"old: second\nnew: second\n"
    assert program.err == b"old: during\nnew: during\nold: after\nnew: after\nold: second\nnew: second\n"


def test_a_secret_never_reaches_the_disk(program):
    """A token that a library prints would be published with the record."""
    token = "hf_" + "aBcDeFgHiJ" * 3 + "KlMn"
    program.run(f"""
        with step(1):
            print("token {token[:20]}", end="", flush=True)
            time.sleep(0.2)
            print("{token[20:]}")
            os.environ["SERVICE_API_KEY"] = "quite-Unguessable-4711"
        with step(2):
            print("the key is", os.environ["SERVICE_API_KEY"])
    """)
    assert token.encode() in program.out
    assert b"quite-Unguessable-4711" in program.out
    assert b"REDACTED" in program.stored(1)
    assert b"REDACTED" in program.stored(2)
    for file in (program.folder / "store").rglob("*"):
        if file.is_file():
            assert token[:20].encode() not in file.read_bytes()
    for number in (1, 2):
        assert token.encode() not in program.stored(number)
        assert b"Unguessable" not in program.stored(number)


def test_bytes_of_any_kind_are_kept_as_they_are(program):
    """Progress bars, broken UTF-8 and binary junk would be altered, or end the capture."""
    program.run("""
        junk = bytes(range(256)) * 40
        with step(1):
            for percent in range(101):
                print(f"\\r{percent} %", end="", flush=True)
            os.write(1, b"\\n" + junk + b"\\n")
            os.write(1, b"x" * 300_000)
            print("\\udcff".encode("utf-8", "surrogateescape"))
    """)
    assert program.stored() == program.out
    assert bytes(range(256)) * 40 in program.stored()
    assert program.stored().count(b"\r") >= 101


def test_a_process_without_standard_streams_runs(program):
    """A daemon has no stdout, and its descriptors 1 and 2 may be anything or nothing."""
    program.run(
        """
        sys.stdout = sys.stderr = None
        os.close(1)
        os.close(2)
        with step(1):
            print("nowhere")
            (HERE / "reached").write_text("yes")
            (HERE / "open").write_text(str([fd for fd in (1, 2) if os.path.exists(f"/proc/self/fd/{fd}")]))
        """
    )
    assert program.code == 0
    assert (program.folder / "reached").exists()
    assert (program.folder / "open").read_text() == "[]"
    assert program.problem() is None


def test_a_reader_that_leaves_does_not_stop_the_record(program):
    """``program | head -1`` would hang, or fill the terminal with tracebacks."""
    with (program.folder / "head").open("wb") as kept:
        head = subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=kept)
        program.run(
            """
            with step(1):
                for i in range(100_000):
                    print("line", i)
            """,
            stdout=head.stdin,
        )
        assert head.stdin is not None
        head.stdin.close()
        head.wait()
    assert (program.folder / "head").read_bytes() == b"line 0\n"
    assert program.stored() == b"".join(b"line %d\n" % i for i in range(100_000))
    assert program.err.count(b"Traceback") <= 1


def test_a_reader_that_pauses_stops_the_step_but_not_its_heartbeats(program):
    """``program | less`` would lose output, fill the memory, or let the run be called lost while somebody reads."""
    running = program.start(
        """
        with step(1, heartbeat_s=0.2):
            line = "x" * 100
            for i in range(200_000):
                print(i, line)
        """,
        stdout=subprocess.PIPE,
    )
    beats = program.folder / "store/runs/T-001/heartbeats/h0.json"
    wait_until(beats.exists)
    sizes = []

    def stands_still() -> bool:
        time.sleep(0.5)
        sizes.append(json.loads(beats.read_text())["size"])
        return sizes[-1] > 0 and sizes[-2:-1] == sizes[-1:]

    wait_until(stands_still)
    time_of_beat = json.loads(beats.read_text())["time"]
    wait_until(lambda: json.loads(beats.read_text())["time"] > time_of_beat)
    assert running.poll() is None
    assert sizes[-1] < 18_000_000
    shown, _ = running.communicate(timeout=100)
    program.wait_for_sidecar()
    assert shown == program.stored() == b"".join(b"%d %s\n" % (i, b"x" * 100) for i in range(200_000))


def test_an_interrupt_ends_the_step_and_not_its_record(program):
    """Ctrl-C goes to every process of the terminal, and what the step says last would be lost."""
    running = program.start(
        """
        with step(1):
            try:
                print("running", flush=True)
                time.sleep(60)
            finally:
                print("cleaning up")
        """,
        start_new_session=True,
    )
    wait_until(lambda: b"running" in program.out)
    os.killpg(running.pid, signal.SIGINT)
    running.wait(20)
    program.wait_for_sidecar()
    assert program.stored() == program.out == b"running\ncleaning up\n"
    assert program.err.endswith(b"KeyboardInterrupt\n")


def test_a_step_that_becomes_another_program_is_still_recorded(program):
    """A launcher that replaces itself by the real program would have its pipes closed under it."""
    program.run("""
        with step(1):
            print("launcher")
            os.execvp("sh", ["sh", "-c", "sleep 4; echo program"])
    """)
    assert program.out == program.stored() == b"launcher\nprogram\n"


def test_a_stream_that_the_step_closes_or_replaces_stays_its_own(program):
    """Code that redirects its own prints, or closes a stream, must meet what it would have met."""
    program.run("""
        import io
        with step(1):
            mine = io.StringIO()
            with contextlib.redirect_stdout(mine):
                print("into my buffer")
            print("shown")
            silenced = os.dup(1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            print("silenced", flush=True)
            os.dup2(silenced, 1)
            print("shown again")
            assert mine.getvalue() == "into my buffer\\n"
        print("after")
    """)
    assert program.err == b""
    assert program.stored() == b"shown\nshown again\n"
    assert program.out == b"shown\nshown again\nafter\n"


def test_python_streams_that_are_no_descriptors_are_copied(program):
    """In a notebook ``sys.stdout`` is no file, and what is printed must appear there as well as in the record."""
    program.run("""
        import io
        real, sys.stdout = sys.stdout, io.StringIO()
        with step(1):
            print("in a cell")
            os.write(1, b"native\\n")
        notebook, sys.stdout = sys.stdout, real
        assert notebook.getvalue() == "in a cell\\n", notebook.getvalue()
    """)
    assert (program.code, program.err) == (0, b"")
    assert program.out == b"native\n"
    assert sorted(program.stored().splitlines()) == [b"in a cell", b"native"]


def test_a_forked_child_prints_into_its_step_and_leaves_the_capture_alone(program):
    """Data loader workers are forked; one that ends must not end the capture of the step."""
    program.run("""
        import multiprocessing, warnings
        warnings.simplefilter("ignore")  # that there are threads when the process forks
        context = multiprocessing.get_context("fork")
        def worker(number):
            print("worker", number)
            if number == 2:
                with step(2):
                    print("a step of its own")
        with step(1):
            for number in (1, 2):
                child = context.Process(target=worker, args=(number,))
                child.start()
                child.join()
            if os.fork() == 0:
                raise SystemExit(0)
            os.wait()
            print("parent")
    """)
    assert program.stored(1) == b"worker 1\nworker 2\na step of its own\nparent\n"
    assert program.stored(2) == b"a step of its own\n"
    assert program.out == program.stored(1)


def test_a_child_that_outlives_its_step_stays_on_record(program):
    """A server that a step leaves running would have its output cut, or be killed by it."""
    program.run("""
        with step(1):
            child = subprocess.Popen(["sh", "-c", "echo early; sleep 0.5; echo late"])
            wait_until(lambda: b"early" in (HERE / "out").read_bytes())
        child.wait()
    """)
    assert program.out == b"early\nlate\n"
    assert program.stored() == b"early\nlate\n"


def test_a_terminal_stays_a_terminal(program):
    """Colours and progress bars would vanish for whoever sits in front of the experiment."""
    main, terminal = pty.openpty()
    running = program.start(
        """
        os.set_blocking(0, True)
        with step(1):
            assert sys.stdout.isatty() and sys.stderr.isatty() and os.isatty(1)
            assert os.get_terminal_size(1) == os.get_terminal_size(0), os.get_terminal_size(1)
            print("\\x1b[31mred\\x1b[0m")
            subprocess.run([sys.executable, "-c", "import sys; print(sys.stdout.isatty(), sys.stderr.isatty())"])
            print("trouble", file=sys.stderr)
        """,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    with suppress(OSError):
        while data := os.read(main, 1 << 16):
            shown += data
    os.close(main)
    assert running.wait() == 0, shown
    assert shown == b"\x1b[31mred\x1b[0m\r\nTrue True\r\ntrouble\r\n"
    assert program.stored() == b"\x1b[31mred\x1b[0m\nTrue True\ntrouble\n"


def test_a_full_disk_stops_neither_the_step_nor_its_terminal(program):
    """The disk that the record fills is the one the checkpoints need; the step must not fail over its log."""
    program.run(
        """
        with step(1):
            print("first")
            wait_until(lambda: b"first" in (HERE / "out").read_bytes())
            for i in range(300_000):
                print("later", i)
        """,
        preexec_fn=lambda: __import__("resource").setrlimit(
            __import__("resource").RLIMIT_FSIZE, (2_500_000, 2_500_000)
        ),
    )
    assert program.code == 0
    assert "could not be stored" in (program.problem() or "")


def test_output_reaches_a_distant_store_while_the_step_runs(program):
    """A preempted machine would take all of its output with it."""
    program.run(
        """
        store = RecordStore("local://" + str(HERE / "store"))
        chunks = lambda: list((HERE / "store").rglob("*.gz"))
        with step(1, heartbeat_s=0.2):
            print("first")
            wait_until(chunks)
            print("second")
            wait_until(lambda: len(chunks()) == 2)
            os._exit(1)
    """,
        env={"XDG_CACHE_HOME": str(program.folder / "cache")},
    )
    assert program.stored() == b"first\nsecond\n"
    assert not [file for file in (program.folder / "cache").rglob("*") if file.is_file()]


def test_a_preemption_notice_ships_what_there_is(program):
    """Half a minute of output would be lost with the machine, although it had said that it would go."""
    program.run(
        """
        store = RecordStore("local://" + str(HERE / "store"))
        with step(1):
            print("last words")
            wait_until(lambda: any(file.stat().st_size for file in (HERE / "cache").rglob("live-*")))
            sidecar = sidecars()[0]
            os.kill(sidecar, signal.SIGTERM)
            wait_until(lambda: list((HERE / "store").rglob("*.gz")))
            os.kill(sidecar, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
    """,
        env={"XDG_CACHE_HOME": str(program.folder / "cache")},
    )
    assert program.stored() == b"last words\n"


def test_heartbeats_come_while_the_interpreter_is_blocked(program):
    """A step that holds the interpreter lock for minutes would be called lost."""
    program.run("""
        with step(1, heartbeat_s=0.2):
            print("before")
            beats = HERE / "store/runs/T-001/heartbeats/h0.json"
            wait_until(lambda: beats.exists() and json.loads(beats.read_text())["lines"] == 1)
            first = beats.stat().st_mtime_ns
            ctypes.PyDLL(None).usleep(900_000)
            assert beats.stat().st_mtime_ns - first > 300_000_000
        time.sleep(0.1)
    """)
    assert (program.code, program.err) == (0, b"")

"""Capturing what steps print."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
import threading
from contextlib import suppress

from marin_research.capture.channel import Channel
from marin_research.output import read_output
from marin_research.record import Output


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


def test_steps_that_come_and_go_lose_and_exchange_no_line(program):
    """Every start and end of a neighbour leads a step's prints elsewhere, and one could be lost or end up there."""
    program.run("""
        import random

        def work(number):
            chance = random.Random(number)
            with step(number):
                for i in range(chance.randrange(1, 300)):
                    print(f"step {number} line {i}")
                    if chance.random() < 0.01:
                        time.sleep(0.01)
            return i + 1

        with ThreadPoolExecutor(8) as pool:
            lines = [future.result() for future in [in_thread(pool, work, number) for number in range(1, 61)]]
        (HERE / "lines").write_text(json.dumps(lines))
    """)
    printed = json.loads((program.folder / "lines").read_text())
    shown = program.out.splitlines()
    for number, count in enumerate(printed, start=1):
        expected = [b"step %d line %d" % (number, i) for i in range(count)]
        assert program.stored(number).splitlines() == expected
        assert [line for line in shown if line.startswith(b"step %d " % number)] == expected


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


def test_a_channel_that_two_threads_close_at_once_closes_once():
    """A number closed twice is somebody else's file by then: a checkpoint, a socket."""
    for _ in range(200):
        channel = Channel(None, None)
        barrier = threading.Barrier(2)
        problems: list[OSError] = []

        def close(channel=channel, barrier=barrier, problems=problems):
            barrier.wait()
            try:
                channel.close_write()
            except OSError as error:
                problems.append(error)

        threads = [threading.Thread(target=close) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        channel.close()
        assert problems == []

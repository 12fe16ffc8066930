"""Capturing what steps print when something goes wrong: crashes, kills, full disks, readers that leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time


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
    program.wait_until(lambda: len(program.out) > 100_000)
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
        from marin_research.capture import link as sidecar_link
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
    program.wait_until(beats.exists)
    sizes = []

    def stands_still() -> bool:
        time.sleep(0.5)
        sizes.append(json.loads(beats.read_text())["size"])
        return sizes[-1] > 0 and sizes[-2:-1] == sizes[-1:]

    program.wait_until(stands_still)
    time_of_beat = json.loads(beats.read_text())["time"]
    program.wait_until(lambda: json.loads(beats.read_text())["time"] > time_of_beat)
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
    program.wait_until(lambda: b"running" in program.out)
    os.killpg(running.pid, signal.SIGINT)
    running.wait(20)
    program.wait_for_sidecar()
    assert program.stored() == program.out == b"running\ncleaning up\n"
    assert program.err.endswith(b"KeyboardInterrupt\n")


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

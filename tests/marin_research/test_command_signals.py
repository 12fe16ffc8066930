"""Signals, kills and time limits of recorded commands: passed on, and on record as what they were."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from marin_research.record import Cause, Status

WAIT = "while :; do sleep 0.05; done"


def first_line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline()


def process_of(marker: Path) -> int:
    """The process that has written its number into a file."""
    return int(marker.read_text())


def is_alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_is_passed_on_and_recorded_as_what_it_was(workplace, number):
    """A preemption gives a program seconds to save itself; the recorder must not swallow them."""
    script = f"trap 'echo saved; exit 7' {number.name.removeprefix('SIG')}; echo ready; {WAIT}"
    with workplace.start("sh", "-c", script) as running:
        assert first_line(running) == "ready\n"

        running.send_signal(number)

        assert running.communicate(timeout=30)[0] == "saved\n"
        assert running.returncode == 7
    end = workplace.end()
    assert (end.status, end.cause, end.exit_code) == (Status.CANCELLED, Cause.STOPPED, 7)
    assert f"after {number.name} from process {os.getpid()}" in end.why
    assert [seen.text for seen in end.evidence] == [seen.text for seen in workplace.run().attempt.hosts[0].evidence], (
        "what may be the last word must be on disk when it is said"
    )


def test_a_signal_that_is_a_message_is_passed_on_and_no_end(workplace):
    """Slurm and many trainers take SIGUSR1 as the request for a checkpoint."""
    script = f"trap 'echo checkpoint; exit 0' USR1; echo ready; {WAIT}"
    with workplace.start("sh", "-c", script) as running:
        assert first_line(running) == "ready\n"
        running.send_signal(signal.SIGUSR1)
        assert running.communicate(timeout=30)[0] == "checkpoint\n"

    assert (workplace.end().status, workplace.end().evidence) == (Status.SUCCEEDED, ())


def test_what_was_ignored_before_stays_ignored(workplace):
    """`nohup` keeps a run alive when the terminal is closed; the recorder must not undo it."""
    line = workplace.line("sh", "-c", "echo ready; read line; echo still here")
    with subprocess.Popen(
        ["nohup", *line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert first_line(running) == "ready\n"
        running.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert running.communicate("go on\n", timeout=30)[0] == "still here\n"

    assert workplace.end().evidence == ()


def test_a_command_killed_from_outside_is_recorded_with_the_signal(workplace):
    """`kill -9` by an operator and by the kernel look alike in an exit code."""
    with workplace.start("sh", "-c", f"echo $$; {WAIT}") as running:
        os.kill(int(first_line(running)), signal.SIGKILL)
        assert running.wait(timeout=30) == 137

    end = workplace.end()
    assert (end.status, end.cause, end.why) == (
        Status.FAILED,
        Cause.SIGNALLED,
        "it was killed by SIGKILL; nothing says by whom",
    )


def test_a_command_that_reaches_its_time_limit_is_ended_with_its_children(workplace):
    """A hung benchmark holds its machine, and so do the workers it started."""
    child = workplace.top / "child"
    script = f"sleep 100 & echo $! > {child}; echo ready; wait"

    done = workplace.record("sh", "-c", script, options=("--timeout", "3s"))

    assert (done.returncode, done.stdout) == (124, "ready\n")
    end = workplace.end()
    assert (end.status, end.cause, end.signal) == (Status.FAILED, Cause.TIMED_OUT, "SIGTERM")
    assert end.why.startswith("its time limit of 3.0 s was up")
    workplace.wait_until(lambda: not is_alive(process_of(child)))


def test_killing_the_recorder_leaves_the_record_and_the_command(workplace):
    """A recorder that dies takes neither the experiment nor what is known of it along."""
    go_on, finished = workplace.top / "go-on", workplace.top / "finished"
    wait = f"while [ ! -e {go_on} ]; do sleep 0.05; done"
    script = f"echo begun; {wait}; echo more; echo again; sleep 4; echo late; echo > {finished}"
    options = ("--heartbeat", "0.2", "--set", "block=256")
    with workplace.start("sh", "-c", script, options=options) as running:
        assert first_line(running) == "begun\n"
        workplace.wait_until(lambda: workplace.printed() == b"begun\n")  # so the sidecar knows whose command it is

        running.kill()
        running.wait()

        workplace.wait_until(lambda: workplace.run().status is Status.LOST)
        run = workplace.run()
        assert (run.config, run.attempt.command.argv[0]) == ({"block": 256}, "sh")
        assert workplace.printed() == b"begun\n"
        workplace.wait_until(lambda: "the command (process" in workplace.run().why)
        assert "ran on" in workplace.run().why
        go_on.touch()
        assert running.stdout is not None
        assert running.stdout.read() == "more\nagain\nlate\n"

    assert finished.exists()
    workplace.wait_until(lambda: workplace.run().why.count("the command (process") == 2)
    run = workplace.run()
    assert run.status is Status.LOST
    assert run.attempt.end.cause is Cause.UNKNOWN
    assert workplace.printed() == b"begun\nmore\nagain\nlate\n"


def test_what_is_measured_after_the_recorder_was_killed_is_on_record(workplace):
    """The lines of a day would be kept and their numbers not, and the size would be that of the last heartbeat."""
    go_on = workplace.top / "go-on"
    script = f"""
    echo tok/s=10; while [ ! -e {go_on} ]; do sleep 0.05; done
    echo step 7 tok/s=30; while [ -e {go_on} ]; do sleep 0.05; done
    echo '{{"loss": 2.5, "bad": "fast"}}' > "$MARIN_RESEARCH_METRICS"; echo step 8 tok/s=20
    """
    options = ("--heartbeat", "0.2", "--metric", "tok/s=([0-9.e+]+)")
    with workplace.start("sh", "-c", script, options=options) as running:
        assert first_line(running) == "tok/s=10\n"
        workplace.wait_until(lambda: workplace.run().metrics)
        running.kill()
        running.wait()
        go_on.touch()
        workplace.wait_until(lambda: workplace.run().metrics["tok/s"].value == 30)  # the command still runs
        assert workplace.run().attempt.hosts[0].output.size == len(workplace.printed())
        go_on.unlink()

    workplace.wait_until(lambda: workplace.run().gaps and not list(workplace.top.rglob("metrics.json")))
    run = workplace.run()
    speed, loss = run.metrics["tok/s"], run.metrics["loss"]
    assert (speed.value, speed.step, speed.count, speed.first, speed.maximum) == (20, 8, 3, 10, 30)
    assert (loss.value, loss.source) == (2.5, "file")
    assert [gap.what for gap in run.gaps] == ["metric bad"]
    assert (run.status, run.attempt.hosts[0].output.size) == (Status.LOST, len(workplace.printed()))


def test_killing_everything_leaves_what_was_printed(workplace):
    """A machine that goes away takes the recorder, the sidecar and the command at once."""
    with workplace.start("sh", "-c", f"echo begun; {WAIT}", options=("--heartbeat", "0.2")) as running:
        assert first_line(running) == "begun\n"
        workplace.wait_until(lambda: workplace.printed() == b"begun\n")
        for pid in _with_environment(workplace.top):
            with suppress(ProcessLookupError):  # one may go with those that went before it
                os.kill(pid, signal.SIGKILL)

    workplace.wait_until(lambda: workplace.run().status is Status.LOST)
    assert workplace.run().attempt.end.cause is Cause.UNKNOWN
    assert workplace.printed() == b"begun\n"
    assert workplace.record("true").returncode == 0
    assert workplace.run("KER-002").status is Status.SUCCEEDED


def _with_environment(top: Path) -> dict[int, str]:
    """The name of every process whose record store is that of this test, but of ourselves."""
    found = {}
    for process in Path("/proc").iterdir():
        try:
            if f"MARIN_RESEARCH_ROOT={top}".encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "comm").read_text()
        except (OSError, ValueError):
            continue
    found.pop(os.getpid(), None)
    return found


def test_killing_the_sidecar_disturbs_neither_the_command_nor_its_record(workplace):
    """The kernel may choose it when memory is short; a new one goes on where it stopped."""
    script = "echo first; read line; for i in 1 2 3; do echo later $i; done"
    with workplace.start("sh", "-c", script, stdin=subprocess.PIPE) as running:
        assert first_line(running) == "first\n"
        workplace.wait_until(lambda: workplace.printed() == b"first\n")
        (sidecar,) = (pid for pid, name in _with_environment(workplace.top).items() if name == "mr-sidecar\n")
        os.kill(sidecar, signal.SIGKILL)
        assert running.communicate("go on\n", timeout=30)[0] == "later 1\nlater 2\nlater 3\n"
        assert running.returncode == 0

    assert workplace.run().status is Status.SUCCEEDED
    assert workplace.printed() == b"first\nlater 1\nlater 2\nlater 3\n"
    assert [gap.what for gap in workplace.run().gaps] == ["the output"]

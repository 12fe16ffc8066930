"""A recorded command in a terminal: it behaves there as it would without us."""

from __future__ import annotations

import sys
import textwrap

import pexpect
import pytest

from marin_research.record import Cause, Status


@pytest.fixture
def terminal(workplace):
    """Start a recorded Python program in a terminal of its own."""

    def start(script: str, **options) -> pexpect.spawn[str]:
        (workplace.top / "script.py").write_text(textwrap.dedent(script))
        line = workplace.line(sys.executable, "script.py")
        return pexpect.spawn(line[0], line[1:], timeout=30, encoding="utf-8", **options)

    return start


def test_colours_and_progress_bars_reach_the_terminal(workplace, terminal):
    """Output that turns plain as soon as it is recorded makes people stop recording."""
    shown = terminal(
        """
        import sys
        print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), "\\x1b[31mred\\x1b[0m")
        for percent in (0, 50, 100):
            print(f"\\r{percent} %", end="", flush=True)
        print()
        """
    )
    shown.expect_exact("True True True \x1b[31mred\x1b[0m\r\n\r0 %\r50 %\r100 %\r\n")
    shown.expect(pexpect.EOF)
    shown.close()

    assert shown.exitstatus == 0
    assert workplace.printed() == b"True True True \x1b[31mred\x1b[0m\n\r0 %\r50 %\r100 %\n"


def test_ctrl_c_reaches_the_command_once(workplace, terminal):
    """Two interrupts mean something else than one to many programs."""
    shown = terminal(
        """
        import signal, time
        count = 0
        def note(*_):
            global count
            count += 1
        signal.signal(signal.SIGINT, note)
        print("ready", flush=True)
        deadline = time.monotonic() + 20
        while not count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        print("interrupted", count, flush=True)
        """
    )
    shown.expect("ready")
    shown.sendintr()
    shown.expect("interrupted 1")
    shown.expect(pexpect.EOF)

    assert "after SIGINT from the terminal" in workplace.end().why


@pytest.mark.parametrize(("key", "name", "code"), [("c", "SIGINT", 130), ("\\", "SIGQUIT", 131)])
def test_a_program_that_a_key_ends_was_stopped(workplace, terminal, key, name, code):
    """What somebody stopped on purpose is no failure, and both keys are on purpose."""
    shown = terminal(
        """
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    shown.expect("ready")
    shown.sendcontrol(key)
    shown.expect(pexpect.EOF)
    shown.close()

    assert shown.exitstatus == code
    assert (workplace.end().status, workplace.end().cause, workplace.end().signal) == (
        Status.CANCELLED,
        Cause.STOPPED,
        name,
    )


def test_a_kill_of_the_recorder_alone_reaches_the_command(workplace, terminal):
    """The command in the foreground has Ctrl-C already, but not what is sent to the recorder."""
    shown = terminal(
        """
        import time
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """
    )
    shown.expect("ready")
    shown.kill(2)
    shown.expect("interrupted")
    shown.expect(pexpect.EOF)

    assert "after SIGINT from process" in workplace.end().why


def test_what_is_typed_reaches_the_command(workplace, terminal):
    """A debugger or a login prompt would wait for ever."""
    shown = terminal("print('hello', input('name? '))")
    shown.expect_exact("name? ")
    shown.sendline("ada")
    shown.expect_exact("hello ada\r\n")
    shown.expect(pexpect.EOF)

    assert workplace.run().status is Status.SUCCEEDED


def test_a_window_that_changes_its_size_is_told_at_once(workplace, terminal):
    """A progress bar that is too long for its line fills the screen."""
    shown = terminal(
        """
        import os, signal, time
        def note(*_):
            print("size", *os.get_terminal_size(1), flush=True)
        signal.signal(signal.SIGWINCH, note)
        note()
        deadline = time.monotonic() + 20
        while os.get_terminal_size(1) != (77, 40) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        """,
        dimensions=(30, 100),
    )
    shown.expect_exact("size 100 30\r\n")
    shown.setwinsize(40, 77)
    shown.expect_exact("size 77 40\r\n")
    shown.expect(pexpect.EOF)

    assert workplace.run().status is Status.SUCCEEDED


def test_ctrl_z_stops_it_and_fg_goes_on(workplace):
    """A shell's job control must find the command, not only the recorder."""
    shell = pexpect.spawn(
        "bash", ["--norc", "-i"], timeout=30, encoding="utf-8", env={"PS1": "$ ", "PATH": "/usr/bin:/bin"}
    )
    shell.expect_exact("$ ")
    script = "for i in 1 2 3 4 5 6 7 8; do echo tick $i; sleep 0.25; done; echo finished"
    line = " ".join(workplace.line("sh", "-c", f"'{script}'"))
    shell.sendline(f"cd {workplace.top}; MARIN_RESEARCH_ROOT={workplace.top}/records {line}")
    shell.expect_exact("tick 2\r\n")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.expect_exact("$ ")
    before = workplace.printed()
    shell.sendline("sleep 1; echo waited")
    shell.expect_exact("waited\r\n")
    assert workplace.printed() == before

    shell.sendline("fg")
    shell.expect_exact("finished\r\n")
    shell.expect_exact("recorded as KER-001")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)

    assert workplace.run().status is Status.SUCCEEDED
    assert workplace.end().evidence == ()

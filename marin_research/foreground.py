"""Runs a program in the foreground as a shell would, and says exactly how it ended. Knows nothing of records.

The program is a child in our own process group: it has our terminal and standard input, it is stopped with us by
Ctrl-Z and goes on with us. Signals are waited for instead of handled, because only a wait tells who sent one: what the
terminal sends to everybody in the foreground, the child has already; what a process sends to us alone, it has not.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

STOPS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
"""Signals that ask a program to end."""
_MESSAGES = frozenset({signal.SIGUSR1, signal.SIGUSR2})
_OWN = frozenset({signal.SIGCHLD, signal.SIGALRM, signal.SIGWINCH})
_RESTORED = [number for number in (signal.SIGPIPE, getattr(signal, "SIGXFSZ", None)) if number is not None]
"""What Python ignores and other programs do not."""

GRACE_S = 10.0
"""Seconds between the request to end and the kill, for a program that has reached its time limit."""


class Received(NamedTuple):
    """A signal that we got."""

    signal: signal.Signals
    time: datetime
    at: float
    """The same on a clock that nobody sets, in seconds."""
    sender: int | None
    """The process that sent it; 0 for the terminal or the kernel, None where the system does not say."""
    sender_name: str = ""
    passed_on: bool = True
    """False where the terminal had sent it to the child as well."""


class Ended(NamedTuple):
    """How the program ended, as its parent is told."""

    time: datetime
    at: float
    """The same on a clock that nobody sets, in seconds."""
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    """We ended it, because its time was up."""

    @property
    def shell_code(self) -> int:
        """The exit code that a shell would give, with the one that ``timeout`` has for that."""
        if self.timed_out:
            return 124
        return 128 + self.signal if self.signal is not None else self.exit_code or 0


class Foreground:
    """The place of a shell's foreground program. While it is open, signals wait for ``run``."""

    def __init__(self) -> None:
        """Begin to hold signals back. Other threads that the process has must get none."""
        # What is ignored already (`nohup`, a background job of a script) stays ignored for both of us.
        concerned = {number for number in STOPS | _MESSAGES if signal.getsignal(number) is not signal.SIG_IGN}
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._waited = concerned | _OWN
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._waited)
        self.received: list[Received] = []
        """The signals that were given to the program so far, or were there before it was started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while pending := signal.sigpending() & self._waited:
            _next_signal(pending)  # the program it was meant for has ended
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def stop_awaits(self) -> bool:
        """Whether somebody has asked us to end before the program was started; then it should not be."""
        self._take_pending()
        return bool(self.received)

    def start(self, argv: Sequence[str], environment: Mapping[str, str], outputs: Mapping[int, int]) -> int:
        """Start a program and give its process ID.

        Args:
            argv: looked for in ``PATH``. A script without a first line that names its interpreter is run by the
                shell, as it would be from a shell.
            environment: all of its variables.
            outputs: which of our descriptors takes the place of which of its own.

        Raises:
            OSError: there is no such program, or it cannot be executed.
        """
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in outputs.items()]

        def spawn(words: list[str]) -> int:
            return os.posix_spawnp(
                words[0], words, environment, file_actions=actions, setsigmask=self._before, setsigdef=_RESTORED
            )

        try:
            return spawn(list(argv))
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            return spawn(["/bin/sh", *argv])

    def wait(
        self,
        pid: int,
        *,
        timeout_s: float | None = None,
        on_signal: Callable[[Received], None] = lambda _: None,
        on_window: Callable[[], None] = lambda: None,
    ) -> Ended:
        """Wait until the program ends, and give it the signals that we get.

        Args:
            pid: the process that ``start`` gave.
            timeout_s: seconds after which it is asked to end, and after ten more is killed, with its children.
            on_signal: called once a signal was passed on that asks to end.
            on_window: called when the terminal has changed its size; then the program is told once more.
        """
        timed_out = False
        if timeout_s is not None:
            signal.setitimer(signal.ITIMER_REAL, timeout_s)
        while True:
            number, sender = _next_signal(self._waited)
            if number == signal.SIGWINCH:
                on_window()
                _send(signal.SIGWINCH, family(pid))
            elif number not in _OWN:
                self._pass_on(pid, number, sender, on_signal)
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                signal.setitimer(signal.ITIMER_REAL, 0)
                self._take_pending()
                return _ended(status, timed_out=timed_out)
            if number == signal.SIGALRM:
                _send(signal.SIGKILL if timed_out else signal.SIGTERM, family(pid))
                timed_out = True
                signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def _take_pending(self) -> None:
        """Note the requests to end that nobody is there any more to be given."""
        while pending := signal.sigpending() & STOPS & self._waited:
            number, sender = _next_signal(pending)
            self._note(number, sender, passed_on=False)

    def _pass_on(self, pid: int, number: int, sender: int | None, on_signal: Callable[[Received], None]) -> None:
        everybody_has_it = sender == 0 if sender is not None else number == signal.SIGINT and _in_foreground()
        if not everybody_has_it:
            _send(number, [pid])
        if number in STOPS:
            on_signal(self._note(number, sender, passed_on=not everybody_has_it))

    def _note(self, number: int, sender: int | None, *, passed_on: bool) -> Received:
        self.received.append(
            Received(
                signal=signal.Signals(number),
                time=datetime.now(UTC),
                at=time.monotonic(),
                sender=sender,
                sender_name=_name_of(sender) if sender else "",
                passed_on=passed_on,
            )
        )
        return self.received[-1]


def _next_signal(waited: frozenset[signal.Signals] | set[signal.Signals]) -> tuple[int, int | None]:
    """The next signal, and the process that sent it: 0 if it was no process, None if the system does not say."""
    if hasattr(signal, "sigwaitinfo"):
        info = signal.sigwaitinfo(waited)
        # Positive codes are the kernel's own: a key at the terminal, a terminal that is gone.
        return info.si_signo, 0 if info.si_code > 0 else info.si_pid or -1
    return signal.sigwait(waited), None


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def _ended(status: int, *, timed_out: bool) -> Ended:
    code = os.waitstatus_to_exitcode(status)
    return Ended(
        time=datetime.now(UTC),
        at=time.monotonic(),
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        timed_out=timed_out,
    )


def family(pid: int) -> list[int]:
    """A process and its descendants, as far as the system tells; the process itself first."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    return found


def _send(number: int, pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _in_foreground() -> bool:
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(fd) == os.getpgrp()
    return False

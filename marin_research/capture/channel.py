"""A way for output from whoever prints to the sidecar. Knows neither of the two."""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios
import threading
import tty

PIPE_SIZE = 1 << 20
"""Bytes a pipe is asked to hold, and more than a pseudo-terminal does: who read as many read all that was in it."""


def copy_fd(fd: int) -> int:
    """Another descriptor for the same thing, but never a standard one, which a process may lack at its start."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)


def above_standard(fd: int) -> int:
    """The same descriptor under another number if it is a standard one."""
    if fd > 2:
        return fd
    copy = copy_fd(fd)
    os.close(fd)
    return copy


class Channel:
    """A pipe; where it stands for a terminal a pseudo-terminal, so that who prints finds a terminal there."""

    def __init__(self, terminal: int | None, name: str | None) -> None:
        """``terminal`` is where the sidecar shows what comes, under ``name``; None for nowhere."""
        self.echo = None if terminal is None else copy_fd(terminal)
        self.echo_name = name
        self._lock = threading.Lock()
        try:
            self.read, self.write = _pair(terminal)
        except OSError:
            if self.echo is not None:
                os.close(self.echo)
            raise

    def fds(self) -> list[int]:
        """What the sidecar needs."""
        return [self.read] if self.echo is None else [self.read, self.echo]

    def close_write(self) -> None:
        # The step's thread and the one that watches the sidecar may come here at once, and a number that was closed
        # belongs to whoever opens the next file.
        with self._lock:
            if self.write >= 0:
                os.close(self.write)
                self.write = -1

    def close(self) -> None:
        self.close_write()
        for fd in self.fds():
            os.close(fd)


def _pair(terminal: int | None) -> tuple[int, int]:
    if terminal is not None and os.isatty(terminal):
        with contextlib.suppress(OSError):  # some containers have no pseudo-terminals
            return _pseudo_terminal(terminal)
    return _pipe()


def _pipe() -> tuple[int, int]:
    read, write = (above_standard(fd) for fd in os.pipe())
    with contextlib.suppress(AttributeError, OSError):  # not on every system, and not for everybody
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return read, write


def _pseudo_terminal(terminal: int) -> tuple[int, int]:
    read, write = (above_standard(fd) for fd in os.openpty())
    tty.setraw(write)  # the real terminal does the translating
    with contextlib.suppress(OSError):
        fcntl.ioctl(write, termios.TIOCSWINSZ, fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))
    return read, write

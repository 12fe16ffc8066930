"""Single keys and lines of text from a terminal. Knows nothing of what they decide.

A key counts only if a person can have meant it: what was typed ahead, a held key, a paste and the escape sequences of
arrows and function keys never arrive as a letter that means something.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

_QUIET_S = 0.1
"""So long nothing must arrive before a key counts; a held key repeats faster."""
_CHUNK = 4096


class Keys(Protocol):
    """How a person answers."""

    def key(self, prompt: str) -> str:
        """One key after ``prompt``: a character; a name in angle brackets for anything else; "" at the end of input."""

    def line(self, prompt: str) -> str:
        """One line after ``prompt``, without its end; "" at the end of input."""

    def released(self) -> AbstractContextManager[None]:
        """The terminal as other programs expect it, for the time of a block."""


class Keyboard:
    """Keys of the terminal that standard input is. To be used as a context."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()
        self._usual = termios.tcgetattr(self._fd)

    def __enter__(self) -> Self:
        tty.setcbreak(self._fd)
        # A shell gives the terminal back as it likes it best after Ctrl-Z and `fg`.
        signal.signal(signal.SIGCONT, lambda *_: tty.setcbreak(self._fd))
        signal.signal(signal.SIGTERM, _end)
        return self

    def __exit__(self, *_: object) -> None:
        for usual in (signal.SIGCONT, signal.SIGTERM):
            signal.signal(usual, signal.SIG_DFL)
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._usual)

    @contextmanager
    def released(self) -> Iterator[None]:
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def key(self, prompt: str) -> str:
        self._settle()
        _write(prompt)
        pressed = self._read()
        if len(pressed) == 1 and pressed.isprintable():
            return pressed
        self._settle()  # the rest of a paste, or of an escape sequence that came in parts
        return _named(pressed)

    def line(self, prompt: str) -> str:
        self._settle()
        with self.released():
            _write(prompt)
            return self._read().rstrip("\r\n")

    def _settle(self) -> None:
        """Discard what was typed before it could be meant."""
        while select.select([self._fd], [], [], _QUIET_S)[0] and self._read():
            pass

    def _read(self) -> str:
        try:
            return os.read(self._fd, _CHUNK).decode("utf-8", "replace")
        except OSError:  # the terminal is gone
            return ""


def _end(number: int, _: FrameType | None) -> None:
    """Being told to end must not leave behind a terminal that no longer shows what is typed."""
    raise SystemExit(128 + number)


def _named(pressed: str) -> str:
    names = {"": "", "\n": "<Enter>", "\r": "<Enter>", "\x1b": "<Esc>", "\t": "<Tab>", "\x7f": "<Backspace>"}
    return names.get(pressed, "<key>" if pressed.startswith("\x1b") or len(pressed) == 1 else "<several keys>")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()

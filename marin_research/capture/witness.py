"""Watches a process from outside and says how it ended, as far as the kernel tells whoever is not its parent."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import time
from contextlib import suppress

_GET_INFO, _EXIT = 0xC0_40_FF_0B, 1 << 3
_INFO = struct.Struct("<QQ11Ii")
"""``struct pidfd_info`` of Linux 6.15, where exit statuses are told to whoever held a descriptor of the process."""
_INFO_SIZE = 64
_PATIENCE_S = 3.0
"""How long the parent of a dead process may take to ask for its exit status; only then anybody else may know it."""


class Witness:
    """One process, from when it is watched until it is known how it ended, or that this will not be known."""

    def __init__(self, pid: int) -> None:
        """Begin to watch.

        Raises:
            AttributeError: not on this system.
            OSError: there is no such process.
        """
        self.pid = pid
        self.fd = os.pidfd_open(pid)
        """Becomes readable when the process ends."""
        self._ended_at: float | None = None
        self._status: int | None = None

    def ended(self) -> None:
        self._ended_at = time.monotonic()

    @property
    def is_alive(self) -> bool:
        return self._ended_at is None

    def settled(self) -> bool:
        """Whether it has ended, and how is known or will not be."""
        if self._ended_at is None:
            return False
        if self._status is None:
            self._status = exit_status(self.fd)
        return self._status is not None or time.monotonic() - self._ended_at > _PATIENCE_S

    @property
    def was_killed(self) -> bool | None:
        """Whether SIGKILL ended it; None if nobody can say."""
        return None if self._status is None else os.waitstatus_to_exitcode(self._status) == -signal.SIGKILL

    @property
    def how(self) -> str:
        """``it exited with code 3``."""
        if self._status is None:
            return "only its parent could learn how"
        from marin_research.command_end import how_ended

        code = os.waitstatus_to_exitcode(self._status)
        return how_ended(exit_code=code, number=None) if code >= 0 else how_ended(exit_code=None, number=-code)


def exit_status(process: int) -> int | None:
    """The wait status of a process whose descriptor this is; None if it is not known, or never told on this system."""
    answer = bytearray(_INFO_SIZE)
    _INFO.pack_into(answer, 0, _EXIT, *[0] * 13)
    with suppress(OSError):  # an older kernel, or no Linux
        fcntl.ioctl(process, _GET_INFO, answer)
        mask, *_, status = _INFO.unpack_from(answer)
        if mask & _EXIT:
            return int(status)
    return None

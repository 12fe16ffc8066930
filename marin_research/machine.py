"""Which machine this is, and which start of it: what tells a restart from a silence."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import NamedTuple

from marin_research.codec import Unknown

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Machine(NamedTuple):
    name: str
    """As the network knows it."""
    boot: str | Unknown
    """The kernel's ID of this start."""


@functools.cache
def this_machine() -> Machine:
    try:
        boot: str | Unknown = _BOOT.read_text(encoding="ascii").strip()
    except OSError as error:
        boot = Unknown(f"{_BOOT} cannot be read ({error.strerror})")
    # Nothing forbids an administrator a line break, or what a terminal takes for a command.
    name = "".join(letter if letter.isprintable() else " " for letter in os.uname().nodename)
    return Machine(name, boot)

"""Whether the kernel kills processes for lack of memory, by its own counters. Never concludes it from an exit code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from marin_research.record import Cause, Evidence

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_PROCESSES = Path("/proc")


class MemoryKills(NamedTuple):
    """How many processes the kernel had killed for lack of memory at one moment."""

    source: Path
    """The file that counts."""
    killed: int
    of_group: bool
    """Of the process's own control group with all beneath it, or else of the whole machine."""

    def since(self) -> Evidence | None:
        """What has been counted since then, if anything."""
        now = _count(self.source)
        if now is None or now <= self.killed:
            return None
        whose = "its control group" if self.of_group else "this machine"
        killed = "a process" if now == self.killed + 1 else f"{now - self.killed} processes"
        return Evidence(
            time=datetime.now(UTC),
            source=str(self.source),
            text=f"the kernel killed {killed} of {whose} for lack of memory (oom_kill was {self.killed}, now {now})",
            cause=Cause.OUT_OF_MEMORY,
        )


def memory_kills(pid: int | str = "self", *, groups: Path = _CONTROL_GROUPS) -> MemoryKills | None:
    """The kernel's count for the control group of a process, or for the machine where the group has none.

    Args:
        pid: the process, in the terms of ``/proc``.
        groups: where the control groups are mounted.
    """
    for source in (*_group_files(pid, groups), _PROCESSES / "vmstat"):
        count = _count(source)
        if count is not None:
            return MemoryKills(source, count, of_group=source.parent != _PROCESSES)
    return None


def _group_files(pid: int | str, groups: Path) -> list[Path]:
    """The files that count for a process's control group: of version 1, of version 2 beside it, of version 2 alone."""
    try:
        lines = (_PROCESSES / str(pid) / "cgroup").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    found = []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if "memory" in controllers.split(","):
            found.append(_inside(groups / "memory", path) / "memory.oom_control")
        elif not controllers:
            found += [_inside(top, path) / "memory.events" for top in (groups, groups / "unified")]
    return found


def _inside(top: Path, path: str) -> Path:
    """The folder of a group. In a container, the top may be the group itself while its path is told from outside."""
    folder = top / path.lstrip("/")
    return folder if folder.is_dir() else top


def _count(source: Path) -> int | None:
    try:
        lines = source.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return next((int(count) for name, _, count in (line.partition(" ") for line in lines) if name == "oom_kill"), None)

"""Finds the W&B runs of a command, whichever of its processes starts them. Changes nothing about them.

W&B keeps a run's file open in a process of its own, which inherits the environment. So a process that carries the mark
of the recorded command and has such a file open belongs to it, wherever the file is. What is only found in the usual
folders, made in the same time, may be somebody else's.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marin_research.record import WandbRun

_PROCESSES = Path("/proc")
_WRITER = b"wandb-core\n"
_FILE = re.compile(r"run-[^/]+\.wandb")
_LINK = rb"https?://[^\s\x1b]+/runs/%s(?![\w-])"


class WandbOfCommand:
    def __init__(self, mark: str, folders: Sequence[Path], since: float) -> None:
        """What to look for.

        Args:
            mark: ``NAME=value`` in the environment of each of the command's processes.
            folders: where W&B puts its folder unless it is told otherwise.
            since: when the command was started, in seconds since the epoch.
        """
        self._mark = os.fsencode(mark)
        self._folders = folders
        self._since = since
        self._known: dict[str, int] = {}
        """Processes, and how often each was looked at: what has just been forked may become another program."""
        self._writers: set[str] = set()
        self._found: dict[Path, None] = {}
        """The run folders that a process of the command writes to, in the order in which they were seen."""

    def look(self) -> list[Path]:
        """The run folders that have come to be known since the last look. Takes less than a millisecond."""
        try:
            now = {name for name in os.listdir(_PROCESSES) if name.isdecimal()}  # noqa: PTH208 - names suffice
        except OSError:
            return []  # not Linux
        looked = {name: self._known.get(name, 0) for name in now}
        for name in (name for name, times in looked.items() if times < 2):
            looked[name] += 1
            if self._is_writer(name):
                self._writers.add(name)
        self._known = looked
        self._writers &= now
        new = [folder for name in self._writers for folder in _open_runs(name) if folder not in self._found]
        self._found |= dict.fromkeys(new)
        return new

    def runs(self) -> list[WandbRun]:
        """Every run that was seen or is found in the usual folders."""
        from marin_research.wandb_folder import folders_since, run_in

        usual = [folder for root in self._folders for folder in folders_since(root, self._since)]
        runs = []
        for folder in dict.fromkeys([*self._found, *usual]):
            run = run_in(folder)
            if run is not None:
                ours = folder in self._found or not _PROCESSES.is_dir()
                runs.append(run if ours else replace(run, attribution="ambiguous"))
        return runs

    def refused(self) -> list[tuple[str, str]]:
        """The runs of the command that W&B has not taken, by their IDs, and why."""
        from marin_research.wandb_folder import refusal_in

        refusals = [(folder.name.split("-", 2)[-1], refusal_in(folder)) for folder in self._found]
        return [(run_id, why) for run_id, why in refusals if why is not None]

    def _is_writer(self, name: str) -> bool:
        process = _PROCESSES / name
        with suppress(OSError):  # it has ended, or is somebody else's
            if (process / "comm").read_bytes() == _WRITER:
                return self._mark in (process / "environ").read_bytes().split(b"\0")
        return False


def _open_runs(process: str) -> list[Path]:
    found = []
    with suppress(OSError):  # it has ended
        for link in (_PROCESSES / process / "fd").iterdir():
            with suppress(OSError):
                file = link.readlink()
                if _FILE.fullmatch(file.name):
                    found.append(file.parent)
    return found


def with_links(runs: Iterable[WandbRun], output: Iterable[bytes]) -> list[WandbRun]:
    """The runs with the addresses that W&B printed, where these are not known from elsewhere."""
    open_ones = {run.id: run for run in runs if run.mode == "online" and not isinstance(run.url, str)}
    if open_ones:
        rest = b""
        for block in output:
            text = rest + block
            for run_id, run in open_ones.items():
                for found in re.finditer(_LINK % re.escape(run_id.encode()), text):
                    url = found[0].decode("ascii", "replace")
                    open_ones[run_id] = replace(run, url=url, entity=run.entity or url.split("/")[-4])
            rest = text[-1000:]
    return [open_ones.get(run.id, run) for run in runs]

"""Finds W&B runs by the folders that they keep on disk, whichever process wrote them. Changes nothing there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from typing import TYPE_CHECKING

from marin_research.record import Unknown, WandbRun

if TYPE_CHECKING:
    from pathlib import Path

NOT_SYNCED = Unknown("offline run; not synced yet")
_LONGEST_ERROR = 300

_ASKED, _TAKEN = "communicating run to backend", "starting run threads"
"""What W&B notes before its server was asked about a run, and after the server has taken it."""
_FOLDER = re.compile(r"(?P<offline>offline-)?run-(?P<started>\d{8}_\d{6})-.+")


def folders_since(root: Path, since: float) -> list[Path]:
    """The folders of runs under ``root`` that were made at ``since`` (seconds since the epoch) or later."""
    found = []
    for base in (root / "wandb", root / ".wandb"):
        for folder in sorted(base.glob("*run-*")):
            name = _FOLDER.fullmatch(folder.name)
            if name and _local_time(name["started"]) >= int(since):
                found.append(folder)
    return found


def run_in(folder: Path) -> WandbRun | None:
    """The run whose folder this is, None if there is none in it: W&B also leaves behind those of runs that never began.

    For runs that no hook could see. Their URL is not on disk, the entity only where the program or the environment
    names it or the run was finished, and the project only once the run's first record has reached the file.
    """
    from marin_research import wandb_file

    file = next(folder.glob("run-*.wandb"), None)
    if file is None or not _is_taken(folder):
        return None
    with contextlib.suppress(OSError, wandb_file.WandbFileError):
        return _described(file, offline=folder.name.startswith("offline-"))
    return None


def refusal_in(folder: Path) -> str | None:
    """Why there is only the folder of a run and no run: what W&B's server said; None where there is one."""
    if _is_taken(folder):
        return None
    lines = _text(folder / "logs" / "debug-internal.log").splitlines()
    found = next((each for each in map(_error_in, lines) if each), "nothing says why")
    return f"W&B has not taken it, it exists nowhere but in {folder}: {found}"


def _is_taken(folder: Path) -> bool:
    log = "" if folder.name.startswith("offline-") else _text(folder / "logs" / "debug.log")
    return _ASKED not in log or _TAKEN in log


def _error_in(line: str) -> str:
    """What a line of W&B's own log says went wrong."""
    with contextlib.suppress(ValueError, AttributeError):
        return str(json.loads(line).get("error", ""))[:_LONGEST_ERROR]
    return ""


def _text(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_text(errors="replace")
    return ""


def _described(file: Path, *, offline: bool) -> WandbRun:
    from marin_research import wandb_file

    content = wandb_file.read(file, numbers=False)
    log = _text(file.parent / "logs" / "debug.log")
    path = re.search(rf"finishing run (?:([^/\s]+)/)?[^/\s]+/{re.escape(content.run_id)}\s", log)
    not_written = "a W&B run of another process does not leave it on disk"
    entity = content.entity or (path and path[1]) or os.environ.get("WANDB_ENTITY") or Unknown(not_written)
    run = WandbRun(
        id=content.run_id,
        project=content.project,
        entity=entity,
        name=content.name,
        url=NOT_SYNCED if offline else Unknown(not_written),
        mode="offline" if offline else "online",
        path=str(file.parent),
        synced=not offline or file.with_name(f"{file.name}.synced").exists(),
    )
    return wandb_file.completed(run, content)


def _local_time(text: str) -> float:
    """Seconds since the epoch; minus infinity for digits that are no time."""
    try:
        return time.mktime(time.strptime(text, "%Y%m%d_%H%M%S"))
    except (ValueError, OverflowError):
        return float("-inf")

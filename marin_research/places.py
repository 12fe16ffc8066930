"""Where this program keeps things of its own on this machine: what can be made again, and what cannot."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """For what can be made again at any time. It may not exist yet."""
    return _folder("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """For what must not be lost, such as records that could not be sent yet. It may not exist yet."""
    return _folder("XDG_STATE_HOME", ".local/state")


def make_ignored(folder: Path, *, mode: int = 0o777) -> None:
    """Make a folder that git ignores by itself; one that has anything in it is left to whoever put it there.

    Args:
        folder: may be there already.
        mode: for whom, if it is made.
    """
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    with os.scandir(folder) as there:
        is_new = next(there, None) is None
    if is_new:
        (folder / ".gitignore").write_bytes(b"*\n")


def _folder(variable: str, usual: str) -> Path:
    given = os.environ.get(variable) or os.path.expanduser(f"~/{usual}")  # noqa: PTH111 - never fails
    folder = Path(given).absolute()
    there = next(above for above in (folder, *folder.parents) if above.is_dir())
    if not os.access(there, os.W_OK):  # some containers give an account no home of its own
        import tempfile

        folder = Path(tempfile.gettempdir()) / f"user-{os.getuid()}" / usual.rpartition("/")[2]
    return folder / "marin-research"

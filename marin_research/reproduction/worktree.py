"""The git worktree that a repetition runs in: made outside of every checkout, gone afterwards unless it is needed."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from marin_research.errors import GitError
from marin_research.places import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    from marin_research.git import WorkTree
    from marin_research.reproduction.recipe import Recipe

_IN_PASSING = ("__pycache__", ".pytest_cache")
"""What Python leaves wherever it was."""


def folder() -> Path:
    """Where the worktrees are."""
    return cache_folder() / "reproductions"


def earlier(run_id: str, tree: WorkTree) -> list[Path]:
    """Worktrees of repetitions of a run that are still there: kept, in use, or left when the program was killed."""
    ours = (path for path in tree.worktrees() if path.parent == folder().resolve())
    return [path for path in ours if path.name.startswith(f"{run_id}-")]


class Place:
    """A worktree for one repetition."""

    def __init__(self, made: Recipe, tree: WorkTree) -> None:
        """Check the commit out and apply the recorded changes.

        Raises:
            GitError: git refuses; nothing is left.
        """
        self._tree = tree
        self.path = folder().resolve() / f"{made.run.id}-{os.urandom(4).hex()}"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._there = tree.add_worktree(self.path, made.commit)
            if made.diff.patch:
                self._there.apply(made.diff.patch)
            self._before = set(self._there.differing())
        except GitError:
            self.remove()
            raise

    def left(self) -> list[str]:
        """The files that the run wrote into it."""
        found = (line[3:] for line in set(self._there.differing()) - self._before)
        return sorted(path for path in found if not any(part in path for part in _IN_PASSING))

    def remove(self) -> None:
        """Remove it, with everything in it."""
        with suppress(GitError):
            self._tree.remove_worktree(self.path)
        shutil.rmtree(self.path, ignore_errors=True)

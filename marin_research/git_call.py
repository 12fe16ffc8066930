"""One call of git: in a checkout, without questions that nobody can answer, its refusals in its own words."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from marin_research.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LOCAL_S = 60


def call_git(
    top: Path,
    *args: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    seconds: int = _LOCAL_S,
    fails: bool = False,
    literal: bool = True,
) -> bytes:
    """What git printed; with ``fails`` nothing where it says no.

    Raises:
        GitError: it failed, in its own words.
    """
    command = ["git", "-C", str(top), *args]
    more = {**({} if literal else {"GIT_LITERAL_PATHSPECS": "0"}), **(env or {})}
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, check=False, timeout=seconds, env=_environment(more)
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {args[0]} took longer than {seconds} s in {top}") from error
    except OSError as error:
        raise GitError(f"git cannot be run ({error.strerror}); install it") from error
    if done.returncode and not fails:
        raise GitError(f"git {args[0]} in {top}: {_reason([done.stderr, done.stdout])}")
    return b"" if done.returncode else done.stdout


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The program's own, without what points elsewhere inside a hook, and without questions that nobody can answer."""
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    quiet = {} if sys.stdin is not None and sys.stdin.isatty() else {"GIT_TERMINAL_PROMPT": "0"}
    return {**kept, "LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1", **quiet, **more}


_MISLEADING = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"})


def _reason(outputs: Sequence[bytes]) -> str:
    """What git said, on one line, without the hints."""
    lines = [line.strip() for output in outputs for line in output.decode("utf-8", "replace").splitlines()]
    return "; ".join(line for line in lines if line and not line.startswith("hint:"))[:500] or "it failed"

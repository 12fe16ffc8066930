"""Who is deciding: the name that approvals, rejections and publications carry. Knows nothing of drafts."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from curator.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping


def person(given: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The name that was given, else git's ``user.name``, else the account's.

    Raises:
        RefusedError: a blank name was given, or nothing says a name.
    """
    name = given if given is not None else git_name() or environ.get("USER", "")
    name = " ".join(name.split())
    if not name:
        raise RefusedError("a decision needs a person's name; give one with --by or set git's user.name")
    return name


def git_name() -> str:
    """Git's ``user.name``; empty when it does not say one."""
    try:
        said = subprocess.run(["git", "config", "user.name"], capture_output=True, check=False)
    except OSError:  # no git here
        return ""
    return " ".join(said.stdout.decode("utf-8", "replace").split())

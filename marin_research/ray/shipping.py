"""What of this program goes along to the cluster: the project it runs in, and this package. Loads nothing.

Ray packs both by what they contain and keeps them, so that only what changed is sent again. What is ignored by git is
not sent. A function of the script itself travels whole; modules that it imports are found where they were here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import marin_research

_MARKS = (".git", "pyproject.toml")


def project() -> Path | None:
    """The folder that is sent: the project around the working directory, else the script's own folder, if any."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(script).resolve().parent if script and "site-packages" not in script else None


def import_paths() -> tuple[str, ...]:
    """The folders of the project that modules are imported from here, relative to it."""
    top = project()
    if top is None:
        return ()
    inside = [Path(path).resolve() for path in sys.path if path and "site-packages" not in path]
    return tuple(dict.fromkeys(str(path.relative_to(top)) for path in inside if path.is_relative_to(top)))


def runtime_env() -> dict[str, Any]:
    """Both, as Ray's runtime environment of the whole driver."""
    top = project()
    package = Path(marin_research.__file__).parent
    shipped: dict[str, Any] = {"py_modules": [str(package)]}
    if top is not None:
        shipped["working_dir"] = str(top)
    return shipped

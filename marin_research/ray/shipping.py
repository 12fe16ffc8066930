"""What of this program goes along to the cluster: the project it runs in, and this package. Loads nothing.

Each machine keeps what it was sent by what that contains, and unpacks it once. What is ignored by git is not sent. A
function of the script itself travels whole; modules that it imports are found where they were here.
"""

from __future__ import annotations

import contextlib
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import marin_research
from marin_research.checkout import WORK_MEMORY
from marin_research.errors import GitError
from marin_research.git_call import call_git

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_MARKS = (".git", "pyproject.toml")
_NEVER_SENT = ("--exclude=.venv/", "--exclude=venv/", "--exclude=__pycache__/", f"--exclude=/{WORK_MEMORY}/")
"""What git is often not told to ignore."""


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


@contextlib.contextmanager
def shipped(*, given: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Both, as Ray's runtime environment of the whole driver; valid until Ray has taken it.

    Args:
        given: what the driver itself was submitted with, which Ray refuses to be told twice.
    """
    top, package = project(), Path(marin_research.__file__).parent
    files = _files(top) if top is not None and "working_dir" not in given else None
    if top is None or files is None:
        whole = {"py_modules": [str(package)], **({"working_dir": str(top)} if top is not None else {})}
        yield {name: value for name, value in whole.items() if name not in given}
        return
    if not (top / package.name).is_dir():
        own = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        files |= {f"{package.name}/{path.relative_to(package)}": path for path in own}
    with tempfile.TemporaryDirectory(prefix="fray-ray-") as folder:
        archive = Path(folder, "project.zip")
        _pack(files, archive)
        yield {"working_dir": str(archive)}


def _files(top: Path) -> dict[str, Path] | None:
    """What git knows or does not ignore; None where Ray has to look by itself.

    Ray reads every file twice and matches each against every pattern, which takes it six times as long.
    """
    if (top / ".rayignore").exists():
        return None
    try:
        known = call_git(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *_NEVER_SENT)
        names = [name for name in known.decode().split("\0") if name]
    except (GitError, UnicodeDecodeError):
        return None
    found = {name: top / name for name in names}
    if any(path.is_dir() for path in found.values()):
        return None  # a submodule, or a link to a folder, whose files git does not list
    return {name: path for name, path in found.items() if path.is_file()}


def _pack(files: Mapping[str, Path], archive: Path) -> None:
    """Without times, so that the same content is the same package."""
    with ZipFile(archive, "w") as target:
        for name, path in sorted(files.items()):
            entry = ZipInfo(name)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = stat.S_IMODE(path.stat().st_mode) << 16
            target.writestr(entry, path.read_bytes(), compresslevel=1)

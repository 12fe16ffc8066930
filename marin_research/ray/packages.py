"""Looks for a job's packages before Ray installs them.

Ray tries three times, each in a new copy of its machine's environment, and says after minutes that there is no such
package. pip alone says so in seconds.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import ray  # noqa: TID253 - this module is about Ray

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIP = ("-m", "pip", "install", "--dry-run", "--no-deps", "--disable-pip-version-check", "--requirement")
_LIMIT_S = 60


class NoSuchPackageError(Exception):
    """A package that cannot be had, in pip's words."""


async def look_for(packages: tuple[str, ...]) -> None:
    """Return when they are there, or when nobody knows.

    Raises:
        NoSuchPackageError: there is no such package.
    """
    with contextlib.suppress(ray.exceptions.RayError):  # then Ray will say why
        missing = await _not_found.options(num_cpus=0).remote(packages)
        if missing:
            raise NoSuchPackageError(f"its packages cannot be installed: {missing}; correct its pip_packages or extras")


def pip_errors(lines: Iterable[str]) -> list[str]:
    """What pip calls an error in what it printed."""
    return [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]


@ray.remote  # type: ignore[untyped-decorator]
def _not_found(packages: tuple[str, ...]) -> str:
    """What pip says of a package that it does not find; empty if it finds them all, or has other troubles."""
    with tempfile.TemporaryDirectory(prefix="fray-ray-") as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("\n".join(packages))
        try:
            done = subprocess.run(
                [sys.executable, *_PIP, str(listed)], capture_output=True, text=True, check=False, timeout=_LIMIT_S
            )
        except subprocess.TimeoutExpired:
            return ""
    errors = pip_errors(done.stderr.splitlines())
    return next((each for each in errors if each.startswith("No matching distribution found")), "")

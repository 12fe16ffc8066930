"""A real browser for tests: Chromium as it is installed, else the one that an npm package ships, fetched once.

The package is for machines that have no screen and few libraries; it brings those that Chromium needs.
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

PACKAGE = "@sparticuz/chromium@153.0.0"
_INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_HOME = os.environ.get("HOME", "")
"""Before any test changes it: npm finds its settings and its cache there."""


class NoBrowserError(Exception):
    """None is installed, and none can be fetched for this machine."""


@contextmanager
def chromium(cache: Path) -> Iterator[Browser]:
    """A browser without a window.

    Raises:
        NoBrowserError: there is none.
    """
    found = next((path for name in _INSTALLED if (path := shutil.which(name))), None)
    folder = cache / PACKAGE.replace("/", "-")
    if found is None and not folder.exists():
        _fetch(folder)
    env = {**os.environ, "HOME": _HOME}
    if found is None:
        env["LD_LIBRARY_PATH"] = str(folder / "al2023/lib")
    with sync_playwright() as driver:
        # Tests run as root in containers, where Chromium's own sandbox cannot start.
        browser = driver.chromium.launch(
            executable_path=found or folder / "chromium", args=["--no-sandbox"], env=dict(env)
        )
        yield browser
        browser.close()


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoBrowserError("install Chromium")
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(part)]
    done = subprocess.run(
        command, cwd=part, check=True, capture_output=True, text=True, timeout=280, env={**os.environ, "HOME": _HOME}
    )
    archive = part / Path(done.stdout.strip().splitlines()[-1]).name
    with tarfile.open(archive) as packed:
        program = part / "chromium"
        program.write_bytes(_member(packed, "chromium.br"))
        program.chmod(0o755)
        for name in ("al2023", "swiftshader", "fonts"):
            with tarfile.open(fileobj=io.BytesIO(_member(packed, f"{name}.tar.br"))) as inner:
                inner.extractall(part / name, filter="data")
    archive.unlink()
    with suppress(OSError):  # somebody else was quicker
        part.rename(folder)


def _member(packed: tarfile.TarFile, name: str) -> bytes:
    member = packed.extractfile(f"package/bin/{name}")
    assert member is not None
    return bytes(brotli.decompress(member.read()))

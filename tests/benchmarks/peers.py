"""Puts other people's programs into environments of their own, for the time of one benchmark."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@contextmanager
def environments(kept: str | None) -> Iterator[Path]:
    """The folder of the peers' environments: a temporary one, unless one is named that is to be kept."""
    if kept is not None:
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="marin-research-peers-") as folder:
        yield Path(folder)


def environment(folder: Path, name: str, *packages: str) -> Path | None:
    """The folder of programs of an environment that has the packages; None, and a word, where it cannot be had."""
    programs = folder / name / "bin"
    if (programs / ".complete").exists():
        return programs
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    print(f"installing {', '.join(packages)} ...", file=sys.stderr)
    try:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, programs.parent], check=True)
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(programs / "python")]
        subprocess.run([*install, *packages], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return None
    (programs / ".complete").touch()
    return programs


def show(title: str, times_ms: Mapping[str, Sequence[float]], *, ours: str) -> None:
    """Medians, best values, and how many times as long as ours each takes."""
    mine = statistics.median(times_ms[ours])
    print(f"{title}: median (best) in milliseconds, and the median as a multiple of ours")
    for name, values in times_ms.items():
        median = statistics.median(values)
        print(f"  {name:44} {median:8.1f} ({min(values):.1f})  {median / mine:6.2f}")

"""What has to be the same where a job is submitted and where it runs. Loads neither Marin nor Ray."""

from __future__ import annotations

import platform
import socket
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Where they differ, a function that was pickled here cannot be read, or means something else."""

    python: str
    """``3.12``"""
    marin: str | None
    """None where it is not installed."""


def versions_here() -> Versions:
    """What this process runs with."""
    try:
        marin = version("marin-core")
    except PackageNotFoundError:
        marin = None
    return Versions(python=".".join(platform.python_version_tuple()[:2]), marin=marin)


def difference(there: Versions, here: Versions) -> str:
    """Why what was submitted by ``there`` cannot be run ``here``; empty if it can."""
    node = socket.gethostname()
    if there.python != here.python:
        return (
            f"{node} has Python {here.python}, and the job was submitted with {there.python}: its function cannot be "
            f"read there; give both the same Python"
        )
    if there.marin is not None and there.marin != here.marin:
        has = f"marin-core {here.marin}" if here.marin else "no marin-core"
        return (
            f"{node} has {has}, and the job was submitted with {there.marin}; install marin-core=={there.marin} in "
            f"the cluster's image, or submit with what the cluster has"
        )
    return ""

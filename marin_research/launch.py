"""One invocation of a program: what its runs have in common. Gathered once, then carried to wherever they run.

Picklable on purpose: the function of a remote step travels to another machine, where neither the checkout nor the
command line can be seen any more.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marin_research import provenance
from marin_research.checkout import Checkout
from marin_research.objects import local_folder
from marin_research.record import Command, Git  # noqa: TC001 - part of a dataclass that is pickled
from marin_research.redact import Redactor
from marin_research.store import recording_store

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_HEARTBEAT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What every run of one invocation shares."""

    id: str
    """Time and a random part: ``20261122T061900Z-3fa2c1``."""
    root: str
    """The record store."""
    store: bytes
    """What the store says of itself: another one may lie at the same path of another machine."""
    command: Command
    git: Git
    environment: dict[str, str]
    python: str
    platform: str
    packages: dict[str, str]
    heartbeat_s: float


def new_launch(
    root: str | None = None,
    *,
    heartbeat_s: float | None = None,
    argv: Sequence[str] | None = None,
    checkout: Checkout | None = None,
) -> Launch:
    """Look at this process and its checkout.

    Args:
        root: the record store.
        heartbeat_s: seconds between two signs of life.
        argv: the command that is recorded, where that is not this program itself but a child of it; the versions of
            this program's packages say nothing of the child's then.
        checkout: where git has been asked already.

    Raises:
        StoreError: the store cannot be written.
    """
    store = recording_store(root)
    content = store.prepare()
    redactor = Redactor.from_environment()
    return Launch(
        id=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}",
        root=store.objects.url,
        store=content,
        command=provenance.command(argv or provenance.launch_argv(), redactor),
        git=(checkout or Checkout()).state(redactor, store.put_blob, store=local_folder(store.objects.url)),
        environment=provenance.environment(redactor),
        python=provenance.python_version(),
        platform=provenance.platform_name(),
        packages={} if argv else provenance.packages(),
        heartbeat_s=heartbeat_s or heartbeat_from_environment(),
    )


def heartbeat_from_environment() -> float:
    """``MARIN_RESEARCH_HEARTBEAT_S`` in seconds; the default when it is missing or makes no sense."""
    try:
        seconds = float(os.environ.get("MARIN_RESEARCH_HEARTBEAT_S", ""))
    except ValueError:
        return DEFAULT_HEARTBEAT_S
    return seconds if 0 < seconds < math.inf else DEFAULT_HEARTBEAT_S

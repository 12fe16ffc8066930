"""Where a launch came from: its command line, environment and versions. Asks only this process.

Everything goes through the redactor before it leaves these functions, so what they return may be written down.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.checkout import checkout_top
from marin_research.command_group import is_our_group
from marin_research.record import Command, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marin_research.redact import Redactor

PACKAGES = (
    "marin-core", "marin-levanter", "marin-fray", "marin-iris", "marin-zephyr", "marin-haliax",
    "jax", "jaxlib", "libtpu", "flax", "optax", "equinox", "numpy", "torch", "transformers", "ray", "wandb",
    "marin-research",
)  # fmt: skip
"""Packages whose versions can change a result."""

ENVIRONMENT = re.compile(
    r"(?:JAX|XLA|LIBTPU|TPU|PJRT|MARIN|WANDB|LEVANTER|HALIAX|NCCL|CUDA|HF_DATASETS|TF|EQX|OMP|MKL)_\w+"
    r"|RUN_ID|PYTHONHASHSEED|PYTHONPATH|TOKENIZERS_PARALLELISM|VIRTUAL_ENV|IRIS_JOB_ID|IRIS_TASK_ID",
    re.ASCII,
)
"""Names of variables that can change a result or say where it ran; no other variable is ever kept."""

_AMBIENT = re.compile(r"VIRTUAL_ENV|PYTHONPATH|IRIS_\w+|TPU_\w+|PJRT_\w+|TF_\w+")
"""Set by environments and clusters rather than typed; in the record, but not in front of the command."""

_NEVER = re.compile(r".*(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)S?$|MARIN_PROVENANCE|MARIN_RESEARCH_.*")


def command(argv: Sequence[str], redactor: Redactor, *, cwd: Path | None = None) -> Command:
    """The command line as it can be pasted, without its secrets."""
    here = (cwd or Path.cwd()).absolute()
    masked = redactor.argv(argv)
    top = checkout_top(here)
    given = environment(redactor, initial_environment())
    assignments = [f"{name}={shlex.quote(value)}" for name, value in given.items() if not is_ambient(name)]
    return Command(
        argv=masked,
        line=" ".join([*assignments, shlex.join(masked)]),
        cwd=str(here),
        cwd_in_repository=here.relative_to(top).as_posix() if top else Unknown("not in a git checkout"),
    )


def launch_argv() -> list[str]:
    """The command line of this program as it was typed: the interpreter and its options too."""
    return list(sys.orig_argv)


def initial_environment() -> dict[str, str]:
    """The variables this process was started with, without what its own code has set since."""
    try:
        raw = Path("/proc/self/environ").read_bytes()
    except OSError:
        return dict(os.environ)  # not Linux
    pairs = (os.fsdecode(pair).partition("=") for pair in raw.split(b"\0") if pair)
    return {name: value for name, _, value in pairs}


def environment(redactor: Redactor, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The allowed variables, masked."""
    kept = {name: value for name, value in environ.items() if matters(name) and not is_our_group(name, environ)}
    return redactor.environment(dict(sorted(kept.items())))


def matters(name: str) -> bool:
    """Whether a variable can change a result or says where it ran, and may be kept."""
    return ENVIRONMENT.fullmatch(name) is not None and _NEVER.match(name) is None


def is_ambient(name: str) -> bool:
    """Whether a variable is set by environments and clusters rather than by whoever types a command."""
    return _AMBIENT.fullmatch(name) is not None


def packages() -> dict[str, str]:
    """Versions of the packages that matter, of those installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and commands do not ask

    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def python_version() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


def platform_name() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"

"""Drafts the write-up of recorded runs, checks it against the record, and publishes what a person approved.

``curate_step`` makes drafting a step of an experiment; everything else is behind the ``curator`` command.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.step import curate_step

__all__ = ["curate_step"]


def __getattr__(name: str) -> object:
    if name != "curate_step":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Marin, and with it JAX, is loaded only where an experiment asks for it.
    return getattr(import_module("curator.step"), name)

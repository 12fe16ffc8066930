"""Lets others work on what was recorded, without knowing them: entry points that are called with what there is to know.

``marin_research.after_launch`` gets a `LaunchDetails`, ``marin_research.after_snapshot`` a `SnapshotDetails`. What goes
wrong in a hook is said and changes nothing: the record is safe.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import entry_points

import click

from marin_research.errors import MarinResearchError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchDetails:
    """What a hook of the group ``marin_research.after_launch`` is told when a launch is over."""

    root: str
    topic: str
    runs: tuple[str, ...]
    """Experiment IDs in the order of declaration; failed, cached and not-run ones too."""
    drafter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDetails:
    """What a hook of the group ``marin_research.after_snapshot`` is told when a snapshot is made."""

    root: str
    topic: str
    tag: str


def call_hooks(group: str, details: LaunchDetails | SnapshotDetails, *, again: str) -> None:
    """Call everything that registered for a moment.

    Args:
        group: of entry points.
        details: what they are told.
        again: the command that does by hand what a hook could not do.
    """
    for hook in entry_points(group=group):
        try:
            hook.load()(details)
        except Exception as error:
            if not isinstance(error, MarinResearchError):
                logger.warning("%s could not work on it", hook.name, exc_info=error)
            click.echo(f"{hook.name}: {error}; the record is safe, try again with: {again}", err=True)

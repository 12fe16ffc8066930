"""Sweeps: the runs among which one setting is moved and all else is alike, and the values that it has there."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from curator.verify.known.world import World


def sweeps(world: World, key: str, around: frozenset[str] = frozenset()) -> list[frozenset[str]]:
    """The groups of runs that differ in a setting alone, or in their seeds, too.

    Args:
        world: the facts.
        key: the setting; of a seed the groups are the repetitions of each run.
        around: runs of which a group has at least one; any group, if none is given or none has one.
    """
    but = "" if is_repetition_key(key) else key
    groups = dict.fromkeys(world.repeats(run, but) for run in world.runs if run in world.configs[key])
    moved = [group for group in groups if len(values(world, key, group)) > 1]
    return [group for group in moved if group & around] or moved


def values(world: World, key: str, among: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """By each value that the setting has among some runs, those that have it."""
    found: dict[str, set[str]] = defaultdict(set)
    for run, fact in world.configs[key].items():
        if run in among:
            found[repr(fact.value)].add(run)
    return {value: frozenset(runs) for value, runs in found.items()}


def swept_key(world: World, keys: frozenset[str]) -> str:
    """The one setting of some that a text speaks of by its values: the one that differs between runs."""
    moved = sorted(keys & world.varying)
    return moved[0] if len(moved) == 1 else ""

"""In which settings two runs differ. Knows the facts and no sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.verify.known.world import World


def setting(world: World, key: str, run: str) -> str:
    """The value of a config key in a run, to be compared with others; empty where it has none."""
    per_run = world.configs[key]
    fact = per_run.get(run) or per_run.get("")
    return repr(fact.value) if fact else ""


def differing(world: World, run: str, other: str) -> frozenset[str]:
    """The config keys in which two runs differ, seeds included."""
    return frozenset(key for key in world.varying if setting(world, key, run) != setting(world, key, other))

"""Settings of runs: in which of them two runs differ, which are on or off. Knows the facts and no sentence."""

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


def is_switch(world: World, key: str) -> bool:
    """Whether a config key has no values but true and false."""
    return all(isinstance(fact.value, bool) for fact in world.configs[key].values())


def is_on(world: World, key: str, run: str) -> bool:
    """Whether a switch is on in a run; one of which nothing was recorded is not."""
    return setting(world, key, run) == repr(True)

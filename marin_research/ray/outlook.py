"""Says what a job waits for, who has the machines meanwhile, and when it is not worth waiting any longer."""

from __future__ import annotations

import secrets
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ray.util.placement_group import placement_group_table  # noqa: TID253 - this module is about Ray

from marin_research.ray.fleet import Fleet, needed, told

if TYPE_CHECKING:
    from marin_research.ray.spec import Need

LOOK_S = 2
"""Between two looks at the cluster while a job waits; Ray itself says at once when it is placed."""
REPLACEMENT_S = 6 * 3600.0
"""How long a machine is waited for that takes the place of a lost one, seconds."""


class NotPlacedError(Exception):
    """No machine of the cluster will ever do, as far as is known."""


class Outlook:
    """What a job that waits can hope for.

    Args:
        need: what it waits for.
        owner: the job's ID.
        patience_s: how long a cluster that has no such machines is waited for.
    """

    def __init__(self, need: Need, owner: str, patience_s: float) -> None:
        self._need = need
        self._owner = owner
        self._patience_s = patience_s
        self._hoped = time.monotonic()
        self.is_possible = True
        """Whether the cluster had such machines at the last look."""

    def look(self, lost: frozenset[str]) -> str:
        """What is waited for.

        Args:
            lost: IDs of machines that are known to be gone.

        Raises:
            NotPlacedError: it was waited for long enough, and the cluster has no such machines.
        """
        need, fleet = self._need, Fleet.lately(without=lost)
        fitting = max(fleet.capacity(choice, need.bundle) for choice in need.choices)
        self.is_possible = fitting >= (need.slices or need.tasks)
        if self.is_possible:
            self._hoped = time.monotonic()
            self._patience_s = REPLACEMENT_S  # what was there will be there again
            return f"it waits for {self._wanted()}; the cluster has {fleet.told()}{_holders(self._owner)}"
        why = f"the cluster cannot hold it: it needs {self._wanted()}, and there are {fleet.told()}"
        if time.monotonic() - self._hoped > self._patience_s:
            raise NotPlacedError(why)
        return f"{why}; that may change within {self._patience_s:g} s"

    def _wanted(self) -> str:
        need, kinds = self._need, " or ".join(map(told, self._need.choices))
        if need.slices:
            hosts = need.choices[0].hosts
            return f"{need.slices} whole {kinds} slice{'s' if need.slices > 1 else ''} of {hosts} hosts each"
        return f"room for {need.tasks} task{'s' if need.tasks > 1 else ''} with {needed(need.bundle)} on {kinds}"


def group_name(owner: str) -> str:
    """What a placement group of a job is called: every name may be there but once."""
    return f"fray:{owner}#{secrets.token_hex(4)}"


def _owner(name: str) -> str | None:
    kind, _, rest = name.partition(":")
    return rest.rpartition("#")[0] if kind == "fray" else None


@lru_cache(maxsize=1)
def _owners(_moment: int) -> frozenset[str]:
    """The jobs that have machines; asked once for all that wait, as the table of many groups takes long."""
    groups: dict[str, dict[str, Any]] = placement_group_table()
    names = (_owner(str(group["name"])) for group in groups.values() if group["state"] == "CREATED")
    return frozenset(name for name in names if name)


def _holders(owner: str) -> str:
    """Which other jobs have machines now."""
    shown = sorted(_owners(int(time.monotonic() / LOOK_S)) - {owner})
    if not shown:
        return ""
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return f", in use by {', '.join(shown[:3])}{more}"

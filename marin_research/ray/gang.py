"""Reserves the machines of a job, all or none: whole TPU slices, or as many bundles as it has tasks.

Ray's placement groups do the reserving. A slice of several hosts is taken by the resource that only its first host has
(``TPU-v4-16-head``), and that is kept as long as the slice is: if it were given back, a later job could take it and
wait for the busy hosts although another slice is free.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ray.util.placement_group import (  # noqa: TID253 - this module is about Ray
    PlacementGroup,
    placement_group,
    placement_group_table,
    remove_placement_group,
)

from marin_research.ray.fleet import POD_TYPE, SLICE, WORKER, Fleet, needed, selector, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from marin_research.ray.spec import Choice, Need

_WAIT_S = 2
"""Between two looks at the cluster while a job waits; Ray itself says at once when a group is placed."""
_HEAD_START_S = 1
"""What a choice is given before the next one is tried beside it."""
REPLACEMENT_S = 6 * 3600.0
"""How long a machine is waited for that takes the place of a lost one, seconds."""
_WORKERS_S = 15
"""How long the hosts of a slice that was taken may need to be free, seconds."""


class NotPlacedError(Exception):
    """No machine of the cluster will ever do, as far as is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where one task of the job goes."""

    group: PlacementGroup
    bundle: int
    slice_index: int
    node: str
    slice_name: str
    """Empty where machines are taken one by one."""


@contextlib.asynccontextmanager
async def reserved(
    need: Need, *, owner: str, lost: frozenset[str], patience_s: float, tell: Callable[[str], None]
) -> AsyncIterator[list[Seat]]:
    """The seats of all tasks, in order; they are given back at the end.

    Args:
        need: what is reserved.
        owner: the job's ID; other jobs that wait see it.
        lost: IDs of machines that are known to be gone.
        patience_s: how long a cluster that has no such machines is waited for.
        tell: is told what is waited for.

    Raises:
        NotPlacedError: there are no such machines.
    """
    search = _Search(need, owner, lost, patience_s, tell)
    try:
        yield await search.seats()
    finally:
        search.give_back()


class _Search:
    def __init__(
        self, need: Need, owner: str, lost: frozenset[str], patience_s: float, tell: Callable[[str], None]
    ) -> None:
        self._need = need
        self._owner = owner
        self._lost = lost
        self._patience_s = patience_s
        self._tell = tell
        self._held: list[PlacementGroup] = []
        self._possible = time.monotonic()

    def give_back(self) -> None:
        for group in self._held:
            remove_placement_group(group)
        self._held.clear()

    async def seats(self) -> list[Seat]:
        while True:
            choice, group = await self._first_claim()
            nodes = _nodes(group)
            if not choice.hosts:
                return [
                    Seat(group=group, bundle=index, slice_index=index, node=node, slice_name="")
                    for index, node in enumerate(nodes)
                ]
            seats = await self._on_slices(choice, nodes)
            if seats is not None:
                return seats
            self.give_back()
            await asyncio.sleep(_WAIT_S)

    async def _first_claim(self) -> tuple[Choice, PlacementGroup]:
        while True:
            won = await self._first_claim_avoiding(_slices_of(self._lost))
            if won is not None:
                return won
            self.give_back()

    async def _first_claim_avoiding(self, avoided: set[str]) -> tuple[Choice, PlacementGroup] | None:
        """The first choice that can be had: the earlier ones have a head start, then all wait together.

        Args:
            avoided: slices with a lost host that Ray has not noticed yet. None is given when these are others.
        """
        claims: dict[asyncio.Task[None], tuple[Choice, PlacementGroup]] = {}
        unclaimed = list(self._need.choices)
        try:
            while True:
                if unclaimed:
                    choice = unclaimed.pop(0)
                    group = self._claim(choice, avoided)
                    claims[asyncio.create_task(_placed(group))] = (choice, group)
                ready, _ = await asyncio.wait(
                    claims, timeout=_HEAD_START_S if unclaimed else _WAIT_S, return_when=asyncio.FIRST_COMPLETED
                )
                if ready:
                    won = next(claims[task] for task in claims if task in ready)
                    self._give_back_but(won[1])
                    return won
                if not unclaimed:
                    self._judge()
                    if _slices_of(self._lost) != avoided:
                        return None
        finally:
            for task in claims:
                task.cancel()

    def _give_back_but(self, kept: PlacementGroup) -> None:
        for group in self._held:
            if group is not kept:
                remove_placement_group(group)
        self._held = [kept]

    def _claim(self, choice: Choice, avoided: set[str]) -> PlacementGroup:
        need, fleet = self._need, Fleet.now(without=self._lost)
        if choice.hosts:
            labels = selector(choice, **{WORKER: 0})
            if avoided:
                labels[SLICE] = f"!in({','.join(sorted(avoided))})"
            return self._group([{f"TPU-{choice.kind}-head": 1}] * need.slices, [labels] * need.slices)
        bundle = fleet.clamped(need.bundle, fleet.suiting(choice))
        labels = selector(choice)
        spared = sorted({machine.labels[POD_TYPE] for machine in fleet.machines if POD_TYPE in machine.labels})
        if spared and "TPU" not in need.bundle and fleet.without_tpus().capacity(choice, bundle) >= need.tasks:
            labels[POD_TYPE] = f"!in({','.join(spared)})"  # a TPU host is not to be kept from its slice by others
        return self._group([dict(bundle) for _ in range(need.tasks)], [labels] * need.tasks)

    async def _on_slices(self, choice: Choice, heads: list[str]) -> list[Seat] | None:
        """The hosts of the slices whose first hosts were taken; None if one of them is not whole or not free."""
        fleet = Fleet.now(without=self._lost)
        by_head = {hosts[0].node: (name, hosts) for name, hosts in fleet.slices(choice).items()}
        if not all(head in by_head for head in heads):
            self._judge()
            return None
        slices = [by_head[head] for head in heads]
        bundle = fleet.clamped(self._need.bundle, [host for _, hosts in slices for host in hosts])
        labels = [{SLICE: name, WORKER: host.labels[WORKER]} for name, hosts in slices for host in hosts]
        group = self._group([dict(bundle) for _ in labels], labels)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WORKERS_S):
                await _placed(group)
                return [
                    Seat(
                        group=group,
                        bundle=index,
                        slice_index=index // choice.hosts,
                        node=node,
                        slice_name=label[SLICE],
                    )
                    for index, (node, label) in enumerate(zip(_nodes(group), labels, strict=True))
                ]
        return None

    def _group(self, bundles: list[dict[str, float]], labels: list[dict[str, str]]) -> PlacementGroup:
        group = placement_group(bundles, strategy="PACK", name=_name(self._owner), bundle_label_selector=labels)
        self._held.append(group)
        return group

    def _judge(self) -> None:
        """Say what is waited for.

        Raises:
            NotPlacedError: it was waited for long enough, and the cluster has no such machines.
        """
        need, fleet = self._need, Fleet.now(without=self._lost)
        wanted = need.slices or need.tasks
        capacities = {choice.kind: fleet.capacity(choice, need.bundle) for choice in need.choices}
        if max(capacities.values()) >= wanted:
            self._possible = time.monotonic()
            self._patience_s = REPLACEMENT_S  # what was there will be there again
            self._tell(f"it waits for {self._wanted()}; the cluster has {fleet.told()}{_holders(self._owner)}")
            return
        why = f"the cluster cannot hold it: it needs {self._wanted()}, and there are {fleet.told()}"
        if time.monotonic() - self._possible > self._patience_s:
            raise NotPlacedError(why)
        self._tell(f"{why}; that may change within {self._patience_s:g} s")

    def _wanted(self) -> str:
        need, kinds = self._need, " or ".join(map(told, self._need.choices))
        if need.slices:
            hosts = need.choices[0].hosts
            return f"{need.slices} whole {kinds} slice{'s' if need.slices > 1 else ''} of {hosts} hosts each"
        return f"room for {need.tasks} task{'s' if need.tasks > 1 else ''} with {needed(need.bundle)} on {kinds}"


async def _placed(group: PlacementGroup) -> None:
    """Until Ray has placed the group; it waits in a thread, as Ray has no other way that needs no worker process."""
    while not await asyncio.to_thread(group.wait, _WAIT_S):
        pass


def _nodes(group: PlacementGroup) -> list[str]:
    placed: dict[int, str] = placement_group_table(group)["bundles_to_node_id"]
    return [placed[index] for index in range(group.bundle_count)]


def _slices_of(nodes: frozenset[str]) -> set[str]:
    """The slices that Ray still counts lost machines to."""
    if not nodes:
        return set()
    return {
        machine.labels[SLICE] for machine in Fleet.now().machines if machine.node in nodes and SLICE in machine.labels
    }


def _name(owner: str) -> str:
    """What a group of a job is called: every name may be there but once."""
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
    shown = sorted(_owners(int(time.monotonic() / _WAIT_S)) - {owner})
    if not shown:
        return ""
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return f", in use by {', '.join(shown[:3])}{more}"

"""Reserves the machines of a job, all or none: whole TPU slices, or as many bundles as it has tasks.

Ray's placement groups do the reserving. A slice of several hosts is taken by the resource that only its first host has
(``TPU-v4-16-head``), and that is kept as long as the slice is: if it were given back, a later job could take it and
wait for the busy hosts although another slice is free.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ray.util.placement_group import (  # noqa: TID253 - this module is about Ray
    PlacementGroup,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy  # noqa: TID253

from marin_research.ray.fleet import POD_TYPE, SLICE, WORKER, Fleet, selector
from marin_research.ray.outlook import LOOK_S, Outlook, group_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from marin_research.ray.spec import Choice, Need

_HEAD_START_S = 1
"""What a choice is given before the next one is tried beside it."""
_WORKERS_S = 15
"""How long the hosts of a slice that was taken may need to be free, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where one task of the job goes."""

    options: dict[str, Any]
    """What makes Ray start the task there."""
    node: str = ""
    """Ray's ID of the machine; empty while Ray still looks for one."""
    slice_index: int = 0
    slice_name: str = ""
    """Empty where machines are taken one by one."""


def lone_seat(need: Need) -> Seat:
    """Where the only task of a job goes: wherever Ray finds room for it when it is submitted, which takes no group.

    Ray looks at groups that wait once a second or less, and at tasks that wait as soon as another has ended.
    """
    bundle, labels = _bundle(need, need.choices[0], Fleet.lately())
    options = {
        "num_cpus": bundle.pop("CPU", 0),
        "memory": bundle.pop("memory", 0),
        "resources": bundle,
        "label_selector": labels,
    }
    return Seat(options={name: value for name, value in options.items() if value or name == "num_cpus"})


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
        self._tell = tell
        self._outlook = Outlook(need, owner, patience_s)
        self._held: list[PlacementGroup] = []

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
                    Seat(options=self._options(group, index), node=node, slice_index=index)
                    for index, node in enumerate(nodes)
                ]
            seats = await self._on_slices(choice, nodes)
            if seats is not None:
                return seats
            self.give_back()
            await asyncio.sleep(LOOK_S)

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
                    claims, timeout=_HEAD_START_S if unclaimed else LOOK_S, return_when=asyncio.FIRST_COMPLETED
                )
                if ready:
                    won = next(claims[task] for task in claims if task in ready)
                    self._give_back_but(won[1])
                    return won
                if not unclaimed:
                    self._tell(self._outlook.look(self._lost))
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
        need = self._need
        if choice.hosts:
            labels = selector(choice, **{WORKER: 0})
            if avoided:
                labels[SLICE] = f"!in({','.join(sorted(avoided))})"
            return self._group([{f"TPU-{choice.kind}-head": 1}] * need.slices, [labels] * need.slices)
        bundle, labels = _bundle(need, choice, Fleet.now(without=self._lost))
        return self._group([dict(bundle) for _ in range(need.tasks)], [labels] * need.tasks)

    async def _on_slices(self, choice: Choice, heads: list[str]) -> list[Seat] | None:
        """The hosts of the slices whose first hosts were taken; None if one of them is not whole or not free."""
        fleet = Fleet.now(without=self._lost)
        by_head = {hosts[0].node: (name, hosts) for name, hosts in fleet.slices(choice).items()}
        if not all(head in by_head for head in heads):
            self._tell(self._outlook.look(self._lost))
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
                        options=self._options(group, index),
                        node=node,
                        slice_index=index // choice.hosts,
                        slice_name=label[SLICE],
                    )
                    for index, (node, label) in enumerate(zip(_nodes(group), labels, strict=True))
                ]
        return None

    def _options(self, group: PlacementGroup, index: int) -> dict[str, Any]:
        place = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=index)
        return {"num_cpus": 0, "num_gpus": self._need.bundle.get("GPU", 0), "scheduling_strategy": place}

    def _group(self, bundles: list[dict[str, float]], labels: list[dict[str, str]]) -> PlacementGroup:
        group = placement_group(bundles, strategy="PACK", name=group_name(self._owner), bundle_label_selector=labels)
        self._held.append(group)
        return group


async def _placed(group: PlacementGroup) -> None:
    """Until Ray has placed the group; it waits in a thread, as Ray has no other way that needs no worker process."""
    while not await asyncio.to_thread(group.wait, LOOK_S):
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


def _bundle(need: Need, choice: Choice, fleet: Fleet) -> tuple[dict[str, float], dict[str, str]]:
    """What Ray sets aside for a task whose machine is taken by itself, and the labels that machine has to have."""
    bundle = fleet.clamped(need.bundle, fleet.suiting(choice))
    labels = selector(choice)
    spared = sorted({machine.labels[POD_TYPE] for machine in fleet.machines if POD_TYPE in machine.labels})
    if spared and "TPU" not in need.bundle and fleet.without_tpus().capacity(choice, bundle) >= need.tasks:
        labels[POD_TYPE] = f"!in({','.join(spared)})"  # a TPU host is not to be kept from its slice by others
    return bundle, labels

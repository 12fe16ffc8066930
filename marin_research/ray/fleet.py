"""What machines a Ray cluster has, from the labels and resources that they advertise. Starts nothing."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from marin_research.ray.spec import Choice

SLICE, WORKER, POD_TYPE = "ray.io/tpu-slice-name", "ray.io/tpu-worker-id", "ray.io/tpu-pod-type"
ACCELERATOR = "ray.io/accelerator-type"
"""The labels that Ray finds out by itself, those of TPUs on Google's machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    node: str
    """Ray's ID."""
    address: str
    resources: Mapping[str, float]
    """All that it has, whoever uses it."""
    labels: Mapping[str, str]

    def suits(self, choice: Choice) -> bool:
        return all(_fits(self.labels.get(label), values) for label, values in choice.labels.items())

    def holds(self, bundle: Mapping[str, float]) -> int:
        """How many times it has what ``bundle`` asks for."""
        return min((int(self.resources.get(name, 0) / amount) for name, amount in bundle.items() if amount), default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    machines: tuple[Machine, ...]

    @classmethod
    def now(cls, *, without: Collection[str] = ()) -> Fleet:
        """The machines that are alive, as far as Ray knows.

        Args:
            without: IDs of machines that are known to be gone; Ray itself notices that after a while.
        """
        import ray

        return cls(
            machines=tuple(
                Machine(
                    node=node["NodeID"],
                    address=node["NodeManagerAddress"],
                    resources=node["Resources"],
                    labels=node.get("Labels") or {},
                )
                for node in ray.nodes()
                if node["Alive"] and node["NodeID"] not in without
            )
        )

    @classmethod
    def lately(cls, *, without: frozenset[str] = frozenset()) -> Fleet:
        """As ``now``, at most a second old: what many jobs may ask that wait at once."""
        return _at(int(time.monotonic()), without)

    def suiting(self, choice: Choice) -> list[Machine]:
        return [machine for machine in self.machines if machine.suits(choice)]

    def without_tpus(self) -> Fleet:
        return Fleet(machines=tuple(machine for machine in self.machines if POD_TYPE not in machine.labels))

    def slices(self, choice: Choice) -> dict[str, list[Machine]]:
        """The whole slices of a kind, by name, each with its hosts in order; busy ones, too."""
        found: dict[str, dict[str, Machine]] = defaultdict(dict)
        for machine in self.suiting(choice):
            found[machine.labels.get(SLICE, "")][machine.labels.get(WORKER, "")] = machine
        expected = [str(index) for index in range(choice.hosts)]
        return {
            name: [hosts[index] for index in expected]
            for name, hosts in found.items()
            if name and sorted(hosts) == sorted(expected)
        }

    def capacity(self, choice: Choice, bundle: Mapping[str, float]) -> int:
        """How many slices, or else tasks, of a kind fit into the cluster when nothing else runs."""
        if choice.hosts:
            return len(self.slices(choice))
        machines = self.suiting(choice)
        clamped = self.clamped(bundle, machines)
        return sum(machine.holds(clamped) for machine in machines)

    def clamped(self, bundle: Mapping[str, float], machines: Collection[Machine]) -> dict[str, float]:
        """``bundle``, for TPUs without more CPUs and memory than their hosts have.

        The chips make the host the job's own, and Fray asks for half of Google's largest machine by default.
        """
        if "TPU" not in bundle:
            return dict(bundle)
        least = {
            name: min((machine.resources.get(name, 0) for machine in machines), default=amount)
            for name, amount in bundle.items()
        }
        limited = {"CPU", "memory"}
        clamped = {name: min(amount, least[name]) if name in limited else amount for name, amount in bundle.items()}
        return {name: amount for name, amount in clamped.items() if amount}

    def told(self) -> str:
        """What there is, for a person."""
        pods = Counter(machine.labels[POD_TYPE] for machine in self.machines if POD_TYPE in machine.labels)
        parts = [f"{count} {kind} TPU host{'s' if count > 1 else ''}" for kind, count in sorted(pods.items())]
        gpus = sum(machine.resources.get("GPU", 0) for machine in self.machines)
        if gpus:
            parts.append(f"{gpus:g} GPUs")
        others = [machine for machine in self.machines if POD_TYPE not in machine.labels]
        cpus = ", ".join(f"{machine.resources.get('CPU', 0):g}" for machine in others)
        if others:
            parts.append(f"{len(others)} other machine{'s' if len(others) > 1 else ''} (CPUs: {cpus})")
        return ", ".join(parts) or "no machines"


@lru_cache(maxsize=4)
def _at(_second: int, without: frozenset[str]) -> Fleet:
    return Fleet.now(without=without)


def _fits(value: str | None, values: tuple[str, ...]) -> bool:
    return value in values or any(each.startswith("!") and each != f"!{value}" for each in values)


def needed(bundle: Mapping[str, float]) -> str:
    """A bundle, for a person."""

    def part(name: str, amount: float) -> str:
        return f"{amount / 2**30:g} GiB memory" if name == "memory" else f"{amount:g} {name}"

    return ", ".join(part(name, amount) for name, amount in bundle.items()) or "nothing"


def told(choice: Choice) -> str:
    """A choice, for a person: its kind, and where it has to be."""
    where = {name: values for name, values in choice.labels.items() if name not in (POD_TYPE, ACCELERATOR)}
    said = [f"{name.rpartition('/')[2]} {' or '.join(values)}" for name, values in where.items()]
    return f"{choice.kind} ({', '.join(said)})" if said else choice.kind


def selector(choice: Choice, **more: Any) -> dict[str, str]:
    """The labels of a choice as Ray's label selectors."""
    wanted = {**choice.labels, **{name: (str(value),) for name, value in more.items()}}
    return {label: values[0] if len(values) == 1 else f"in({','.join(values)})" for label, values in wanted.items()}

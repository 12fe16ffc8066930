"""Tells a process which task of which Ray job it is: the environment that its runner gives it. Loads nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass

_PREFIX = "FRAY_RAY_"
COORDINATOR = "JAX_COORDINATOR_ADDRESS"
"""JAX's own name; how many processes there are and which this is, JAX is told by ``marin_research.ray.function``."""

SHIPPED = f"{_PREFIX}SHIPPED"
"""What was sent along with the driver, as Ray's runtime environment: a task that creates actors hands it on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a task runs."""

    address: str
    """Of the cluster's control store: ``10.0.0.2:6379``."""
    server: str
    """The name of the actor that runs the job."""
    job: str
    """The job's ID: ``/02000000/train``."""
    index: int
    """Which task of the job, from 0; on a TPU slice, the host's place in it."""
    count: int
    """Tasks of the job."""
    number: int
    """Which try at the job, from 0."""
    node: str
    """Ray's ID of the machine."""

    def environment(self) -> dict[str, str]:
        return {f"{_PREFIX}{name.upper()}": str(getattr(self, name)) for name in self.__dataclass_fields__}


def place_here() -> Place | None:
    """Where this process stands in a Ray job; None outside of one."""
    said = {name: os.environ.get(f"{_PREFIX}{name.upper()}", "") for name in Place.__dataclass_fields__}
    index, count, number = said["index"], said["count"], said["number"]
    if not all(said.values()) or not all(each.isdecimal() for each in (index, count, number)):
        return None
    return Place(
        address=said["address"],
        server=said["server"],
        job=said["job"],
        index=int(index),
        count=int(count),
        number=int(number),
        node=said["node"],
    )

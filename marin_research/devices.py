"""Which accelerators a run has: as declared, and as its own process saw them. Never initialises one.

A second process that initialises a TPU takes it away from the experiment, so JAX is asked only where the step's own
process has already brought its backends up.
"""

from __future__ import annotations

import sys
from typing import Any

from marin_research.record import Devices, Unknown


def observed() -> Devices | Unknown:
    """What JAX in this process sees, if this process has initialised it."""
    jax = sys.modules.get("jax")
    bridge = sys.modules.get("jax._src.xla_bridge")
    if jax is None or bridge is None:
        return Unknown("the process never imported JAX")
    if not bridge.backends_are_initialized():
        return Unknown("the process never initialised JAX")
    devices = jax.devices()
    return Devices(
        kind=devices[0].device_kind,
        count=jax.device_count(),
        local_count=jax.local_device_count(),
        process_count=jax.process_count(),
        source="jax",
    )


def declared(resources: Any) -> Devices | Unknown:
    """What a Fray ``ResourceConfig`` asks for (``None`` when the step declares nothing)."""
    if resources is None:
        return Unknown("the step declares no resources")
    device, replicas = resources.device, resources.replicas
    match device.kind:
        case "tpu":
            # Fray counts a TPU's chips per host. `with_tpu` makes a replica of every host of every slice; a config
            # that names a TPU and nothing else means one slice of it.
            hosts = max(replicas, device.vm_count())
            kind, count = f"TPU {device.variant}", device.chip_count() * hosts
        case "gpu":
            hosts, kind, count = replicas, f"GPU {device.variant}", device.count * replicas
        case _:
            hosts, kind, count = replicas, "cpu", replicas
    return Devices(kind=kind, count=count, process_count=hosts, source=f"declared: {kind}")

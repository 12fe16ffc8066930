"""Which accelerators a run has: as declared, and as its own process saw them. Never initialises one.

A second process that initialises a TPU takes it away from the experiment, so JAX is asked only where the step's own
process has already brought its backends up.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from marin_research.errors import UsageError
from marin_research.record import Devices, Unknown

if TYPE_CHECKING:
    from marin_research.record import Attempt

_FAMILIES = {"tpu": "TPU", "gpu": "GPU", "cpu": "cpu"}
_TPU = re.compile(r"tpu ?v?(?P<generation>\d) ?(?P<lite>lite|e\b)?")


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


def parse_devices(text: str) -> Devices:
    """What ``KIND:COUNT`` declares, in the words of the other sources: ``TPU v4:8``, ``GPU H100:8``, ``cpu:1``.

    Raises:
        UsageError: it is something else.
    """
    kind, _, count = (part.strip() for part in text.rpartition(":"))
    if not kind or not re.fullmatch(r"[1-9][0-9]*", count):
        raise UsageError(f"{text!r} is not KIND:COUNT; write 'TPU v4:8', 'GPU H100:8' or cpu:1, counted over all hosts")
    family, space, variant = kind.partition(" ")
    if family.lower() in _FAMILIES:
        kind = _FAMILIES[family.lower()] + space + variant
    return Devices(kind=kind, count=int(count), source=f"declared: {kind}")


def agree(declared: Devices, seen: Devices) -> bool:
    """Whether two sources name the same devices: ``TPU v5litepod-16`` is JAX's ``TPU v5 lite``."""
    ours, theirs = declared.kind.lower(), seen.kind.lower()
    if ours == "cpu" or theirs == "cpu":
        return ours == theirs  # JAX counts a host's CPUs as it is told to
    tpu, jax_tpu = _TPU.match(ours), _TPU.match(theirs)
    if tpu and jax_tpu:
        same = tpu["generation"] == jax_tpu["generation"] and bool(tpu["lite"]) == bool(jax_tpu["lite"])
        devices_a_chip = 2 if tpu["generation"] in "23" else 1  # their cores are devices of their own
        return same and seen.count == devices_a_chip * declared.count
    variant = ours.removeprefix("gpu ")  # A100-40G; JAX says NVIDIA A100-SXM4-40GB
    same = variant == "auto" or all(part in theirs for part in variant.split("-"))
    return same and declared.count == seen.count


def denied(attempt: Attempt) -> Devices | None:
    """The devices that were asked for, where JAX saw others: the attempt measured something else than it was to."""
    asked, seen = attempt.asked_devices, attempt.seen_devices
    if isinstance(asked, Unknown) or isinstance(seen, Unknown) or agree(asked, seen):
        return None
    return asked

"""Translates Fray's requests into what a Ray cluster can do, and refuses the others with the reason."""

from __future__ import annotations

import logging
import os
import pickletools
from typing import TYPE_CHECKING, Any

from marin_research.errors import ClusterError
from marin_research.ray.fleet import ACCELERATOR, POD_TYPE
from marin_research.ray.shipping import import_paths
from marin_research.ray.spec import Choice, JobSpec, Need
from marin_research.ray.versions import versions_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fray.types import EnvironmentConfig, JobRequest, ResourceConfig

logger = logging.getLogger(__name__)

_REGION, _ZONE, _MARKET = (
    "ray.io/availability-region",
    "ray.io/availability-zone",
    "ray.io/market-type",
)
_FORWARDED = ("MARIN_", "WANDB_", "HF_", "GIT_COMMIT")
_NOT_FORWARDED = ("WANDB_SERVICE", "WANDB_DIR")
"""Of this machine alone."""
_ONLY_ON_IRIS = {
    "marin.inference.iris": "it serves models by Iris's own endpoints",
    "marin.inference.iris_vllm": "it serves models by Iris's own endpoints",
    "marin.evaluation.runner": "it asks Iris for its job",
    "marin.evaluation.evalchemy.runner": "it asks Iris for its job",
    "marin.rl.cli": "it submits to Iris by name",
    "marin.mcp.babysitter": "it looks after Iris jobs",
}
_OF_THE_IMAGE = {"cpu", "gpu", "tpu"}
"""Extras that choose a build of JAX: a running cluster has one."""


def spec_of(request: JobRequest, *, patience_s: float) -> JobSpec:
    """What the server is asked for.

    Raises:
        ClusterError: Ray cannot do what is asked for; it says why.
    """
    try:
        return _spec_of(request, patience_s)
    except _RefusedError as refused:
        raise ClusterError(f"job {request.name} cannot run on Ray: {refused}") from refused


def need_of(resources: ResourceConfig, tasks: int) -> Need:
    """The machines that ``tasks`` tasks with these resources need.

    Raises:
        ClusterError: Ray cannot be asked for such.
    """
    try:
        return _need(resources, tasks)
    except _RefusedError as refused:
        raise ClusterError(f"Ray cannot be asked for this: {refused}") from refused


def environment_of(resources: ResourceConfig, environment: EnvironmentConfig | None) -> dict[str, str]:
    """The variables of a task, those of this process that concern it among them."""
    forwarded = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_FORWARDED) and not name.startswith(_NOT_FORWARDED)
    }
    asked = dict(environment.env_vars) if environment is not None else {}
    return {**resources.device.default_env_vars(), **forwarded, **asked}


def pip_of(environment: EnvironmentConfig | None) -> tuple[str, ...]:
    """The packages to install, extras as those of the Marin that is installed here."""
    if environment is None:
        return ()
    extras = sorted(set(environment.extras) - _OF_THE_IMAGE)
    marin = versions_here().marin
    return (*environment.pip_packages, *([f"marin-core[{','.join(extras)}]=={marin}"] if extras and marin else []))


class _RefusedError(Exception):
    """What Ray cannot do, and what to do instead."""


def _spec_of(request: JobRequest, patience_s: float) -> JobSpec:
    tasks = request.replicas or 1
    for refusal in _refusals(request):
        raise _RefusedError(refusal)
    for ignored in _ignored(request):
        logger.info("job %s: %s", request.name, ignored)
    called, run = request.entrypoint.callable_entrypoint, request.entrypoint.binary_entrypoint
    payload = b""
    if called is not None:
        import cloudpickle

        payload = cloudpickle.dumps((called.callable, tuple(called.args), dict(called.kwargs)))
        for refusal in _refused_code(payload, tasks):
            raise _RefusedError(refusal)
    elif run is None:
        raise _RefusedError("it has neither a function nor a command")
    return JobSpec(
        name=request.name,
        need=_need(request.resources, tasks),
        payload=payload,
        command=(run.command, *run.args) if run is not None else (),
        env=environment_of(request.resources, request.environment),
        pip=pip_of(request.environment),
        paths=import_paths(),
        versions=versions_here(),
        max_failures=min(request.max_retries_failure, request.max_task_failures),
        max_preemptions=request.max_retries_preemption,
        timeout_s=request.timeout.to_seconds() if request.timeout is not None else None,
        patience_s=patience_s,
    )


def _refusals(request: JobRequest) -> Iterator[str]:
    environment, resources = request.environment, request.resources
    if request.processes_per_task > 1:
        yield "processes_per_task needs Iris's supervisor; start the processes in the function itself"
    if resources.image or (environment is not None and environment.docker_image):
        yield "a running cluster's image cannot be changed for one job; put what it needs into the cluster's image"
    if environment is not None and environment.secrets:
        yield "secrets as files need Iris; hand them on as env_vars, or mount them in the cluster"
    if environment is not None and environment.setup_scripts:
        yield "setup_scripts need Iris; ask for pip_packages, or run the script in the cluster's image"


def _ignored(request: JobRequest) -> Iterator[str]:
    resources = request.resources
    if request.priority:
        yield "Ray has no priorities; it waits its turn"
    if resources.target_cluster:
        yield f"target_cluster {resources.target_cluster} means an Iris cluster, and is ignored"
    if resources.container_profile:
        yield f"container_profile {resources.container_profile} is Iris's, and is ignored"


def _refused_code(payload: bytes, tasks: int) -> Iterator[str]:
    """What the pickled function refers to and cannot have."""
    names = {argument for _, argument, _ in pickletools.genops(payload) if isinstance(argument, str)}
    for module, why in _ONLY_ON_IRIS.items():
        if module in names:
            yield f"{module} runs on Iris only: {why}"
    if "marin.execution.sweep" in names and tasks > 1:
        yield (
            "marin.execution.sweep on several hosts asks Iris which of them leads, and without Iris every host would "
            "run another target; sweep on single hosts, or make each target a step"
        )


def _need(resources: ResourceConfig, tasks: int) -> Need:
    import humanfriendly

    device = resources.device
    where = _where(resources)
    bundle = {"CPU": float(resources.cpu), "memory": float(humanfriendly.parse_size(resources.ram, binary=True))}
    match device.kind:
        case "tpu":
            topologies = [_topology(kind) for kind in (device.variant, *(resources.device_alternatives or ()))]
            bundle["TPU"] = float(topologies[0].chips_per_vm)
            hosts = topologies[0].vm_count
            if any((each.vm_count, each.chips_per_vm) != (hosts, topologies[0].chips_per_vm) for each in topologies):
                raise _RefusedError("its device_alternatives do not have as many hosts and chips a host as its TPU")
            if tasks % hosts:
                # A config that names a TPU and nothing else means one slice of it.
                if tasks != 1:
                    raise _RefusedError(f"{tasks} replicas are no whole number of {device.variant} slices of {hosts}")
                tasks = hosts
            choices = [
                Choice(kind=each.name, labels={POD_TYPE: (each.name,), **where}, hosts=hosts if hosts > 1 else 0)
                for each in topologies
            ]
        case "gpu":
            bundle["GPU"] = float(device.count)
            choices = [
                Choice(kind=kind, labels={**_gpu_labels(kind), **where})
                for kind in (device.variant, *(resources.device_alternatives or ()))
            ]
        case _:
            choices = [Choice(kind="CPU", labels=where)]
    return Need(choices=tuple(choices), tasks=tasks, bundle={name: value for name, value in bundle.items() if value})


def _topology(variant: str) -> Any:
    from fray.types import get_tpu_topology

    try:
        return get_tpu_topology(variant)
    except ValueError as error:
        raise _RefusedError(f"Fray knows no TPU of type {variant}") from error


def _gpu_labels(kind: str) -> dict[str, tuple[str, ...]]:
    """Ray finds out a family (``A100``), and calls a size of it (``A100-40G``) only what an administrator calls so."""
    return {} if kind == "auto" else {ACCELERATOR: tuple(dict.fromkeys((kind, kind.partition("-")[0])))}


def _where(resources: ResourceConfig) -> dict[str, tuple[str, ...]]:
    from fray.types import ANY_REGION

    where: dict[str, tuple[str, ...]] = {}
    if resources.regions and ANY_REGION not in resources.regions:
        where[_REGION] = tuple(resources.regions)
    if resources.zone:
        where[_ZONE] = (resources.zone,)
    if not resources.preemptible:
        where[_MARKET] = ("!spot",)
    return where

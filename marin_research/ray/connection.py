"""Connects this process to a Ray cluster, and finds or starts the server of its jobs. Loads Ray when it is asked."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from marin_research.errors import ClusterError
from marin_research.ray.place import SHIPPED, Place, place_here
from marin_research.ray.shipping import shipped

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_TRIES = 3
"""The proxy that serves ``ray://`` is known to crash now and then when somebody connects."""

_connecting = threading.Lock()
_connected_to: str | None = None
"""Where we connected this process to; None if we did not."""
_servers: dict[str, Any] = {}
"""By the driver's Ray job. Ray ends an actor when nobody holds its handle."""


class Connection:
    """The server of this driver's jobs, and where it is."""

    def __init__(self, server: Any, scope: str, cluster: str) -> None:
        self.server = server
        self.scope = scope
        """What the IDs of jobs that are submitted from here begin with."""
        self.cluster = cluster
        """The cluster as ``--cluster`` takes it."""


def connect(address: str) -> Connection:
    """Connect to the cluster, unless this process is connected already; in a task, to the one that it runs in.

    Raises:
        ClusterError: there is no cluster, or it does not fit this program.
    """
    place = place_here()
    with _connecting:
        if place is None:
            sent: AbstractContextManager[dict[str, Any]]
            sent = contextlib.nullcontext({}) if is_connected() else shipped(given=_given())
            with sent as project:
                _initialise(address, project)
            return _of_driver(address)
        _initialise(place.address, json.loads(os.environ.get(SHIPPED, "{}")))
        return _in_task(place)


def of_job(address: str, job_id: str) -> Connection:
    """The server of a job, which another driver may have submitted; nothing is sent along.

    Raises:
        ClusterError: there is no cluster, or the driver is gone.
    """
    place = place_here()
    with _connecting:
        _initialise(place.address if place is not None else address, {})
        ray_job = job_id.split("/")[1]
        return Connection(_servers.get(ray_job) or server_of(ray_job), f"/{ray_job}", f"ray:{_reachable(address)}")


def is_connected() -> bool:
    """Whether this process is connected to a cluster."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def disconnect() -> None:
    global _connected_to  # noqa: PLW0603

    import ray

    with _connecting:
        _servers.clear()
        ray.shutdown()
        _connected_to = None


def server_of(ray_job: str) -> Any:
    """The server of another driver's jobs.

    Raises:
        ClusterError: it is gone, as its driver is.
    """
    import ray

    from marin_research.ray.actors import NAMESPACE
    from marin_research.ray.server import server_name

    try:
        return ray.get_actor(server_name(ray_job), namespace=NAMESPACE)
    except ValueError as error:
        raise ClusterError(
            f"the driver of Ray job {ray_job} has ended, and what it knew of its jobs with it; "
            "`marin-research show` has what was recorded"
        ) from error


def _in_task(place: Place) -> Connection:
    ray_job = place.job.split("/")[1]
    return Connection(server_of(ray_job), place.job, f"ray:{place.address}")


def _of_driver(address: str) -> Connection:
    import ray

    from marin_research.ray.actors import NAMESPACE
    from marin_research.ray.server import Server, server_name

    context = ray.get_runtime_context()
    ray_job = context.get_job_id()
    if ray_job not in _servers:
        name = server_name(ray_job)
        _servers[ray_job] = (
            ray.remote(Server)
            .options(
                name=name,
                namespace=NAMESPACE,
                get_if_exists=True,
                num_cpus=0,
                max_concurrency=100_000,
                resources={"node:__internal_head__": 0.001},
            )
            .remote(name)
        )
        _warm_up()
    return Connection(_servers[ray_job], f"/{ray_job}", f"ray:{_reachable(address)}")


def _warm_up() -> None:
    """Have a worker process at hand for the first job: it starts while the server does, which takes as long."""
    from marin_research.ray.fleet import Fleet
    from marin_research.ray.gang import lone_seat
    from marin_research.ray.runner import warm_up
    from marin_research.ray.spec import Choice, Need

    need = Need(choices=(Choice(kind="CPU"),), tasks=1, bundle={"CPU": 0.01})
    if Fleet.lately().without_tpus().capacity(need.choices[0], need.bundle):  # a slice must not wait for this
        warm_up.options(**lone_seat(need).options).remote()


def _reachable(address: str) -> str:
    """The address by which others reach the same cluster."""
    if "://" in address:
        return address.removeprefix("ray:")
    import ray

    return str(ray.get_runtime_context().gcs_address)


def _initialise(address: str, runtime_env: dict[str, Any]) -> None:
    global _connected_to  # noqa: PLW0603 - Ray knows one connection of a process, too
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ClusterError("Ray is not installed here; pip install 'marin-research[ray]'") from error
    if ray.is_initialized():
        if _connected_to not in (None, address) and address != "auto":
            raise ClusterError(
                f"this program is connected to {_shown(_connected_to or '')}, and Ray allows one cluster at a time; "
                f"shut that client down before using {_shown(address)}"
            )
        return
    from marin_research.ray.actors import NAMESPACE

    for number in range(_TRIES):
        try:
            ray.init(
                address=address,
                namespace=NAMESPACE,
                runtime_env=runtime_env,
                log_to_driver=False,
                logging_level="error",
            )
        except Exception as error:
            with contextlib.suppress(Exception):
                ray.shutdown()
            if number + 1 < _TRIES and address.startswith("ray://") and isinstance(error, ConnectionError):
                continue
            raise ClusterError(f"{_shown(address)} cannot be used: {_told(error)}") from error
        _connected_to = address
        return


def _given() -> frozenset[str]:
    """What the Ray job that this driver is was submitted with."""
    with contextlib.suppress(ValueError):
        config = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}"))
        return frozenset(config.get("runtime_env", {}))
    return frozenset()


def _shown(address: str) -> str:
    return address if "://" in address else f"ray:{address}"


def _told(error: Exception) -> str:
    """What Ray says, on one line: that versions differ it tells in a list of them."""
    text = str(error).strip()
    whole = " ".join(text.split()) if "ersion" in text else text.partition("\n")[0]
    return whole or type(error).__name__

"""Fray's actors on Ray: handles, calls and groups, as those see them who use them.

An actor is known by its name alone, so that its handle can travel in any pickle and is resolved where it is used. It
belongs to whoever created it: Ray ends it with the process that holds the first handle.
"""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marin_research.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fray.types import ActorConfig, EnvironmentConfig, ResourceConfig

    from marin_research.ray.connection import Connection
    from marin_research.ray.job import JobView
    from marin_research.ray.spec import Need

NAMESPACE = "fray"
CONTROL = "control"
"""Calls that are answered whatever else an actor is busy with."""
_RESTARTS = 100
"""How often an actor may lose its machine, as for a job."""
_POLL_S = 0.05

_owned: dict[str, list[Any]] = {}
"""The first handles, by group: Ray ends an actor when nobody holds its first handle."""


class RayActorHandle:
    """An actor by its name: ``handle.method(...)``, ``handle.method.remote(...)``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> _Method:
        if method.startswith("_"):
            raise AttributeError(method)
        return _Method(self._name, method)

    def __repr__(self) -> str:
        return f"RayActorHandle({self._name!r})"


class _Method:
    def __init__(self, actor: str, method: str) -> None:
        self._actor = actor
        self._method = method

    def remote(self, *args: Any, **kwargs: Any) -> _Answer:
        import cloudpickle

        return _Answer(_found(self._actor).call.remote(self._method, cloudpickle.dumps((args, kwargs))))

    submit = remote
    """A call on Ray holds no connection open, however long it takes."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.remote(*args, **kwargs).result()


class _Answer:
    """What a call will give."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def result(self, timeout: float | None = None) -> Any:
        """Wait for it.

        Args:
            timeout: seconds; the call goes on after that, and may be waited for again.

        Raises:
            TimeoutError: it is not there yet.
            fray.actor.ActorUnavailableError: the actor is gone, or starts again.
        """
        import cloudpickle
        import ray
        from fray.actor import ActorUnavailableError

        try:
            returned, data = ray.get(self._reference, timeout=timeout)
        except ray.exceptions.GetTimeoutError as error:
            raise TimeoutError(f"no answer after {timeout:g} s") from error
        except ray.exceptions.RayActorError as error:
            raise ActorUnavailableError(str(error)) from error
        answer = cloudpickle.loads(data)
        if not returned:
            raise answer
        return answer


class RayActorGroup:
    """The actors that were created together."""

    def __init__(self, name: str, count: int, need: Need, *, cluster: str, patience_s: float) -> None:
        self._job_id = name
        self._names = [f"{name}-{index}" for index in range(count)]
        self._need = need
        self._cluster = cluster
        self._patience_s = patience_s
        self._nodes: dict[str, str] = {}
        self._asked: dict[str, Any] = {}
        self._yielded: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_nodes": {}, "_asked": {}, "_yielded": set()}

    @property
    def job_id(self) -> str:
        return self._job_id

    @property
    def cluster(self) -> str:
        """Its cluster, as ``--cluster`` takes it."""
        return self._cluster

    @property
    def ready_count(self) -> int:
        return len(self.nodes())

    def nodes(self) -> dict[str, str]:
        """The machines of the actors that are there, by the actors' names."""
        import ray

        for name in self._names:
            if name in self._nodes:
                continue
            with contextlib.suppress(Exception):  # one that is gone or starts again is not there
                if name not in self._asked:
                    self._asked[name] = _found(name).node.remote()
                if ray.wait([self._asked[name]], timeout=0)[0]:
                    self._nodes[name] = ray.get(self._asked.pop(name))
        return self._nodes

    def discover_new(self) -> list[RayActorHandle]:
        """The actors that are there and were not given before."""
        new = [name for name in self.nodes() if name not in self._yielded]
        self._yielded.update(new)
        return [RayActorHandle(name) for name in new]

    def wait_ready(self, count: int | None = None, timeout: float = 900.0) -> list[RayActorHandle]:
        """Wait until ``count`` actors are there, all of them if it is not given.

        Args:
            count: of actors.
            timeout: seconds.

        Raises:
            TimeoutError: they are not there yet.
            ClusterError: no machine of the cluster could hold them.
            RuntimeError: they have died.
        """
        wanted = len(self._names) if count is None else count
        began = time.monotonic()
        while len(ready := list(self.nodes())) < wanted:
            waited_s = time.monotonic() - began
            if self.is_done():
                raise RuntimeError(f"actors {self._job_id} died before they were there: {self._why_dead()}")
            if waited_s > timeout:
                raise TimeoutError(f"{len(ready)} of {wanted} actors {self._job_id} are there after {timeout:g} s")
            if waited_s > self._patience_s:
                self._check_fleet()
            time.sleep(_POLL_S)
        self._yielded.update(ready[:wanted])
        return [RayActorHandle(name) for name in ready[:wanted]]

    def is_done(self) -> bool:
        """Whether all of them are gone for good."""
        return not any(map(_exists, self._names))

    def shutdown(self) -> None:
        import ray

        for name in self._names:
            with contextlib.suppress(ValueError):
                ray.kill(ray.get_actor(name, namespace=NAMESPACE), no_restart=True)
        _owned.pop(self._job_id, None)

    def view(self) -> JobView:
        """How the group stands, as a job's handle tells it."""
        from marin_research.job import TaskTry
        from marin_research.parts import Status
        from marin_research.ray.job import JobView

        nodes = self.nodes()
        state = "stopped" if self.is_done() else "running" if nodes else "pending"
        outcome = Status.CANCELLED if state == "stopped" else Status.RUNNING
        tries = tuple(
            TaskTry(index=index, number=0, state=state, outcome=outcome, worker=nodes[name])
            for index, name in enumerate(self._names)
            if name in nodes
        )
        why = f"{len(nodes)} of {len(self._names)} actors are there" if state != "stopped" else "its actors were ended"
        now = datetime.now(UTC) if state == "stopped" else None
        return JobView(id=self._job_id, state=state, why=why, ended=now, tries=tries)

    def _why_dead(self) -> str:
        import ray

        for first in _owned.get(self._job_id, []):
            try:
                ray.get(first.node.remote(), timeout=1)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
                return str(getattr(error, "cause", None) or error).strip()
        return "nobody says why"

    def _check_fleet(self) -> None:
        from marin_research.ray.fleet import Fleet, needed, told

        fleet = Fleet.now()
        if not any(fleet.capacity(choice, self._need.bundle) for choice in self._need.choices):
            kinds = " or ".join(map(told, self._need.choices))
            raise ClusterError(
                f"no machine of the cluster can hold an actor of {self._job_id}: it needs {needed(self._need.bundle)} "
                f"on {kinds}, and the cluster has {fleet.told()}"
            )


def new_group(
    connection: Connection,
    made: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]],
    *,
    name: str,
    count: int,
    resources: ResourceConfig | None,
    config: ActorConfig | None,
    environment: EnvironmentConfig | None,
    patience_s: float,
) -> RayActorGroup:
    """Create the actors; they start meanwhile.

    Raises:
        ClusterError: Ray cannot be asked for this.
    """
    import cloudpickle
    import ray
    from fray.types import ActorConfig, ResourceConfig

    from marin_research.ray.actor_host import ActorHost, ActorOrder
    from marin_research.ray.request import environment_of, need_of, pip_of
    from marin_research.ray.versions import versions_here

    config, resources = config or ActorConfig(), resources or ResourceConfig()
    need = need_of(resources, 1)
    if need.tasks > 1:
        raise ClusterError(f"actors {name} ask for TPU slices of several hosts, which only jobs can have; submit a job")
    scoped = f"{connection.scope}/{name}"
    host = ray.remote(concurrency_groups={CONTROL: 2})(ActorHost)
    options = _options(need, config)
    options["runtime_env"] = {"env_vars": environment_of(resources, environment)}
    if pip := pip_of(environment):
        options["runtime_env"]["pip"] = list(pip)
    payload = ray.put(cloudpickle.dumps(made))
    _owned[scoped] = []
    for index in range(count):
        order = ActorOrder(
            name=f"{scoped}-{index}",
            group=name,
            index=index,
            retries=max(0, config.max_task_retries or 0),
            versions=versions_here(),
        )
        _owned[scoped].append(host.options(name=order.name, **options).remote(order, payload))
    return RayActorGroup(scoped, count, need, cluster=connection.cluster, patience_s=patience_s)


def _options(need: Need, config: ActorConfig) -> dict[str, Any]:
    from marin_research.ray.fleet import selector

    bundle = dict(need.bundle)
    options: dict[str, Any] = {
        "namespace": NAMESPACE,
        "num_cpus": bundle.pop("CPU", 0),
        "memory": bundle.pop("memory", 0),
        "num_gpus": bundle.pop("GPU", 0),
        "resources": bundle,
        "max_concurrency": max(1, config.max_concurrency),
        "max_restarts": _RESTARTS if config.max_restarts is None else config.max_restarts,
        "max_task_retries": 0,
    }
    if labels := selector(need.choices[0]):
        options["label_selector"] = labels
    return options


def _found(name: str) -> Any:
    """The Ray actor of that name.

    Raises:
        fray.actor.ActorUnavailableError: there is none.
    """
    import ray
    from fray.actor import ActorUnavailableError

    from marin_research.ray.connection import connect

    if not ray.is_initialized():
        connect("auto")
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except ValueError as error:
        raise ActorUnavailableError(f"there is no actor {name}") from error


def _exists(name: str) -> bool:
    import ray

    try:
        ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        return False
    return True

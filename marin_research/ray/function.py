"""Calls the function of a task in the process that is there for it, and prepares what it expects of a cluster.

That ``fray.current_client()`` submits to the same cluster, in every thread, and that ``jax.distributed.initialize()``
needs no arguments. Nothing is loaded before the function needs it.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib.abc import Loader, MetaPathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marin_research.ray.place import COORDINATOR, place_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def call(folder: str) -> None:
    """Call the function that was left in ``folder``; what it raises is left there, too."""
    _prepare_libraries()
    try:
        _call(Path(folder, "payload"))
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the runner reports it
        traceback.print_exc()
        told = {"type": type(error).__name__, "message": str(error)}
        Path(folder, "error.json").write_text(json.dumps(told))
        sys.stdout.flush()
        sys.stderr.flush()
        # What JAX does at exit waits for the other processes of the gang, which may be gone.
        os._exit(1)


def _call(payload: Path) -> None:
    import cloudpickle

    function, args, kwargs = cloudpickle.loads(payload.read_bytes())
    function(*args, **kwargs)


def _prepare_libraries() -> None:
    """Change the libraries in which a task has to stand out, each when it is loaded, if it ever is."""
    changes = {
        "fray.current_client": _use_this_cluster,
        "jax._src.clusters": _describe_gang,
        "marin.execution.sweep_coordination": _refuse_gang_sweeps,
    }
    sys.meta_path.insert(0, _Changes(changes))


class _Changes(MetaPathFinder):
    """Finds modules as the others do, and changes some of them once they are loaded."""

    def __init__(self, changes: dict[str, Callable[[ModuleType], None]]) -> None:
        self._changes = changes

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        change = self._changes.pop(fullname, None)
        spec = find_spec(fullname) if change is not None else None
        if change is None or spec is None or spec.loader is None:
            return None
        spec.loader = _Changing(spec.loader, change)
        return spec


class _Changing(Loader):
    def __init__(self, loader: Loader, change: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._change(module)


def _use_this_cluster(fray: Any) -> None:
    """Have ``current_client()`` answer with this cluster's client.

    A context variable that is set is not inherited by new threads; its default is everybody's.
    """
    from contextvars import ContextVar

    from marin_research.ray.client import RayClient

    fray._current_client_var = ContextVar("_current_client_var", default=RayClient())  # noqa: SLF001, B039


def _describe_gang(clusters: Any) -> None:
    """Tell JAX of the gang before it looks around: on Kubernetes it would take every pod for a process of its own."""
    found = place_here()
    if found is None:
        return
    place = found

    class RayGang(clusters.ClusterEnv):  # type: ignore[misc]
        name = "fray_ray"

        @classmethod
        def is_env_present(cls) -> bool:
            return True

        @classmethod
        def get_coordinator_address(cls, timeout_secs: int | None, override_coordinator_port: str | None) -> str:  # noqa: ARG003
            return os.environ[COORDINATOR]

        @classmethod
        def get_process_count(cls) -> int:
            return place.count

        @classmethod
        def get_process_id(cls) -> int:
            return place.index

    known = clusters.ClusterEnv._cluster_types  # noqa: SLF001
    known.remove(RayGang)
    known.insert(0, RayGang)


def _refuse_gang_sweeps(coordination: Any) -> None:
    """Marin's sweep asks Iris who leads a gang; without Iris every host would lead, and run another target."""
    place = place_here()
    if place is None or place.count == 1:
        return

    def gang_coordinator() -> Any:
        raise NotImplementedError(
            "marin.execution.sweep on several hosts needs Iris; run the sweep on single hosts, or its targets as steps"
        )

    coordination.gang_coordinator = gang_coordinator

"""Hosts one of Fray's actors in a worker process of its own. A Ray actor itself, and all of it that Ray sees."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import cloudpickle  # a part of Ray's own world
import fray.current_client  # noqa: TID253 - this module is about Fray on Ray
import ray  # noqa: TID253
from fray.actor import ActorContext, _reset_current_actor, _set_current_actor  # noqa: TID253

from marin_research.ray.actors import CONTROL, NAMESPACE, RayActorHandle
from marin_research.ray.client import RayClient
from marin_research.ray.versions import Versions, difference, versions_here

logger = logging.getLogger(__name__)

_LAST_REPLIES_S = 1.0
"""What the replies of an actor that ends itself are given to leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorOrder:
    """What is to be hosted."""

    name: str
    """In the cluster."""
    group: str
    index: int
    retries: int
    """How often its construction is tried again."""
    versions: Versions


class ActorHost:
    def __init__(self, order: ActorOrder, made: bytes) -> None:
        different = difference(order.versions, versions_here())
        if different:
            raise RuntimeError(different)
        # A context variable that is set is not inherited by new threads; its default is everybody's.
        fray.current_client._current_client_var = ContextVar("_current_client_var", default=RayClient())  # noqa: SLF001, B039
        self._name = order.name
        self._leaving = threading.Event()
        self._context = ActorContext(
            handle=RayActorHandle(order.name),
            index=order.index,
            group_name=order.group,
            shutdown_event=self._leaving,
        )
        self._actor = self._construct(order, made)
        threading.Thread(target=self._leave_when_told, daemon=True).start()

    @ray.method(concurrency_group=CONTROL)  # type: ignore[untyped-decorator]
    def node(self) -> str:
        """Ray's ID of the machine; answers as soon as the actor is there, whatever it is busy with."""
        return str(ray.get_runtime_context().get_node_id())

    def call(self, method: str, arguments: bytes) -> tuple[bool, bytes]:
        """Whether the method returned, and what; else what it raised, which keeps its type only as data."""
        args, kwargs = cloudpickle.loads(arguments)
        try:
            return True, cloudpickle.dumps(getattr(self._actor, method)(*args, **kwargs))
        except Exception as error:
            logger.warning("actor %s: %s failed", self._name, method, exc_info=True)
            try:
                return False, cloudpickle.dumps(error)
            except Exception:  # noqa: BLE001 - some exceptions hold what cannot be sent
                return False, cloudpickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))

    def _construct(self, order: ActorOrder, made: bytes) -> Any:
        kind, args, kwargs = cloudpickle.loads(made)
        token = _set_current_actor(self._context)
        try:
            for left in reversed(range(order.retries + 1)):
                try:
                    return kind(*args, **kwargs)
                except Exception:
                    if not left:
                        raise
                    logger.warning("actor %s could not be made; it is tried again", self._name, exc_info=True)
        finally:
            _reset_current_actor(token)

    def _leave_when_told(self) -> None:
        self._leaving.wait()
        time.sleep(_LAST_REPLIES_S)
        if self._context._errors:  # noqa: SLF001 - Fray leaves them there for whoever hosts the actor
            os._exit(1)  # Ray starts it again, as often as it may
        ray.kill(ray.get_actor(self._name, namespace=NAMESPACE), no_restart=True)

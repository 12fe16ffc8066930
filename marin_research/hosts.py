"""Records a process of a job, in that process: what a function that is dispatched is wrapped with.

The function travels to another machine by cloudpickle. What wraps it travels by value and needs nothing there to be
installed: where ``marin_research`` is missing, or the record store cannot be reached, the function runs as it would
have, says so on its standard error, and the host is recorded from where the job was submitted
(``marin_research.outside``).
"""

from __future__ import annotations

import functools
import pickle
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marin_research.clusters import process_index, task_here
from marin_research.eventually import Eventually
from marin_research.objects import is_distant
from marin_research.record import Retry
from marin_research.recorder import Recorder
from marin_research.store import recording_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.launch import Launch
    from marin_research.record import Run
    from marin_research.store import RecordStore

PATIENCE_S = 60.0
"""How long the record store may take to be reached before the function runs without a record of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """What a host of a job needs to know to record itself."""

    launch: Launch
    run: Run
    attempt: int
    """The one that submitted the job; the job's first try belongs to it."""


class _CannotRecordError(Exception):
    """Why this host does not record itself."""


def recording_itself(function: Callable[..., Any], recorder: Recorder, attempt: int) -> Callable[..., Any]:
    """``function``, recording each process that it is called in."""
    packed = pickle.dumps(JobPlan(launch=recorder.launch, run=recorder.run, attempt=attempt))

    @functools.wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        # Nothing in here may refer to this module: it may not be there.
        try:
            from marin_research.hosts import call_recorded
        except Exception as error:  # noqa: BLE001 - another version of it may be broken there
            import sys

            print(f"[marin-research: this host records nothing itself: {error}]", file=sys.stderr)  # noqa: T201
            return function(*args, **kwargs)
        return call_recorded(packed, function, args, kwargs)

    return call


def call_recorded(packed: bytes, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``function`` as a host of the job that it was dispatched as."""
    from marin_research.recording import Recording

    recorder = _join(packed)
    if recorder is None:
        return function(*args, **kwargs)
    with Recording(recorder):
        try:
            return function(*args, **kwargs)
        except SystemExit as exit_:
            if exit_.code not in (None, 0):
                raise
            left = exit_  # a program that leaves like this has ended well
    raise left


def _join(packed: bytes) -> Recorder | None:
    """Announce this host, or say why it is not recorded."""
    try:
        return Eventually(lambda: _joined(packed)).within(PATIENCE_S)
    except TimeoutError:
        said = f"the record store did not answer for {PATIENCE_S:g} s"
    except Exception as error:  # noqa: BLE001 - recording never breaks an experiment
        said = str(error) if isinstance(error, _CannotRecordError) else f"{type(error).__name__}: {error}"
    print(f"[marin-research: this host records nothing itself: {said}]", file=sys.stderr)  # noqa: T201
    return None


def _joined(packed: bytes) -> Recorder:
    plan: JobPlan = pickle.loads(packed)  # noqa: S301 - it came in one piece with the function that is to be run
    store = recording_store(plan.launch.root)
    if not is_distant(store.root) and _content(store) != plan.launch.store:
        raise _CannotRecordError(f"the record store of the launch is not at {store.root} here")
    task = task_here()
    if task is None:
        raise _CannotRecordError("no cluster says which job this process belongs to")
    attempt, retry = plan.attempt, None
    if task.number > 0:
        retry = Retry(of=plan.attempt, job=task.job, number=task.number)
        attempt = store.join_attempt(plan.run.id, retry)
    recorder = Recorder(plan.launch, plan.run, attempt=attempt, host_index=process_index(), job=task.job)
    recorder.join(retry)
    return recorder


def _content(store: RecordStore) -> bytes:
    """What the store at this path of this machine says of itself."""
    try:
        return store.objects.get("store.json")
    except FileNotFoundError:
        return b""

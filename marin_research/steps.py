"""Records Marin steps: ``recorded`` marks a step, and the runner's work on it is watched.

Marin has no hook for "this step is about to run", "was served from the cache" or "will not run", and handles compare by
identity, so a wrapped copy of a handle would be a stranger to every step that already depends on the original. The
handle therefore stays as it is. ``StepRunner.run`` is wrapped once, and exchanges the function of each *lowered* step
that writes a recorded handle's output path: lowered steps keep their path and hash when their function changes, an
output path is built once a run however many handles name it, and whoever starts the runner (``lazy.run``,
``resolve``, ``research_main``) is served alike.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import logging
import weakref
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marin.execution import step_runner  # noqa: TID253
from marin.execution.artifact import is_mutable_version, result_type_name  # noqa: TID253 - this module is about Marin
from marin.execution.lazy import ArtifactStep, StepContext  # noqa: TID253
from marin.execution.remote import RemoteCallable  # noqa: TID253
from marin.execution.step_runner import StepRunner, step_is_built  # noqa: TID253
from marin.execution.step_status import STATUS_DEP_FAILED, STATUS_FAILED, StatusFile  # noqa: TID253
from rigging.filesystem.cluster_config import marin_prefix, marin_region

from marin_research import devices, dispatch, whose
from marin_research.call import Dispatched, Plan, RecordedCall, noting_artifact, unrecorded
from marin_research.clusters import task_here
from marin_research.codec import encode
from marin_research.errors import StoreUnreachableError
from marin_research.events import Event, Kind
from marin_research.launch import Launch, new_launch
from marin_research.predecessors import is_earlier_try
from marin_research.record import Run, Status, Step, Unknown
from marin_research.reproduction.asked import hypothesis_of, take
from marin_research.reproduction.steps import elsewhere, find_step
from marin_research.store import recording_store
from marin_research.thread import Thread, remember_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from marin.execution.step_spec import StepSpec

    from marin_research.reproduction.asked import Asked
    from marin_research.store import RecordStore

logger = logging.getLogger(__name__)

RETRIED = frozenset({Status.FAILED, Status.PREEMPTED, Status.LOST, Status.CANCELLED, Status.RUNNING})
"""How a run stands when building its output again is its next attempt. ``running`` is among them because Marin's step
lock lets only one builder in: whoever seems to run it still is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a researcher says of a step that is to be recorded."""

    thread: Thread
    label: str
    hypothesis: str | None
    baseline: bool


_recordings: weakref.WeakKeyDictionary[ArtifactStep[Any], Recording] = weakref.WeakKeyDictionary()


def recorded[Handle: ArtifactStep[Any]](
    step: Handle, thread: Thread, *, label: str = "", hypothesis: str | None = None, baseline: bool = False
) -> Handle:
    """Mark a step for recording and give it back: the same handle, with the same identity, path and fingerprint.

    Args:
        step: any artifact step; it may already be a dependency of others. Marking it again changes nothing.
        thread: the line of research whose experiment IDs and logbook it gets.
        label: a few words that tell this run from its siblings (``lr=0.01``); the step's name unless given.
        hypothesis: what is expected, in words, before it runs.
        baseline: whether the thread's other runs are compared with this one.
    """
    _watch_step_runner()
    said = Recording(thread=thread, label=label or step.name, hypothesis=hypothesis, baseline=baseline)
    _recordings.setdefault(step, said)
    return step


@dataclass(slots=True)
class LaunchReport:
    """What ``reporting`` collects: the launches made inside it and their runs, in the order of declaration."""

    root: str | None = None
    heartbeat_s: float | None = None
    launches: list[Launch] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)


_watcher: contextvars.ContextVar[_Watcher | None] = contextvars.ContextVar("marin_research_watcher", default=None)
_report: contextvars.ContextVar[LaunchReport | None] = contextvars.ContextVar("marin_research_report", default=None)


@contextlib.contextmanager
def reporting(*, root: str | None = None, heartbeat_s: float | None = None) -> Iterator[LaunchReport]:
    """Choose where the runs inside are recorded, and learn which they were."""
    report = LaunchReport(root=root, heartbeat_s=heartbeat_s)
    token = _report.set(report)
    try:
        yield report
    finally:
        _report.reset(token)


def current_root() -> str | None:
    """The store that the launch around this code records in; None for the default one."""
    report = _report.get()
    return report.root if report is not None else None


def _watch_step_runner() -> None:
    original = StepRunner.run
    if getattr(original, "watched_by_marin_research", False):
        return

    @functools.wraps(original)
    def run(self: StepRunner, steps: Iterable[StepSpec], *, dry_run: bool = False, **options: Any) -> None:
        asked = None if dry_run else _asked()
        watcher = None if dry_run else _new_watcher()
        if watcher is None:
            if asked is not None:
                raise SystemExit("nothing can be recorded, so nothing is repeated")
            original(self, steps, dry_run=dry_run, **options)
            return
        token = _watcher.set(watcher)
        try:
            repeated = watcher.repetition(steps := list(steps), asked) if asked is not None else None
            # `map` keeps the caller's laziness: the runner launches steps while they are still being yielded.
            original(self, map(watcher.exchange, [repeated] if repeated else steps), dry_run=dry_run, **options)
        finally:
            _watcher.reset(token)
            watcher.settle()
        if repeated is not None:
            raise SystemExit(0)  # that was all that this process is for

    run.watched_by_marin_research = True  # type: ignore[attr-defined]
    StepRunner.run = run
    step_runner.run_step = _watched_step(step_runner.run_step)


@functools.cache
def _asked() -> Asked | None:
    """The run that this process is to repeat, if that is what it was started for."""
    return take()


def _watched_step(original: Callable[[StepSpec], None]) -> Callable[[StepSpec], None]:
    """Tell the steps that nobody records from the others, and see when one begins that the runner dispatches."""

    @functools.wraps(original)
    def run_step(step: StepSpec) -> None:
        watcher = _watcher.get()
        if isinstance(getattr(step, "fn", None), RecordedCall):
            original(step)
            return
        planned = watcher.dispatched.get(step.output_path) if watcher is not None else None
        if planned is None:
            with whose.belongs_to(None):
                original(step)
            return
        with dispatch.submitting(Dispatched(*planned)):
            original(step)

    return run_step


def _new_watcher() -> _Watcher | None:
    """A watcher, or None (and one warning) where nothing can be recorded: the experiment runs all the same."""
    report = _report.get() or LaunchReport()
    try:
        launch = new_launch(report.root, heartbeat_s=report.heartbeat_s)
        watcher = _Watcher(launch, recording_store(launch.root), report)
    except Exception as error:  # noqa: BLE001 - recording never breaks an experiment
        logger.warning("this launch is NOT recorded: %s", error)
        return None
    report.launches.append(launch)
    return watcher


class _Watcher:
    """Watches one ``StepRunner.run``."""

    def __init__(self, launch: Launch, store: RecordStore, report: LaunchReport) -> None:
        self.launch = launch
        self.store = store
        self.report = report
        # Of two handles of one artifact the one marked last counts, as in a notebook where a cell is run again.
        self._handles = {handle.path(): handle for handle in list(_recordings)}
        self._exchanged: dict[int, StepSpec] = {}
        self._concerned: dict[int, bool] = {}
        self._kept: list[StepSpec] = []  # keeps the ids above from being used again
        self._plans: dict[str, tuple[StepSpec, Plan]] = {}
        self.dispatched: dict[str, tuple[Plan, Callable[[str], Any]]] = {}
        """By output path, the steps that the runner itself submits as jobs."""
        self._repeats: dict[str, tuple[str, str]] = {}
        """By output path, the ID of a step that repeats a run, and that run's."""
        self._threads: set[str] = set()
        self._warned: set[str] = set()

    def exchange(self, spec: StepSpec) -> StepSpec:
        """The same lowered step, with recording functions in it and everything that has to be built for it."""
        known = self._exchanged.get(id(spec))
        if known is not None:
            return known
        exchanged = spec
        if self._concerns(spec):
            # Of a step that is built already the runner does not look at the dependencies.
            built = step_is_built(spec)
            if not built:
                exchanged = replace(spec, deps=[self.exchange(dep) for dep in spec.deps])
            handle = self._handles.get(spec.output_path)
            if handle is not None and spec.fn is not None:
                exchanged = self._with_recording(exchanged, handle, built=built)
        self._exchanged[id(spec)] = exchanged
        self._kept.append(spec)
        return exchanged

    def repetition(self, steps: list[StepSpec], asked: Asked) -> StepSpec | None:
        """The step that repeats a run, in a place of its own; None if it is not among these steps."""
        original = self.store.run(asked.run)
        spec = find_step(steps, original.step) if isinstance(original.step, Step) else None
        handle = self._handles.get(spec.output_path) if spec is not None else None
        if spec is None or handle is None:
            return None
        run_id = self.store.claim_id(_recordings[handle].thread.prefix, launch=self.launch.id)
        asked.under(run_id)
        repeated = elsewhere(spec, run_id)
        self._handles[repeated.output_path] = handle
        self._repeats[repeated.output_path] = run_id, original.id
        return repeated

    def _concerns(self, spec: StepSpec) -> bool:
        """Whether it, or something beneath it, is recorded: only then its status is worth a look at the storage."""
        known = self._concerned.get(id(spec))
        if known is None:
            known = spec.output_path in self._handles or any(self._concerns(dep) for dep in spec.deps)
            self._concerned[id(spec)] = known
            self._kept.append(spec)
        return known

    def _with_recording(self, spec: StepSpec, handle: ArtifactStep[Any], *, built: bool) -> StepSpec:
        try:
            return replace(spec, fn=self._recording(spec, handle, built=built))
        except Exception as error:  # noqa: BLE001 - recording never breaks an experiment
            if str(error) not in self._warned:  # a prefix that is taken concerns every step of the thread
                logger.warning("%s@%s is NOT recorded: %s", handle.name, handle.version, error)
            self._warned.add(str(error))
            return spec

    def _recording(self, spec: StepSpec, handle: ArtifactStep[Any], *, built: bool) -> Any:
        remote = spec.fn if isinstance(spec.fn, RemoteCallable) else None
        resources = spec.resources or (remote.resources if remote else None)
        said = _recordings[handle]
        if said.thread.topic not in self._threads:
            self.store.own_prefix(said.thread.prefix, said.thread.topic)
            remember_thread(said.thread, self.store)
            self._threads.add(said.thread.topic)
        planned = self._plans.get(spec.output_path)
        run_id, reproduces = self._repeats.get(spec.output_path, (None, None))
        if run_id is None:
            # Claimed here, in the order of declaration: the steps' own threads would claim in any order.
            run_id = planned[1].run_id if planned else self._run_id(spec, handle, said.thread.prefix, built=built)
        plan = Plan(
            launch=self.launch,
            run_id=run_id,
            reproduces=reproduces,
            topic=said.thread.topic,
            label=said.label,
            hypothesis=said.hypothesis if reproduces is None else hypothesis_of(reproduces),
            baseline=said.baseline and reproduces is None,
            step=replace(_step(handle), output_path=spec.output_path),
            declared_devices=devices.declared(resources),
        )
        self._plans[spec.output_path] = (spec, plan)
        config_of = functools.partial(_materialized_config, handle)
        if resources is None:
            return RecordedCall(spec.fn, config_of, plan)
        self.dispatched[spec.output_path] = (plan, config_of)
        # A plain function in its place would silently run here instead of on the cluster.
        return replace(remote, fn=noting_artifact(remote.fn)) if remote else noting_artifact(spec.fn)

    def _run_id(self, spec: StepSpec, handle: ArtifactStep[Any], prefix: str, *, built: bool) -> str:
        """A new experiment ID, or that of the run whose output is being built again after it failed."""
        last = None if built else self._last_run(spec.output_path)
        if last is not None:
            same_recipe = isinstance(last.step, Step) and last.step.fingerprint == handle.fingerprint()
            # A mutable version is a new experiment each time, unless it is this very program that is started again.
            meant = not is_mutable_version(handle.version) or _is_started_again(last)
            if same_recipe and last.status in RETRIED and meant:
                return last.id
        return self.store.claim_id(prefix, launch=self.launch.id)

    def _last_run(self, output_path: str) -> Run | None:
        """The run that wrote an output last, as far as the store can be asked."""
        with contextlib.suppress(StoreUnreachableError):
            made = self.store.runs_of_output(output_path)
            return self.store.run(made[-1]) if made else None
        return None

    def settle(self) -> None:
        """Note which recorded steps were served from the cache, and which did not run and why."""
        not_run: set[str] = set()
        for spec, plan in self._plans.values():
            if plan.run_id in unrecorded:
                continue
            try:
                # A run of an earlier launch that was to be retried, and was not, stays as it was.
                if not self.store.newest_attempt(plan.run_id):
                    self._note_idle(spec, plan, not_run)
            except Exception as error:  # noqa: BLE001 - recording never breaks an experiment
                logger.warning("what became of %s is not recorded: %s", plan.step.address, error)
                continue
            self.report.runs.append(plan.run_id)

    def _note_idle(self, spec: StepSpec, plan: Plan, not_run: set[str]) -> None:
        path = spec.output_path
        if step_is_built(spec):
            source = self._maker(path)
            why = f"served from Marin's cache; {source.why if isinstance(source, Unknown) else f'{source} made it'}"
            self._note(plan, Status.CACHED, why, Kind.CACHED, {"from": encode(source), "why": why})
            return
        failed = [dep for dep in spec.deps if dep.output_path in not_run or _has_failed(dep)]
        not_run.add(path)
        names = ", ".join(dep.name for dep in failed)
        why = f"not run: the step it depends on failed ({names})" if failed else "not run: the launch ended before it"
        self._note(plan, Status.CANCELLED, why, Kind.NOT_RUN, {"why": why})

    def _maker(self, path: str) -> str | Unknown:
        """The run that made what is cached at ``path``."""
        try:
            made = self.store.runs_of_output(path)
            makers = [run_id for run_id in made if self.store.run(run_id).status is Status.SUCCEEDED]
        except StoreUnreachableError as error:
            return Unknown(f"which run made it could not be asked: {error}")
        return makers[-1] if makers else Unknown("no recorded run made this output")

    def _note(self, plan: Plan, status: Status, why: str, kind: Kind, body: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        declared = plan.declare(status=status, why=why)
        events = [
            Event(kind=Kind.DECLARED, time=now, attempt=0, writer="launcher", body=encode(declared)),
            Event(kind=kind, time=now, attempt=0, writer="launcher", body=encode(body)),
        ]
        self.store.write(plan.run_id, "launcher", 0, events)


def _is_started_again(run: Run) -> bool:
    """Whether this process is a cluster's next try at the task that launched ``run``."""
    here = task_here()
    launchers = [host.task for attempt in run.attempts for host in attempt.hosts if host.job is None]
    return here is not None and any(is_earlier_try(task, here) for task in launchers)


def _has_failed(spec: StepSpec) -> bool:
    return StatusFile(spec.output_path, worker_id="marin-research").status in (STATUS_FAILED, STATUS_DEP_FAILED)


def _step(handle: ArtifactStep[Any]) -> Step:
    return Step(
        name=handle.name,
        version=handle.version,
        fingerprint=handle.fingerprint(),
        output_path=handle.path(),
        artifact_type=result_type_name(handle.artifact_type),
        deps=tuple(f"{dep.name}@{dep.version}" for dep in handle.deps),
    )


def _materialized_config(handle: ArtifactStep[Any], output_path: str) -> Any:
    """The config that Marin hands to the step's function, built as Marin builds it."""
    if handle.adopt_source is not None:
        return handle.adopt_config
    return handle.build_config(
        StepContext.for_run(
            output_path=output_path,
            prefix=marin_prefix(),
            region=marin_region(),
            runtime_args=handle.runtime_args,
            deps=handle.deps,
        )
    )

"""Notes what a recorded step dispatches: every job that is submitted through a Fray client while the step runs.

Clients stay what they are, so that everybody who asks for their class, and every thread that has its own, is served as
before: ``submit`` of the client classes is exchanged once for all, and does nothing more where no step is recorded. A
function that is to run elsewhere is wrapped so that each of its processes records itself (``marin_research.hosts``);
what a job became its cluster is asked from here.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from marin_research import devices, whose
from marin_research.clusters import backend, backends, task_here
from marin_research.describe import describe_config
from marin_research.events import Heartbeat
from marin_research.hosts import recording_itself
from marin_research.job import is_open
from marin_research.outside import Outside, Sighting
from marin_research.record import Job, Status, Unknown
from marin_research.recorder import Recorder, possible_recorders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 20.0
"""How long the end of a step waits for its cluster's last word on the step's jobs."""
_LOOK_S = 30.0
"""Between two looks at jobs that have not ended; where heartbeats are more frequent, less."""
_EXCHANGED = "__marin_research__"
"""Marks a method of a client's that has been exchanged."""

_exchanging = threading.Lock()
_watched: dict[Recorder, Jobs] = {}
_submitting: contextvars.ContextVar[Beginning | None] = contextvars.ContextVar("marin_research_step_job", default=None)


class Beginning(Protocol):
    """A step that begins when its job is submitted."""

    def begin(self, *, here: bool) -> None:
        """Called before the submission; ``here`` says that the job will run in this process."""


@contextlib.contextmanager
def submitting(step: Any) -> Iterator[None]:
    """Have ``step`` begin with the first job that the code inside submits.

    Args:
        step: a ``Beginning`` that is a context manager, too: it ends as the code inside does.
    """
    with step:
        _exchange_clients()
        token = _submitting.set(step)
        try:
            yield
        finally:
            _submitting.reset(token)


@contextlib.contextmanager
def watched(recorder: Recorder, *, beats: bool = False, is_step: bool = False) -> Iterator[Jobs]:
    """Note the jobs that the code inside submits.

    Args:
        recorder: of the step, or of a host whose function submits jobs of its own.
        beats: give signs of life meanwhile, where nobody else does.
        is_step: a job of this recorder is the whole step.
    """
    _exchange_clients()
    jobs = _watched[recorder] = Jobs(recorder, is_step=is_step)
    if beats:
        jobs.start(jobs.beat, "heartbeat")
    try:
        yield jobs
    finally:
        del _watched[recorder]
        jobs.over.set()


class Jobs:
    """The jobs of one recorder, and the thread that asks their cluster about them."""

    def __init__(self, recorder: Recorder, *, is_step: bool) -> None:
        self.over = threading.Event()
        """Nothing more will be submitted."""
        self._recorder = recorder
        self._is_step = is_step
        self._lock = threading.Lock()
        self._known: dict[str, Sighting] = {}
        """By the jobs' IDs."""
        self._settled = threading.Event()
        self._following = False

    def submit(self, submit: Callable[[Any], Any], request: Any, name: str) -> Any:
        """Submit ``request`` through a client of the backend ``name``; gives what the client gives."""
        recorder, sent, attempt = self._recorder, request, self._recorder.attempt
        with recorder.guard("a job"):
            # A job of this attempt may have been started again meanwhile.
            attempt = attempt if recorder.job else max(attempt, recorder.store.newest_attempt(recorder.run.id))
            if not backend(name).in_process:
                sent = _recording_itself(request, recorder, attempt)
        handle = submit(sent)
        with recorder.guard("a job"):
            kind = "callable" if request.entrypoint.callable_entrypoint is not None else "command"
            self.note(handle, name, attempt, kind=kind, asked_as=request.name, resources=request.resources)
        return handle

    def note(self, handle: Any, name: str, attempt: int, *, kind: str, asked_as: str, resources: Any) -> None:
        found = backend(name).submitted(handle)
        if found is None:
            return
        job_id, submitted, cluster = found
        job = Job(
            id=job_id,
            name=asked_as,
            backend=name,
            kind=kind,
            submitted=datetime.now(UTC),
            cluster=cluster,
            parent=self._recorder.job,
            is_step=self._is_step,
            resources=describe_config(resources),
            declared_devices=Unknown("it runs where the step runs, whatever it asks for")
            if backend(name).in_process
            else devices.declared(resources),
            state="submitted",
            outcome=Status.RUNNING,
            why="it was submitted",
        )
        self._recorder.dispatched(job, attempt=attempt)
        with self._lock:
            self._known[job_id] = Sighting(job=job, attempt=attempt, submitted=submitted)
            first, self._following = not self._following, True
        if first:
            self.start(self._follow, "jobs")

    def note_actors(self, group: Any, name: str, options: dict[str, Any]) -> None:
        """Note a group of actors: it is part of what ran, and no try at the run by itself."""
        with self._recorder.guard("a group of actors"):
            asked_as = str(options.get("name", ""))
            self.note(
                group,
                name,
                self._recorder.attempt,
                kind="actors",
                asked_as=asked_as,
                resources=options.get("resources"),
            )

    def settle(self) -> None:
        """Wait, within limits, for what the clusters say of the jobs at the end."""
        self.over.set()
        if self._following and not self._settled.wait(PATIENCE_S):
            names = ", ".join(seen.job.name for seen in self._known.values())
            why = f"the cluster did not answer for {PATIENCE_S:g} s; `marin-research show --refresh` asks it again"
            self._recorder.gap(f"how the jobs ended ({names})", why)

    def start(self, work: Callable[[], None], name: str) -> None:
        threading.Thread(target=work, name=f"marin-research-{name}", daemon=True).start()

    # In threads of their own: a cluster that is away may keep whoever asks it waiting for half an hour.

    def beat(self) -> None:
        recorder = self._recorder
        while True:
            with recorder.guard("a heartbeat"):
                recorder.store.beat(
                    recorder.run.id, Heartbeat(writer=recorder.writer, time=datetime.now(UTC), size=None)
                )
            if self.over.wait(recorder.launch.heartbeat_s):
                return

    def _follow(self) -> None:
        while not self.over.wait(min(_LOOK_S, self._recorder.launch.heartbeat_s)):
            self._look()
        self._look(last=True)
        for seen in list(self._known.values()):
            if seen.job.kind != "actors" and not backend(seen.job.backend).in_process:
                self._add_missing_hosts(seen)
        self._settled.set()

    def _add_missing_hosts(self, seen: Sighting) -> None:
        recorder = self._recorder
        with recorder.guard(f"the hosts of job {seen.job.name}"):
            for gap in Outside(recorder.store, recorder.run.id, recorder.redactor).add_missing_hosts(seen):
                recorder.gap(gap.what, gap.why)

    def _look(self, *, last: bool = False) -> None:
        for job_id, seen in list(self._known.items()):
            if not is_open(seen.job):
                continue
            # A cluster that does not answer now is asked again; only the last word is missed.
            with self._recorder.guard(f"how job {seen.job.name} ended") if last else contextlib.suppress(Exception):
                job = seen.submitted.look(seen.job)
                if job != seen.job:
                    self._known[job_id] = replace(seen, job=job)
                    self._recorder.dispatched(job, attempt=seen.attempt)


def _recording_itself(request: Any, recorder: Recorder, attempt: int) -> Any:
    """The same request for a function that records each process it runs in."""
    entrypoint = request.entrypoint
    called = entrypoint.callable_entrypoint
    if called is None:
        return request
    wrapped = recording_itself(called.callable, recorder, attempt)
    return replace(request, entrypoint=replace(entrypoint, callable_entrypoint=replace(called, callable=wrapped)))


def _exchange_clients() -> None:
    here = task_here()
    for name, each in backends():
        module, kind = each.client_class.rsplit(".", 1)
        if here is not None and here.backend == name:
            with contextlib.suppress(ImportError):  # the step will use it, and loads it only then
                import_module(module)
        client = getattr(sys.modules.get(module), kind, None)
        with _exchanging:
            if client is not None and not hasattr(client.submit, _EXCHANGED):
                _exchange(client, name)


def _exchange(client: Any, name: str) -> None:
    submit, create_actor_group = client.submit, client.create_actor_group

    @functools.wraps(submit)
    def noted_submit(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        step = _submitting.get()
        if step is not None:
            step.begin(here=backend(name).in_process)
        jobs = _jobs_here(f"job {getattr(request, 'name', '')}")
        if jobs is None:
            return submit(self, request, *args, **options)
        return jobs.submit(lambda sent: submit(self, sent, *args, **options), request, name)

    @functools.wraps(create_actor_group)
    def noted_group(self: Any, *args: Any, **options: Any) -> Any:
        group = create_actor_group(self, *args, **options)
        jobs = _jobs_here(f"actors {options.get('name', '')}")
        if jobs is not None and not backend(name).in_process:
            jobs.note_actors(group, name, options)
        return group

    setattr(noted_submit, _EXCHANGED, True)
    client.submit = noted_submit
    client.create_actor_group = noted_group


def _jobs_here(what: str) -> Jobs | None:
    """The jobs that one submitted here and now belongs to. Where that is in doubt, every step it may be of says so."""
    possible = [recorder for recorder in possible_recorders() if recorder in _watched]
    if possible and whose.owners().sure:
        return _watched[possible[-1]]
    for recorder in possible:
        recorder.gap(what, "it was submitted in a thread that may be another step's; it is recorded with none")
    return None

"""Writes one host's part of one attempt, from its start to its end. Knows nothing of Marin.

Watching a run can never harm the run: everything here that the experiment calls goes through ``Recorder.guard``, the
one place where an error while recording is caught. It is logged once and becomes a gap of the record.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marin_research import devices, join, provenance, whose
from marin_research.clusters import task_here
from marin_research.codec import encode
from marin_research.events import Event, Kind
from marin_research.history import History
from marin_research.machine import this_machine
from marin_research.record import (
    Attempt,
    Cause,
    Devices,
    End,
    Evidence,
    ExceptionInfo,
    Gap,
    Host,
    Job,
    Metric,
    Output,
    Retry,
    Run,
    Status,
    Unknown,
    WandbRun,
)
from marin_research.redact import Redactor
from marin_research.store import recording_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from marin_research.launch import Launch

_METRIC_INTERVAL_S = 5.0
_MAX_TRACEBACK = 20_000

_current: contextvars.ContextVar[Recorder | None] = contextvars.ContextVar("marin_research_recorder", default=None)
_active: list[Recorder] = []
"""Of all steps that this process records at the moment."""


def current_recorder() -> Recorder | None:
    """The recorder of the step that this code runs in."""
    return _current.get()


def possible_recorders() -> list[Recorder]:
    """The recorders of the steps that this code may belong to; in a raw thread that may be several."""
    mine = _current.get()
    if mine is not None:
        return [mine]
    owners = whose.owners()
    return [recorder for recorder in list(_active) if recorder.run.id in owners.steps]


def report(name: str, value: float, unit: str = "", *, step: int | None = None) -> None:
    """Record a metric of the run that this code is part of; outside of a recorded step it does nothing.

    Args:
        name: what was measured, as the thread names it: ``tokens_per_second``.
        value: the newest value; NaN and infinity are results too.
        unit: ``tok/s``, ``ms``, ``nats/byte``.
        step: the training step at which it was measured.
    """
    recorder = current_recorder()
    if recorder is not None:
        recorder.report(name, value, unit, step=step)


class Recorder:
    """The record of one attempt on this host, while it is being made."""

    def __init__(self, launch: Launch, run: Run, *, attempt: int, host_index: int = 0, job: str | None = None) -> None:
        """``job`` is the ID of the job whose process this is; None for the process that runs the step itself."""
        self.launch = launch
        self.run = run
        self.attempt = attempt
        self.host_index = host_index
        self.job = job
        self.writer = f"h{host_index}-{os.urandom(3).hex()}"
        self.store = recording_store(launch.root)
        self.redactor = Redactor.from_environment()
        self._began = _steady_s()
        self._sequence = 0
        self._lock = threading.RLock()
        self._failed: set[str] = set()
        self._gaps: list[Gap] = []
        self._metrics: dict[str, Metric | History] = {}
        """What is to be written of each; of one that is reported, its history."""
        self._histories: dict[str, History] = {}
        self._unwritten: set[str] = set()
        self._flushed = 0.0

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """What leads from whatever the run leaves elsewhere to its record."""
        return join.identity(self)

    # What the experiment calls

    def start(self, *, config: dict[str, Any], declared_devices: Devices | Unknown) -> None:
        """Put on disk what is about to run. Unlike everything after it, this raises.

        Raises:
            StoreError: the store cannot be written, so there will be no record of this run.
        """
        now = self._begin()
        attempt = Attempt(
            number=self.attempt,
            launch=self.launch.id,
            started=now,
            command=self.launch.command,
            git=self.launch.git,
            config=self.redactor.json(encode(config)),
            environment=self.launch.environment,
            python=self.launch.python,
            platform=self.launch.platform,
            packages=self.launch.packages,
            declared_devices=declared_devices,
        )
        self._write((Kind.DECLARED, self.run), (Kind.ATTEMPT_STARTED, attempt), (Kind.HOST_STARTED, self._host(now)))

    def join(self, retry: Retry | None = None) -> None:
        """Put on disk that this process is one more host of an attempt, as a host of a job does.

        Args:
            retry: why the attempt began, where it is the cluster's retry of the job.

        Raises:
            StoreError: likewise.
        """
        began = [(Kind.RETRIED, retry)] if retry is not None else []
        installed = provenance.packages()
        theirs = {name: version for name, version in installed.items() if self.launch.packages.get(name) != version}
        python = provenance.python_version()
        host = replace(
            self._host(self._begin()), packages=theirs, python=None if python == self.launch.python else python
        )
        self._write(*began, (Kind.HOST_STARTED, host))

    def _begin(self) -> datetime:
        """What time it is; from here on the seconds are counted."""
        self._began = _steady_s()
        return datetime.now(UTC)

    def _host(self, started: datetime) -> Host:
        machine = this_machine()
        return Host(
            index=self.host_index,
            name=machine.name,
            boot=machine.boot,
            pid=os.getpid(),
            writer=self.writer,
            started=started,
            job=self.job,
            task=task_here(),
            heartbeat_interval_s=self.launch.heartbeat_s,
        )

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Mark the code inside as this run's, so that ``report`` and W&B find it."""
        with whose.belongs_to(self.run.id):
            _active.append(self)
            token = _current.set(self)
            try:
                yield
            finally:
                _current.reset(token)
                _active.remove(self)

    def report(self, name: str, value: float, unit: str = "", *, step: int | None = None) -> None:
        # What is reported may be anything; it becomes text and a number here. A training loop may come here often, so
        # this is the one place that has the guard written out.
        try:
            number, place = float(value), None if step is None else int(step)
            self._observe(str(name), number, str(unit), place)
        except Exception as error:  # noqa: BLE001 - see `guard`
            self._failed_to(f"metric {_text_of(name)}", error)

    def _observe(self, name: str, value: float, unit: str, step: int | None) -> None:
        """Note one more value of a metric: at once when the metric is new, then at most every few seconds."""
        with self._lock:
            is_new = name not in self._histories
            history = self._histories.setdefault(name, History())
            history.unit = unit or history.unit
            history.add(value, step, time.time())
            self._metrics[name] = history
            self._unwritten.add(name)
            if is_new or time.monotonic() - self._flushed > _METRIC_INTERVAL_S:
                self.flush_metrics()

    def metric(self, metric: Metric) -> None:
        """Note all there is to know of a metric, in place of what was known of it; it is written at the next chance."""
        with self.guard("a metric"), self._lock:
            if metric.count == 1 and not math.isfinite(metric.value):
                metric = replace(metric, non_finite=1)
            self._metrics[metric.name] = metric
            self._unwritten.add(metric.name)

    def flush_metrics(self) -> None:
        """Write the metrics that wait."""
        with self.guard("a metric"), self._lock:
            self._flushed = time.monotonic()
            if self._unwritten:
                self._write(*self._metric_facts(self._unwritten), synced=False)  # the end says it all once more
                self._unwritten.clear()

    def wandb(self, linked: WandbRun) -> None:
        with self.guard("a W&B link"):
            self._write((Kind.WANDB, replace(linked, writer=self.writer)))

    def dispatched(self, job: Job, *, attempt: int) -> None:
        """Note how a job of the step stands, and which attempt submitted it."""
        with self.guard("a job"):
            self._write((Kind.JOB, self.redactor.json(encode(job))), attempt=attempt)

    def evidence(self, seen: Evidence) -> None:
        """Put on disk at once what may be the last thing that is known of the attempt."""
        with self.guard("evidence"):
            self._write((Kind.EVIDENCE, seen))

    def gap(self, what: str, why: str) -> None:
        with self.guard(what):
            self._write((Kind.GAP, Gap(what=what, why=self.redactor.text(why).text)))

    def end(self, end: End, *, output: Output | Unknown) -> None:
        """Put on disk how it ended, with everything that is only known now."""
        with self.guard("how it ended"), self._lock:
            facts: list[tuple[Kind, Any]] = self._metric_facts(self._metrics)
            seen = self._observe_devices()
            if seen:
                facts.append((Kind.DEVICES, seen))
            if output:
                facts.append((Kind.OUTPUT, output))
            ends = [(Kind.HOST_ENDED, end)]
            if self.job is None:  # a host of a job knows only its own end
                ends.append((Kind.ATTEMPT_ENDED, end))
            self._write(*facts, *ends)

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began to record, by a clock that nobody sets."""
        return _steady_s() - self._began

    def metric_names(self) -> set[str]:
        return set(self._metrics)

    # How it is written

    def _observe_devices(self) -> Devices | Unknown:
        with self.guard("the devices"):
            return devices.observed()
        return Unknown("asking JAX failed")

    def _metric_facts(self, names: Iterable[str]) -> list[tuple[Kind, Any]]:
        found = [(name, self._metrics[name]) for name in sorted(names)]
        return [
            (Kind.METRIC, known if isinstance(known, Metric) else known.metric(name, "report")) for name, known in found
        ]

    def _write(self, *facts: tuple[Kind, Any], attempt: int | None = None, synced: bool = True) -> None:
        now, number = datetime.now(UTC), self.attempt if attempt is None else attempt
        with self._lock:
            gaps = [(Kind.GAP, gap) for gap in self._gaps]
            events = [
                Event(kind=kind, time=now, attempt=number, writer=self.writer, body=encode(body))
                for kind, body in (*facts, *gaps)
            ]
            # Counted first: of a write that seemed to fail nobody knows whether it took the number.
            self._sequence += 1
            self.store.write(self.run.id, self.writer, self._sequence - 1, events, synced=synced)
            del self._gaps[: len(gaps)]

    @contextlib.contextmanager
    def guard(self, what: str) -> Iterator[None]:
        """The boundary between recording and the experiment."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - see above
            self._failed_to(what, error)

    def _failed_to(self, what: str, error: Exception) -> None:
        """Log once that recording something failed, and have it on record as a gap."""
        import logging  # not needed for most runs, and every recorded command would wait for it

        if what in self._failed:
            return
        self._failed.add(what)
        why = self.redactor.text(f"{type(error).__name__}: {_text_of(error)}").text
        self._gaps.append(Gap(what=what, why=why))
        logger = logging.getLogger(__name__)
        logger.warning("%s: recording %s failed and the record has a gap", self.run.id, what, exc_info=error)
        with contextlib.suppress(Exception):  # the gap goes with the next write that succeeds
            self._write()


def _steady_s() -> float:
    """A clock that nobody sets, and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def ended_normally(what: str = "the step") -> End:
    return End(status=Status.SUCCEEDED, time=datetime.now(UTC), why=f"{what} returned", cause=Cause.RETURNED)


def ended_by(error: BaseException, *, redact: Callable[[str], str], what: str = "the step") -> End:
    """How an attempt ended in which ``what`` raised ``error``."""
    import traceback

    # Masked before it is cut, so that no half of a secret stays at the cut.
    text = redact("".join(traceback.format_exception(error)))
    if len(text) > _MAX_TRACEBACK:
        text = f"{text[: _MAX_TRACEBACK // 2]}\n[...]\n{text[-_MAX_TRACEBACK // 2 :]}"
    name = type(error).__name__
    stopped = isinstance(error, KeyboardInterrupt)
    ended = isinstance(error, KeyboardInterrupt | SystemExit)
    return End(
        status=Status.CANCELLED if stopped else Status.FAILED,
        time=datetime.now(UTC),
        why=f"{what} {'was ended by' if ended else 'raised'} {name}",
        cause=Cause.STOPPED if stopped else Cause.RAISED,
        exception=ExceptionInfo(type=name, message=redact(_text_of(error))[:_MAX_TRACEBACK], traceback=text),
    )


def _text_of(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - other people's objects may be unable to say what they are
        return "its text cannot be made"

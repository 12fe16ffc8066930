"""Runs a function as a recorded step: what a step's own function is exchanged for.

The function of a remote step travels to another machine by cloudpickle, and nothing of ours may have to be there.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from marin_research.describe import describe_config
from marin_research.join import leave_pointer
from marin_research.record import Devices, Run, Status, Step, Unknown
from marin_research.recorder import Recorder
from marin_research.recording import Recording, note_artifact
from marin_research.store import recording_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from marin_research.launch import Launch

logger = logging.getLogger(__name__)

unrecorded: set[str] = set()
"""Experiment IDs of this process whose start could not be written: nothing may be concluded from their silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known of a recorded step before it runs."""

    launch: Launch
    run_id: str
    topic: str
    label: str
    hypothesis: str | None
    baseline: bool
    step: Step
    declared_devices: Devices | Unknown
    reproduces: str | None = None

    def declare(self, *, status: Status = Status.RUNNING, why: str = "it has started") -> Run:
        return Run(
            id=self.run_id,
            thread=self.topic,
            launch=self.launch.id,
            status=status,
            why=why,
            label=self.label,
            declared=datetime.now(UTC),
            hypothesis=self.hypothesis,
            baseline=self.baseline,
            reproduces=self.reproduces,
            step=self.step,
        )

    def start(self, output_path: str, config_of: Callable[[str], Any]) -> Recorder | None:
        """Announce an attempt at the run, or say once that there will be no record and let the step go on."""
        try:
            store = recording_store(self.launch.root)
            # Whoever calls this again makes the next attempt of the same run.
            attempt = store.claim_attempt(self.run_id)
            recorder = Recorder(self.launch, self.declare(), attempt=attempt)
            recorder.start(config=_config(config_of, output_path), declared_devices=self.declared_devices)
            store.remember_output(output_path, self.run_id)
        except Exception as error:  # noqa: BLE001 - recording never breaks an experiment
            logger.warning("%s is NOT recorded: %s", self.step.address, error)
            unrecorded.add(self.run_id)
            return None
        with recorder.guard("the pointer in the output's folder"):
            leave_pointer(recorder, output_path)
        logger.info("%s records %s (attempt %d)", self.run_id, self.step.address, attempt)
        return recorder


def _config(config_of: Callable[[str], Any], output_path: str) -> dict[str, Any]:
    try:
        return describe_config(config_of(output_path))
    except Exception as error:  # noqa: BLE001 - the step itself will meet this error and raise it
        return {"config": f"could not be built: {type(error).__name__}: {error}"}


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A step function that records itself while it does what it did before."""

    fn: Callable[[str], Any]
    config_of: Callable[[str], Any]
    """Gives the step's materialised config for an output path."""
    plan: Plan

    def __call__(self, output_path: str) -> Any:
        recorder = self.plan.start(output_path, self.config_of)
        if recorder is None:
            return self.fn(output_path)
        with Recording(recorder):
            result = self.fn(output_path)
            note_artifact(result)
            return result


class Dispatched:
    """A step whose function the runner dispatches as a job. It begins, if at all, when its job is submitted."""

    def __init__(self, plan: Plan, config_of: Callable[[str], Any]) -> None:
        self.plan = plan
        self._config_of = config_of
        self._begun = contextlib.ExitStack()
        self._tried = False

    def begin(self, *, here: bool) -> None:
        """The runner is about to submit the job; ``here`` says that it will run in this process."""
        if self._tried:
            return
        self._tried = True
        recorder = self.plan.start(self.plan.step.output_path, self._config_of)
        if recorder is not None:
            with recorder.guard("the step"):
                self._begun.enter_context(Recording(recorder, elsewhere=not here))

    def __enter__(self) -> Self:
        self._begun.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._begun.__exit__(kind, error, traceback)


def noting_artifact(function: Callable[[str], Any]) -> Callable[[str], Any]:
    """``function`` of a step that is dispatched; what it returns is recorded where it runs, if anything is there."""

    @functools.wraps(function, updated=())
    def call(output_path: str) -> Any:
        result = function(output_path)
        # Nothing in here may refer to this module: it may not be there.
        with contextlib.suppress(ImportError):
            from marin_research.recording import note_artifact

            note_artifact(result)
        return result

    return call

"""Runs a function as a recorded step: what a step's own function is exchanged for.

Picklable, because the function of a remote step travels to another machine by cloudpickle: it holds plain data and no
open file, lock or client; the store is opened where the function runs.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marin_research import wandb_hook
from marin_research.capture.process import CapturedOutput, capture
from marin_research.describe import describe_config
from marin_research.record import Devices, Metric, Output, Run, Status, Step, Unknown
from marin_research.recorder import Recorder, ended_by, ended_normally
from marin_research.store import RecordStore
from marin_research.wandb_record import note_wandb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
            step=self.step,
        )


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A step function that records itself while it does what it did before."""

    fn: Callable[[str], Any]
    config_of: Callable[[str], Any]
    """Gives the step's materialised config for an output path."""
    plan: Plan

    def __call__(self, output_path: str) -> Any:
        recorder = self._start(output_path)
        if recorder is None:
            return self.fn(output_path)
        stack = contextlib.ExitStack()
        watch, captured = self._watch(recorder, stack)
        try:
            result = self.fn(output_path)
        except BaseException as error:
            end = ended_by(error, redact=lambda text: recorder.redactor.text(text).text)
            raise
        else:
            end = ended_normally()
            _note_artifact(recorder, result)
            return result
        finally:
            output = _close(recorder, stack, watch, captured)
            recorder.end(end, output=output)

    def _watch(
        self, recorder: Recorder, stack: contextlib.ExitStack
    ) -> tuple[wandb_hook.WandbWatch | None, CapturedOutput | None]:
        """Begin to watch what the step starts and prints; what cannot be watched is a gap and nothing more."""
        watch = captured = None
        stack.enter_context(recorder.active())
        with recorder.guard("the W&B runs"):
            watch = stack.enter_context(_watched(recorder))
        with recorder.guard("the output"):
            store, run_id = recorder.store, recorder.run.id
            captured = stack.enter_context(
                capture(store, run_id, recorder.attempt, recorder.writer, heartbeat_s=self.plan.launch.heartbeat_s)
            )
        return watch, captured

    def _start(self, output_path: str) -> Recorder | None:
        """Announce the run, or say once that there will be no record and let the step go on."""
        plan = self.plan
        try:
            store = RecordStore(plan.launch.root)
            # Whoever calls this again, a retry by the cluster too, makes the next attempt of the same run.
            attempt = store.claim_attempt(plan.run_id)
            recorder = Recorder(plan.launch, plan.declare(), attempt=attempt)
            recorder.start(config=self._config(output_path), declared_devices=plan.declared_devices)
            store.remember_output(output_path, plan.run_id)
        except Exception as error:  # noqa: BLE001 - recording never breaks an experiment
            logger.warning("%s is NOT recorded: %s", plan.step.address, error)
            unrecorded.add(plan.run_id)
            return None
        logger.info("%s records %s (attempt %d)", plan.run_id, plan.step.address, attempt)
        return recorder

    def _config(self, output_path: str) -> dict[str, Any]:
        try:
            return describe_config(self.config_of(output_path))
        except Exception as error:  # noqa: BLE001 - the step itself will meet this error and raise it
            return {"config": f"could not be built: {type(error).__name__}: {error}"}


def _close(
    recorder: Recorder,
    stack: contextlib.ExitStack,
    watch: wandb_hook.WandbWatch | None,
    captured: CapturedOutput | None,
) -> Output | Unknown:
    """End the watching and note what it saw; how much was printed."""
    output: Output | Unknown = Unknown("the output was not captured")
    if captured is not None:
        with recorder.guard("the output"):
            captured.close()
            output = captured.output
        if captured.problem:
            recorder.gap("the output", captured.problem)
    if watch is not None:
        with recorder.guard("the W&B runs"):
            note_wandb(recorder, watch.runs(), live=watch.summary_of)
            for gap in watch.gaps():
                recorder.gap(gap.what, gap.why)
    with recorder.guard("the end of watching"):
        stack.close()
    return output


@contextlib.contextmanager
def _watched(recorder: Recorder) -> Iterator[wandb_hook.WandbWatch]:
    """See the W&B runs of the step; those of forked children come through a file, since their memory is not ours."""
    sink = Path(_sink_folder().name) / f"{recorder.run.id}-{recorder.writer}.jsonl"
    with wandb_hook.watch(recorder.run.id, on_change=recorder.wandb, sink=sink) as watch:
        yield watch


@functools.cache
def _sink_folder() -> tempfile.TemporaryDirectory[str]:
    """One folder a process, gone with it: making and removing one a step costs more than all else that a step needs."""
    return tempfile.TemporaryDirectory(prefix="marin-research-")


def _note_artifact(recorder: Recorder, result: Any) -> None:
    """Record the value fields of the artifact that the step returned."""
    payload = getattr(result, "result_payload", None)
    if not callable(payload):
        return
    try:
        fields = payload() or {}
    except Exception as error:  # noqa: BLE001 - Marin will meet this error too, and report it
        recorder.gap("the artifact's values", f"{type(error).__name__}: {error}")
        return
    now = datetime.now(UTC)
    for name, value in fields.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in recorder.metric_names():
            recorder.metric(Metric(name=name, value=float(value), source="artifact", time=now), wait=True)

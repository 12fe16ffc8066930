"""Records what runs in this process: from when a recorder has announced it to how it ended. Knows nothing of Marin.

A context manager written out as a class, so that the traceback of what fails inside shows the experiment's own frames
and none of these.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from marin_research import dispatch, join, wandb_hook
from marin_research.capture.process import CapturedOutput, capture
from marin_research.predecessors import is_started_again, note_predecessors
from marin_research.record import Metric, Output, Unknown
from marin_research.recorder import Recorder, current_recorder, ended_by, ended_normally
from marin_research.refresh import refresh
from marin_research.wandb_record import note_wandb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_PATIENCE_S = 15
"""How long the end of a step waits for what its cluster says of tries before it."""


class Recording:
    """Watches what the code inside starts, prints and dispatches. What cannot be watched is a gap and nothing more."""

    def __init__(self, recorder: Recorder, *, elsewhere: bool = False) -> None:
        """``elsewhere`` says that the work runs in a job: what this process prints meanwhile is not the step's."""
        self.recorder = recorder
        self._elsewhere = elsewhere
        self._stack = contextlib.ExitStack()
        self._watch: wandb_hook.WandbWatch | None = None
        self._captured: CapturedOutput | None = None
        self._jobs: dispatch.Jobs | None = None
        self._before: threading.Thread | None = None

    def __enter__(self) -> Self:
        recorder, stack = self.recorder, self._stack
        stack.enter_context(recorder.active())
        with recorder.guard("how the tries before this one ended"):
            if recorder.job is None and is_started_again():
                self._before = threading.Thread(
                    target=self._ask_for_predecessors, name="marin-research-before", daemon=True
                )
                self._before.start()
        with recorder.guard("the jobs"):
            self._jobs = stack.enter_context(dispatch.watched(recorder, beats=self._elsewhere, is_step=self._elsewhere))
        if self._elsewhere:
            return self
        with recorder.guard("the W&B runs"):
            self._watch = stack.enter_context(_watched(recorder))
        with recorder.guard("the output"):
            heartbeat_s = recorder.launch.heartbeat_s
            captured = capture(
                recorder.store, recorder.run.id, recorder.attempt, recorder.writer, heartbeat_s=heartbeat_s
            )
            self._captured = stack.enter_context(captured)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        redactor = self.recorder.redactor
        what = "the step" if self.recorder.job is None else "its function"
        end = ended_normally(what)
        if error is not None:
            end = ended_by(error, redact=lambda text: redactor.text(text).text, what=what)
        end = replace(end, after_s=self.recorder.elapsed_s)
        output = self._close()
        self.recorder.end(end, output=output)

    def _ask_for_predecessors(self) -> None:
        with self.recorder.guard("how the tries before this one ended"):
            note_predecessors(self.recorder)
            store, run = self.recorder.store, self.recorder.run
            refresh(store, store.run(run.id), before=self.recorder.attempt)

    def _close(self) -> Output | Unknown:
        """End the watching and note what it saw; how much was printed."""
        recorder = self.recorder
        output: Output | Unknown = Unknown("the output was not captured")
        if self._elsewhere:
            output = Unknown("nothing of the step ran in this process")
        if self._captured is not None:
            with recorder.guard("the output"):
                self._captured.close()
                output = self._captured.output
            if self._captured.problem:
                recorder.gap("the output", self._captured.problem)
        if self._watch is not None:
            with recorder.guard("the W&B runs"):
                note_wandb(recorder, self._watch.runs(), live=self._watch.summary_of)
                for gap in self._watch.gaps():
                    recorder.gap(gap.what, gap.why)
        if self._jobs is not None:
            with recorder.guard("the jobs"):
                self._jobs.settle()
        if self._before is not None:
            self._before.join(_PATIENCE_S)
        with recorder.guard("the end of watching"):
            self._stack.close()
        return output


@contextlib.contextmanager
def _watched(recorder: Recorder) -> Iterator[wandb_hook.WandbWatch]:
    """See the W&B runs of the step; those of forked children come through a file, since their memory is not ours."""
    sink = Path(_sink_folder().name) / f"{recorder.run.id}-{recorder.writer}.jsonl"
    config = {join.KEY: recorder.identity}
    with wandb_hook.watch(recorder.run.id, on_change=recorder.wandb, sink=sink, config=config) as watch:
        yield watch


@functools.cache
def _sink_folder() -> tempfile.TemporaryDirectory[str]:
    """One folder a process, gone with it: making and removing one a step costs more than all else that a step needs."""
    return tempfile.TemporaryDirectory(prefix="marin-research-")


def note_artifact(result: Any) -> None:
    """Record the value fields of the artifact that the step's function returned here."""
    recorder = current_recorder()
    payload = getattr(result, "result_payload", None)
    if recorder is None or not callable(payload):
        return
    try:
        fields = payload() or {}
    except Exception as error:  # noqa: BLE001 - Marin will meet this error too, and report it
        recorder.gap("the artifact's values", f"{type(error).__name__}: {error}")
        return
    now = datetime.now(UTC)
    for name, value in fields.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in recorder.metric_names():
            recorder.metric(Metric(name=name, value=float(value), source="artifact", time=now))

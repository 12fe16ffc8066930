"""Runs of a sweep in the checkout's own store, named by what matters of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marin_research.record import Devices, End, ExceptionInfo, Status
from marin_research.store import run_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.record import Run
    from marin_research.store import RecordStore


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def store(checkout) -> RecordStore:
    """The store that the commands use, for the fixtures that keep runs."""
    kept: RecordStore = checkout.queue.store
    return kept


@pytest.fixture
def keep_here(a_run, an_attempt, keep, store) -> Callable[..., Run]:
    """Keep a run of the checkout's thread, by its config and its loss or the error that ended it."""

    def make(run_id: str, *, loss: float | None = None, error: str = "", baseline: bool = False, **config: Any) -> Run:
        said: dict[str, Any] = {
            "config": config,
            "started": NOON + timedelta(minutes=run_order(run_id)[1]),
            "declared_devices": Devices(kind="TPU v4", count=8, source="declared: v4-8"),
        }
        attempt = an_attempt(**said)
        if error:
            name, _, message = error.partition(": ")
            raised = ExceptionInfo(type=name, message=message, traceback=f"Traceback:\n{error}\n")
            end = End(status=Status.FAILED, time=attempt.end.time, why=f"it raised {name}", exception=raised)
            attempt = an_attempt(**said, end=end)
        metrics = {} if loss is None else {"eval/loss": loss}
        label = ", ".join(f"{key}={value}" for key, value in config.items())
        kept: Run = keep(a_run(run_id, attempts=(attempt,), metrics=metrics, baseline=baseline, label=label))
        return kept

    return make

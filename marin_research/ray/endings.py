"""How the tasks of a try ended: what their runners say, what Ray says of those that are gone, and what it counts as."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ray  # noqa: TID253 - this module is about Ray

from marin_research.parts import Cause, Status
from marin_research.ray.packages import pip_errors
from marin_research.ray.runner import Ended

if TYPE_CHECKING:
    from marin_research.job import TaskTry

_TOLD_LINES = 3
"""Of the traceback that Ray gives as its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A runner that is gone, and its machine with it, as far as is known."""

    why: str
    out_of_memory: bool = False


async def end_of(ref: Any) -> Ended | Lost:
    """What a runner reports, or that it is gone."""
    try:
        ended: Ended = await ref
    except ray.exceptions.OutOfMemoryError as error:
        return Lost(why=_first_line(error), out_of_memory=True)
    except ray.exceptions.RayTaskError as error:  # the runner itself could not do its work
        return Ended(exit_code=None, error=_first_line(error.cause), time=time.time())
    except ray.exceptions.RuntimeEnvSetupError as error:
        return Ended(exit_code=None, error=f"it cannot be set up there: {_reason(str(error))}", time=time.time())
    except ray.exceptions.RayError as error:
        return Lost(why=f"{type(error).__name__}: {_first_line(error).partition('. ')[0]}")
    return ended


def succeeded(end: Ended | Lost) -> bool:
    return isinstance(end, Ended) and end.exit_code == 0


def is_gone(end: Ended | Lost) -> bool:
    return isinstance(end, Lost) and not end.out_of_memory


def ended_try(each: TaskTry, end: Ended | Lost | None, *, gone: bool, stopped: Cause | None) -> TaskTry:
    now = datetime.now(UTC)
    match end:
        case None:
            return replace(each, state="stopped", outcome=Status.CANCELLED, cause=stopped or Cause.UNKNOWN, ended=now)
        case Lost(out_of_memory=True):
            return replace(
                each, state="failed", outcome=Status.FAILED, cause=Cause.OUT_OF_MEMORY, error=end.why, ended=now
            )
        case Lost():
            return replace(
                each, state="lost", outcome=Status.PREEMPTED, cause=Cause.MACHINE_LOST, error=end.why, ended=now
            )
        case Ended(exit_code=0):
            return replace(each, state="succeeded", outcome=Status.SUCCEEDED, exit_code=0, ended=end.when)
        case Ended(stopped=True):
            outcome = Status.PREEMPTED if gone else Status.FAILED
            why = "another task of its gang ended"
            return replace(each, state="stopped", outcome=outcome, error=why, ended=end.when, follows=True)
    return replace(
        each,
        state="failed",
        outcome=Status.FAILED,
        cause=end.cause,
        error=end.error,
        exit_code=end.exit_code,
        ended=end.when,
        follows=gone,
    )


def timed_out(each: TaskTry, why: str) -> TaskTry:
    return replace(each, outcome=Status.FAILED, cause=Cause.TIMED_OUT, error=why)


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _reason(told: str) -> str:
    """What pip says of packages that it cannot install; else all that Ray says, where the last lines tell most."""
    lines = [" ".join(line.split()) for line in told.splitlines() if line.strip()]
    return "; ".join(pip_errors(lines) or lines[:1] + lines[-_TOLD_LINES:])

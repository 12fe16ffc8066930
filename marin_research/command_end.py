"""Says how a command ended, from what its parent and its surroundings saw, and nothing that they did not see."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from marin_research.foreground import GRACE_S
from marin_research.record import Cause, End, Evidence, Status
from marin_research.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.foreground import Ended, Received

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_WINDING_UP_S = 60.0
"""A program that ends within this time after it was asked to, ended because of that, whatever its exit code."""


class Surroundings(NamedTuple):
    """What was seen around a command while it ran."""

    received: Sequence[Received] = ()
    memory: Evidence | None = None
    notice: Evidence | None = None
    timeout_s: float | None = None


def not_started(argv: Sequence[str], error: OSError) -> End:
    """The end of a command that there was no starting of."""
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    why = f"it could not be started: {error.strerror or error}: {argv[0]}"
    return End(status=Status.FAILED, time=datetime.now(UTC), why=why, cause=Cause.NOT_STARTED, exit_code=code)


def stopped_before_start(first: Received) -> End:
    return End(
        status=Status.CANCELLED,
        time=first.time,
        why=f"it was not started: {received_words(first)} came first",
        cause=Cause.NOT_STARTED,
        evidence=(signal_evidence(first),),
    )


def command_end(ended: Ended, around: Surroundings) -> End:
    """How a command ended: its exit status, and what of its surroundings explains it."""
    status, cause, why = _verdict(ended, around)
    if around.memory and cause is not Cause.OUT_OF_MEMORY:
        why += f"; meanwhile {around.memory.text}"
    seen = [signal_evidence(each) for each in around.received]
    seen += [each for each in (around.notice, around.memory) if each is not None]
    return End(
        status=status,
        time=ended.time,
        why=why,
        cause=cause,
        exit_code=ended.exit_code,
        signal=_signal_name(ended.signal) if ended.signal is not None else None,
        evidence=tuple(sorted(seen, key=lambda each: each.time)),
    )


def _verdict(ended: Ended, around: Surroundings) -> tuple[Status, Cause, str]:
    how = how_ended(exit_code=ended.exit_code, number=ended.signal)
    if ended.timed_out:
        killed = ended.signal == signal.SIGKILL
        late = f" and {GRACE_S:g} s to end by itself" if killed else ""
        limit = format_duration(around.timeout_s or 0)
        return Status.FAILED, Cause.TIMED_OUT, f"its time limit of {limit}{late} was up, and {how}"
    if around.memory and _was_killed(ended):
        return Status.FAILED, Cause.OUT_OF_MEMORY, f"{how}: {around.memory.text}"
    asked = _answered(ended, around.received)
    if asked is not None:
        how += f", {format_duration(ended.at - asked.at)} after {received_words(asked)}"
        if around.notice is not None:
            return Status.PREEMPTED, Cause.PREEMPTED, f"{how}; {around.notice.source}: {around.notice.text}"
        return Status.CANCELLED, Cause.STOPPED, how
    if ended.signal is not None:
        by = "; nothing says by whom" if ended.signal == signal.SIGKILL else ""
        return Status.FAILED, Cause.SIGNALLED, f"{how}{by}"
    return Status.FAILED if ended.exit_code else Status.SUCCEEDED, Cause.EXITED, how


def _answered(ended: Ended, received: Sequence[Received]) -> Received | None:
    """The signal that the command's end was the answer to, if there was one."""
    if not received:
        return None
    last = received[-1]
    if ended.signal is not None:
        # Whoever asks and is not heard, kills.
        return last if ended.signal in (last.signal, signal.SIGKILL) else None
    told = ended.exit_code == 128 + last.signal or ended.at - last.at <= _WINDING_UP_S
    return last if told else None


def _was_killed(ended: Ended) -> bool:
    """By itself, or a shell says so of the program that it ran."""
    return ended.signal == signal.SIGKILL or ended.exit_code == 128 + signal.SIGKILL


def how_ended(*, exit_code: int | None, number: int | None) -> str:
    """An exit status in words."""
    if number is not None:
        return f"it was killed by {_signal_name(number)}"
    code = exit_code or 0
    if code == 128 + signal.SIGKILL:
        return "it exited with code 137: its own command was killed by SIGKILL, possibly for lack of memory"
    if 128 < code <= 128 + 31:
        return f"it exited with code {code}, which is how a shell reports {_signal_name(code - 128)}"
    return f"it exited with code {code}"


def received_words(received: Received) -> str:
    name = received.signal.name
    match received.sender:
        case None:
            return name
        case 0:
            return f"{name} from the terminal"
        case sender if sender < 0:
            return f"{name} from outside this container"
        case sender:
            return f"{name} from process {sender}{f' ({received.sender_name})' if received.sender_name else ''}"


def signal_evidence(received: Received) -> Evidence:
    passed = "given to the command" if received.passed_on else "which the command has, too"
    return Evidence(
        time=received.time, source="signal", text=f"{received_words(received)}, {passed}", cause=Cause.STOPPED
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

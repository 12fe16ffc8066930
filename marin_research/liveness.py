"""How an attempt stands of which no end was recorded: it runs, it may hang, or it is lost. Knows no store.

Heartbeats come from a process at the side of the one that works, so a fresh heartbeat says that the machine and the
recorder live, not that the work goes on. That is for the progress signal to say.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marin_research.codec import Unknown
from marin_research.record import Cause, End, Status
from marin_research.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from marin_research.machine import Machine
    from marin_research.record import Attempt, Host

LOST_AFTER_HEARTBEATS = 3
DEFAULT_INTERVAL_S = 30.0
"""Between heartbeats, where the start of the host that would say it is missing."""
QUIET = timedelta(minutes=10)
"""Without a new line or a new training step for so long, a run is said to have stopped moving."""

_DECISIVE = {Cause.PREEMPTED: Status.PREEMPTED, Cause.OUT_OF_MEMORY: Status.FAILED}
"""What was observed at the very end, and is as good as a word on how it ended when no word follows."""


def presumed_end(
    attempt: Attempt, *, now: datetime, here: Machine | None = None, watched_by: Sequence[Host] = ()
) -> End | None:
    """How an attempt that has fallen silent must be taken to have ended; None while a heartbeat is fresh.

    Args:
        attempt: one without a recorded end.
        now: the reader's clock.
        here: the reader's machine; a restart of it is evidence for what ran on it.
        watched_by: processes of earlier attempts whose signs of life are this one's, too.
    """
    hosts = (*attempt.hosts, *watched_by)
    last, interval_s = max(map(_last_sign, hosts), default=(attempt.started, DEFAULT_INTERVAL_S))
    if now - last <= timedelta(seconds=LOST_AFTER_HEARTBEATS * interval_s):
        return None
    silence = f"nothing was heard of it after {last:%Y-%m-%d %H:%M:%S} UTC (heartbeats are {interval_s:g} s apart)"
    return end_from_evidence(attempt, last, silence, here=here)


def end_from_evidence(attempt: Attempt, last: datetime, silence: str, *, here: Machine | None = None) -> End:
    """How an attempt ended at ``last`` of which nobody said so, from what its hosts had observed.

    Args:
        attempt: one without a recorded end.
        last: when it was last heard of.
        silence: what is known of that, in words.
        here: the reader's machine; a restart of it is evidence for what ran on it.
    """
    evidence = sorted((seen for host in attempt.hosts for seen in host.evidence), key=lambda seen: seen.time)
    decisive = next((seen for seen in evidence if seen.cause in _DECISIVE), None)
    noted = "".join(f"; {seen.source}: {seen.text}" for seen in evidence)
    if decisive is not None:
        status, cause = _DECISIVE[decisive.cause], decisive.cause
        return End(status=status, time=last, why=f"{silence}{noted}", cause=cause, evidence=tuple(evidence))
    restarted = next((host for host in attempt.hosts if here is not None and _was_restarted(host, here)), None)
    if restarted is not None:
        noted += f"; the machine {restarted.name} has been started anew since, or is another one of that name"
    return End(
        status=Status.LOST,
        time=last,
        why=f"{silence} and nothing said how it ended{noted}",
        cause=Cause.MACHINE_LOST if restarted else Cause.UNKNOWN,
        evidence=tuple(evidence),
    )


def why_running(attempt: Attempt, *, now: datetime) -> str:
    """What the heartbeats say of work whose heartbeat is fresh."""
    last, interval_s = max(map(_last_sign, attempt.hosts), default=(now, DEFAULT_INTERVAL_S))
    ahead = last - now
    if ahead <= timedelta(seconds=LOST_AFTER_HEARTBEATS * interval_s):
        return "; ".join(("its heartbeat is fresh", *_movement(attempt, now)))
    return f"its last heartbeat is {_ago(ahead)} ahead of the clock here, so it tells nothing: it may have ended"


def _movement(attempt: Attempt, now: datetime) -> Iterator[str]:
    seen = [host.progress for host in attempt.hosts]
    reached, step = max(((each.step_at, each.step) for each in seen if each.step_at is not None), default=(None, None))
    printed = max((each.output_at for each in seen if each.output_at is not None), default=None)
    if reached is not None:
        still = ", and none since: it may hang" if now - reached > QUIET else ""
        yield f"training step {step} was reached {_ago(now - reached)} ago{still}"
    if printed is not None and now - printed > QUIET:
        yield f"it has printed nothing for {_ago(now - printed)}: it may hang"
    elif printed is not None:
        yield f"it last printed {_ago(now - printed)} ago"


def _ago(span: timedelta) -> str:
    return format_duration(max(0.0, span.total_seconds()))


def silent(hosts: Sequence[Host], *, now: datetime) -> list[Host]:
    """Those of which nothing says that they ended, and nothing has been heard for too long."""
    signs = [(host, *_last_sign(host)) for host in hosts if host.end is None]
    return [
        host for host, last, interval_s in signs if (now - last).total_seconds() > LOST_AFTER_HEARTBEATS * interval_s
    ]


def _is_silent(host: Host, now: datetime) -> bool:
    last, interval_s = _last_sign(host)
    return now - last > timedelta(seconds=LOST_AFTER_HEARTBEATS * interval_s)


def _last_sign(host: Host) -> tuple[datetime, float]:
    return host.heartbeat or host.started, host.heartbeat_interval_s


def _was_restarted(host: Host, here: Machine) -> bool:
    known = not isinstance(host.boot, Unknown) and not isinstance(here.boot, Unknown)
    return known and host.name == here.name and host.boot != here.boot

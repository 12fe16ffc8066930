"""What happened to a run, one fact at a time, and the fold of those facts into a record.

Every fact is written when it becomes known, before the work it announces. An object of the store holds the facts that
became known together (a batch). Batches of one run may come from several writers (the launcher, each host of each
attempt), so a batch's name says the attempt, the writer and the writer's own count; writers need not agree on more.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from marin_research.codec import Unknown, decode, dump
from marin_research.errors import EventFormatError
from marin_research.liveness import DEFAULT_INTERVAL_S, LOST_AFTER_HEARTBEATS, presumed_end, why_running
from marin_research.record import (
    Attempt,
    Devices,
    End,
    Evidence,
    Gap,
    Host,
    Metric,
    Output,
    Progress,
    Run,
    Status,
    WandbRun,
)

if TYPE_CHECKING:
    from marin_research.machine import Machine

FORMAT = "marin-research/events/1"


class Kind(StrEnum):
    """Which fact an event states; the comment names the record type its body is the JSON form of."""

    DECLARED = "declared"  # Run, without what later events say
    ATTEMPT_STARTED = "attempt_started"  # Attempt
    HOST_STARTED = "host_started"  # Host
    WANDB = "wandb"  # WandbRun; a later event of the same id replaces an earlier one
    METRIC = "metric"  # Metric; likewise by name
    DEVICES = "devices"  # Devices, as this host's JAX saw them
    OUTPUT = "output"  # Output of this host
    EVIDENCE = "evidence"  # Evidence, seen by this host before anything else said how it ended
    HOST_ENDED = "host_ended"  # End
    ATTEMPT_ENDED = "attempt_ended"  # End
    CACHED = "cached"  # {"from": run ID or Unknown, "why": str}
    NOT_RUN = "not_run"  # {"why": str}
    GAP = "gap"  # Gap


_STARTS = frozenset({Kind.DECLARED, Kind.ATTEMPT_STARTED, Kind.HOST_STARTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    kind: Kind
    time: datetime
    attempt: int
    """1 for the first try; 0 for what concerns the run as a whole."""
    writer: str
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The newest sign of life of one writer, with a progress signal. Replaced in place; never history."""

    writer: str
    time: datetime
    size: int = 0
    """Bytes of output so far."""
    lines: int = 0
    progress: Progress = field(default_factory=Progress)


def write_batch(events: list[Event]) -> bytes:
    return dump({"format": FORMAT, "events": events})


def read_batch(key: str, data: bytes) -> tuple[list[Event], list[Gap]]:
    """The events of one stored object, and what stands in it that this program cannot read.

    Raises:
        EventFormatError: the object is cut off, is not ours, or was written in a newer format.
    """
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EventFormatError(key, "is cut off or not JSON") from error
    found = raw.get("format") if isinstance(raw, dict) else None
    if found != FORMAT:
        raise EventFormatError(key, f"has format {found!r}, this program reads {FORMAT!r}; a newer version may read it")
    items = raw.get("events")
    if not isinstance(items, list):
        raise EventFormatError(key, "does not hold events")
    events: list[Event] = []
    gaps: list[Gap] = []
    for index, item in enumerate(items):
        try:
            events.append(decode(Event, item))
        except (TypeError, ValueError) as error:
            gaps.append(Gap(what=f"event {index} of {key}", why=f"cannot be read ({error})"))
    return events, gaps


@dataclass(slots=True)
class _Fold:
    """The record while it is being put together."""

    run: Run
    ends: dict[int, End] = field(default_factory=dict)
    """By attempt, kept apart so that an end counts even when the start of its attempt is what is missing."""
    attempts: dict[int, Attempt] = field(default_factory=dict)
    hosts: dict[tuple[int, str], Host] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    wandb: dict[str, WandbRun] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        where = (event.attempt, event.writer)
        match event.kind:
            case Kind.DECLARED:
                # The first declaration stands: a retry declares the same run again.
                if self.run.thread == "":
                    self.run = decode(Run, event.body)
            case Kind.ATTEMPT_STARTED:
                self.attempts.setdefault(event.attempt, decode(Attempt, event.body))
            case Kind.HOST_STARTED:
                self.hosts[where] = decode(Host, event.body)
            case Kind.WANDB:
                linked = decode(WandbRun, event.body)
                self.wandb[f"{linked.project}/{linked.id}"] = linked
            case Kind.METRIC:
                metric = decode(Metric, event.body)
                self.metrics[metric.name] = metric
            case Kind.GAP:
                self.gaps.append(decode(Gap, event.body))
            case Kind.DEVICES:
                self._update_host(where, devices=decode(Devices, event.body))
            case Kind.OUTPUT:
                self._update_host(where, output=decode(Output, event.body))
            case Kind.EVIDENCE:
                seen = decode(Evidence, event.body)
                if (host := self.hosts.get(where)) is not None:
                    self._update_host(where, evidence=(*host.evidence, seen))
            case Kind.HOST_ENDED:
                self._update_host(where, end=decode(End, event.body))
            case Kind.ATTEMPT_ENDED:
                end, known = decode(End, event.body), self.ends.get(event.attempt)
                # Of several hosts, the one that failed decides how the attempt ended.
                if known is None or known.status is Status.SUCCEEDED or end.status is not Status.SUCCEEDED:
                    self.ends[event.attempt] = end
            case Kind.CACHED:
                source = decode(str | Unknown, event.body["from"])  # type: ignore[arg-type]
                self.run = replace(self.run, status=Status.CACHED, why=event.body["why"], cached_from=source)
            case Kind.NOT_RUN:
                self.run = replace(self.run, status=Status.CANCELLED, why=event.body["why"])

    def _update_host(self, where: tuple[int, str], **changes: Any) -> None:
        host = self.hosts.get(where)
        if host is not None:
            self.hosts[where] = replace(host, **changes)


def fold(
    run_id: str,
    events: list[Event],
    *,
    gaps: list[Gap],
    heartbeats: list[Heartbeat],
    now: datetime | None = None,
    here: Machine | None = None,
) -> Run:
    """The record that ``events`` add up to.

    Args:
        run_id: used when the declaration itself is among what is missing.
        events: each writer's own in the order in which it wrote them; those of different writers are taken by time.
        gaps: what could not be read.
        heartbeats: the newest sign of life of each writer.
        now: the reader's clock, against which a silent run counts as lost.
        here: the reader's machine; a restart of it is evidence for what ran on it.
    """
    now = now or datetime.now(UTC)
    state = _Fold(run=_undeclared(run_id))
    for event in _in_order(events):
        try:
            state.apply(event)
        except (TypeError, ValueError, KeyError) as error:
            state.gaps.append(Gap(what=f"{event.kind} of attempt {event.attempt}", why=f"cannot be read ({error})"))
    beats = {beat.writer: beat for beat in heartbeats}
    attempts = [_attempt(number, state, beats) for number in sorted(state.attempts)]
    run = replace(
        state.run,
        attempts=tuple(_with_presumed_end(attempt, now=now, here=here) for attempt in attempts),
        metrics=state.metrics,
        wandb=tuple(state.wandb.values()),
        gaps=(*gaps, *state.gaps),
    )
    return _with_status(run, state.ends, heartbeats, now)


def _in_order(events: list[Event]) -> list[Event]:
    """What starts something first, then by attempt and time; what concerns the run as a whole has the last word.

    Clocks differ between hosts and jump back on one host, so no fact may depend on them: a writer's own order stands.
    """
    keys = []
    latest: dict[tuple[int, str], datetime] = {}
    for event in events:
        where = (event.attempt, event.writer)
        latest[where] = max(event.time, latest.get(where, event.time))
        starts = event.kind in _STARTS
        keys.append((not starts, event.attempt if starts else event.attempt or math.inf, latest[where]))
    return [event for _, event in sorted(zip(keys, events, strict=True), key=lambda pair: pair[0])]


def _undeclared(run_id: str) -> Run:
    return Run(
        id=run_id,
        thread="",
        launch="",
        status=Status.LOST,
        why="its declaration is missing from the store",
        label="",
        declared=datetime.fromtimestamp(0, UTC),
    )


def _attempt(number: int, state: _Fold, beats: dict[str, Heartbeat]) -> Attempt:
    hosts = [
        _with_heartbeat(host, beats.get(writer)) for (attempt, writer), host in state.hosts.items() if attempt == number
    ]
    hosts.sort(key=lambda host: host.index)
    return replace(state.attempts[number], hosts=tuple(hosts), end=state.ends.get(number))


def _with_heartbeat(host: Host, beat: Heartbeat | None) -> Host:
    if beat is None:
        return host
    # While a host runs, its heartbeat is also the newest word on how much it has printed.
    output = host.output or Output(size=beat.size, lines=beat.lines)
    return replace(host, heartbeat=beat.time, output=output, progress=beat.progress)


def _with_presumed_end(attempt: Attempt, *, now: datetime, here: Machine | None) -> Attempt:
    return attempt if attempt.end else replace(attempt, end=presumed_end(attempt, now=now, here=here))


def _with_status(run: Run, ends: dict[int, End], heartbeats: list[Heartbeat], now: datetime) -> Run:
    if run.status in (Status.CACHED, Status.CANCELLED):
        return run
    attempt = run.attempt
    number, end = max(ends.items(), key=itemgetter(0), default=(0, None))
    if attempt is not None and attempt.number > number:
        end = attempt.end
    if end is not None:
        return replace(run, status=end.status, why=end.why)
    if attempt is not None:
        return replace(run, status=Status.RUNNING, why=why_running(attempt, now=now))
    if not heartbeats:
        return run
    last = max(beat.time for beat in heartbeats)
    if (now - last).total_seconds() <= LOST_AFTER_HEARTBEATS * DEFAULT_INTERVAL_S:
        return replace(run, status=Status.RUNNING, why="its heartbeat is fresh")
    return replace(run, status=Status.LOST, why=f"nothing was heard of it after {last:%Y-%m-%d %H:%M:%S} UTC")

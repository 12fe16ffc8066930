"""What happened to a run, one fact at a time; ``marin_research.fold`` puts them together.

Every fact is written when it becomes known, before the work it announces. An object of the store holds the facts that
became known together (a batch). Batches of one run may come from several writers (the launcher, each host of each
attempt), so a batch's name says the attempt, the writer and the writer's own count; writers need not agree on more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the codec reads the annotations at run time
from enum import StrEnum
from typing import Any

from marin_research.codec import decode, dump
from marin_research.errors import EventFormatError
from marin_research.record import Gap, Progress

FORMAT = "marin-research/events/1"
CANNOT_BE_READ = "cannot be read by this version of the program; a newer one may have written it"


class Kind(StrEnum):
    """Which fact an event states; the comment names the record type its body is the JSON form of."""

    DECLARED = "declared"  # Run, without what later events say
    ATTEMPT_STARTED = "attempt_started"  # Attempt
    RETRIED = "retried"  # Retry: the event's attempt goes on with an earlier one
    HOST_STARTED = "host_started"  # Host
    WANDB = "wandb"  # WandbRun; a later event of the same id replaces an earlier one
    METRIC = "metric"  # Metric; likewise by name
    DEVICES = "devices"  # Devices, as this host's JAX saw them
    OUTPUT = "output"  # Output of this host
    EVIDENCE = "evidence"  # Evidence, seen by this host before anything else said how it ended
    JOB = "job"  # Job; a later event of the same ID replaces an earlier one
    HOST_ENDED = "host_ended"  # End
    ATTEMPT_ENDED = "attempt_ended"  # End, as the process that runs the step says
    CACHED = "cached"  # {"from": run ID or Unknown, "why": str}
    NOT_RUN = "not_run"  # {"why": str}
    GAP = "gap"  # Gap


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
    size: int | None = 0
    """Bytes of output so far; None where none is kept."""
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
            gaps.append(Gap(what=f"event {index} of {key}", why=f"{CANNOT_BE_READ} ({error})"))
    return events, gaps

"""Why a run failed: a cause from a closed list, as a hypothesis, with the log lines that it rests on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field  # noqa: TID253

from curator.causes import BY_NAME
from curator.claims.base import Claim, Grounds, RefusedError, Statement
from curator.drafters.interpretation import cause_sentence
from curator.facts import FactKind
from curator.failure import is_telling
from marin_research.record import Status

_FAILED = frozenset({Status.FAILED, Status.LOST, Status.PREEMPTED})


class FailureCause(Claim):
    """The likely cause of a failure."""

    kind: Literal["failure"]
    run: str = Field(description="the status fact of the failed run")
    cause: Literal[
        "non-finite-numbers",
        "device-memory",
        "host-memory",
        "disk-full",
        "preemption",
        "busy-device",
        "device-fault",
        "hang",
        "lost-peer",
        "network",
        "access",
        "missing-file",
        "missing-package",
        "shapes",
        "killed",
        "crash",
        "bad-value",
    ]
    lines: list[str] = Field(
        min_length=1, max_length=3, description="IDs of the log lines of that run that speak for it"
    )

    def state(self, grounds: Grounds) -> Statement:
        status = grounds.fact(self.run, FactKind.STATUS)
        run = grounds.runs.get(status.subject)
        if run is None or run.status not in _FAILED:
            raise RefusedError(f"{status.subject} did not fail; its status is {status.value}")
        quoted = [_line(line_id, run.id, grounds) for line_id in self.lines]
        cause = BY_NAME[self.cause]
        if not any(cause.lines.search(line) for line in quoted):
            raise RefusedError(f"none of these lines says that {cause.says}; quote one that does or name another cause")
        return Statement(
            text=cause_sentence(run.id, cause, quoted),
            uses=(status.id, *(line.partition("#")[0] for line in self.lines)),
        )


def _line(line_id: str, run_id: str, grounds: Grounds) -> str:
    found = grounds.lines.get(line_id) or grounds.lines.get(f"{line_id}#1")
    if found is None:
        raise RefusedError(f"there is no log line {line_id!r}; name lines as they are listed, such as {run_id}/quote#1")
    fact, line = found
    if fact.subject != run_id:
        raise RefusedError(f"{line_id} is of {fact.subject}, not of {run_id}")
    if not is_telling(line):
        raise RefusedError(f"{line_id} is source code, holds a link or addresses the reader; quote the error itself")
    return line.strip()

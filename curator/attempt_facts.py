"""What a write-up may state of the tries at a run: where each of them ran, on what, for how long, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curator.facts import Fact, FactKind, pointer
from marin_research.codec import format_time
from marin_research.devices import denied
from marin_research.record import Blob, Devices, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.record import Attempt, Run

EXIT_CODE = "exit code"
"""The name of the fact that holds it."""


def attempt_facts(run: Run) -> list[Fact]:
    """The facts of the last attempt, whose outcome is the run's, and how the others ended."""
    if run.attempt is None:
        return []
    return [
        *_last(run.id, run.attempt),
        *_jobs(run),
        *(fact for attempt in run.attempts[:-1] for fact in _earlier(run.id, attempt)),
        *_counts(run),
    ]


def _fact(run: str, kind: FactKind, path: str, value: Any, where: str, **more: Any) -> Fact:
    return Fact(id=f"{run}/{path}", kind=kind, value=value, subject=run, source=f"{run}#/attempts{where}", **more)


def _counts(run: Run) -> Iterator[Fact]:
    taken_away = sum(attempt.end is not None and attempt.end.status is Status.PREEMPTED for attempt in run.attempts)
    counts = {"attempts": len(run.attempts), "retries": len(run.attempts) - 1, "preemptions": taken_away}
    for name, count in counts.items():
        yield _fact(run.id, FactKind.COUNT, f"count/{name}", count, "", name=name)


def _earlier(run: str, attempt: Attempt) -> Iterator[Fact]:
    at, path = f"/{attempt.number - 1}", f"attempt/{attempt.number}"
    named = f"of attempt {attempt.number}"
    if isinstance(attempt.wall_s, float):
        yield _fact(run, FactKind.DURATION, f"{path}/wall", attempt.wall_s, at, unit="s", name=f"wall time {named}")
    if attempt.end is not None:
        yield _fact(run, FactKind.TEXT, f"{path}/end", attempt.end.why, f"{at}/end/why", name=f"end {named}")
        if attempt.end.exception is not None:
            message = attempt.end.exception.message
            yield _fact(run, FactKind.QUOTE, f"{path}/message", message, f"{at}/end/exception/message")


def _jobs(run: Run) -> Iterator[Fact]:
    for job in run.jobs:
        # Its name suffices to find it; the ID holds the name of a person.
        yield _fact(run.id, FactKind.NAME, f"job/{job.name}", job.name, "/-/jobs", name="job")
        yield _fact(run.id, FactKind.NAME, f"job-id/{job.name}", job.id, "/-/jobs", name="job ID")


def _last(run: str, attempt: Attempt) -> Iterator[Fact]:
    at = f"/{attempt.number - 1}"

    def fact(kind: FactKind, path: str, value: Any, where: str, **more: Any) -> Fact:
        return _fact(run, kind, path, value, f"{at}{where}", **more)

    yield fact(FactKind.COMMAND, "command", attempt.command.line, "/command/line")
    if isinstance(attempt.git.commit, str):
        yield fact(FactKind.COMMIT, "commit", attempt.git.commit, "/git/commit")
    if isinstance(attempt.git.diff, Blob):
        yield fact(FactKind.COMMIT, "diff", attempt.git.diff.sha256, "/git/diff/sha256")
    devices = attempt.devices
    if isinstance(devices, Devices):
        where = _where_it_says(devices, attempt)
        yield fact(FactKind.DEVICE, "device/kind", devices.kind, f"{where}/kind")
        yield fact(FactKind.COUNT, "device/count", devices.count, f"{where}/count", name="devices")
    asked = denied(attempt)
    if asked is not None:
        yield fact(FactKind.DEVICE, "device/asked", asked.kind, f"{_where_it_says(asked, attempt)}/kind")
    if isinstance(attempt.wall_s, float):
        yield fact(FactKind.DURATION, "wall", attempt.wall_s, "/wall_s", unit="s", name="wall time")
    yield fact(FactKind.COUNT, "count/hosts", len(attempt.workers), "/hosts", name="hosts")
    yield fact(FactKind.NAME, "python", attempt.python, "/python", name="python")
    for package, version in attempt.packages.items():
        where = f"/packages{pointer(package)}"
        yield fact(FactKind.NAME, f"package/{package}", f"{package} {version}", where, name=package)
    if attempt.end is not None:
        yield fact(FactKind.TEXT, "end", attempt.end.why, "/end/why")
        yield fact(FactKind.TIME, "ended", format_time(attempt.end.time), "/end/time")
        if attempt.end.exit_code is not None:
            yield fact(FactKind.COUNT, "exit-code", attempt.end.exit_code, "/end/exit_code", name=EXIT_CODE)
        if attempt.end.exception is not None:
            error = attempt.end.exception
            yield fact(FactKind.NAME, "exception", error.type, "/end/exception/type")
            yield fact(FactKind.QUOTE, "message", error.message, "/end/exception/message")
            # As Python prints it, which a text may quote whether or not the output holds it.
            yield fact(FactKind.QUOTE, "error", f"{error.type}: {error.message}", "/end/exception")


def _where_it_says(devices: Devices, attempt: Attempt) -> str:
    """Which part of the attempt names these devices."""
    for place, host in enumerate(attempt.hosts):
        if host.devices == devices:
            return f"/hosts/{place}/devices"
    for place, job in enumerate(attempt.jobs):
        if job.declared_devices == devices:
            return f"/jobs/{place}/declared_devices"
    return "/declared_devices"

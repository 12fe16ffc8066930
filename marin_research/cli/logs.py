"""``marin-research logs``: what a run printed."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import root_option
from marin_research.cli.show import find_run
from marin_research.errors import StoreError
from marin_research.merged_output import merged
from marin_research.output import follow as follow_output
from marin_research.output import read_output
from marin_research.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.record import Attempt, Host, Run

OWN = "step"
"""How the process that runs the step itself is called beside the hosts of its jobs."""


@click.command(
    help="Print what a run printed, as it was (secrets masked). What several hosts printed is merged by time, each "
    "line after its host's number; --host step is the process that dispatched their jobs.\n\n\b\nExamples:\n"
    "  marin-research logs LR-003 | less -R\n"
    "  marin-research logs LR-003 --host 1 --attempt 1\n"
    "  marin-research logs LR-003 --host step\n"
    "  marin-research logs LR-003 --follow"
)
@click.argument("run")
@click.option("--attempt", type=click.IntRange(min=1), help="Which try (default: the last).")
@click.option("--host", metavar=f"N|NAME|{OWN}", help="One host alone (default: all that did the work).")
@click.option("--job", metavar="NAME", help="The hosts of one job, by its name or ID.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@root_option
def command(
    *, run: str, attempt: int | None, host: str | None, job: str | None, follow: bool, root: str | None
) -> None:
    store = RecordStore(root)
    found = find_run(store, run)
    tried = _tried(found, attempt)
    hosts = _chosen(tried, host, job)
    if not hosts:
        raise _missing(found, tried, host, job)
    if len(hosts) == 1:
        read = follow_output if follow else read_output
        for chunk in read(store, found.id, tried.number, hosts[0].writer):
            _print(chunk)
        return
    names = _names(hosts, tried)
    for each, line in merged(store, found.id, tried.number, hosts, follow=follow):
        _print(names[each.writer] + line)


def _chosen(attempt: Attempt, host: str | None, job: str | None) -> list[Host]:
    if host == OWN:
        return [each for each in attempt.hosts if each.job is None]
    ids = {each.id for each in attempt.jobs if job in (each.id, each.name)}
    of_job = [each for each in attempt.workers if job is None or each.job == job or each.job in ids]
    return [each for each in of_job if host in (None, str(each.index), each.name, each.writer)]


def _names(hosts: Sequence[Host], attempt: Attempt) -> dict[str, bytes]:
    """``[0] ``; with the job where several have a host of that number, with its writer where several claim it."""
    jobs = {job.id: job.name for job in attempt.jobs}
    several = len({host.job for host in hosts}) > 1
    names = {
        host.writer: f"{jobs.get(host.job or '', host.job or OWN)} {host.index}" if several else str(host.index)
        for host in hosts
    }
    claimed = Counter(names.values())
    names = {writer: f"{name} {writer}" if claimed[name] > 1 else name for writer, name in names.items()}
    width = max(map(len, names.values()))
    return {writer: f"[{name:>{width}}] ".encode() for writer, name in names.items()}


def _tried(run: Run, number: int | None) -> Attempt:
    tried = next((each for each in reversed(run.attempts) if number in (None, each.number)), None)
    if tried is not None:
        return tried
    if not run.attempts:
        raise StoreError(f"{run.id} has no attempt: it is {run.status} ({run.why}); see `marin-research show {run.id}`")
    raise StoreError(
        f"{run.id} has no attempt {number}; it has {_all('attempt', [each.number for each in run.attempts])}"
    )


def _missing(run: Run, attempt: Attempt, host: str | None, job: str | None) -> StoreError:
    """The error that says which of an attempt's jobs or hosts there are instead of those asked for."""
    of = f"attempt {attempt.number} of {run.id}" if len(run.attempts) > 1 else run.id
    hosts = _chosen(attempt, None, job)
    if job is not None and not hosts:
        jobs = [each.name for each in attempt.jobs]
        return StoreError(f"{of} has no job {job}; it has {_all('job', jobs)}")
    if not hosts:
        return StoreError(f"{of} has no host yet: it is {run.status} ({run.why}); see `marin-research show {run.id}`")
    return StoreError(f"{of} has no host {host}; it has {_all('host', sorted({each.index for each in hosts}))}")


def _all(what: str, names: Sequence[object]) -> str:
    """``hosts 0, 1``."""
    return f"{what}{'s' * (len(names) > 1)} {', '.join(map(str, names))}" if names else f"no {what}"


def _print(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()

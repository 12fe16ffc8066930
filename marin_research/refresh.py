"""Asks the clusters again about the jobs of a run whose end nobody noted: their launcher was killed, or was cut off."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marin_research.clusters import backend
from marin_research.codec import encode
from marin_research.events import Event, Kind
from marin_research.job import is_open
from marin_research.outside import Outside, Sighting
from marin_research.redact import Redactor

if TYPE_CHECKING:
    from marin_research.record import Run
    from marin_research.store import RecordStore


def refresh(store: RecordStore, run: Run, *, before: int | None = None) -> Run:
    """The record of ``run`` after everything its clusters can tell was added to it.

    Only about jobs of attempts ``before`` that one, where somebody follows the later ones.

    Raises:
        ClusterError: a cluster cannot be reached, or does not know the job any more.
        StoreError: the record cannot be written.
    """
    redactor = Redactor.from_environment()
    outside = Outside(store, run.id, redactor)
    writer = f"r-{secrets.token_hex(3)}"
    attempt_of = {job.id: each.number for each in reversed(run.attempts) for job in each.jobs}
    askable = [
        job
        for job in run.jobs
        if job.cluster is not None and is_open(job) and (before is None or attempt_of[job.id] < before)
    ]
    for number, job in enumerate(askable):
        attempt = attempt_of[job.id]
        with backend(job.backend).find(job) as submitted:
            seen = Sighting(job=submitted.look(job), attempt=attempt, submitted=submitted)
            facts = [(Kind.JOB, redactor.json(encode(seen.job)))]
            if not is_open(seen.job) and job.kind != "actors":
                facts += [(Kind.GAP, encode(gap)) for gap in outside.add_missing_hosts(seen)]
        now = datetime.now(UTC)
        events = [Event(kind=kind, time=now, attempt=attempt, writer=writer, body=body) for kind, body in facts]
        store.write(run.id, writer, number, events)
    return store.run(run.id)

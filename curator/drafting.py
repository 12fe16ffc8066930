"""From runs to drafts in the queue: gathers evidence, has a drafter write, and keeps what it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from curator.draft import Draft, DraftKind, DraftStatus, text_sha256
from curator.drafters import template
from curator.errors import CuratorError
from curator.evidence import gather, groups
from curator.queue import DraftQueue
from marin_research.logbook import NewEntry, entry_text
from marin_research.redact import Redactor
from marin_research.store import checkout_top

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from curator.drafters.template import Drafted, Entry
    from curator.evidence import Evidence
    from marin_research.store import RecordStore
    from marin_research.thread import Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one kind of write-up of one group of runs."""

    kind: DraftKind
    runs: tuple[str, ...]
    draft: Draft | None
    why_none: str | None
    reused: bool = False
    """An open draft with the same text was there already."""


def make_drafts(
    run_ids: Sequence[str],
    thread: Thread,
    store: RecordStore,
    *,
    kinds: Collection[DraftKind] = template.KINDS,
    drafter: str = template.NAME,
    each: bool = False,
) -> list[Outcome]:
    """Draft the write-up of some runs: one per sweep, or one per run.

    Args:
        run_ids: experiment IDs.
        thread: whose logbook, issue and metrics the write-up is for.
        store: where the records are, and where the drafts go.
        kinds: what to write.
        drafter: ``template``.
        each: one write-up per run even where the runs are a sweep.

    Raises:
        CuratorError: the drafter is not available.
        RunNotFoundError: one of the runs is not in the store.
    """
    if drafter != template.NAME:
        raise CuratorError(f"the {drafter} drafter is not available here; use --drafter template")
    queue = DraftQueue(store)
    of_thread = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
    outcomes = []
    for group in [[run_id] for run_id in run_ids] if each else groups(run_ids, store):
        evidence = gather(group, thread, store)
        outcomes += [_keep(drafted, evidence, queue) for drafted in template.draft(evidence, of_thread, kinds)]
    return outcomes


def _keep(drafted: Drafted, evidence: Evidence, queue: DraftQueue) -> Outcome:
    if drafted.content is None:
        return Outcome(kind=drafted.kind, runs=evidence.runs, draft=None, why_none=drafted.why_none)
    thread = evidence.thread
    content = drafted.content
    text = content if isinstance(content, str) else _entry_text(content, thread)
    # The forum is public and so may be the other places: credentials go for certain, personal data before the forum.
    redactor = Redactor.from_environment(public=drafted.kind is DraftKind.POST, names=thread.private_names)
    text = redactor.text(text).text
    known = _open_twin(queue, drafted.kind, evidence.runs, text)
    if known is not None:
        return Outcome(kind=drafted.kind, runs=evidence.runs, draft=known, why_none=None, reused=True)
    now = datetime.now(UTC)
    draft = Draft(
        id=queue.new_id(thread.prefix),
        kind=drafted.kind,
        thread=thread.topic,
        runs=evidence.runs,
        title=drafted.title,
        target=_target(drafted.kind, thread),
        text=text,
        facts=tuple(evidence.facts.values()),
        drafter=template.NAME,
        drafted_sha256=text_sha256(text),
        created=now,
        changed=now,
    )
    queue.add(draft)
    return Outcome(kind=drafted.kind, runs=evidence.runs, draft=draft, why_none=None)


def _open_twin(queue: DraftQueue, kind: DraftKind, runs: tuple[str, ...], text: str) -> Draft | None:
    """The same text about the same runs, drafted before and not rejected: drafting twice must not ask twice."""
    return next(
        (
            draft
            for draft in queue.all()
            if (draft.kind, draft.runs, draft.drafted_sha256) == (kind, runs, text_sha256(text))
            and draft.status is not DraftStatus.REJECTED
        ),
        None,
    )


def _entry_text(entry: Entry, thread: Thread) -> str:
    """The entry as it will stand in the thread's logbook, heading included, in that file's own style."""
    path = logbook_file(thread)
    data = path.read_bytes() if path is not None and path.exists() else b""
    return entry_text(data, NewEntry(ids=(entry.ids,), label=entry.label, time=entry.time, body=entry.body))


def logbook_file(thread: Thread) -> Path | None:
    """The thread's logbook on this machine; None outside of a checkout."""
    top = checkout_top()
    return top / thread.logbook.repository / thread.logbook_path if top else None


def _target(kind: DraftKind, thread: Thread) -> str:
    match kind:
        case DraftKind.LOGBOOK:
            return thread.logbook_path
        case DraftKind.ISSUE | DraftKind.ISSUE_BODY:
            return thread.issue or f"no issue yet; add its URL to the thread file ({thread.topic}.yaml, key issue)"
        case DraftKind.POST | DraftKind.SESSION:
            return "SkillEvolve"

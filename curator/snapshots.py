"""Drafts the comment about a snapshot; it waits until the tag and the entries of its runs are where others see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.draft import DraftKind
from curator.drafters import template
from curator.drafters.snapshot import snapshot_facts, snapshot_text
from curator.drafting import Outcome, target_of
from curator.errors import CuratorError
from curator.evidence import gather
from curator.queue import DraftQueue
from marin_research.redact import Redactor
from marin_research.snapshot.record import read_snapshot

if TYPE_CHECKING:
    from marin_research.store import RecordStore
    from marin_research.thread import Thread


def draft_of_snapshot(tag: str, thread: Thread, store: RecordStore) -> Outcome:
    """Draft the comment about a snapshot of a thread.

    Raises:
        SnapshotError: there is no such snapshot, or it is not whole.
        CuratorError: it is another thread's.
    """
    snapshot = read_snapshot(store, tag)
    if snapshot.thread != thread.topic:
        raise CuratorError(f"{tag} is a snapshot of {snapshot.thread}; draft it with that thread's name")
    queue = DraftQueue(store)
    evidence = gather(snapshot.runs, thread, store)
    evidence.facts.update({fact.id: fact for fact in snapshot_facts(evidence, snapshot)})
    of_thread = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
    rating = template.rate(evidence, of_thread)
    text = snapshot_text(evidence, rating, template.own_reading(evidence, rating), snapshot)
    text = Redactor.from_environment().text(text).text
    known = queue.twin(DraftKind.ISSUE, snapshot.runs, text)
    draft = known or queue.propose(
        thread.prefix,
        kind=DraftKind.ISSUE,
        thread=thread.topic,
        runs=snapshot.runs,
        title=f"snapshot {tag}",
        target=target_of(DraftKind.ISSUE, thread),
        text=text,
        facts=tuple(evidence.facts.values()),
        drafter=template.NAME,
    )
    return Outcome(kind=draft.kind, runs=draft.runs, draft=draft, why_none=None, reused=known is not None)

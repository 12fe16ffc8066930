"""The whole check of a draft: its text against the facts, and against the rules of the place that it goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.draft import OF_SKILLEVOLVE
from curator.verify import Issue, report, verify

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.verify import Report
    from marin_research.store import RecordStore


def check(draft: Draft, store: RecordStore) -> Report:
    """What a person has to know before they approve a draft, and what nobody can approve past.

    Args:
        draft: as it stands.
        store: where it lives; knows the private names of its thread.
    """
    found = verify(draft.text, draft.facts)
    if draft.kind not in OF_SKILLEVOLVE:
        return found
    from curator.skillevolve.check import issues  # what only some drafts need is loaded for them

    own = [Issue(kind=f.kind, start=f.start, end=f.end, why=f.why) for f in found.findings]
    return report(draft.text, [*own, *issues(draft, store)], found.evidence)

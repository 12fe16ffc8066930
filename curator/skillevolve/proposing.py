"""Puts a draft for SkillEvolve into the queue: its fields and its text, masked, with what stands behind them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from curator.draft import BY_HAND, Attachment, Draft, DraftKind, DraftStatus, text_sha256
from curator.facts import Fact, FactKind
from curator.front_matter import join
from curator.skillevolve.privacy import Privacy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from curator.queue import DraftQueue
    from marin_research.thread import Thread

PREFIX = "SE"
"""Of the IDs of drafts that belong to no thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is to be drafted."""

    kind: DraftKind
    title: str
    """For lists of drafts."""
    target: str
    """Where it will be: an address, or the name of the place."""
    fields: Mapping[str, Any]
    body: str = ""
    facts: tuple[Fact, ...] = ()
    runs: tuple[str, ...] = ()
    files: Mapping[str, bytes] | None = None
    """What goes with it, by name."""


def propose(proposal: Proposal, queue: DraftQueue, thread: Thread | None = None) -> Draft:
    """The draft; an open one with the same text where there is one already."""
    privacy = Privacy(thread.private_names if thread else ())
    body = privacy.clean(proposal.body).strip("\r\n")
    text = join(privacy.tree(dict(proposal.fields)), f"{body}\n" if body else "")
    topic, sha256 = (thread.topic if thread else ""), text_sha256(text)
    for known in queue.all():
        same = (known.kind, known.thread, known.drafted_sha256) == (proposal.kind, topic, sha256)
        if same and known.status in (DraftStatus.DRAFT, DraftStatus.APPROVED):
            return known
    now = datetime.now(UTC)
    draft = Draft(
        id=queue.new_id(thread.prefix if thread else PREFIX),
        kind=proposal.kind,
        thread=topic,
        runs=proposal.runs,
        title=privacy.clean(proposal.title),
        target=proposal.target,
        text=text,
        facts=(*proposal.facts, *said(proposal.fields)),
        drafter=BY_HAND,
        drafted_sha256=sha256,
        created=now,
        changed=now,
        attachments=tuple(
            Attachment(name=name, blob=queue.store.put_blob(data)) for name, data in (proposal.files or {}).items()
        ),
    )
    queue.add(draft)
    return queue.get(draft.id)


def said(fields: Mapping[str, Any]) -> list[Fact]:
    """IDs, names and hashes that a person or the site gave: what a draft of theirs may state."""
    given = {
        **dict.fromkeys(("post_id", "resolution_comment_id", "to", "skill_slug", "skill_name", "name"), FactKind.NAME),
        "sha256": FactKind.TEXT,
        "file": FactKind.PATH,
        "files": FactKind.PATH,
        "url": FactKind.LINK,
    }
    found = [(name, value) for name, value in _leaves(fields) if name in given]
    return [
        Fact(
            id=f"given/{name}/{number}",
            kind=given[name],
            value=f"sha256: {value}" if name == "sha256" else value,
            source="given on the command line",
        )
        for number, (name, value) in enumerate(found, start=1)
    ]


def file_sha256(data: bytes) -> str:
    """By which a text names a file that goes along."""
    return hashlib.sha256(data).hexdigest()


def _leaves(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)

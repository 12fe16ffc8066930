"""Puts a draft for SkillEvolve into the queue: its fields and its text, masked, with what stands behind them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from curator.draft import BY_HAND, Attachment, Draft, DraftKind
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


def propose(proposal: Proposal, queue: DraftQueue, thread: Thread | None = None) -> tuple[Draft, bool]:
    """The draft, and whether it is a new one: the same thing drafted before and not rejected is not drafted twice."""
    privacy = Privacy(thread.private_names if thread else ())
    body = privacy.clean(proposal.body).strip("\r\n")
    text = join(privacy.tree(dict(proposal.fields)), f"{body}\n" if body else "")
    twin = queue.twin(proposal.kind, proposal.runs, text)
    if twin is not None:
        return twin, False
    files = (proposal.files or {}).items()
    draft = queue.propose(
        thread.prefix if thread else PREFIX,
        text=text,
        kind=proposal.kind,
        thread=thread.topic if thread else "",
        runs=proposal.runs,
        title=privacy.clean(proposal.title),
        target=proposal.target,
        facts=tuple(replace(f, value=privacy.tree(f.value)) for f in (*proposal.facts, *said(proposal.fields))),
        drafter=BY_HAND,
        attachments=tuple(Attachment(name=name, blob=queue.store.put_blob(data)) for name, data in files),
    )
    return draft, True


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

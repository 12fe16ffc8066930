"""Plans and makes snapshots: what would be committed, tagged and bundled is known and can be said before any of it is.

The order of the steps makes a crash at any point safe: commit, checksums of the bundle, its files, tag, record, push.
Whoever does it again finds what is there to be what it is to be, or another snapshot, which is refused.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marin_research.compare import find_baseline
from marin_research.errors import SnapshotError, UsageError
from marin_research.record import Unknown
from marin_research.redact import Redactor
from marin_research.snapshot.bundle import bundle_files
from marin_research.snapshot.files import Chosen, choose
from marin_research.snapshot.record import FOLDER, Snapshot, folder_of, seal, sums_in, sums_of, write_bundle
from marin_research.snapshot.table import PrimaryTable, primary_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from marin_research.git import Tag, WorkTree
    from marin_research.record import Run
    from marin_research.store import RecordStore
    from marin_research.thread import Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A snapshot that could be made."""

    tag: str
    thread: str
    runs: tuple[str, ...]
    chosen: Chosen
    head: str
    """The commit that is tagged, or that the new commit is made on."""
    exists: bool
    """The tag is there and says the same: there is nothing to make, unless the bundle was not finished."""
    table: PrimaryTable
    bundle: str
    """URL of the folder."""
    notes: tuple[str, ...]


def plan(
    runs: Sequence[Run], thread: Thread, tree: WorkTree, store: RecordStore, *, tag: str = "",
    include: Sequence[Path] = (), remote: str | None = None,
) -> Plan:  # fmt: skip
    """Decide what a snapshot would be. Changes nothing.

    Args:
        runs: what it is about; all of one thread, and ended.
        thread: theirs.
        tree: the checkout that is tagged.
        store: where the bundle goes.
        tag: its name; the thread's next unless given.
        include: files that belong to it besides those that are found.
        remote: where the tag is to be pushed; its names are taken then, too.

    Raises:
        SnapshotError: the name is taken by something else.
        UsageError: it is no name for a tag.
        GitError: there are files to commit and no branch is checked out.
    """
    if tag and not tree.is_tag_name(tag):
        raise UsageError(f"git takes no tag called {tag!r}; for example {thread.topic}-final")
    of_thread = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
    table = primary_table(runs, find_baseline(runs, of_thread, store), thread)
    chosen = choose(tree, thread, table.runs, store, include=include)
    head = tree.head()
    if chosen.committed:
        tree.branch()  # says now, and not half-way, that there is none to commit to

    def is_this(name: str) -> bool:
        """Whether the snapshot of that name, or what there is of it, is this one."""
        if chosen.committed:
            return False
        sums = sums_of(bundle_files(name, head, table, thread=thread.topic, tree=tree, store=store))
        made = tree.tag(name)
        return sums_in(store, name) in (None, sums) and (made is None or _seals(made, head, sums))

    name, exists = _name(thread.topic, tag, tree, store, is_this, remote=remote)
    return Plan(
        tag=name,
        thread=thread.topic,
        runs=tuple(run.id for run in runs),
        chosen=chosen,
        head=head,
        exists=exists,
        table=table,
        bundle=f"{store.objects.url}/{folder_of(name)}",
        notes=(*chosen.notes, *_elsewhere(table.runs, tree, head)),
    )


def make(planned: Plan, tree: WorkTree, store: RecordStore) -> Snapshot:
    """Make a snapshot, or finish one that was begun.

    Raises:
        SnapshotError: the checkout has moved on since it was planned.
        GitError: git refuses.
    """
    commit = _commit(planned, tree) if planned.chosen.committed else planned.head
    files = bundle_files(planned.tag, commit, planned.table, thread=planned.thread, tree=tree, store=store)
    write_bundle(store, planned.tag, files)
    sums = sums_of(files)
    tag = tree.tag(planned.tag) or tree.make_tag(planned.tag, commit, _message(planned, sums))
    if not _seals(tag, commit, sums):
        raise SnapshotError(f"somebody made a tag {planned.tag} meanwhile; take another name with --tag")
    remote = tree.usual_remote()
    snapshot = Snapshot(
        tag=tag.name,
        tag_object=tag.object,
        commit=commit,
        thread=planned.thread,
        runs=planned.runs,
        remote=Redactor.from_environment().url(tree.url(remote)) if remote else Unknown("the checkout has no remote"),
        files=planned.chosen.files,
        bundle=planned.bundle,
        sha256=hashlib.sha256(sums).hexdigest(),
        created=datetime.now(UTC),
        notes=planned.notes,
    )
    return seal(store, snapshot)


def push(snapshot: Snapshot, tree: WorkTree, remote: str) -> None:
    """Push the tag, and see that the remote has the very same.

    Raises:
        RemoteError: it cannot be reached, does not take it, or has another tag of that name.
    """
    tag = tree.tag(snapshot.tag)
    if tag is None or tag.object != snapshot.tag_object:
        raise SnapshotError(f"the tag {snapshot.tag} is not what it was when the snapshot was made; restore it")
    tree.push_tag(remote, tag)


def _name(
    topic: str, asked: str, tree: WorkTree, store: RecordStore, is_this: Callable[[str], bool], *, remote: str | None
) -> tuple[str, bool]:
    """The tag's name, and whether it is there already."""

    def is_taken(name: str) -> bool:
        there = remote is not None and tree.remote_tag(remote, name) is not None
        return there or tree.tag(name) is not None or sums_in(store, name) is not None

    if asked:
        if not is_taken(asked):
            return asked, False
        if is_this(asked):
            return asked, tree.tag(asked) is not None
        raise SnapshotError(_refusal(asked, tree))
    pattern = re.compile(re.escape(f"{topic}-snapshot-") + r"(\d{3,})")
    names = [*tree.tags(f"{topic}-snapshot-*"), *store.objects.names(FOLDER)]
    last = max((int(found[1]) for name in names if (found := pattern.fullmatch(name))), default=0)
    if last and is_this(newest := f"{topic}-snapshot-{last:03d}"):
        return newest, tree.tag(newest) is not None
    while is_taken(name := f"{topic}-snapshot-{last + 1:03d}"):
        last += 1
    return name, False


def _refusal(name: str, tree: WorkTree) -> str:
    tag = tree.tag(name)
    seals = f"seals something else (commit {tag.commit})" if tag is not None else "is the name of another snapshot"
    return (
        f"{name} {seals}, and a tag is never moved: take another name with --tag, or leave it out for the next one; "
        f"`git push REMOTE refs/tags/{name}` pushes it as it is"
    )


def _seals(tag: Tag, commit: str, sums: bytes) -> bool:
    return tag.commit == commit and hashlib.sha256(sums).hexdigest() in tag.message


def _message(planned: Plan, sums: bytes) -> str:
    # Not where the bundle is: a tag is pushed to where everybody reads it, and a path may name a person.
    return (
        f"Snapshot of {planned.thread}: {', '.join(planned.runs)}\n\n"
        f"SHA-256 of the repro bundle's SHA256SUMS: {hashlib.sha256(sums).hexdigest()}\n"
    )


def _commit(planned: Plan, tree: WorkTree) -> str:
    """Commit the chosen files, and nothing else, onto the checked-out branch."""
    files = {path: (tree.top / path).read_bytes() for path in planned.chosen.committed}
    message = f"Snapshot {planned.tag}: {', '.join(planned.runs)}"
    commit = tree.commit(planned.head, files, message)
    for path, data in files.items():
        tree.stage(path, data)
    if not tree.advance(commit, before=planned.head, why="marin-research snapshot"):
        raise SnapshotError(f"{tree.branch()} has moved on meanwhile; nothing was tagged, try again")
    return commit


def _elsewhere(runs: Sequence[Run], tree: WorkTree, head: str) -> list[str]:
    """Which runs the tag does not lead to the code of."""
    commits: dict[str, list[str]] = {}
    for run in runs:
        commit = run.attempt.git.commit if run.attempt else None
        if isinstance(commit, str):
            commits.setdefault(commit, []).append(run.id)
    return [
        f"{', '.join(ids)} ran at {commit}, which is not part of what is tagged; push its branch too"
        for commit, ids in commits.items()
        if not tree.is_ancestor(commit, head)
    ]

"""``marin-research snapshot``: seal results by a tag, its commit and a repro bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.cli.named import runs_or_thread
from marin_research.compare import made_by
from marin_research.errors import GitError, SnapshotError, UsageError
from marin_research.record import Run, Status
from marin_research.store import RecordStore
from marin_research.summary import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marin_research.git import WorkTree
    from marin_research.snapshot.making import Plan
    from marin_research.snapshot.record import Snapshot

_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What ``--json`` prints of a snapshot that was made, or would be."""

    tag: str
    made: bool
    """False in a dry run."""
    existed: bool
    """A tag of that name sealed the same before."""
    thread: str
    runs: tuple[str, ...]
    commit: str
    """The tagged commit; in a dry run that commits files, the one they would be committed on."""
    commits: tuple[str, ...]
    """Files that were, or would be, committed for it."""
    files: tuple[str, ...]
    left: tuple[str, ...]
    """Changed files that are no part of it."""
    bundle: str
    sha256: str | None
    """Of the bundle's checksums; None in a dry run."""
    pushed_to: str | None
    """The remote that has the very tag."""
    notes: tuple[str, ...]


@click.command(
    help="Seal results: commit the files that belong to them, put an annotated tag on the commit, and leave a repro "
    "bundle in the record store. It is about the runs that are named, or all of a thread's that have ended.\n\n"
    "The files are the thread's declaration, its logbook and plots, and scripts that the runs' commands name if they "
    "are still what ran; --include adds others. Nothing else that is changed is touched. A tag is never moved, and "
    "pushed only on request; the same again changes nothing.\n\n\b\nExamples:\n"
    "  marin-research snapshot lr-sweep --dry-run\n"
    "  marin-research snapshot lr-sweep --push\n"
    "  marin-research snapshot LR-001 LR-004 --tag lr-sweep-final --include experiments/common.py"
)
@click.argument("names", nargs=-1, metavar="THREAD|RUN...")
@click.option("--thread", "topic", metavar="TOPIC", help="All runs of this thread that have ended.")
@click.option("--tag", default="", metavar="NAME", help="Of the tag (default: TOPIC-snapshot-001 and so on).")
@click.option("--include", multiple=True, type=click.Path(path_type=Path), help="A file or folder; repeatable.")
@click.option("--push", is_flag=True, help="Push the tag, never by force.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@root_option
@json_option
def command(
    *, names: tuple[str, ...], topic: str | None, tag: str, include: tuple[Path, ...], push: bool, dry_run: bool,
    root: str | None, as_json: bool,
) -> None:  # fmt: skip
    from marin_research.git import WorkTree
    from marin_research.snapshot import making

    if bool(names) == (topic is not None):
        raise UsageError("name runs, or a thread; for example: marin-research snapshot lr-sweep")
    store = RecordStore(root)
    named, thread = runs_or_thread(names or (topic or "",), store)
    runs, left_out = _ended(named, store, every=names not in ((), (thread.topic,)))
    tree = WorkTree.here()
    remote = _remote(tree) if push else None
    planned = making.plan(runs, thread, tree, store, tag=tag, include=include, remote=remote)
    if not as_json:
        click.echo("\n".join(_told(planned, left_out)))
    if dry_run:
        if as_json:
            print_json(_sealed(planned, None, None, left_out))
        return
    snapshot = making.make(planned, tree, store)
    if not as_json:
        click.echo(f"{'it is sealed already' if planned.exists else 'sealed'}: commit {snapshot.commit}")
    if remote is not None:
        making.push(snapshot, tree, remote)
    if as_json:
        print_json(_sealed(planned, snapshot, remote, left_out))
    else:
        click.echo(_where_it_is(snapshot, remote, tree))
    from marin_research.hooks import SnapshotDetails, call_hooks

    details = SnapshotDetails(root=store.objects.url, topic=thread.topic, tag=snapshot.tag)
    again = f"curator draft {thread.topic} --snapshot {snapshot.tag}"
    call_hooks("marin_research.after_snapshot", details, again=again)


def _ended(named: Sequence[Run], store: RecordStore, *, every: bool) -> tuple[list[Run], list[str]]:
    """The runs that hold results, and what is said of those that do not.

    Args:
        named: as they are called; for a cached one its maker holds the result.
        store: where that is looked up.
        every: none may be left out: somebody asked for each.
    """
    found, problems = dict[str, Run](), []
    for run in named:
        result = made_by(run, store)
        if result is None or result.attempt is None:
            if every:
                problems.append(f"{run.id} has nothing to seal: {run.why}")
        elif result.status is Status.RUNNING:
            problems.append(f"{run.id} is still running; seal it when it has ended")
        else:
            found[result.id] = result
    if not found or (every and problems):
        raise SnapshotError("; ".join(problems) or "none of the thread's runs has a result to seal")
    return list(found.values()), problems


def _remote(tree: WorkTree) -> str:
    remote = tree.usual_remote()
    if remote is None:
        raise GitError(f"{tree.top} has no remote called origin to push to; add one with git remote add origin URL")
    return remote


def _told(planned: Plan, left_out: Sequence[str]) -> Iterator[str]:
    yield f"snapshot {planned.tag} of {', '.join(planned.runs)}"
    chosen = planned.chosen
    rows = [["commits", _listed(chosen.committed)] if chosen.committed else ["tags", planned.head]]
    if chosen.left:
        rows.append(["leaves", f"{_listed(chosen.left)}: changed here, no part of it"])
    rows += [["bundle", planned.bundle], *(["note", note] for note in (*planned.notes, *left_out))]
    yield from table(rows)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _where_it_is(snapshot: Snapshot, remote: str | None, tree: WorkTree) -> str:
    if remote is not None:
        return f"pushed: {remote} has the same tag {snapshot.tag} ({snapshot.tag_object})"
    there = tree.usual_remote() or "REMOTE"
    return f"not pushed; the tag stays here until you ask: --push, or git push {there} refs/tags/{snapshot.tag}"


def _sealed(planned: Plan, snapshot: Snapshot | None, remote: str | None, left_out: Sequence[str]) -> Sealed:
    return Sealed(
        tag=planned.tag,
        made=snapshot is not None,
        existed=planned.exists,
        thread=planned.thread,
        runs=planned.runs,
        commit=snapshot.commit if snapshot else planned.head,
        commits=planned.chosen.committed,
        files=planned.chosen.files,
        left=planned.chosen.left,
        bundle=planned.bundle,
        sha256=snapshot.sha256 if snapshot else None,
        pushed_to=remote,
        notes=(*planned.notes, *left_out),
    )

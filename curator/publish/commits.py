"""Takes a change of one file into git: to a commit, and on to the remote. Knows no drafts.

In the research repository the change is committed onto the checked-out branch and pushed with it. In a separate
repository of logbooks others write too: their work is fetched first, the change is made on top of it, and the push is
tried again on top of whatever came in between. Both leave alone what else is changed in the checkout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from curator.errors import NotYetError, PublicationError
from curator.publish.destination import Reach
from marin_research.errors import GitError, LogbookError
from marin_research.logbook.file import rewrite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from curator.publish.git import Checkout
    from marin_research.git import Upstream

_TRIES = 8
"""Each is lost only to somebody else's push."""


class Plan(Protocol):
    @property
    def data(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file that is made once wherever the file stands: on disk, in the index, in a commit."""

    file: Path
    change: Callable[[bytes], Plan | None]
    """Gives None for contents that have the change already."""
    message: str
    """Of the commit."""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """New files that belong to the change, by their path below the file's folder; written and committed with it."""


def write(edit: Edit) -> None:
    """Make the change on disk: the old file or the new one, whatever happens.

    Raises:
        PublicationError: the file cannot be read or written.
    """
    try:
        for name, data in edit.beside.items():
            _put(edit.file.parent / name, data)
        rewrite(edit.file, edit.change)
    except OSError as error:
        reason = error.strerror or error
        raise PublicationError(f"cannot write {edit.file}: {reason}; mend that and publish again") from error


def commit_here(edit: Edit, checkout: Checkout) -> None:
    """Commit the change onto the checked-out branch of the research repository.

    Raises:
        PublicationError: git refuses, or the file is one that git ignores.
    """
    path = checkout.path_of(edit.file)
    for _ in range(_TRIES):
        head = checkout.head()
        try:
            files = _changed(edit, checkout, head, path)
        except LogbookError as error:
            raise PublicationError(f"{path} as it is committed: {error}; commit your own edits of it first") from error
        write(edit)
        if files is None:
            return
        _stage(edit, checkout, path, files)
        if checkout.advance(checkout.commit(head, files, edit.message), before=head, why="curator publish"):
            return
    raise PublicationError(f"{checkout.top} keeps changing; publish again when nothing else commits to it")


def ready_to_push(checkout: Checkout, upstream: Upstream) -> None:
    """Return if the checked-out branch holds everything that the remote has.

    Raises:
        NotYetError: the remote cannot be reached, or has commits that are not here.
    """
    checkout.fetch(upstream)
    tip = checkout.commit_of(upstream.ref)
    if tip is not None and checkout.count(f"HEAD..{tip}"):
        raise NotYetError(
            f"{upstream.remote}/{upstream.branch} has commits that are not in {checkout.top}; "
            "nothing is forced: git pull --rebase, then publish again"
        )


def push_here(checkout: Checkout, upstream: Upstream) -> None:
    """Push the checked-out branch.

    Raises:
        NotYetError: the remote cannot be reached, or has commits that are not here.
    """
    if not checkout.push(checkout.head(), upstream):
        ready_to_push(checkout, upstream)
        raise NotYetError(f"{upstream.remote} did not take the push; publish again in a while")


def ready_to_push_apart(checkout: Checkout, upstream: Upstream, paths: Sequence[str]) -> None:
    """Return if a separate repository can be pushed to: the checkout is at what the remote has and holds nothing else.

    Raises:
        NotYetError: the remote cannot be reached, or the checkout holds something nobody told us about.
    """
    checkout.fetch(upstream)
    _up_to_date(checkout, upstream, paths)


def push_apart(edit: Edit, checkout: Checkout, upstream: Upstream) -> str | None:
    """Push the change to a separate repository of logbooks, on top of what others pushed, and bring it here as well.

    Returns:
        Why it is out but not in this checkout, if it is not.

    Raises:
        NotYetError: the remote cannot be reached, or the checkout holds something nobody told us about.
        PublicationError: git refuses.
    """
    path = checkout.path_of(edit.file)
    paths = [path, *_beside(edit, path)]
    for _ in range(_TRIES):
        tip = _up_to_date(checkout, upstream, paths)
        files = _changed(edit, checkout, tip, path)
        if files is None or checkout.push(checkout.commit(tip, files, edit.message), upstream):
            write(edit)
            try:
                _up_to_date(checkout, upstream, paths)
            except (PublicationError, GitError) as error:  # somebody edits it at this moment
                return f"it is pushed, but {error}"
            return None
        checkout.fetch(upstream)
    raise PublicationError(f"{upstream.remote} keeps moving on; publish again in a while")


def reached(checkout: Checkout, path: str, has: Callable[[bytes], bool]) -> Reach:
    """How far a change has come that is in the file on disk."""
    upstream = checkout.upstream() if checkout.commit_of("HEAD") else None
    for reach, revision in ((Reach.PUSH, upstream.ref if upstream else ""), (Reach.COMMIT, "HEAD")):
        data = checkout.read(revision, path) if revision and checkout.commit_of(revision) else None
        if data is not None and has(data):
            return reach
    return Reach.FILE


def _put(place: Path, data: bytes) -> None:
    if place.exists() and place.read_bytes() == data:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.part")
    part.write_bytes(data)
    part.replace(place)


def _up_to_date(checkout: Checkout, upstream: Upstream, paths: Sequence[str]) -> str:
    """Bring the checkout to what is known of the remote; gives that commit.

    Raises:
        NotYetError: it has changes or commits of its own.
    """
    tip = checkout.commit_of(upstream.ref)
    where = f"{upstream.remote}/{upstream.branch}"
    if tip is None:
        raise NotYetError(f"{where} does not exist; push the branch once by hand, then publish again")
    if tip != checkout.head():
        _claim(checkout, tip, paths)
    strange = [name for name in checkout.changed() if name not in paths or not _is_at(checkout, tip, name)]
    if strange:
        raise NotYetError(
            f"{checkout.top} has changes that are not committed ({', '.join(strange[:3])}); "
            "commit and push them, or put them aside, then publish again"
        )
    ahead = checkout.count(f"{tip}..HEAD")
    if ahead:
        raise NotYetError(
            f"{checkout.top} has {ahead} commit{'' if ahead == 1 else 's'} that {where} does not have; "
            "push or remove them, then publish again"
        )
    checkout.fast_forward(tip)
    return tip


def _claim(checkout: Checkout, tip: str, paths: Sequence[str]) -> None:
    """Tell git that a file on disk is what the remote has, as a publication leaves it until the checkout is moved."""
    for path in paths:
        if _is_at(checkout, tip, path):
            checkout.stage(path, (checkout.top / path).read_bytes())


def _is_at(checkout: Checkout, commit: str, path: str) -> bool:
    try:
        return (checkout.top / path).read_bytes() == checkout.read(commit, path)
    except FileNotFoundError:
        return False


def _beside(edit: Edit, path: str) -> dict[str, bytes]:
    """The new files by their paths in the checkout."""
    folder = path.rpartition("/")[0]
    return {f"{folder}/{name}".removeprefix("/"): data for name, data in edit.beside.items()}


def _changed(edit: Edit, checkout: Checkout, commit: str, path: str) -> dict[str, bytes] | None:
    """The files that a commit on top of ``commit`` has to hold; None if it has them all."""
    before = checkout.read(commit, path)
    files = {name: data for name, data in _beside(edit, path).items() if checkout.read(commit, name) != data}
    if before is None:
        # The file itself is new to git: it is committed as it is on disk.
        if checkout.ignores(path):
            raise PublicationError(f"git ignores {path} in {checkout.top}; take it out of .gitignore, or do not commit")
        write(edit)
        return files | {path: edit.file.read_bytes()}
    planned = edit.change(before)
    return files | {path: planned.data} if planned else files or None


def _stage(edit: Edit, checkout: Checkout, path: str, files: Mapping[str, bytes]) -> None:
    """Bring the index along, so that it does not seem to undo the commit; what is staged in the file stays staged."""
    staged = checkout.read(":", path)
    for name, data in files.items():
        if name != path or staged is None:
            checkout.stage(name, data)
        elif planned := edit.change(staged):
            checkout.stage(name, planned.data)

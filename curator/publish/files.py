"""The files that publishing changes, and how far into git each is taken. Knows no drafts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import PublicationError
from curator.publish import commits
from curator.publish.destination import Reach
from curator.publish.git import Checkout
from marin_research.checkout import checkout_top
from marin_research.thread import LogbookReach, Thread
from marin_research.thread_file import FOLDER, thread_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from curator.publish.commits import Edit
    from marin_research.git import Upstream

_REACHES = {LogbookReach.FILE: Reach.FILE, LogbookReach.COMMIT: Reach.COMMIT, LogbookReach.PUSH: Reach.PUSH}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedFile:
    """A file that publishing changes, here and in git."""

    name: str
    """From the top of the research repository."""
    path: Path
    checkout: Checkout | None
    """The one that holds the file; None where it is in none."""
    apart: bool
    """It is in a repository of its own."""
    upstream: Upstream | None
    reach: Reach
    """How far it is to be taken; no further than there is something to take it to."""

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            PublicationError: it cannot be read.
        """
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise PublicationError(f"cannot read {self.path}: {error.strerror}; mend that and publish again") from error


def logbook_file(thread: Thread, asked: Reach | None = None) -> TrackedFile:
    """Find a thread's logbook from the working directory.

    Args:
        thread: whose logbook.
        asked: how far it is to be taken; the thread says so unless given.

    Raises:
        PublicationError: this is not the thread's checkout, or there is no such file.
    """
    top = checkout_top()
    if top is None:
        raise PublicationError(f"the logbook of {thread.topic} is in a git checkout; run this inside of it")
    name = str(Path(thread.logbook.repository) / thread.logbook_path)
    path = top / name
    if not path.is_file():
        raise PublicationError(
            f"there is no logbook {path}; run this in the thread's checkout, "
            f"or start it with `marin-research init {thread.topic} --prefix {thread.prefix}`"
        )
    checkout = Checkout.around(path)
    apart = checkout is not None and checkout.top != top.resolve()
    usual = LogbookReach(thread.logbook.publish or (LogbookReach.PUSH if apart else LogbookReach.FILE))
    return _tracked(name, path, apart=apart, wanted=_REACHES[usual] if asked is None else asked)


def thread_file(topic: str, asked: Reach | None = None) -> TrackedFile:
    """The file that declares a thread; it is in the research repository."""
    path = thread_path(topic)
    return _tracked(str(FOLDER / path.name), path, apart=False, wanted=asked or Reach.FILE)


def take(edit: Edit, file: TrackedFile) -> str | None:
    """Make a change as far as its file is to be taken.

    Returns:
        What to know about it.

    Raises:
        PublicationError: the file cannot be written, or git refuses.
    """
    if file.checkout is None or file.reach is Reach.FILE:
        commits.write(edit)
        return None
    if file.apart and file.upstream is not None:
        return commits.push_apart(edit, file.checkout, file.upstream)
    commits.commit_here(edit, file.checkout)
    if file.upstream is not None:
        commits.push_here(file.checkout, file.upstream)
    return None


def is_far_enough(file: TrackedFile, has: Callable[[bytes], bool]) -> bool:
    """Whether a change that is in the file on disk has come as far as the file is to be taken."""
    if file.checkout is None or file.reach is Reach.FILE:
        return True
    return commits.reached(file.checkout, file.checkout.path_of(file.path), has) >= file.reach


def _tracked(name: str, path: Path, *, apart: bool, wanted: Reach) -> TrackedFile:
    checkout = Checkout.around(path)
    if checkout is None:
        wanted = Reach.FILE
    if apart and wanted is Reach.COMMIT:
        wanted = Reach.PUSH  # a commit that stays here is of no use to those who share the repository
    upstream = checkout.upstream() if checkout is not None and wanted is Reach.PUSH else None
    reach = Reach.COMMIT if wanted is Reach.PUSH and upstream is None else wanted
    return TrackedFile(name=name, path=path, checkout=checkout, apart=apart, upstream=upstream, reach=reach)

"""The draft of a thread's kick-off: looks for issues like it, and keeps what the drafter writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.before import logbook_file
from curator.draft import Draft, DraftKind
from curator.drafters.kickoff import Said, kickoff_text
from curator.errors import CuratorError, NotYetError
from curator.github.address import parse_repository, permalink
from curator.kickoff import look_alikes
from curator.publish.destination import Context
from curator.publish.git import Checkout
from curator.publish.tracker import client
from marin_research.redact import Redactor
from marin_research.thread import LogbookStyle

if TYPE_CHECKING:
    from curator.github.model import Issue
    from curator.queue import DraftQueue
    from marin_research.thread import Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A kick-off's draft and what is known of issues like it."""

    draft: Draft
    alike: tuple[Issue, ...]
    unknown: str | None
    """Why it is not known yet whether there are any."""


def draft_kickoff(thread: Thread, said: Said, queue: DraftQueue, *, repository: str = "") -> Begun:
    """Draft the issue that opens a thread.

    Args:
        thread: as its file declares it.
        said: what else its author says.
        queue: where drafts live.
        repository: ``owner/name`` where the issue is to be opened; the checkout's own unless given.

    Raises:
        CuratorError: there is an issue already, or not enough is said for one.
    """
    if thread.issue:
        raise CuratorError(f"{thread.topic} has an experiment issue already: {thread.issue}")
    if not (thread.goal or said.description):
        raise CuratorError("say what the experiment is about: --description, or a goal in the thread's file")
    own = repository or _web(Path.cwd())
    if not own:
        raise CuratorError("this checkout has no remote that says where issues are; name it: --repository OWNER/NAME")
    where = parse_repository(own)
    try:
        title = f"Experiment: {thread.title or thread.topic}"
        alike, unknown = look_alikes(client(where.host, Context(queue=queue)), where, title), None
    except NotYetError as error:
        alike, unknown = [], str(error)
    written = kickoff_text(thread, said, repository=where, logbook_url=_logbook_url(thread), alike=alike)
    text = Redactor.from_environment().text(written.text).text
    draft = queue.twin(DraftKind.KICKOFF, (), text) or queue.propose(
        thread.prefix,
        kind=DraftKind.KICKOFF,
        thread=thread.topic,
        runs=(),
        title=written.title,
        target="a new issue",
        text=text,
        facts=written.facts,
        drafter="template",
    )
    return Begun(draft=draft, alike=tuple(alike), unknown=unknown)


def _logbook_url(thread: Thread) -> str:
    """Of the logbook on its branch, which is what readers of the issue want: it goes on."""
    path = logbook_file(thread)
    if thread.logbook.style == LogbookStyle.ISSUE or path is None or not path.exists():
        return ""
    checkout, web = Checkout.around(path), _web(path)
    if checkout is None or web is None:
        return ""
    branch = thread.branch if not thread.logbook.repository and thread.branch else checkout.branch()
    return permalink(web, branch, checkout.path_of(path))


def _web(inside: Path) -> str | None:
    """The page of the repository that holds a file or folder."""
    checkout = Checkout.around(inside / "x" if inside.is_dir() else inside)
    upstream = checkout.upstream() if checkout is not None and checkout.commit_of("HEAD") else None
    return checkout.web(upstream.remote) if checkout is not None and upstream is not None else None

"""The entries that a comment stands on: whether they are out, and the commit that holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.draft import DROPPED, Draft, DraftKind, DraftStatus
from curator.drafters.wording import listed
from curator.errors import NotYetError
from curator.github.address import anchors, permalink, raw_permalink
from curator.publish.destination import Reach
from curator.publish.files import logbook_file
from curator.publish.links import open_links
from curator.publish.marker import marker
from marin_research.logbook import find_marker, has_marker, parse
from marin_research.logbook.heading import read_ids
from marin_research.thread import files_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from curator.publish.destination import Context
    from curator.publish.files import TrackedFile
    from curator.publish.git import Checkout
    from marin_research.thread import Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """A logbook where everybody who is to read it sees it: at the remote, or on disk where it is in no git."""

    path: str
    """In its repository."""
    data: bytes
    """Empty where the remote does not have it."""
    where: str
    """In words."""
    markers: tuple[str, ...]
    """Of the entries that are looked for."""
    files: str
    """Folder of the thread's plots, in the repository."""
    commit: str | None = None
    """The one that brought the last of the entries."""
    web: str | None = None
    """``https://host/owner/repository``; None where the remote's address does not say."""

    checkout: Checkout | None = None

    def has_file(self, name: str) -> bool:
        """Whether a plot is where the entries are."""
        if self.checkout is None or self.commit is None:
            return True
        return self.checkout.read(self.commit, f"{self.files}/{name}") is not None

    def has(self, entry: Draft) -> bool:
        return has_marker(self.data, _marker(entry))

    def address(self, kind: str, what: str) -> str | None:
        """What an open link points to; None where there is nothing to point to."""
        if self.web is None or self.commit is None:
            return None
        if kind == "plot":
            return raw_permalink(self.web, self.commit, f"{self.files}/{what}")
        return permalink(self.web, self.commit, self.path, self._anchor(read_ids(what)))

    def _anchor(self, ids: Sequence[str]) -> str:
        """Of the entry that holds our marker and names one of ``ids``, or else of the last one that names one."""
        logbook = parse(self.data)
        headings = logbook.structure.headings
        by_start = dict(zip((h.start for h in headings), anchors(h.text for h in headings), strict=True))
        named = [entry.start for entry in logbook.entries if set(entry.ids) & set(ids)]
        marked = {place.start for mark in self.markers if (place := find_marker(self.data, mark))}
        chosen = [start for start in named if start in marked] or named
        return by_start.get(chosen[-1], "") if chosen else ""


def require_support(draft: Draft, thread: Thread, context: Context) -> Support | None:
    """The entries of the runs that ``draft`` is about, once they are where others can see them.

    Returns:
        None in a dry run in which the entries would be out by then.

    Raises:
        NotYetError: an entry is not written, not committed or not pushed.
        PublicationError: this is not the thread's checkout.
    """
    entries = _entries(draft, context)
    file, plots = logbook_file(thread, Reach.FILE), open_links(draft.text, "plot")
    support = _look(file, entries, thread, plots)
    missing = _missing(draft, support, entries)
    if missing and file.checkout is not None and not context.dry and (upstream := file.checkout.upstream()) is not None:
        file.checkout.fetch(upstream)  # somebody else may have pushed them
        support = _look(file, entries, thread, plots)
        missing = _missing(draft, support, entries)
    planned = {run for entry in entries if entry.id in context.planned for run in entry.runs}
    if set(missing) - planned:
        raise NotYetError(_what_to_do(missing, support.where, entries, file.read()))
    if missing:
        return None
    absent = [name for name in plots if not support.has_file(name)]
    if absent:
        raise NotYetError(
            f"{support.files}/{absent[0]} is not in {support.where} yet; commit and push it with the entry"
        )
    return support


def require_comments(draft: Draft, thread: Thread, context: Context) -> Callable[[str, str], str | None] | None:
    """The same where a thread has no logbook file and its entries are comments: what their open links point to.

    Returns:
        None in a dry run in which the entries would be posted by then.

    Raises:
        NotYetError: one of them is not posted.
    """
    entries = _entries(draft, context)
    posted = {run for entry in entries if entry.link for run in entry.runs}
    planned = {run for entry in entries if entry.id in context.planned for run in entry.runs}
    missing = [run for run in draft.runs if run not in posted]
    if set(missing) - planned:
        raise NotYetError(_what_to_do(missing, thread.issue, entries, b""))

    def address(_kind: str, what: str) -> str | None:
        ids = set(read_ids(what))
        return next((entry.link for entry in reversed(entries) if ids & set(entry.runs)), None)

    return None if missing else address


def _entries(draft: Draft, context: Context) -> list[Draft]:
    """The drafts of entries about any run of ``draft``."""
    return [
        other
        for other in context.queue.all(draft.thread)
        if other.kind is DraftKind.LOGBOOK and other.status not in DROPPED and set(other.runs) & set(draft.runs)
    ]


def _look(file: TrackedFile, entries: Sequence[Draft], thread: Thread, plots: Sequence[str]) -> Support:
    marks = tuple(map(_marker, entries))
    path = file.checkout.path_of(file.path) if file.checkout else file.path.name
    files = f"{path.rpartition('/')[0]}/{files_folder(thread.topic)}".removeprefix("/")
    here = Support(path=path, data=b"", where=path, markers=marks, files=files)
    if file.checkout is None:
        return replace(here, data=file.read())
    upstream = file.checkout.upstream()
    if upstream is None:
        top = file.checkout.top
        raise NotYetError(f"{top} has no remote that the entries could be pushed to; give it one with git remote add")
    where, web = f"{path} at {upstream.remote}/{upstream.branch}", file.checkout.web(upstream.remote)
    tip = file.checkout.commit_of(upstream.ref)
    data = file.checkout.read(tip, path) if tip else None
    if tip is None or data is None:
        return replace(here, where=where, web=web)
    there = replace(here, where=where, web=web, checkout=file.checkout, data=data, commit=tip)
    return _as_brought(there, [mark for mark in marks if has_marker(data, mark)], plots)


def _as_brought(tip: Support, marks: Sequence[str], plots: Sequence[str]) -> Support:
    """The same at the commit that brought the last of some markers, if it holds the plots too.

    Without any marker it is the commit that changed the logbook last.
    """
    assert tip.checkout is not None  # noqa: S101 - there is a tip
    assert tip.commit is not None  # noqa: S101
    for commit in dict.fromkeys(tip.checkout.introduced(tip.commit, tip.path, mark) for mark in marks or [""]):
        data = tip.checkout.read(commit, tip.path) if commit else None
        then = replace(tip, commit=commit, data=data or b"")
        if all(has_marker(then.data, mark) for mark in marks) and all(map(then.has_file, plots)) and data:
            return then
    return tip


def _marker(entry: Draft) -> str:
    return marker(entry.id, entry.sha256)


def _missing(draft: Draft, support: Support, entries: Sequence[Draft]) -> list[str]:
    """The runs that no entry in ``support`` is about: neither one of ours nor one that somebody wrote by hand."""
    by_hand = {run for entry in parse(support.data).entries for run in entry.ids}
    ours = {run for entry in entries if support.has(entry) for run in entry.runs}
    return [run for run in draft.runs if run not in by_hand | ours]


def _what_to_do(missing: Sequence[str], where: str, entries: Sequence[Draft], in_file: bytes) -> str:
    about = f"the entry about {listed(list(missing))} is not in {where} yet"
    for entry in entries:
        if set(entry.runs) & set(missing):
            if has_marker(in_file, _marker(entry)):
                return f"{about}; commit and push it, or `curator publish {entry.id} --push`"
            if entry.status is DraftStatus.DRAFT:
                return f"{about}; read and approve {entry.id} first (`curator review`)"
            return f"{about}; publish {entry.id} first"
    return f"{about}; draft one (`curator draft --kind logbook`), or write it by hand and push it"

"""Puts an approved entry into the thread's logbook, once. The only module of the curator that changes a logbook.

The log of decisions says ``publishing`` before the file is touched and ``published`` after; the marker in the file,
which names the draft and the hash of its text, tells a second try what the first one got done.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from curator.draft import Draft, DraftStatus
from curator.errors import PublicationError
from curator.log import Decision, LogEntry
from curator.review import Approved, approved
from marin_research.errors import MarinResearchError
from marin_research.logbook import append, has_marker, plan_append
from marin_research.redact import Redactor
from marin_research.store import checkout_top
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.queue import DraftQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """An entry that stands in its logbook."""

    link: str
    """``path:line``, the path as the thread gives it."""
    new: bool
    """False when it was published before."""
    note: str | None
    """What to know about the place that was chosen, if it was a matter of judgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What publishing would do."""

    link: str
    diff: str
    """Unified."""
    note: str | None


def publish(draft_id: str, queue: DraftQueue, *, by: str) -> Out:
    """Append an approved entry to its thread's logbook.

    Raises:
        RefusedError: nobody approved the text as it stands.
        PublicationError: it cannot be written; the log says so, and it can be tried again.
    """
    with _alone(queue.store.objects.url):
        draft = queue.get(draft_id)
        if draft.status is DraftStatus.PUBLISHED:
            return Out(link=draft.link or "", new=False, note=None)
        licence = approved(draft)
        _log(queue, licence, Decision.PUBLISHING, by=by)
        try:
            link, note = _append(licence, queue)
        except MarinResearchError as error:
            _log(queue, licence, Decision.FAILED, by=by, why=str(error))
            raise PublicationError(str(error)) from error
        _log(queue, licence, Decision.PUBLISHED, by=by, link=link)
        return Out(link=link, new=True, note=note)


def plan(licence: Approved, queue: DraftQueue, files: dict[Path, bytes]) -> Change:
    """What `publish` would change. Touches nothing.

    Args:
        licence: the approved entry.
        queue: where it is.
        files: the logbooks as the plans before this one leave them; this plan's result is added.

    Raises:
        PublicationError: it could not be written.
    """
    draft = licence.draft
    try:
        name, path = _logbook(draft, queue)
        before = files[path] if path in files else _read(path)
        _check(draft, queue, before)
        mark = marker(draft.id, draft.sha256)
        if has_marker(before, mark):
            return Change(link=name, diff="", note="the entry is there already; only the log does not say so yet")
        planned = plan_append(before, draft.text, marker=mark)
    except MarinResearchError as error:
        raise PublicationError(str(error)) from error
    files[path] = planned.data
    return Change(link=f"{name}:{planned.line}", diff=_diff(name, before, planned.data), note=planned.note)


def marker(draft_id: str, sha256: str) -> str:
    """The hidden comment by which a published text is known in its file."""
    return f"<!-- marin-research: {draft_id} sha256:{sha256[:16]} -->"


def _append(licence: Approved, queue: DraftQueue) -> tuple[str, str | None]:
    draft = licence.draft
    name, path = _logbook(draft, queue)
    _check(draft, queue, _read(path))
    done = append(path, draft.text, marker=marker(draft.id, draft.sha256))
    return f"{name}:{done.line}", done.note


def _logbook(draft: Draft, queue: DraftQueue) -> tuple[str, Path]:
    """The thread's logbook as it is written down and as a file."""
    thread = find_thread(draft.thread, queue.store)
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
    return name, path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PublicationError(f"cannot read {path}: {error.strerror}; mend that and publish again") from error


def _check(draft: Draft, queue: DraftQueue, logbook: bytes) -> None:
    """The last look before the text leaves: no secrets, and no second text of the same draft."""
    removed = Redactor.from_environment().text(draft.text).removed
    if removed:
        line = draft.text.count("\n", 0, removed[0].start) + 1
        raise PublicationError(
            f"line {line} of {draft.id} holds what looks like a secret ({removed[0].kind}); "
            f"take it out with `curator edit {draft.id}`"
        )
    for entry in queue.log.entries():
        begun = entry.draft == draft.id and entry.decision is Decision.PUBLISHING and entry.sha256 != draft.sha256
        if begun and has_marker(logbook, marker(draft.id, entry.sha256)):
            raise PublicationError(
                f"an earlier text of {draft.id} is in the logbook already; correct it by a new entry (`curator draft`)"
            )


def _log(
    queue: DraftQueue,
    licence: Approved,
    decision: Decision,
    *,
    by: str,
    why: str | None = None,
    link: str | None = None,
) -> None:
    draft = licence.draft
    time = datetime.now(UTC)
    queue.log.append(
        LogEntry(decision=decision, draft=draft.id, sha256=draft.sha256, time=time, by=by, why=why, link=link)
    )


def _diff(name: str, before: bytes, after: bytes) -> str:
    return "".join(difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}"))


def _lines(data: bytes) -> list[str]:
    lines = [line.decode("utf-8", "replace") for line in data.splitlines(keepends=True)]
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]


@contextmanager
def _alone(store: str) -> Iterator[None]:
    """Waits until no other program of this account publishes from this store. The lock goes with whoever holds it."""
    key = hashlib.sha256(store.encode()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"curator-{os.getuid()}-{key}.lock"
    lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)

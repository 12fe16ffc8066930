"""Puts approved texts into a thread's logbook, once, and takes the file as far into git as is asked for.

The only module of the curator that changes a logbook: entries are appended, declared index sections are replaced.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from curator.draft import Draft, DraftKind
from curator.errors import PublicationError
from curator.publish import commits
from curator.publish.commits import Edit
from curator.publish.destination import Change, Found, Out, Reach
from curator.publish.diff import unified
from curator.publish.files import TrackedFile, is_far_enough, logbook_file, take
from curator.publish.marker import marker
from marin_research.logbook import Plan, find_marker, has_marker, plan_append
from marin_research.logbook.sections import is_called, plan_section, section_name
from marin_research.thread import Thread, files_folder, find_thread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from curator.publish.destination import Context
    from curator.publish.git import Checkout
    from curator.review import Approved


class LogbookPlace:
    """The logbooks of the threads whose checkout this is."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._planned: dict[Path, bytes] = {}
        """The logbooks as the plans so far leave them."""
        self._files: dict[str, TrackedFile] = {}

    def ready(self, licence: Approved) -> None:
        file = self._file(licence.draft)
        if file.checkout is None or file.upstream is None or self._context.dry:
            return
        if file.apart:
            commits.ready_to_push_apart(file.checkout, file.upstream, self._paths(licence.draft, file, file.checkout))
        else:
            commits.ready_to_push(file.checkout, file.upstream)

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        file = self._file(licence.draft)
        data = self._planned.get(file.path) or file.read()
        for mark in markers:
            place = find_marker(data, mark)
            if place is not None:
                complete = is_far_enough(file, partial(has_marker, marker=mark))
                return Found(marker=mark, link=f"{file.name}:{place.line}", complete=complete)
        return None

    def is_gone(self, draft: Draft) -> bool:  # noqa: ARG002
        return False  # whoever takes an entry out of a file, or only its marker, has git to say so

    def plan(self, licence: Approved) -> Change:
        draft = licence.draft
        file = self._file(draft)
        before = self._planned.get(file.path) or file.read()
        planned = self._change(draft, before)
        if planned is None:  # it is in the file, but not yet as far as it is to go
            return Change(link=file.name, diff="", note=_next_step(file))
        self._planned[file.path] = planned.data
        notes = [note for note in (planned.note, _next_step(file)) if note]
        diff = unified(file.name, before, planned.data)
        return Change(link=f"{file.name}:{planned.line}", diff=diff, note="; ".join(notes) or None)

    def carry_out(self, licence: Approved) -> Out:
        draft = licence.draft
        file = self._file(draft)
        notes: list[str] = []

        def change(data: bytes) -> Plan | None:
            planned = self._change(draft, data)
            if planned is not None and planned.note and planned.note not in notes:
                notes.append(planned.note)
            return planned

        pushed = take(Edit(file.path, change, _message(draft), self._beside(draft)), file)
        notes += [pushed] if pushed else []
        place = find_marker(file.read(), marker(draft.id, draft.sha256))
        return Out(link=f"{file.name}:{place.line}" if place else file.name, note="; ".join(notes) or None)

    def _change(self, draft: Draft, data: bytes) -> Plan | None:
        mark = marker(draft.id, draft.sha256)
        if has_marker(data, mark):
            return None
        if draft.kind is DraftKind.INDEX:
            self._require_declared(draft)
            return plan_section(data, draft.text, replaces=draft.replaces, marker=mark)
        return plan_append(data, draft.text, marker=mark)

    def _require_declared(self, draft: Draft) -> None:
        name, thread = section_name(draft.text), self._thread(draft)
        if not any(is_called(name, declared) for declared in thread.logbook.indices):
            raise PublicationError(
                f"{thread.topic} does not declare {name!r} as a section that is kept current, and nothing else is ever "
                f"edited; add it to the thread's file under logbook: indices"
            )

    def _beside(self, draft: Draft) -> dict[str, bytes]:
        """The draft's files by their paths from the logbook's folder."""
        store = self._context.queue.store
        return {f"{files_folder(draft.thread)}/{each.name}": store.blob(each.blob) for each in draft.attachments}

    def _paths(self, draft: Draft, file: TrackedFile, checkout: Checkout) -> list[str]:
        path = checkout.path_of(file.path)
        folder = path.rpartition("/")[0]
        return [path, *(f"{folder}/{name}".removeprefix("/") for name in self._beside(draft))]

    def _file(self, draft: Draft) -> TrackedFile:
        if draft.thread not in self._files:
            self._files[draft.thread] = logbook_file(self._thread(draft), self._context.reach)
        return self._files[draft.thread]

    def _thread(self, draft: Draft) -> Thread:
        return find_thread(draft.thread, self._context.queue.store)


def _message(draft: Draft) -> str:
    """Of the commit: what it is about, and no person's or program's name."""
    about = draft.text.strip().partition("\n")[0].strip("#* ")
    return f"Logbook of {draft.thread}: {about}"


def _next_step(file: TrackedFile) -> str | None:
    match file.reach:
        case Reach.PUSH:
            where = f"{file.upstream.remote}/{file.upstream.branch}" if file.upstream else ""
            return f"will be committed and pushed to {where}"
        case Reach.COMMIT:
            return "will be committed"
        case _:
            return None

"""Puts an approved entry into the thread's logbook, once. The only module of the curator that changes a logbook."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import PublicationError
from curator.publish.destination import Change, Found, Out
from curator.publish.marker import marker
from marin_research.logbook import append, find_marker, plan_append
from marin_research.store import checkout_top
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.draft import Draft
    from curator.publish.destination import Context
    from curator.review import Approved


class LogbookPlace:
    """The logbooks of the threads whose checkout this is."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._planned: dict[Path, bytes] = {}
        """The logbooks as the plans so far leave them."""

    def ready(self, licence: Approved) -> None:
        """An entry waits for nothing."""

    def find(self, licence: Approved, markers: Sequence[str]) -> Found | None:
        name, path = self._file(licence.draft)
        data = self._read(path)
        for mark in markers:
            place = find_marker(data, mark)
            if place is not None:
                return Found(marker=mark, link=f"{name}:{place.line}")
        return None

    def plan(self, licence: Approved) -> Change:
        draft = licence.draft
        name, path = self._file(draft)
        before = self._read(path)
        planned = plan_append(before, draft.text, marker=marker(draft.id, draft.sha256))
        self._planned[path] = planned.data
        return Change(link=f"{name}:{planned.line}", diff=unified(name, before, planned.data), note=planned.note)

    def carry_out(self, licence: Approved) -> Out:
        draft = licence.draft
        name, path = self._file(draft)
        done = append(path, draft.text, marker=marker(draft.id, draft.sha256))
        return Out(link=f"{name}:{done.line}", note=done.note)

    def _file(self, draft: Draft) -> tuple[str, Path]:
        """The thread's logbook as it is written down and as a file."""
        thread = find_thread(draft.thread, self._context.queue.store)
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

    def _read(self, path: Path) -> bytes:
        if path in self._planned:
            return self._planned[path]
        try:
            return path.read_bytes()
        except OSError as error:
            raise PublicationError(f"cannot read {path}: {error.strerror}; mend that and publish again") from error


def unified(name: str, before: bytes, after: bytes) -> str:
    """A unified diff that ``git apply`` takes."""
    return "".join(difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}"))


def _lines(data: bytes) -> list[str]:
    lines = [line.decode("utf-8", "replace") for line in data.splitlines(keepends=True)]
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]

"""What stands at the places that drafts change: the logbook on this disk, the body of the issue on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.before import logbook_file
from curator.draft import DraftKind
from curator.errors import CuratorError
from curator.github.address import parse_issue
from curator.publish.destination import Context
from curator.publish.tracker import client
from marin_research.logbook import style_of
from marin_research.logbook.entries import parse
from marin_research.logbook.markdown import BOLD_LEVEL

if TYPE_CHECKING:
    from curator.queue import DraftQueue
    from marin_research.thread import Thread


class Standing:
    """Reads each place once, when the first draft needs it."""

    def __init__(self, thread: Thread, queue: DraftQueue) -> None:
        self._thread = thread
        self._context = Context(queue=queue)
        self._read: dict[DraftKind, bytes] = {}

    def text(self, kind: DraftKind) -> bytes:
        """The whole document that holds the sections of a kind.

        Raises:
            CuratorError: it cannot be read; says what to do.
        """
        if kind not in self._read:
            self._read[kind] = self._logbook() if kind is DraftKind.INDEX else self._issue_body()
        return self._read[kind]

    def level(self, kind: DraftKind) -> int:
        """The heading level of a section that is new there."""
        if kind is not DraftKind.INDEX:
            return 2
        level = style_of(parse(self.text(kind))).level
        return 2 if level == BOLD_LEVEL else max(2, level - 1)

    def _logbook(self) -> bytes:
        path = logbook_file(self._thread)
        try:
            return path.read_bytes() if path is not None else b""
        except OSError as error:
            raise CuratorError(f"cannot read {path}: {error.strerror}; run this in the thread's checkout") from error

    def _issue_body(self) -> bytes:
        if not self._thread.issue:
            raise CuratorError(
                f"{self._thread.topic} has no experiment issue yet; `curator kickoff {self._thread.topic}` drafts one"
            )
        address = parse_issue(self._thread.issue)
        return client(address.repository.host, self._context).issue(address).body.encode()

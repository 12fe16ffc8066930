"""Redacts a stream of bytes while it is written. Knows no rule: what to remove is found by a function given to it.

What comes out depends on the bytes alone, never on how they were split: whole lines are redacted together, and of a
line too long to wait for, windows at fixed offsets.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from marin_research.redaction.pem import MAX_LINE
from marin_research.redaction.removed import Removed, replaced

Find = Callable[[str], tuple[list[Removed], int | None]]
"""Gives what to remove from a text, in order and apart, and the start of the line whose secret may go on after it."""

MAX_HELD = 64 * 1024
"""Bytes of an unfinished line that are held back at most."""
_LOOK_AHEAD = 16 * 1024
"""Characters after the place where a long line is cut, read so that no secret is cut in two."""
_LOOK_BEHIND = 4 * 1024
"""Characters before it that are read again with what follows: the name of a secret may stand there."""
_MOST_HELD = 4 * MAX_HELD
"""Bytes held back at most for a private key whose end is awaited."""
_LINE_END = re.compile(rb"[\n\r]")


class RedactingWriter:
    """Hands on what it is given, without secrets. Not safe for use by several threads at once.

    Holds back the unfinished line, at most 64 KiB of it, and a private key until its end is seen, 256 KiB at most.
    Bytes that are no UTF-8 pass through unchanged.
    """

    def __init__(self, find: Find, write: Callable[[bytes], object]) -> None:
        self._find = find
        self._write = write
        self._held = b""
        self._seen = 0  # bytes at the start of what is held that were written already and serve as context only

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), MAX_HELD):
            piece = data[start : start + MAX_HELD]
            self._held += piece
            if len(self._held) > MAX_HELD or _LINE_END.search(piece):
                self._drain()

    def flush(self) -> None:
        """Write what is held back, as if the line ended here."""
        held, self._held = self._held, b""
        if held:
            self._emit(held, self._find(_decoded(held))[0])

    def hand_on(self) -> None:
        """Write what is held back of an unfinished line, which stays the context of how the line goes on.

        Of a secret that is cut in two right here, the first part may be written.
        """
        if len(self._held) > self._seen:
            spans, open_at = self._find(_decoded(self._held))
            if open_at is None:
                held = self._held
                self._emit(held, spans)
                self._seen = len(held)

    def _drain(self) -> None:
        while True:
            if len(self._held) > MAX_HELD and not _LINE_END.search(self._held, 0, MAX_HELD):
                self._put_window()
            elif not self._put_lines():
                return

    def _put_lines(self) -> bool:
        """Write the whole lines; false where there is none, or none but those of a private key that may go on."""
        end = self._held.rfind(b"\n") + 1
        end = max(end, self._held.rfind(b"\r", end) + 1)
        text = _decoded(self._held[:end])
        spans, open_at = self._find(text)
        if open_at is not None and len(self._held) - end <= 4 * MAX_LINE and len(self._held) <= _MOST_HELD:
            end = len(_encoded(text[:open_at]))
            spans = [span for span in spans if span.start < open_at]
        if end == 0:
            return False
        lines, self._held = self._held[:end], self._held[end:]
        self._emit(lines, spans)
        return True

    def _emit(self, data: bytes, spans: list[Removed]) -> None:
        """Write the data without what was written before."""
        seen, self._seen = self._seen, 0
        if not spans:
            if data[seen:]:
                self._write(data[seen:])
            return
        start = len(_decoded(data[:seen]))
        self._write(_encoded(replaced(_decoded(data), spans, start)))

    def _put_window(self) -> None:
        """Write the first part of a line that is too long, and keep the end of that part as context."""
        text = _decoded(self._held[:MAX_HELD])
        seen = len(_decoded(self._held[: self._seen]))
        spans, _ = self._find(text)
        cut = max(len(text) - _LOOK_AHEAD, (seen + len(text)) // 2)
        for span in spans:
            if span.start < cut < span.end:
                unfinished = span.end == len(text) and span.start > seen
                cut = span.start if unfinished else span.end
        if part := replaced(text, spans, seen, cut):
            self._write(_encoded(part))
        context = _encoded(text[max(0, cut - _LOOK_BEHIND) : cut])
        self._held = context + self._held[len(_encoded(text[:cut])) :]
        self._seen = len(context)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

"""Reads what a host printed. Knows no process and no pipe; what it says is ``marin_research.digest``'s to find out.

``marin_research.capture.live_output`` says how the bytes lie in the store. What is missing or damaged is said in the
text itself, where it would stand, and never hides the rest.
"""

from __future__ import annotations

import re
import time
import zlib
from typing import TYPE_CHECKING, NamedTuple

from marin_research.capture.live_output import live_folder, live_stretches, note
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marin_research.objects import ReadableObjects
    from marin_research.store import RecordStore

_CHUNK = re.compile(r"(\d{12,})-(\d{12,})\.gz")
_BLOCK = 1 << 20
_TAIL_LIMIT = 64 * 1024 * 1024
_POLL_S = 0.2
_STATUS_S = 1.0


def read_output(store: RecordStore, run_id: str, attempt: int, writer: str) -> Iterator[bytes]:
    """All that one host printed so far."""
    return StoredOutput(store, run_id, attempt, writer).read()


def tail(store: RecordStore, run_id: str, attempt: int, writer: str, lines: int) -> bytes:
    """The last ``lines`` lines that one host printed, read from the end."""
    return StoredOutput(store, run_id, attempt, writer).tail(lines)


def follow(store: RecordStore, run_id: str, attempt: int, writer: str) -> Iterator[bytes]:
    """What one host has printed, then what it prints, until its attempt has ended or is lost."""
    stored = StoredOutput(store, run_id, attempt, writer)
    asked = 0.0
    ended = False
    while not ended:
        if time.monotonic() - asked > _STATUS_S:
            asked = time.monotonic()
            ended = has_ended(store, run_id, attempt, writer)
        yield from stored.read()
        if not ended:
            time.sleep(_POLL_S)


def has_ended(store: RecordStore, run_id: str, number: int, writer: str) -> bool:
    """Whether a host will print no more, as far as its record says."""
    run = store.run(run_id)
    attempt = next((attempt for attempt in run.attempts if attempt.number == number), None)
    if attempt is None or attempt.end is not None or attempt is not run.attempt:
        return True
    host = next((host for host in attempt.hosts if host.writer == writer), None)
    return host is None or host.end is not None or run.status is not Status.RUNNING


class Part(NamedTuple):
    """Consecutive bytes, in a chunk (``path`` is None) or a live file."""

    start: int
    end: int
    path: Path | None

    def key(self, folder: str) -> str:
        return f"{folder}/{self.start:012d}-{self.end:012d}.gz"


class StoredOutput:
    """What is stored of one host's output; remembers how far it was read."""

    def __init__(self, store: RecordStore, run_id: str, attempt: int, writer: str, *, here: bool = False) -> None:
        """``here`` is to do with what is on this machine: for whoever records, and waits for no store."""
        self.position = 0
        """Bytes read so far."""
        self._objects: ReadableObjects = store.objects.here if here else store.objects
        self._folder = store.output_folder(run_id, attempt, writer)
        self._live = live_folder(store.objects.url, self._folder)

    def size(self) -> int:
        """Bytes that there are now."""
        return max((part.end for part in self.parts()), default=0)

    def read(self) -> Iterator[bytes]:
        """What there is now from ``position`` on."""
        end = self.size()
        looked_again = False
        while self.position < end:
            before = self.position
            for part in self.parts():
                if part.end <= self.position:
                    continue
                if part.start > self.position and not looked_again:
                    break  # it may just have been on its way from a live file to a chunk
                try:
                    yield from self._content(part)
                except FileNotFoundError:
                    break  # likewise
                looked_again = False
            if self.position == before and looked_again:
                yield note(f"bytes {before} to {end} of this output cannot be found")
                return
            looked_again = self.position == before

    def tail(self, lines: int) -> bytes:
        parts: list[bytes] = []
        newlines = size = 0
        for part in reversed(self.parts()):
            self.position = part.start
            try:
                parts.append(b"".join(self._content(part)))
            except FileNotFoundError:
                return self.tail(lines)
            newlines += parts[-1].count(b"\n")
            size += len(parts[-1])
            if newlines > lines or size > _TAIL_LIMIT:
                break
        return _last_lines(b"".join(reversed(parts)), lines)

    def parts(self) -> list[Part]:
        """In order. A live file goes before its chunk: it is removed only when the chunk is complete."""
        live = {stretch.start: Part(*stretch) for stretch, _ in live_stretches(self._live)}
        # Looked for second, so that what becomes a chunk meanwhile is seen as at least one of the two.
        chunks = (_CHUNK.fullmatch(name) for name in self._objects.names(self._folder))
        parts = {int(match[1]): Part(int(match[1]), int(match[2]), None) for match in chunks if match} | live
        return [parts[start] for start in sorted(parts)]

    def packed(self, part: Part) -> bytes:
        """A chunk as it is stored."""
        return self._objects.get(part.key(self._folder))

    def _content(self, part: Part) -> Iterator[bytes]:
        if part.path is not None:
            with part.path.open("rb") as file:
                yield from self._missing_before(part)
                file.seek(self.position - part.start)
                while data := file.read(_BLOCK):
                    self.position += len(data)
                    yield data
            return
        compressed = self.packed(part)
        yield from self._missing_before(part)
        data, problem = _decompress(compressed)
        skip = self.position - part.start
        self.position = part.end
        yield data[skip:]
        if problem or len(data) != part.end - part.start:
            name = part.key(self._folder).rpartition("/")[2]
            yield note(f"chunk {name} is damaged after byte {part.start + len(data)}: {problem or 'it is too short'}")

    def _missing_before(self, part: Part) -> Iterator[bytes]:
        if part.start > self.position:
            yield note(f"bytes {self.position} to {part.start} of this output are missing")
            self.position = part.start


def _decompress(compressed: bytes) -> tuple[bytes, str | None]:
    """As much of a chunk as can be read, and what is wrong with the rest."""
    stream = zlib.decompressobj(wbits=31)
    data = bytearray()
    for start in range(0, len(compressed), _BLOCK):
        try:
            data += stream.decompress(compressed[start : start + _BLOCK])
        except zlib.error as error:
            return bytes(data), str(error)
    return bytes(data), None if stream.eof else "its end is missing"


def _last_lines(data: bytes, lines: int) -> bytes:
    end = len(data) - data.endswith(b"\n")
    for _ in range(lines):
        end = data.rfind(b"\n", 0, end)
        if end < 0:
            return data
    return data[end + 1 :] if lines else b""

"""The log of approvals and publications: append-only, each entry bound to the one before it by its hash.

An entry is an object ``log/00000042.json`` that holds the SHA-256 of the bytes of entry 41, so that a changed,
removed or inserted entry is seen. The number is claimed by creating the object, so two people who decide at once get
two entries.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads the annotations at run time
from enum import StrEnum
from typing import TYPE_CHECKING

from curator.errors import DraftFormatError, RefusedError
from marin_research.codec import decode, dump

if TYPE_CHECKING:
    from marin_research.objects import Objects

_FOLDER = "log"
_NO_ENTRY = "0" * 64


class Decision(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"  # by the drafter, not by a person
    PUBLISHING = "publishing"  # written before the first byte leaves, so that a crash in between is seen
    PUBLISHED = "published"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedFinding:
    """A finding that a person approved past."""

    id: str
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One decision of a person, one publication, or a draft that made room for a newer one."""

    decision: Decision
    draft: str
    sha256: str
    """Of the text that was decided on."""
    time: datetime
    by: str
    """The person's name; for publications, whoever started the program; the newer draft that took its place."""
    accepted: tuple[AcceptedFinding, ...] = ()
    settled: tuple[str, ...] = ()
    """Doubts that a model settled which proofread the text: the words, and how."""
    evidence_count: int = 0
    """How many spans of the text the verifier matched to facts when the decision was made."""
    why: str | None = None
    link: str | None = None
    machine: str = ""
    """Where a publication was begun, so that another machine does not begin it at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedEntry:
    number: int
    previous: str
    """SHA-256 of the previous entry's bytes."""
    entry: LogEntry


class DecisionLog:
    """Reads and extends the chain."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def append(self, entry: LogEntry) -> ChainedEntry:
        """Add one entry at the end."""
        while True:
            names = self._objects.names(_FOLDER)
            number = int(names[-1].removesuffix(".json")) + 1 if names else 1
            previous = _sha256(self._objects.get(f"{_FOLDER}/{names[-1]}")) if names else _NO_ENTRY
            chained = ChainedEntry(number=number, previous=previous, entry=entry)
            try:
                self._objects.put_new(f"{_FOLDER}/{number:08d}.json", dump(chained))
            except FileExistsError:
                continue  # somebody else decided first; bind to their entry
            return chained

    def entries(self) -> list[LogEntry]:
        """Every entry in order, whether or not the chain is whole.

        Raises:
            DraftFormatError: an entry cannot be read.
        """
        return [self._read(name)[1].entry for name in self._objects.names(_FOLDER)]

    def require_whole(self) -> None:
        """Refuse to go on from a chain that was tampered with: what is added to it would be worth nothing.

        Raises:
            RefusedError: something is wrong with it.
        """
        problems = self.problems()
        if problems:
            raise RefusedError(f"the log of decisions is broken ({problems[0]}); nothing was done, see `curator log`")

    def problems(self) -> list[str]:
        """What is wrong with the chain; empty when every entry follows from the one before it."""
        found = []
        expected_number, previous = 1, _NO_ENTRY
        for name in self._objects.names(_FOLDER):
            try:
                data, chained = self._read(name)
            except DraftFormatError as error:
                found.append(str(error))
                data, chained = self._objects.get(f"{_FOLDER}/{name}"), None
            if chained is not None and chained.number != expected_number:
                found.append(f"entry {expected_number} is missing: {name} comes after entry {expected_number - 1}")
            if chained is not None and chained.previous != previous:
                found.append(f"{name} does not follow from the entry before it: one of the two was changed")
            expected_number, previous = (chained.number if chained else expected_number) + 1, _sha256(data)
        return found

    def _read(self, name: str) -> tuple[bytes, ChainedEntry]:
        data = self._objects.get(f"{_FOLDER}/{name}")
        try:
            return data, decode(ChainedEntry, json.loads(data))
        except (ValueError, TypeError, KeyError) as error:
            raise DraftFormatError(f"log entry {name} cannot be read ({error}); it was left as it is") from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

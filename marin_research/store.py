"""The record store: the only builder of its keys. Knows where things are, not what a run means.

::

    store.json                                  format of the store
    prefixes/LR.json                            which thread an experiment-ID prefix belongs to
    threads/lr-sweep.json                       the thread's declaration when it last ran
    ids/LR/000001.json                          an experiment ID that was handed out
    runs/LR-001/events/001-<writer>-000000.json a batch of events
    runs/LR-001/heartbeats/<writer>.json        newest sign of life of one writer
    runs/LR-001/attempts/000002.json               an attempt number that was handed out
    runs/LR-001/output/001-<writer>/...         what one host printed (marin_research.output)
    outputs/<hash of an output path>/LR-001.json  which runs made a step's output
    blobs/<sha256>.gz                           diffs and other large values, once each
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.checkout import checkout_top
from marin_research.codec import decode, dump
from marin_research.errors import RunNotFoundError, StoreError, ThreadError, UsageError
from marin_research.events import Event, Heartbeat, read_batch, write_batch
from marin_research.machine import this_machine
from marin_research.objects import LocalObjects, Objects, open_objects
from marin_research.record import Blob, Gap, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marin_research.index.index import Index

FORMAT = "marin-research/store/1"
STORE_FOLDER = ".marin-research"
"""The default store, at the top of a checkout."""
_CLAIM = re.compile(r"(\d+)\.json")
RUN_ID = re.compile(r"(?P<prefix>[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*)-(?P<number>\d{3,})")


def default_root(environ: Mapping[str, str] = os.environ) -> str:
    """``MARIN_RESEARCH_ROOT``, else ``$MARIN_PREFIX/research``, else ``.marin-research`` at the checkout's top."""
    if root := environ.get("MARIN_RESEARCH_ROOT"):
        return root
    if prefix := environ.get("MARIN_PREFIX"):
        return f"{prefix.rstrip('/')}/research"
    top = checkout_top()
    return str((top or Path.cwd()) / STORE_FOLDER)


def run_order(run_id: str) -> tuple[str, int]:
    """Sorts IDs by prefix, then by number: ``LR-999`` before ``LR-1000``."""
    found = RUN_ID.fullmatch(run_id)
    return (found["prefix"], int(found["number"])) if found else (run_id, 0)


class RecordStore:
    """Reads and writes records under one root."""

    def __init__(self, root: str | None = None) -> None:
        self.root = root or default_root()
        self.objects: Objects = open_objects(self.root)

    def prepare(self) -> None:
        """Make the store usable for writing.

        Raises:
            StoreError: it cannot be written, or it has a format this program does not know.
        """
        try:
            raw = json.loads(self.objects.get("store.json"))
        except FileNotFoundError:
            self._create()
        except ValueError as error:
            raise StoreError(
                f"{self.root}/store.json is not JSON; restore it or name another place with --root"
            ) from error
        else:
            if not isinstance(raw, dict) or raw.get("format") != FORMAT:
                raise StoreError(f"{self.root} has another format ({raw!r:.60}); this program writes {FORMAT}")

    def _create(self) -> None:
        if isinstance(self.objects, LocalObjects) and self.objects.root.name == STORE_FOLDER:
            # A store inside a checkout must not make the checkout dirty.
            self.objects.put(".gitignore", b"*\n")
        with suppress(FileExistsError):  # somebody else was first, with the same content
            self.objects.put_new("store.json", dump({"format": FORMAT, "created": datetime.now(UTC)}))

    # Experiment IDs

    def own_prefix(self, prefix: str, topic: str) -> None:
        """Claim ``prefix`` for the thread ``topic``.

        Raises:
            ThreadError: the prefix already belongs to another thread.
        """
        key = f"prefixes/{prefix}.json"
        owner = self._owner(key)
        if owner is None:
            with suppress(FileExistsError):  # somebody else was first
                self.objects.put_new(key, dump({"topic": topic}))
            owner = self._owner(key)
        if owner != topic:
            raise ThreadError(
                f"prefix {prefix} belongs to thread {owner!r} in {self.root}; give thread {topic!r} a prefix of its own"
            )

    def _owner(self, key: str) -> object:
        """Whose prefix it is; None if nobody's."""
        try:
            return json.loads(self.objects.get(key))["topic"]
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{self.root}/{key} is damaged; restore it, or remove it to claim the prefix anew"
            ) from error

    def claim_id(self, prefix: str, *, launch: str) -> str:
        """The next experiment ID of a prefix. Nobody else ever gets it."""
        number = self._claim_number(f"ids/{prefix}", _claim(launch))
        return f"{prefix}-{number:03d}"

    def claim_exact_id(self, run_id: str, prefix: str, *, launch: str) -> None:
        """Claim the experiment ID that somebody asks for by name.

        Raises:
            UsageError: it is not an ID of that prefix, or somebody has it already.
        """
        owner, number = run_order(run_id)
        if owner != prefix or run_id != f"{prefix}-{number:03d}":
            raise UsageError(f"{run_id!r} is no experiment ID of this thread; it must look like {prefix}-042")
        try:
            self.objects.claim(f"ids/{prefix}/{number:06d}.json", _claim(launch))
        except FileExistsError:
            raise UsageError(f"{run_id} is taken; leave --id out for the next one, or --resume {run_id}") from None

    def claim_attempt(self, run_id: str) -> int:
        """The next attempt number of a run."""
        return self._claim_number(f"runs/{run_id}/attempts", _claim())

    def join_attempt(self, run_id: str, key: str) -> int:
        """The attempt that ``key`` stands for; the next number for a key that nobody has named yet.

        However many processes name one key at once, they are given one number.
        """
        folder = f"runs/{run_id}/attempts"
        taken = [match for match in map(_CLAIM.fullmatch, self.objects.names(folder)) if match]
        for match in taken:
            if self._attempt_key(folder, int(match[1])) == key:
                return int(match[1])
        number = max((int(match[1]) for match in taken), default=0) + 1
        while True:
            try:
                # Whole or not at all, other than a claim: the others read what stands in it.
                self.objects.put_new(f"{folder}/{number:06d}.json", dump({"key": key, "time": datetime.now(UTC)}))
            except FileExistsError:
                if self._attempt_key(folder, number) == key:
                    return number
                number += 1
            else:
                return number

    def newest_attempt(self, run_id: str) -> int:
        """The highest attempt number that was handed out for a run; 0 before the first."""
        taken = (_CLAIM.fullmatch(name) for name in self.objects.names(f"runs/{run_id}/attempts"))
        return max((int(match[1]) for match in taken if match), default=0)

    def _attempt_key(self, folder: str, number: int) -> object:
        try:
            return json.loads(self.objects.get(f"{folder}/{number:06d}.json")).get("key")
        except (ValueError, AttributeError):
            return None  # an attempt that a launch began, whose claim may be cut short

    def _claim_number(self, folder: str, claim: bytes) -> int:
        taken = (_CLAIM.fullmatch(name) for name in self.objects.names(folder))
        number = max((int(match[1]) for match in taken if match), default=0) + 1
        while True:
            try:
                self.objects.claim(f"{folder}/{number:06d}.json", claim)
            except FileExistsError:
                number += 1
            else:
                return number

    # Threads, as they were when they last ran

    def put_thread(self, topic: str, declaration: dict[str, object]) -> None:
        self.objects.put(f"threads/{topic}.json", dump(declaration))

    def thread(self, topic: str) -> dict[str, object] | None:
        try:
            raw = json.loads(self.objects.get(f"threads/{topic}.json"))
        except (FileNotFoundError, ValueError):
            return None
        return raw if isinstance(raw, dict) else None

    def topics(self) -> list[str]:
        return [name.removesuffix(".json") for name in self.objects.names("threads")]

    # Events and records

    def write(self, run_id: str, writer: str, sequence: int, events: list[Event], *, synced: bool = True) -> None:
        """Keep a batch of events; ``sequence`` counts this writer's batches."""
        attempt = max(event.attempt for event in events)
        key = f"runs/{run_id}/events/{attempt:03d}-{writer}-{sequence:06d}.json"
        self.objects.put_new(key, write_batch(events), synced=synced)

    def beat(self, run_id: str, heartbeat: Heartbeat) -> None:
        self.objects.put(f"runs/{run_id}/heartbeats/{heartbeat.writer}.json", dump(heartbeat))

    def run(self, run_id: str, *, now: datetime | None = None) -> Run:
        """The record of one run, folded from what can be read; what cannot is among its gaps.

        Raises:
            RunNotFoundError: nothing is stored under that ID.
        """
        names = self.objects.names(f"runs/{run_id}/events") if RUN_ID.fullmatch(run_id) else []
        if not names:
            raise RunNotFoundError(run_id, self.root)
        events: list[Event] = []
        gaps: list[Gap] = []
        keys = [f"runs/{run_id}/events/{name}" for name in names]
        for key, data in zip(keys, self.objects.get_each(keys), strict=True):
            try:
                read, unreadable = read_batch(key, _present(data))
            except (StoreError, FileNotFoundError) as error:
                gaps.append(Gap(what=f"events in {key.rpartition('/')[2]}", why=str(error)))
            else:
                events += read
                gaps += unreadable
        from marin_research.fold import fold

        return fold(run_id, events, gaps=gaps, heartbeats=self._heartbeats(run_id), now=now, here=this_machine())

    def run_ids(self, prefix: str | None = None) -> list[str]:
        """Every run of the store, or of one prefix, in order."""
        names = (name for name in self.objects.names("runs") if prefix is None or run_order(name)[0] == prefix)
        return sorted(names, key=run_order)

    def runs(self, prefix: str | None = None) -> Iterator[Run]:
        for run_id in self.run_ids(prefix):
            with suppress(RunNotFoundError):  # its process ended between taking a number and saying what for
                yield self.run(run_id)

    def _heartbeats(self, run_id: str) -> list[Heartbeat]:
        beats = []
        for name in self.objects.names(f"runs/{run_id}/heartbeats"):
            try:
                beats.append(decode(Heartbeat, json.loads(self.objects.get(f"runs/{run_id}/heartbeats/{name}"))))
            except (ValueError, TypeError, StoreError, FileNotFoundError):
                continue  # a heartbeat is only ever a hint; the next one replaces it
        return beats

    @cached_property
    def index(self) -> Index:
        """What finds runs without reading them all."""
        from marin_research.index.index import Index

        return Index(self)

    # Which run made an output

    def remember_output(self, output_path: str, run_id: str) -> None:
        with suppress(FileExistsError):  # a later attempt of the same run
            self.objects.claim(f"{_output_key(output_path)}/{run_id}.json", dump({"output_path": output_path}))

    def runs_of_output(self, output_path: str) -> list[str]:
        """IDs of the runs that wrote ``output_path``, oldest first."""
        names = self.objects.names(_output_key(output_path))
        return sorted((name.removesuffix(".json") for name in names), key=run_order)

    # Blobs

    def put_blob(self, data: bytes) -> Blob:
        import gzip
        import hashlib

        sha256 = hashlib.sha256(data).hexdigest()
        with suppress(FileExistsError):  # content-addressed: what is there is the same
            self.objects.put_new(f"blobs/{sha256}.gz", gzip.compress(data, 6, mtime=0))
        return Blob(sha256=sha256, size=len(data))

    def blob(self, blob: Blob) -> bytes:
        """The bytes that ``put_blob`` kept.

        Raises:
            StoreError: they are missing or damaged.
        """
        import gzip
        import hashlib
        import zlib

        key = f"blobs/{blob.sha256}.gz"
        try:
            data = gzip.decompress(self.objects.get(key))
        except (FileNotFoundError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise StoreError(f"{self.root}/{key} is missing or damaged ({error}); restore it from a copy") from error
        if hashlib.sha256(data).hexdigest() != blob.sha256:
            raise StoreError(f"{self.root}/{key} holds something else; restore it from a copy")
        return data

    def output_folder(self, run_id: str, attempt: int, writer: str) -> str:
        """The folder (a key) of what one host of one attempt printed."""
        return f"runs/{run_id}/output/{attempt:03d}-{writer}"


def _claim(launch: str = "") -> bytes:
    """What stands in a claim. No other is like it, so whoever finds it knows that the claim is theirs."""
    return dump({"launch": launch, "time": datetime.now(UTC), "nonce": os.urandom(8).hex()})


def _present[T](found: T | Exception) -> T:
    if isinstance(found, Exception):
        raise found
    return found


def _output_key(output_path: str) -> str:
    import hashlib

    return f"outputs/{hashlib.sha256(output_path.rstrip('/').encode()).hexdigest()[:24]}"

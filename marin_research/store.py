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
    runs/LR-001/digests/001.json.gz             what an attempt's output says, made from it when first asked for
    outputs/<hash of an output path>/LR-001.json  which runs made a step's output
    changes/2026112208/LR-001.<random>            a run that changed in that hour, where folders do not show it
    snapshots/<tag>/...                         repro bundles (marin_research.snapshot.record)
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
from marin_research.claims import claim_number, claim_text, join_number, newest_number, number_key
from marin_research.codec import decode, dump
from marin_research.errors import RunNotFoundError, StoreError, ThreadError, UsageError
from marin_research.events import Event, Heartbeat, read_batch, write_batch
from marin_research.machine import this_machine
from marin_research.objects import STORE_FOLDER, Objects, is_distant, open_objects
from marin_research.record import Blob, Gap, Retry, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marin_research.index.index import Index

FORMAT = "marin-research/store/1"
HOUR = "%Y%m%d%H"
"""How the folders of changes are called."""
_OFFLINE = "OFF"
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


def has_prefix(run_id: str, prefix: str) -> bool:
    """Whether an experiment ID belongs to a thread's prefix; ``LR-OFF-7K2QXM-001`` was given out offline for ``LR``."""
    own = run_order(run_id)[0]
    return own == prefix or own.rpartition("-")[0] == offline_prefix(prefix)


def offline_prefix(prefix: str) -> str:
    """What the IDs begin with that machines give out by themselves, before the name of the machine."""
    return f"{prefix}-{_OFFLINE}"


class RecordStore:
    """Reads and writes records under one root."""

    def __init__(self, root: str | None = None) -> None:
        self.root = root or default_root()
        self.objects: Objects = open_objects(self.root)

    def prepare(self) -> bytes:
        """Make the store usable for writing; what it says of itself, which no other store does.

        Raises:
            StoreError: it cannot be written, or it has a format this program does not know.
        """
        try:
            found = self.objects.get("store.json")
        except FileNotFoundError:
            found = self._create()
        check_format(found, self.root)
        return found

    def _create(self) -> bytes:
        made = dump({"format": FORMAT, "created": datetime.now(UTC)})
        try:
            self.objects.claim("store.json", made, whole=True)
        except FileExistsError:  # somebody else was first
            return self.objects.get("store.json")
        return made

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
                self.objects.claim(key, dump({"topic": topic}), whole=True)
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
        return f"{prefix}-{claim_number(self.objects, f'ids/{prefix}', claim_text(launch)):03d}"

    def claim_exact_id(self, run_id: str, prefix: str, *, launch: str) -> None:
        """Claim the experiment ID that somebody asks for by name.

        Raises:
            UsageError: it is not an ID of that prefix, or somebody has it already.
        """
        owner, number = run_order(run_id)
        if owner != prefix or run_id != f"{prefix}-{number:03d}":
            raise UsageError(f"{run_id!r} is no experiment ID of this thread; it must look like {prefix}-042")
        try:
            self.objects.claim(number_key(f"ids/{prefix}", number), claim_text(launch), whole=True)
        except FileExistsError:
            raise UsageError(f"{run_id} is taken; leave --id out for the next one, or --resume {run_id}") from None

    def claim_attempt(self, run_id: str) -> int:
        """The next attempt number of a run."""
        return claim_number(self.objects, _attempts(run_id), claim_text())

    def join_attempt(self, run_id: str, retry: Retry) -> int:
        """The attempt that a cluster's new try at a job is; the next number for one that nobody has named yet.

        However many processes ask at once about one try, they are given one number.
        """
        return join_number(self.objects, _attempts(run_id), retry.key)

    def newest_attempt(self, run_id: str) -> int:
        """The highest attempt number that was handed out for a run; 0 before the first."""
        return newest_number(self.objects, _attempts(run_id))

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
        gaps: list[Gap] = []
        names = self._names(f"runs/{run_id}/events", gaps) if RUN_ID.fullmatch(run_id) else []
        if not names:
            raise RunNotFoundError(run_id, self.root)
        events: list[Event] = []
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

    def _names(self, folder: str, gaps: list[Gap]) -> list[str]:
        """What there is in a folder; where the store cannot be asked, what waits on this machine to be sent there."""
        try:
            return self.objects.names(folder)
        except StoreError as error:
            waiting = self.objects.here.names(folder)
            if not waiting:
                raise
            gaps.append(Gap(what="what the store has", why=f"this is what waits on this machine; {error}"))
            return waiting

    def mark_changed(self, run_id: str) -> None:
        """Tell indexes that a run has changed, where they cannot see it from the folders."""
        hour = f"{datetime.now(UTC):{HOUR}}"
        self.objects.put_new(f"changes/{hour}/{run_id}.{os.urandom(4).hex()}", b"")

    def run_ids(self, prefix: str | None = None) -> list[str]:
        """Every run of the store, or of one prefix, in order."""
        names = (name for name in self.objects.names("runs") if prefix is None or has_prefix(name, prefix))
        return sorted(names, key=run_order)

    def runs(self, prefix: str | None = None) -> Iterator[Run]:
        for run_id in self.run_ids(prefix):
            with suppress(RunNotFoundError):  # its process ended between taking a number and saying what for
                yield self.run(run_id)

    def _heartbeats(self, run_id: str) -> list[Heartbeat]:
        beats = []
        folder = f"runs/{run_id}/heartbeats"
        try:
            names = self.objects.names(folder)
        except StoreError:
            names = self.objects.here.names(folder)
        for name in names:
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
        # Of a later attempt of the same run, it is the same.
        self.objects.put_new(f"{_output_key(output_path)}/{run_id}.json", dump({"output_path": output_path}))

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

    def digest_key(self, run_id: str, attempt: int) -> str:
        """Where the digest of what one attempt printed is kept."""
        return f"runs/{run_id}/digests/{attempt:03d}.json.gz"


def recording_store(root: str | None = None) -> RecordStore:
    """The store for a process that records: it never waits long for a store that is far away."""
    root = root or default_root()
    if not is_distant(root):
        return RecordStore(root)
    from marin_research.spool.store import SpooledStore

    return SpooledStore(root)


def check_format(content: bytes, root: str) -> None:
    """Refuse a store that another program has made.

    Raises:
        StoreError: ``content`` of its ``store.json`` says so.
    """
    try:
        raw = json.loads(content)
    except ValueError as error:
        raise StoreError(f"{root}/store.json is not JSON; restore it or name another place with --root") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else raw
        raise StoreError(
            f"{root} has format {found!r:.60}, this program writes {FORMAT}; "
            "use a version that knows it, or another --root"
        )


def _attempts(run_id: str) -> str:
    return f"runs/{run_id}/attempts"


def _present[T](found: T | Exception) -> T:
    if isinstance(found, Exception):
        raise found
    return found


def _output_key(output_path: str) -> str:
    import hashlib

    return f"outputs/{hashlib.sha256(output_path.rstrip('/').encode()).hexdigest()[:24]}"

"""What is known of a snapshot, and where its bundle is in the store."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads the annotations at run time
from typing import TYPE_CHECKING

from marin_research.codec import Unknown, decode, dump
from marin_research.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marin_research.store import RecordStore

FOLDER = "snapshots"
SUMS = "SHA256SUMS"
"""Written first: it takes the name, and what else is in the bundle cannot be anything else from then on."""
RECORD = "snapshot.json"
"""Written last: a bundle without it is not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A sealed state of a thread."""

    tag: str
    tag_object: str
    """Hash of the annotated tag."""
    commit: str
    thread: str
    runs: tuple[str, ...]
    """The runs that it is about; the baseline is in the bundle too."""
    remote: str | Unknown
    """Where the tag belongs, without credentials."""
    files: tuple[str, ...]
    """Paths worth a look in the tagged commit: the logbook, the code that ran."""
    bundle: str
    """URL of the bundle's folder."""
    sha256: str
    """Of the bundle's ``SHA256SUMS``."""
    created: datetime
    notes: tuple[str, ...] = ()
    """What a reader has to know: changes that were left out, commits that the tag does not hold."""


def sums_of(files: Mapping[str, bytes]) -> bytes:
    """The checksums of a bundle's files, as ``sha256sum --check`` takes them."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    return "".join(lines).encode()


def folder_of(tag: str) -> str:
    """The key of a bundle's folder; no character of a tag may make another folder of it."""
    from urllib.parse import quote

    return f"{FOLDER}/{quote(tag, safe='')}"


def write_bundle(store: RecordStore, tag: str, files: Mapping[str, bytes]) -> None:
    """Put a bundle's files where they belong; those that are there already stay.

    Raises:
        SnapshotError: the folder holds another bundle, or a part of one.
    """
    folder = folder_of(tag)
    try:
        for name, data in [(SUMS, sums_of(files)), *sorted(files.items())]:
            store.objects.put_new(f"{folder}/{name}", data)
    except FileExistsError as error:
        raise SnapshotError(f"{store.root}/{folder} holds another bundle; take another name with --tag") from error


def sums_in(store: RecordStore, tag: str) -> bytes | None:
    """The checksums of the bundle that has the name ``tag``, whole or not."""
    try:
        return store.objects.get(f"{folder_of(tag)}/{SUMS}")
    except FileNotFoundError:
        return None


def seal(store: RecordStore, snapshot: Snapshot) -> Snapshot:
    """Say that a bundle is whole; what was said first stands."""
    try:
        store.objects.put_new(f"{folder_of(snapshot.tag)}/{RECORD}", dump(snapshot))
    except FileExistsError:
        return read_snapshot(store, snapshot.tag)
    return snapshot


def read_snapshot(store: RecordStore, tag: str) -> Snapshot:
    """A snapshot that is whole.

    Raises:
        SnapshotError: there is none of that name, it was not finished, or a part of it is missing or damaged.
    """
    folder = folder_of(tag)
    try:
        snapshot = decode(Snapshot, json.loads(store.objects.get(f"{folder}/{RECORD}")))
    except FileNotFoundError:
        begun = "was begun and not finished" if store.objects.names(folder) else "does not exist"
        raise SnapshotError(
            f"snapshot {tag} {begun} in {store.root}; make it with `marin-research snapshot THREAD --tag {tag}`"
        ) from None
    except (ValueError, TypeError) as error:
        raise SnapshotError(f"{store.root}/{folder}/{RECORD} cannot be read ({error}); restore it") from error
    if damaged := _damaged(store, snapshot):
        raise SnapshotError(f"{store.root}/{folder}: {', '.join(damaged)} missing or damaged; restore the folder")
    return snapshot


def _damaged(store: RecordStore, snapshot: Snapshot) -> list[str]:
    """The files of a bundle that are not what they were."""
    sums = sums_in(store, snapshot.tag) or b""
    found = [] if hashlib.sha256(sums).hexdigest() == snapshot.sha256 else [SUMS]
    for line in sums.decode(errors="replace").splitlines():
        expected, _, name = line.partition("  ")
        try:
            data = store.objects.get(f"{folder_of(snapshot.tag)}/{name}")
        except FileNotFoundError:
            data = b""
        if hashlib.sha256(data).hexdigest() != expected:
            found.append(name)
    return found

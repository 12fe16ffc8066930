"""The digest of a recorded attempt, made from its stored output: that of a lost run too. Kept on this machine."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.codec import decode, dump
from marin_research.digest.index import VERSION, Index
from marin_research.errors import RunNotFoundError
from marin_research.output import StoredOutput

if TYPE_CHECKING:
    from marin_research.record import Attempt, Run
    from marin_research.store import RecordStore

_MOST_KEPT = 500


class StoredLog:
    """What all hosts of one attempt printed.

    Raises:
        RunNotFoundError: the run has no such attempt.
    """

    def __init__(self, store: RecordStore, run: Run, attempt: int | None = None) -> None:
        """``attempt`` is its number; None for the last one."""
        tries = [one for one in run.attempts if attempt in (None, one.number)]
        if not tries:
            raise RunNotFoundError(f"{run.id} (attempt {attempt}; it has {len(run.attempts)})", store.root)
        outputs = [StoredOutput(store, run.id, tries[-1].number, host.writer) for host in tries[-1].hosts]
        self._outputs = dict(zip(_names(tries[-1]), outputs, strict=True))
        self._sizes = {name: output.size() for name, output in self._outputs.items()}
        self._of = [store.objects.url, run.id, tries[-1].number]

    @property
    def size(self) -> int:
        """Bytes, of all hosts."""
        return sum(self._sizes.values())

    def cached(self) -> Index | None:
        """The index, if it was made before of exactly this output."""
        with contextlib.suppress(OSError, EOFError, zlib.error, ValueError, TypeError):
            return decode(Index, json.loads(gzip.decompress(self._path().read_bytes())))
        return None

    def index(self) -> Index:
        known = self.cached()
        if known is None:
            from marin_research.digest.build import index_of  # loads numpy

            sources = ((name, output.read()) for name, output in self._outputs.items())
            known = index_of(sources, several=len(self._outputs) > 1)
            with contextlib.suppress(OSError):  # without a cache it is only slower
                _keep(self._path(), gzip.compress(dump(known), 1))
        return known

    def _path(self) -> Path:
        # Output only grows: who printed how much says what it is.
        key = json.dumps([VERSION, *self._of, self._sizes]).encode()
        return _folder() / f"{hashlib.sha256(key).hexdigest()[:32]}.json.gz"


def digest_of(store: RecordStore, run_id: str, attempt: int | None = None) -> Index:
    """The index of an attempt's output (the last one's), each host a stream of its own.

    Raises:
        RunNotFoundError: there is no such run or attempt.
    """
    return StoredLog(store, store.run(run_id), attempt).index()


def _names(attempt: Attempt) -> list[str]:
    """``host 3``; with its writer when several claim the same number."""
    apart = attempt.workers != attempt.hosts
    names = ["dispatcher" if apart and host.job is None else f"host {host.index}" for host in attempt.hosts]
    claimed = Counter(names)
    return [
        f"{name} ({host.writer})" if claimed[name] > 1 else name
        for name, host in zip(names, attempt.hosts, strict=True)
    ]


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home) / "marin-research" / "digests"


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        part.write(data)
    Path(part.name).replace(path)
    for old in sorted(path.parent.glob("*.json.gz"), key=lambda file: file.stat().st_mtime)[:-_MOST_KEPT]:
        old.unlink(missing_ok=True)

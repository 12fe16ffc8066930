"""The digest of a recorded attempt, made from its stored output: that of a lost run too.

Whoever reads it first keeps it in the store, beside the output, as soon as the attempt has ended; drafting does, after
a launch. The run itself does not: it would take the processor from what runs next on its machine, every host of a gang
would do it over although only the last one has all of the output, and a machine that is taken away has no time for it.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marin_research.codec import decode, dump
from marin_research.digest.index import VERSION, Index
from marin_research.errors import RunNotFoundError, StoreError
from marin_research.output import StoredOutput
from marin_research.record import Status

if TYPE_CHECKING:
    from marin_research.record import Attempt, Run
    from marin_research.store import RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    version: int
    sizes: dict[str, int]
    """Bytes of each host's output that it is the digest of: output only grows."""
    index: Index


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
        self._has_ended = run.status is not Status.RUNNING or tries[-1] is not run.attempt
        self._objects = store.objects
        self._key = store.digest_key(run.id, tries[-1].number)

    @property
    def size(self) -> int:
        """Bytes, of all hosts."""
        return sum(self._sizes.values())

    def kept(self) -> Index | None:
        """The index, if it was made before of exactly this output."""
        with contextlib.suppress(FileNotFoundError, StoreError, OSError, EOFError, zlib.error, ValueError, TypeError):
            kept = decode(_Kept, json.loads(gzip.decompress(self._objects.get(self._key))))
            if (kept.version, kept.sizes) == (VERSION, self._sizes):
                return kept.index
        return None

    def index(self) -> Index:
        known = self.kept()
        if known is None:
            from marin_research.digest.build import index_of  # loads numpy

            sources = ((name, output.read()) for name, output in self._outputs.items())
            known = index_of(sources, several=len(self._outputs) > 1)
            if self._has_ended:
                kept = dump(_Kept(version=VERSION, sizes=self._sizes, index=known))
                with contextlib.suppress(StoreError):  # who may only read makes it each time
                    self._objects.put(self._key, gzip.compress(kept, 1, mtime=0))
        return known


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

"""What the output of a run that did not end well says most tellingly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marin_research.record import Status
from marin_research.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.record import Run
    from marin_research.store import RecordStore

_ENDED_BADLY = (Status.FAILED, Status.LOST, Status.PREEMPTED)
_LINES = 6
_QUICKLY_READ = 16_000_000
"""Bytes of output that are digested while somebody waits."""


def telling_lines(run: Run, store: RecordStore) -> Iterator[str]:
    """A few lines for a terminal; none of a run that ended well, and not many if reading its output would take long."""
    if run.attempt is None or run.status not in _ENDED_BADLY:
        return
    from marin_research.digest.ranking import decisive
    from marin_research.digest.stored import StoredLog
    from marin_research.digest.wording import Wording

    log = StoredLog(store, run)
    if log.size == 0:
        return
    index = log.index() if log.size <= _QUICKLY_READ else log.kept()
    if index is None:
        yield f"\nits output is long ({format_size(log.size)}) and was not looked at yet"
    else:
        lines, at = decisive(index, limit=_LINES)
        yield f"\nfrom its output{f', {Wording(index).place(at)}' if at else ''}"
        yield from (f"  {line}" for line in lines)
    yield f"  more with: marin-research digest {run.id}"

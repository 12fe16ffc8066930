"""The runs that somebody names on a command line: those of a thread, or runs one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marin_research.check import newest_launch
from marin_research.cli.show import find_run
from marin_research.errors import RunNotFoundError, UsageError
from marin_research.store import RUN_ID
from marin_research.thread import Thread, find_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin_research.record import Run
    from marin_research.store import RecordStore


def runs_or_thread(names: Sequence[str], store: RecordStore, *, newest: bool = False) -> tuple[list[Run], Thread]:
    """The runs of those names, or those of the thread of that name, and their thread.

    Args:
        names: one or several.
        store: where they are looked up.
        newest: of a thread, only its newest launch.

    Raises:
        RunNotFoundError: no run answers to a name, or the thread has none.
        UsageError: the runs are of several threads.
    """
    try:
        runs = [find_run(store, name) for name in names]
    except RunNotFoundError:
        if len(names) > 1 or RUN_ID.fullmatch(names[0]):
            raise
        thread = find_thread(names[0], store)
        runs = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
        if not runs:
            raise RunNotFoundError(names[0], store.root) from None
        return newest_launch(runs) if newest else runs, thread
    topics = sorted({run.thread for run in runs})
    if len(topics) > 1:
        raise UsageError(f"the runs are of several threads ({', '.join(topics)}); name those of one")
    return runs, find_thread(topics[0], store)

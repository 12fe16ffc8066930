"""What the thread did and wrote before: its logbook's latest entries and negative results, and its last launch.

Context, not evidence: what an earlier entry says is no fact.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marin_research.checkout import checkout_top
from marin_research.logbook import Order, parse
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from marin_research.logbook import Logbook
    from marin_research.record import Run
    from marin_research.thread import Thread

_NEGATIVE = re.compile(r"negative results?\b|dead ends?\b|what (?:did not|didn't) work", re.IGNORECASE)
_ITEM = re.compile(r"^(?:[-*+]|\d+[.)])\s+(.*(?:\n(?![-*+#|]|\d+[.)]|\s*$).*)*)", re.MULTILINE)


def logbook_file(thread: Thread) -> Path | None:
    """The thread's logbook on this machine; None outside of a checkout."""
    top = checkout_top()
    return top / thread.logbook.repository / thread.logbook_path if top else None


def read_logbook(thread: Thread) -> Logbook | None:
    """The thread's logbook as it stands; None where there is none yet."""
    path = logbook_file(thread)
    try:
        return parse(path.read_bytes()) if path is not None else None
    except OSError:
        return None


def last_entries(logbook: Logbook | None, count: int) -> list[str]:
    """The text of the latest entries, the oldest of them first."""
    log = logbook.current_log if logbook else None
    if logbook is None or log is None:
        return []
    newest_first = log.order is Order.NEWEST_FIRST
    entries = log.entries[:count][::-1] if newest_first else log.entries[-count:]
    return [logbook.data[entry.start : entry.end].decode("utf-8", "replace").strip() for entry in entries]


def negative_results(logbook: Logbook | None) -> list[str]:
    """The items of the logbook's index of negative results, each on one line."""
    if logbook is None:
        return []
    headings = logbook.structure.headings
    found = []
    for index, heading in enumerate(headings):
        if not _NEGATIVE.search(heading.text):
            continue
        behind = [other.start for other in headings[index + 1 :] if other.level <= heading.level]
        section = logbook.data[heading.end : behind[0] if behind else len(logbook.data)].decode("utf-8", "replace")
        found += [" ".join(item[1].split()) for item in _ITEM.finditer(section)]
    return found


def last_launch(run_ids: Sequence[str], of_thread: Sequence[Run]) -> tuple[Run, ...]:
    """The runs with a result of the thread's launch before the given runs; cached ones have none of their own."""
    here = [run for run in of_thread if run.id in run_ids]
    if not here:
        return ()
    began = min(run.declared for run in here)
    launches = {run.launch for run in here}
    before = [
        run
        for run in of_thread
        if run.declared < began and run.launch not in launches and run.status in (Status.SUCCEEDED, Status.FAILED)
    ]
    newest = max(before, key=lambda run: run.declared, default=None)
    return tuple(run for run in before if newest is not None and run.launch == newest.launch)

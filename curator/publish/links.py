"""Links that can only be written when their target is out: to entries, plots, tags and files of a commit.

A text says ``[entry LR-003](logbook:LR-003)``, ``![loss](plot:0123456789ab.svg)``, ``[final](tag:lr-sweep-final)`` or
``[train.py](commit:<hash>:train.py)``; the approval is of that text, and what it becomes is decided by git alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LINK = re.compile(r"(?P<label>!?\[(?P<words>[^\]\n]*)\])\((?P<kind>logbook|plot|tag|commit):(?P<what>[^()\s]*)\)")


def open_links(text: str, *kinds: str) -> list[str]:
    """What stands behind the colon of a text's open links of some kinds."""
    return list(dict.fromkeys(link["what"] for link in _LINK.finditer(text) if link["kind"] in kinds))


def filled(text: str, target: Callable[[str, str], str | None]) -> str:
    """``text`` with its open links closed.

    Args:
        text: as it was approved.
        target: gives the address for a link's kind and what stands behind its colon; where there is none to give, only
            the link's words are left.
    """

    def fill(link: re.Match[str]) -> str:
        address = target(link["kind"], link["what"])
        return f"{link['label']}({address})" if address else link["words"]

    return _LINK.sub(fill, text)


def published_forms(line: str) -> re.Pattern[str]:
    """What a line may look like in a text that is out: as it is, and with its open links closed in whatever way."""
    pattern, end = "", 0
    for link in _LINK.finditer(line):
        closed = rf"{re.escape(link['label'])}\(\S+\)|{re.escape(link['words'])}"
        pattern += f"{re.escape(line[end : link.start()])}(?:{closed})"
        end = link.end()
    return re.compile(pattern + re.escape(line[end:]))

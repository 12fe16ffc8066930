"""Links that can only be written when their target is out: to logbook entries and plots at the commit that holds them.

A text says ``[entry LR-003](logbook:LR-003)`` or ``![loss](plot:0123456789ab.svg)``; the approval is of that text, and
what it becomes is decided by git alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LINK = re.compile(r"(?P<label>!?\[(?P<words>[^\]\n]*)\])\((?P<kind>logbook|plot):(?P<what>[^()\s]*)\)")


def has_open_links(text: str) -> bool:
    return _LINK.search(text) is not None


def plots_in(text: str) -> list[str]:
    """The names of the plots that a text shows by open links."""
    return [link["what"] for link in _LINK.finditer(text) if link["kind"] == "plot"]


def filled(text: str, target: Callable[[str, str], str | None]) -> str:
    """``text`` with its open links closed.

    Args:
        text: as it was approved.
        target: gives the address for ``logbook`` or ``plot`` and what stands behind the colon; where there is none to
            give, only the link's words are left.
    """

    def fill(link: re.Match[str]) -> str:
        address = target(link["kind"], link["what"])
        return f"{link['label']}({address})" if address else link["words"]

    return _LINK.sub(fill, text)

"""Records every Marin experiment by itself: declare a thread, mark steps, run.

::

    from marin_research import Thread, recorded, research_main

The front door is light; what needs Marin (and with it JAX) is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marin_research.main import research_main
    from marin_research.recorder import report
    from marin_research.steps import recorded
    from marin_research.thread import Thread

__version__ = "0.1.0"

__all__ = ["Thread", "recorded", "report", "research_main"]

_HOME = {"Thread": "thread", "recorded": "steps", "report": "recorder", "research_main": "main"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

"""How the process that repeats a run learns of which, and says under which ID it records it.

One variable of the environment, which whoever records takes out of it: nothing that the run starts is the repetition.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "MARIN_RESEARCH_REPRODUCE"


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that is to be repeated by this process."""

    run: str
    """Its experiment ID."""
    answer: str
    """Path of a file that takes the ID of the repetition."""

    def under(self, run_id: str) -> None:
        """Say which ID the repetition has."""
        Path(self.answer).write_text(run_id, encoding="utf-8")


def hypothesis_of(run_id: str) -> str:
    """What is expected of the repetition of a run."""
    return f"it gives the same result as {run_id}"


def take() -> Asked | None:
    """What this process is asked to repeat, once."""
    said = os.environ.pop(VARIABLE, None)
    return Asked(**json.loads(said)) if said else None


def ask(run_id: str, answer: Path) -> dict[str, str]:
    """The variable for a process that is to repeat a run."""
    return {VARIABLE: json.dumps({"run": run_id, "answer": str(answer)})}


def answered(answer: Path) -> str | None:
    try:
        return answer.read_text(encoding="utf-8") or None
    except FileNotFoundError:
        return None

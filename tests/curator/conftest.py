"""A checkout with a thread, a logbook and a record store, drafts in it, and the real command line."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from curator.draft import Draft, DraftKind, text_sha256
from curator.facts import Fact, FactKind, percent
from curator.queue import DraftQueue
from marin_research.store import RecordStore
from marin_research.thread import Direction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import NamedTuple

    class Said(NamedTuple):
        """What the fixture ``command_line`` gives."""

        code: int
        out: str
        err: str


THREAD = """\
topic: lr-sweep
prefix: LR
metrics: [{name: eval/loss, direction: lower, unit: nats/byte}]
logbook: {path: .agents/logbooks/lr-sweep.md}
"""
LOGBOOK = """\
# Learning rates: Research Logbook

## Experiment Log

### 2026-11-20 09:00 - LR-001 the baseline
- Result: it trains.
"""
ENTRY = """\
### 2026-11-22 10:00 - LR-002 a higher rate

- Result: eval/loss 2.373 nats/byte, -3.5 % against LR-001.
"""
WRONG = ENTRY.replace("-3.5 %", "-9.1 %")
"""An entry with one number that no fact supports."""


def metric(run_id: str, value: float) -> Fact:
    return Fact(
        id=f"{run_id}/metric/eval/loss",
        kind=FactKind.METRIC,
        value=value,
        unit="nats/byte",
        subject=run_id,
        name="eval/loss",
        better=Direction.LOWER,
        source=f"{run_id}#/metrics/eval~1loss/value",
    )


def facts() -> tuple[Fact, ...]:
    """What the record of two runs says."""
    baseline, run = metric("LR-001", 2.458599805831909), metric("LR-002", 2.372955322265625)
    named = [
        Fact(id=f"{i}/run", kind=FactKind.RUN, value=i, subject=i, source=f"{i}#/id") for i in ("LR-001", "LR-002")
    ]
    label = Fact(
        id="LR-002/label", kind=FactKind.LABEL, value="a higher rate", subject="LR-002", source="LR-002#/label"
    )
    time = Fact(
        id="LR-002/time", kind=FactKind.TIME, value="2026-11-22T10:00:00Z", subject="LR-002", source="LR-002#/declared"
    )
    return (*named, label, time, baseline, run, percent(run, baseline))


class Checkout:
    """A git checkout that is the working directory, and its store."""

    ENTRY = ENTRY
    WRONG = WRONG
    LOGBOOK = LOGBOOK

    def __init__(self, top: Path, command_line: Callable[..., Said]) -> None:
        self._command_line = command_line
        self.top = top
        self.logbook = top / ".agents/logbooks/lr-sweep.md"
        self.root = top / ".marin-research"
        for path, text in ((top / ".agents/research/lr-sweep.yaml", THREAD), (self.logbook, LOGBOOK)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        subprocess.run(["git", "init", "-q", str(top)], check=True)
        subprocess.run(["git", "-C", str(top), "config", "user.name", "Ada Lovelace"], check=True)
        store = RecordStore(str(self.root))
        store.prepare()
        self.queue = DraftQueue(store)

    def draft(self, text: str = ENTRY, kind: DraftKind = DraftKind.LOGBOOK, **fields: Any) -> Draft:
        """A new draft in the queue."""
        now = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
        said: dict[str, Any] = {"thread": "lr-sweep", "runs": ("LR-001", "LR-002"), "title": "a higher rate"}
        said |= {
            "drafter": "template",
            "target": ".agents/logbooks/lr-sweep.md",
            "facts": facts(),
            "drafted_sha256": text_sha256(text),
            "created": now,
            "changed": now,
        }
        draft = Draft(id=self.queue.new_id("LR"), kind=kind, text=text, **(said | fields))
        self.queue.add(draft)
        return self.queue.get(draft.id)

    def decisions(self, draft_id: str | None = None) -> list[str]:
        """What the log says, in order."""
        return [entry.decision.value for entry in self.queue.log.entries() if draft_id in (None, entry.draft)]

    def curator(self, *arguments: str, code: int = 0, stdin: str = "", **env: str) -> Said:
        """Run a command; it must end with ``code``."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            said = self._command_line("curator", *arguments)
        assert said.code == code, said
        return said


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Callable[..., Said]) -> Checkout:
    top = tmp_path / "a checkout"
    top.mkdir()
    for name in ("VISUAL", "EDITOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", str(top / ".marin-research"))
    monkeypatch.chdir(top)
    return Checkout(top, command_line)


@pytest.fixture
def editor(tmp_path: Path) -> Callable[[str], str]:
    """Makes an editor out of Python code that works on ``file``, a path."""

    def make(code: str) -> str:
        script = tmp_path / "editor.py"
        script.write_text(f"import sys, pathlib\nfile = pathlib.Path(sys.argv[1])\n{code}\n", encoding="utf-8")
        return f"{sys.executable} {script}"

    return make

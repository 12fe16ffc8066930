"""A checkout with a thread, a logbook and a record store, drafts in it, and the real command line."""

from __future__ import annotations

import copy
import gzip
import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from curator.draft import Draft, DraftKind, text_sha256
from curator.drafters import claude
from curator.drafters.sections import Additions
from curator.evidence import Evidence, gather
from curator.facts import Fact, FactKind, percent
from curator.model.options import Options
from curator.model.port import ModelError
from curator.model.scripted import ScriptedModel
from curator.queue import DraftQueue
from curator.writing import Writing
from marin_research.record import End, ExceptionInfo, Run, Status
from marin_research.store import RecordStore
from marin_research.thread import Direction, PrimaryMetric, Thread
from tests.curator.github_server import GitHubServer
from tests.curator.messages_api import MessagesApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import NamedTuple

    class Said(NamedTuple):
        """What the fixture ``command_line`` gives."""

        code: int
        out: str
        err: str


RUNS = ("LR-001", "LR-002")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
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
UPDATE = """\
🤖 Update: LR-002 a higher rate

- Result delta: eval/loss 2.373 nats/byte, -3.5 % against LR-001.
- Links:
  - Logbook section: [entry LR-002](logbook:LR-002)
"""
RESEARCH = "https://github.com/marin-community/marin.git"
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
    link = Fact(id="entry", kind=FactKind.LINK, value="logbook:LR-002", source="the entry about these runs")
    return (*named, label, link, time, baseline, run, percent(run, baseline))


class Checkout:
    """A git checkout that is the working directory, and its store."""

    ENTRY = ENTRY
    WRONG = WRONG
    LOGBOOK = LOGBOOK
    UPDATE = UPDATE

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
        self._about: Counter[DraftKind] = Counter()

    def declare(self, line: str) -> None:
        """Add a line to the thread's file."""
        with (self.top / ".agents/research/lr-sweep.yaml").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def draft(self, text: str = ENTRY, kind: DraftKind = DraftKind.LOGBOOK, **fields: Any) -> Draft:
        """A new draft in the queue; unless they are given, its runs are not those of another of its kind."""
        number = self._about[kind]
        runs = (RUNS, RUNS[1:], RUNS[:1])[number] if number < 3 else (RUNS[1], f"LR-{number:03d}")
        self._about[kind] += "runs" not in fields
        now = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
        said: dict[str, Any] = {"thread": "lr-sweep", "runs": runs, "title": "a higher rate"}
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

    def forget(self) -> None:
        """Start from no drafts and no decisions: each is read again for every step, and a matrix makes hundreds."""
        assert self.queue.log.problems() == []
        for folder in ("drafts", "log"):
            shutil.rmtree(self.root / folder, ignore_errors=True)

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
def approved(checkout: Checkout) -> Callable[..., Draft]:
    """Makes an approved draft."""

    def make(text: str = ENTRY, **fields: Any) -> Draft:
        draft = checkout.draft(text, **fields)
        checkout.curator("approve", draft.id)
        return checkout.queue.get(draft.id)

    return make


@pytest.fixture
def here(checkout: Checkout, git: Callable[..., str], tmp_path: Path) -> Path:
    """The research repository with everything committed, and a bare remote that has it all.

    The remote is called what a real one would be called, and lies on this disk.
    """
    remote = tmp_path / "research.git"
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(checkout.top, "config", f"url.{remote}.insteadOf", RESEARCH)
    git(checkout.top, "add", ".agents")
    (checkout.top / "train.py").write_text("lr = 1\n")
    git(checkout.top, "add", "train.py")
    git(checkout.top, "commit", "--quiet", "--message", "start")
    git(checkout.top, "remote", "add", "origin", RESEARCH)
    git(checkout.top, "push", "--quiet", "--set-upstream", "origin", "HEAD")
    return remote


@pytest.fixture
def apart(checkout: Checkout, git: Callable[..., str], tmp_path: Path) -> Path:
    """A bare repository of logbooks with one clone beside the research repository."""
    remote = tmp_path / "logbooks.git"
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(tmp_path, "clone", "--quiet", str(remote), "logbooks")
    first = tmp_path / "logbooks"
    (first / "marin").mkdir()
    (first / "marin/7-lr.md").write_text(checkout.LOGBOOK)
    (first / "other.md").write_text("# Other\n")
    git(first, "add", "--all")
    git(first, "commit", "--quiet", "--message", "start")
    git(first, "push", "--quiet", "origin", "HEAD")
    thread = checkout.top / ".agents/research/lr-sweep.yaml"
    before, after = "{path: .agents/logbooks/lr-sweep.md}", "{path: marin/7-lr.md, repository: ../logbooks}"
    thread.write_text(thread.read_text().replace(before, after))
    return remote


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    """A GitHub of our own, and a token for it."""
    server = GitHubServer()
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GITHUB_TOKEN", server.token)
    yield server
    server.close()


@pytest.fixture
def issue(github: GitHubServer, checkout: Checkout) -> str:
    """The thread's experiment issue, number 7; gives its URL."""
    url = github.open_issue("Experiment: Learning rates", "## Description\n\nWe look for the largest rate.\n")
    checkout.declare(f"issue: {url}")
    return url


@pytest.fixture
def editor(tmp_path: Path) -> Callable[[str], str]:
    """Makes an editor out of Python code that works on ``file``, a path."""

    def make(code: str) -> str:
        script = tmp_path / "editor.py"
        script.write_text(f"import sys, pathlib\nfile = pathlib.Path(sys.argv[1])\n{code}\n", encoding="utf-8")
        return f"{sys.executable} {script}"

    return make


@pytest.fixture
def printed(store: RecordStore) -> Callable[..., None]:
    """Put what a run printed into the store, as capture would have."""

    def put(run: Run, text: str) -> None:
        attempt = run.attempt
        assert attempt is not None
        data = text.encode()
        folder = store.output_folder(run.id, attempt.number, attempt.hosts[0].writer)
        store.objects.put_new(f"{folder}/{0:012d}-{len(data):012d}.gz", gzip.compress(data))

    return put


LOG = """\
step 10: loss 2.9
Traceback (most recent call last):
  File "train.py", line 12, in step
    raise FloatingPointError(f"loss is {loss} at step {step}")
FloatingPointError: loss is nan at step 19
"""


@pytest.fixture
def sweep(  # noqa: PLR0917 - fixtures
    store: RecordStore,
    a_run: Callable[..., Run],
    keep: Callable[[Run], Run],
    printed: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[..., tuple[Evidence, list[Run]]]:
    """Four runs along one axis: a baseline, two that are better, one that failed.

    What it makes gives their evidence and the thread's runs; ``log`` is what the failed run printed, ``thread`` has
    more fields of the thread, and ``LR_003=...`` says what is otherwise about a run.
    """
    monkeypatch.chdir(tmp_path)

    def make(
        log: str = LOG, thread: dict[str, Any] | None = None, **said: dict[str, Any]
    ) -> tuple[Evidence, list[Run]]:
        declared = Thread(
            topic="lr-sweep",
            prefix="LR",
            goal="find the largest stable rate",
            metrics=[PrimaryMetric(name="eval/loss", direction="lower", unit="nats/byte")],
            **(thread or {}),
        )
        error = ExceptionInfo(type="FloatingPointError", message="loss is nan at step 19", traceback="")
        ended = End(status=Status.FAILED, time=NOON, why="it raised FloatingPointError", exception=error)
        rows: list[tuple[str, float, float | None, dict[str, Any]]] = [
            ("LR-001", 0.03, 2.4586, {"baseline": True}),
            ("LR-002", 0.06, 2.373, {"hypothesis": "doubling the rate lowers the loss"}),
            ("LR-003", 0.1, 2.3627, {"hypothesis": "this is the best rate"}),
            ("LR-004", 0.3, None, {"end": ended, "hypothesis": "0.3 diverges"}),
        ]
        for run_id, rate, loss, usual in rows:
            facts = usual | {"config": {"lr": rate, "seed": 0, "steps": 400}, "label": f"lr={rate}"}
            facts |= {"metrics": {"eval/loss": loss, "tokens_per_second": 1000 * rate + 900} if loss else {}}
            # The records of a sweep come from one command, whatever differs between the runs.
            run = keep(a_run(run_id, **(facts | said.get(run_id.replace("-", "_"), {}))))
            if run.status is Status.FAILED:
                printed(run, log)
        of_thread = [run for run in store.runs("LR") if run.thread == "lr-sweep"]
        ids = [run.id for run in of_thread if run.id <= "LR-004"]
        return gather(ids, declared, store), of_thread

    return make


HONEST: dict[str, Any] = {
    "claims": [
        {"kind": "trend", "axis": "sweep/axis/lr", "metric": "eval/loss", "shape": "falls"},
        {"kind": "best", "value": "LR-003/metric/eval/loss"},
        {
            "kind": "failure",
            "run": "LR-004/status",
            "cause": "non-finite-numbers",
            "lines": ["LR-004/message"],
        },
    ],
    "opinions": [
        "The last step along the axis brought little: the optimum of this schedule may lie close to {LR-003/config/lr}."
    ],
    "next_actions": [
        {
            "action": "between",
            "low": "LR-003/config/lr",
            "high": "LR-004/config/lr",
            "why": "It would show whether the loss turns before training breaks.",
        }
    ],
}
"""What a good model answers about the sweep."""


@pytest.fixture
def honest() -> dict[str, Any]:
    return copy.deepcopy(HONEST)


@pytest.fixture
def written() -> Callable[..., tuple[str, Writing]]:
    """Have the sweep's logbook entry drafted by a scripted model; gives the entry and the model's part."""

    def write(
        record: tuple[Evidence, list[Run]], *replies: Any, kind: DraftKind = DraftKind.LOGBOOK, **options: Any
    ) -> tuple[str, Writing]:
        evidence, of_thread = record
        model = ScriptedModel(
            [reply if isinstance(reply, str | ModelError) else json.dumps(reply) for reply in replies]
        )
        drafts, writing = claude.draft(evidence, of_thread, [kind], Options(**options), model=model)
        assert writing is not None
        content = drafts[0].content
        assert content is not None, drafts[0].why_none
        assert not isinstance(content, Additions)
        return content if isinstance(content, str) else content.body, writing

    return write


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MessagesApi]]:
    """Start a server whose answers follow a script, and make it the one that the SDK talks to."""
    started: list[MessagesApi] = []

    def start(*script: dict[str, Any]) -> MessagesApi:
        server = MessagesApi(list(script), tmp_path)
        started.append(server)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
        return server

    yield start
    for server in started:
        server.stop()

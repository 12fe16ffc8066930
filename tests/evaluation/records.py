"""Threads of made-up research as real records, and the facts that the curator takes out of them.

A thread is a YAML file: what it measures, what all its runs share, and one row a run. The rows become events in a
record store and come back through the same code as those of an experiment. Knows nothing of how texts are checked.
"""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from curator.evidence import gather
from curator.facts import FactKind, from_json
from marin_research.codec import encode
from marin_research.events import Event, Kind
from marin_research.record import (
    Attempt,
    Command,
    Devices,
    End,
    ExceptionInfo,
    Git,
    Host,
    Metric,
    Run,
    Status,
    Step,
    Unknown,
    WandbRun,
)
from marin_research.store import RecordStore
from marin_research.thread import PrimaryMetric, Thread, Wandb

if TYPE_CHECKING:
    from curator.facts import Fact

HERE = Path(__file__).parent / "threads"
FACTS = Path(__file__).parent / "facts"
PLACES = {"first": 0, "minimum": 2, "maximum": 3}
NO_STEP = Unknown("a command, not a Marin step")


@cache
def table(name: str) -> dict[str, Any]:
    """The thread file as it is written; for an experiment of ours, what its facts say in the same form."""
    if (FACTS / f"{name}.json").exists():
        return _table_of(name, facts_of(name))
    loaded: dict[str, Any] = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def facts_of(name: str) -> tuple[Fact, ...]:
    """Everything that a write-up of all the thread's runs may state."""
    if (FACTS / f"{name}.json").exists():
        return from_json(json.loads((FACTS / f"{name}.json").read_text(encoding="utf-8")))  # as recorded, all of it
    raw = table(name)
    thread, store = stored(raw)
    return tuple(gather([row["id"] for row in raw["runs"]], thread, store).facts.values())


def stored(raw: dict[str, Any]) -> tuple[Thread, RecordStore]:
    """The thread, and a store with the records of its runs."""
    thread = _thread(raw)
    store = RecordStore(f"memory://{uuid.uuid4().hex}")
    store.prepare()
    for number, row in enumerate(raw["runs"]):
        _keep(store, _run(thread, raw, number, row))
    return thread, store


def names() -> list[str]:
    """Every thread there is."""
    return sorted(path.stem for path in (*HERE.glob("*.yaml"), *FACTS.glob("*.json")))


def _table_of(name: str, facts: tuple[Fact, ...]) -> dict[str, Any]:
    runs: dict[str, dict[str, Any]] = {}
    known = {fact.id: fact for fact in facts}
    for fact in facts:
        if not fact.subject:
            continue
        run = runs.setdefault(fact.subject, {"id": fact.subject, "metrics": {}, "config": {}})
        what = fact.id.removeprefix(f"{fact.subject}/").partition("/")[0]
        if what == "metric":
            run["metrics"][fact.name] = fact.value
        elif what in PLACES and isinstance(run["metrics"].get(fact.name), float | list):
            value = run["metrics"][fact.name]
            history = value if isinstance(value, list) else [value] * 4
            run["metrics"][fact.name] = [fact.value if n == PLACES[what] else v for n, v in enumerate(history)]
        elif fact.kind is FactKind.CONFIG:
            run["config"][fact.name] = fact.value
        elif fact.kind is FactKind.DURATION:
            run["wall"] = fact.value
        elif fact.kind is FactKind.STATUS:
            run["status"] = fact.value
        elif fact.kind is FactKind.COMMAND:
            run["command"] = fact.value
        elif fact.name == "label":
            run["label"] = fact.value
        elif what == "hypothesis":
            run["hypothesis"] = fact.value
    first = next(iter(runs))
    runs[first]["baseline"] = True
    return {
        "topic": name,
        "prefix": first.rpartition("-")[0],
        "started": str(known[f"{first}/time"].value).removesuffix("Z"),
        "commit": known[f"{first}/commit"].value,
        "devices": [known[f"{first}/device/kind"].value, known[f"{first}/device/count"].value],
        "metrics": {f.name: [f.better, f.unit] for f in facts if f.kind is FactKind.METRIC and f.subject},
        "runs": list(runs.values()),
    }


def _thread(raw: dict[str, Any]) -> Thread:
    metrics = [
        PrimaryMetric(name=name, direction=direction, unit=unit)
        for name, (direction, unit) in raw["metrics"].items()
        if direction
    ]
    return Thread(
        topic=raw["topic"],
        prefix=raw["prefix"],
        metrics=metrics,
        issue=raw.get("issue", ""),
        wandb=Wandb(entity="marin-community", project=raw["topic"]),
    )


def _run(thread: Thread, raw: dict[str, Any], number: int, row: dict[str, Any]) -> Run:
    started = datetime.fromisoformat(raw["started"]).replace(tzinfo=UTC) + timedelta(seconds=row.get("after", 0))
    config = {**raw.get("config", {}), **row.get("config", {})}
    digest = hashlib.sha256(row["id"].encode()).hexdigest()
    status = Status(row.get("status", "succeeded"))
    attempts = row.get("attempts", 1)
    return Run(
        id=row["id"],
        thread=thread.topic,
        launch="20260101T000000Z-aaaaaa",
        status=status,
        why="",
        label=row.get("label", f"run {number + 1}"),
        declared=started,
        hypothesis=row.get("hypothesis"),
        baseline=bool(row.get("baseline")),
        step=Step(
            name=f"{thread.topic}/{row.get('step', row['id'].lower())}",
            version=raw.get("version", "dev"),
            fingerprint=digest[:8],
            output_path=f"/marin/{thread.topic}/{row['id']}",
            artifact_type="Result",
        ),
        attempts=tuple(
            _attempt(raw, row, config, started, n, last=n == attempts, status=status) for n in range(1, attempts + 1)
        ),
        metrics={name: _metric(name, value, raw) for name, value in row.get("metrics", {}).items()},
        wandb=(_wandb(thread, row, digest),) if status is not Status.CANCELLED else (),
    )


def _attempt(
    raw: dict[str, Any],
    row: dict[str, Any],
    config: dict[str, Any],
    started: datetime,
    number: int,
    *,
    last: bool,
    status: Status,
) -> Attempt:
    wall = float(row["wall"])
    line = row.get("command") or raw["command"].format(**config)
    kind, count = row.get("devices", raw["devices"])
    hosts = row.get("hosts", raw.get("hosts", 1))
    lost = status if last else Status.PREEMPTED
    message = row.get("message")
    failure = ExceptionInfo(type=message[0], message=message[1], traceback=row["traceback"]) if message else None
    why = f"the step raised {message[0]}" if message else "the step returned" if last else "the VM was taken away"
    begin = started + timedelta(seconds=(number - 1) * wall)
    return Attempt(
        number=number,
        launch="20260101T000000Z-aaaaaa",
        started=begin,
        command=Command(argv=tuple(shlex.split(line)), line=line, cwd="/work/checkout", cwd_in_repository="."),
        git=Git(
            commit=row.get("commit", raw["commit"]),
            branch="main",
            remote="https://github.com/marin-community/marin",
            tree="0123abc",
            dirty=False,
            diff=Unknown("the tree is clean"),
        ),
        config=config,
        environment={},
        python="CPython 3.12.1",
        platform="Linux 6.1 x86_64",
        packages={"jax": "0.11.2", "numpy": "2.5.5", "marin-research": "0.1.0"},
        declared_devices=Devices(kind=kind, count=count, source="declared"),
        hosts=tuple(
            Host(index=n, name=f"worker-{n}", pid=4242, writer=f"h{n}-{number:06d}", started=begin)
            for n in range(hosts)
        ),
        end=End(status=lost, time=begin + timedelta(seconds=wall), why=row.get("why", why), exception=failure),
    )


def _metric(name: str, value: Any, raw: dict[str, Any]) -> Metric:
    unit = raw["metrics"][name][1] or ""
    if isinstance(value, list):
        first, last, least, most = map(float, value)
        return Metric(
            name=name, value=last, unit=unit, source="wandb:x", count=100, first=first, minimum=least, maximum=most
        )
    value = float(value)
    return Metric(name=name, value=value, unit=unit, source="report", non_finite=int(not math.isfinite(value)))


def _wandb(thread: Thread, row: dict[str, Any], digest: str) -> WandbRun:
    run_id = row.get("wandb", digest[8:16])
    return WandbRun(
        id=run_id,
        project=thread.topic,
        entity="marin-community",
        name=row.get("label", row["id"]),
        url=f"https://wandb.ai/marin-community/{thread.topic}/runs/{run_id}",
        mode="online",
        path=f"/marin/wandb/run-{run_id}",
        synced=True,
    )


def _keep(store: RecordStore, run: Run) -> None:
    """Write the events that the run's programs would have written."""
    facts: list[tuple[Kind, int, Any]] = [
        (Kind.DECLARED, 0, replace(run, attempts=(), metrics={}, wandb=())),
        *((Kind.METRIC, 1, metric) for metric in run.metrics.values()),
        *((Kind.WANDB, 1, linked) for linked in run.wandb),
    ]
    for attempt in run.attempts:
        facts.append((Kind.ATTEMPT_STARTED, attempt.number, replace(attempt, hosts=(), end=None)))
        if attempt.end is not None:
            facts.append((Kind.ATTEMPT_ENDED, attempt.number, attempt.end))
    for n, (kind, number, body) in enumerate(facts):
        store.write(run.id, "launcher", n, [_event(kind, run.declared, number, "launcher", body)])
    for attempt in run.attempts:
        for host in attempt.hosts:
            started = _event(Kind.HOST_STARTED, host.started, attempt.number, host.writer, host)
            store.write(run.id, host.writer, 0, [started])


def _event(kind: Kind, time: datetime, attempt: int, writer: str, body: Any) -> Event:
    return Event(kind=kind, time=time, attempt=attempt, writer=writer, body=encode(body))

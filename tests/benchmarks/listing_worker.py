"""Makes ten thousand light runs for one library, and asks it for the newest 20 with a final loss below 0.5.

Every run is the same work: 50 parameters, 5 steps of three series. Each library is loaded by its own functions.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARAMETERS: dict[str, float] = {f"parameter_{index}": index / 7 for index in range(50)}
STEPS = 5
BOUND, NEWEST = 0.5, 20
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def losses(runs: int) -> list[float]:
    """The final loss of each run, between 0 and 1 in no order, the same for every library."""
    return [index * 0.6180339887 % 1 for index in range(runs)]


def declared(index: int) -> datetime:
    return _FIRST + timedelta(minutes=index)


def series(final: float) -> Iterator[tuple[int, dict[str, float]]]:
    for step in range(STEPS):
        yield step, {"loss": final + STEPS - 1 - step, "accuracy": step / STEPS, "tokens_per_second": 1000.0 + step}


# Marin Research


def make_marin_research(folder: Path, runs: int) -> None:
    from marin_research.store import RecordStore

    store = RecordStore(str(folder))
    store.prepare()
    for index, loss in enumerate(losses(runs)):
        record(store, index, loss)


def record(store: object, index: int, loss: float) -> None:
    """One run in the three objects that a short run leaves."""
    from marin_research.codec import encode
    from marin_research.events import Event, Kind
    from marin_research.record import Attempt, Command, End, Git, Host, Metric, Output, Run, Status, Unknown
    from marin_research.store import RecordStore

    assert isinstance(store, RecordStore)
    run_id, writer, started = f"BENCH-{index + 1:03d}", "h0-3fa2c1", declared(index)
    run = Run(id=run_id, thread="bench", launch="l", status=Status.RUNNING, why="it has started", label=f"run {index}",
              declared=started)  # fmt: skip
    host = Host(index=0, name="worker-0", pid=4242, writer=writer, started=started, output=Output(size=0, lines=0))
    attempt = Attempt(
        number=1, launch="l", started=started,
        command=Command(argv=("python", "train.py"), line="python train.py", cwd="/checkout", cwd_in_repository="."),
        git=Git(commit="c0ffee" * 6 + "abcd", branch="main", remote="https://github.com/marin-community/marin",
                tree="0123abc", dirty=False, diff=Unknown("the tree is clean")),
        config=PARAMETERS, environment={}, python="CPython 3.12.1", platform="Linux", packages={"jax": "0.11.2"},
        declared_devices=Unknown("it declares none"), hosts=(), end=None,
    )  # fmt: skip
    points: dict[str, list[tuple[int, float]]] = {}
    for step, values in series(loss):
        for name, value in values.items():
            points.setdefault(name, []).append((step, value))
    metrics = [
        Metric(
            name=name, value=of_name[-1][1], source="report", step=of_name[-1][0], count=STEPS, series=tuple(of_name)
        )
        for name, of_name in points.items()
    ]
    end = End(status=Status.SUCCEEDED, time=started + timedelta(seconds=50), why="it returned", exit_code=0)
    batches: list[list[tuple[Kind, Any]]] = [
        [(Kind.DECLARED, run), (Kind.ATTEMPT_STARTED, attempt), (Kind.HOST_STARTED, host)],
        [(Kind.METRIC, metric) for metric in metrics],
        [(Kind.ATTEMPT_ENDED, end)],
    ]
    for sequence, facts in enumerate(batches):
        events = [Event(kind=kind, time=started, attempt=1, writer=writer, body=encode(fact)) for kind, fact in facts]
        store.write(run_id, writer, sequence, events, synced=False)


def ask_marin_research(folder: Path) -> Callable[[], int]:
    from marin_research.index.query import Query, parse_conditions
    from marin_research.store import RecordStore

    wanted = Query(conditions=parse_conditions(f"loss<{BOUND}"), sort="-time", limit=NEWEST)
    store = RecordStore(str(folder))

    def ask() -> int:
        found = store.index.find(wanted)
        store.index.measured("loss", found)
        return len(found)

    return ask


def cold(folder: Path) -> tuple[float, float]:
    """Seconds from an index that is not there to the answer, and how many of them are ours on the processor."""
    begun, used = time.perf_counter(), time.process_time()
    assert ask_marin_research(folder)() == NEWEST
    return time.perf_counter() - begun, time.process_time() - used


def parse(folder: Path) -> tuple[float, float]:
    """Likewise, to do no more than read every object of every run and parse it."""
    begun, used = time.perf_counter(), time.process_time()
    for path in folder.glob("runs/*/events/*.json"):
        json.loads(path.read_bytes())
    return time.perf_counter() - begun, time.process_time() - used


def one_more(folder: Path, index: int) -> tuple[float, int]:
    """Milliseconds for the answer after one more run, and how many records were read for it."""
    from marin_research.record import Run
    from marin_research.store import RecordStore

    read: list[str] = []

    class Counting(RecordStore):
        def run(self, run_id: str, *, now: datetime | None = None) -> Run:
            read.append(run_id)
            return super().run(run_id, now=now)

    from marin_research.index.query import Query

    store = Counting(str(folder))
    store.index.find(Query(limit=1))
    record(store, index, 0.0)
    read.clear()
    begun = time.perf_counter()
    (found,) = store.index.find(Query(sort="-time", limit=1))
    took_ms = 1000 * (time.perf_counter() - begun)
    assert found.id == f"BENCH-{index + 1:03d}"
    return took_ms, len(read)


# MLflow


def make_mlflow(folder: Path, runs: int) -> None:
    """One run through its interface, and the rest as copies of its rows: ten minutes of waiting less."""
    import mlflow as library  # type: ignore[import-not-found]
    from mlflow.entities import Metric  # type: ignore[import-not-found]

    library.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    experiment = library.create_experiment("bench", artifact_location=str(folder / "artifacts"))
    with library.start_run(experiment_id=experiment) as active:
        library.log_params(PARAMETERS)
        points = [Metric(name, value, 0, step) for step, values in series(0.0) for name, value in values.items()]
        library.MlflowClient().log_batch(active.info.run_id, metrics=points)
        template = active.info.run_id
    with sqlite3.connect(folder / "mlflow.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in tables}
        for index, loss in enumerate(losses(runs)):
            _copy(database, columns, template, index, loss)
        for table in (name for name in tables if "run_uuid" in columns[name] and name != "runs"):
            database.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (template,))  # noqa: S608 - MLflow's own names
        database.execute("DELETE FROM runs WHERE run_uuid = ?", (template,))


def _copy(database: sqlite3.Connection, columns: dict[str, list[str]], template: str, index: int, loss: float) -> None:
    new = {
        "run_uuid": f"'{index:032x}'",
        "name": f"'run {index}'",
        "start_time": str(int(1000 * declared(index).timestamp())),
    }
    for table in ("runs", "params", "metrics", "latest_metrics", "tags"):
        of_run = {"run_uuid": new["run_uuid"]} if table != "runs" else new
        value = f"CASE WHEN key = 'loss' THEN value + {loss} ELSE value END"
        of_run |= {"value": value} if table in ("metrics", "latest_metrics") else {}
        chosen = ", ".join(of_run.get(column, column) for column in columns[table])
        database.execute(f"INSERT INTO {table} SELECT {chosen} FROM {table} WHERE run_uuid = ?", (template,))  # noqa: S608


def ask_mlflow(folder: Path) -> Callable[[], int]:
    import mlflow as library

    client = library.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("bench").experiment_id

    def ask() -> int:
        found = client.search_runs(
            [experiment], f"metrics.loss < {BOUND}", order_by=["attributes.start_time DESC"], max_results=NEWEST
        )
        return len(found)

    return ask


# The floor


def make_floor(folder: Path, runs: int) -> None:
    with sqlite3.connect(folder / "floor.db") as database:
        database.execute("CREATE TABLE run(id INTEGER PRIMARY KEY, declared REAL, loss REAL, told TEXT)")
        database.execute("CREATE INDEX run_declared ON run(declared)")
        for index, loss in enumerate(losses(runs)):
            told = json.dumps({"parameters": PARAMETERS, "series": list(series(loss))})
            database.execute("INSERT INTO run VALUES (?, ?, ?, ?)", (index, declared(index).timestamp(), loss, told))


def ask_floor(folder: Path) -> Callable[[], int]:
    database = sqlite3.connect(folder / "floor.db")

    def ask() -> int:
        found = database.execute(
            "SELECT id, declared, loss, told FROM run WHERE loss < ? ORDER BY declared DESC LIMIT ?", (BOUND, NEWEST)
        )
        return len(found.fetchall())

    return ask


def main() -> None:
    work, name, folder, number = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    match work:
        case "make":
            globals()[f"make_{name}"](folder, number)
            answer: object = None
        case "cold":
            answer = cold(folder)
        case "parse":
            answer = parse(folder)
        case "more":
            answer = one_more(folder, number)
        case _:
            ask = globals()[f"ask_{name}"](folder)
            assert ask() == NEWEST  # what is only done once is not an answer's cost
            times = []
            for _ in range(number):
                begun = time.perf_counter()
                assert ask() == NEWEST
                times.append(1000 * (time.perf_counter() - begun))
            answer = times
    print(f"\n{json.dumps(answer)}")


if __name__ == "__main__":
    main()

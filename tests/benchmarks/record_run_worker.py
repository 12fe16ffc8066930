"""Records runs with one library, in this process, as often as it is told. Each library is loaded by its own function.

Every run is the same work: 50 parameters, 100 steps of three series, 1,000 lines printed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARAMETERS: dict[str, float] = {f"parameter_{index}": index / 7 for index in range(50)}
STEPS, LINES = 100, 1000


def series() -> Iterator[tuple[int, dict[str, float]]]:
    for step in range(STEPS):
        yield step, {"loss": 4.0 / (step + 1), "accuracy": step / STEPS, "tokens_per_second": 1000.0 + step}


def lines() -> Iterator[str]:
    return (f"step {index} of the training: everything is as it should be, the loss is {4 / (index + 1):.6f}"
            for index in range(LINES))  # fmt: skip


def print_lines() -> None:
    for line in lines():
        print(line)


def floor(folder: Path) -> Callable[[int], None]:
    """The same information as two files, with fsync."""

    def run(index: int) -> None:
        points = [{"step": step, **values} for step, values in series()]
        told = json.dumps({"parameters": PARAMETERS, "series": points})
        for name, text in ((f"{index}.json", told), (f"{index}.log", "\n".join(lines()))):
            with (folder / name).open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    return run


def marin_research(folder: Path) -> Callable[[int], None]:
    from marin_research import report
    from marin_research.launch import new_launch
    from marin_research.record import Run, Status, Unknown
    from marin_research.recorder import Recorder
    from marin_research.recording import Recording
    from marin_research.store import RecordStore

    launch = new_launch(str(folder))
    store = RecordStore(launch.root)

    def run(index: int) -> None:
        run_id = store.claim_id("BENCH", launch=launch.id)
        begun = Run(
            id=run_id,
            thread="bench",
            launch=launch.id,
            status=Status.RUNNING,
            why="it has started",
            label=str(index),
            declared=datetime.now(UTC),
        )
        recorder = Recorder(launch, begun, attempt=store.claim_attempt(run_id))
        recorder.start(config=PARAMETERS, declared_devices=Unknown("the benchmark declares none"))
        with Recording(recorder):
            for step, values in series():
                for name, value in values.items():
                    report(name, value, step=step)
            print_lines()

    return run


def sacred(folder: Path) -> Callable[[int], None]:
    from sacred import Experiment  # type: ignore[import-not-found]
    from sacred.observers import FileStorageObserver  # type: ignore[import-not-found]

    def run(_index: int) -> None:
        experiment = Experiment("bench", save_git_info=False)
        experiment.observers.append(FileStorageObserver(str(folder)))
        experiment.add_config(PARAMETERS)

        @experiment.main
        def work(_run: Any) -> None:
            for step, values in series():
                for name, value in values.items():
                    _run.log_scalar(name, value, step)
            print_lines()

        experiment.run()

    return run


def trackio(folder: Path) -> Callable[[int], None]:
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio as library  # type: ignore[import-not-found]

    def run(index: int) -> None:
        library.init(project="bench", name=str(index), config=PARAMETERS)
        for step, values in series():
            library.log(values, step=step)
        print_lines()
        library.finish()

    return run


def mlflow(folder: Path) -> Callable[[int], None]:
    import mlflow as library  # type: ignore[import-not-found]
    from mlflow.entities import Metric  # type: ignore[import-not-found]

    library.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    client = library.MlflowClient()
    experiment = client.create_experiment("bench", artifact_location=str(folder / "artifacts"))

    def run(_index: int) -> None:
        with library.start_run(experiment_id=experiment) as active:
            library.log_params(PARAMETERS)
            points = [
                Metric(name, value, int(1000 * time.time()), step)
                for step, values in series()
                for name, value in values.items()
            ]
            client.log_batch(active.info.run_id, metrics=points)
            print_lines()
            library.log_text("\n".join(lines()), "log.txt")

    return run


def wandb(folder: Path) -> Callable[[int], None]:
    os.environ |= {"WANDB_MODE": "offline", "WANDB_DIR": str(folder), "WANDB_SILENT": "true"}
    import wandb as library

    def run(_index: int) -> None:
        live = library.init(project="bench", config=PARAMETERS)
        for step, values in series():
            live.log(values, step=step)
        print_lines()
        live.finish()

    return run


CONTENDERS = {each.__name__: each for each in (floor, marin_research, sacred, trackio, mlflow, wandb)}


def main() -> None:
    name, folder, answers = sys.argv[1], Path(sys.argv[2]), os.fdopen(int(sys.argv[3]), "w")
    os.chdir(folder)
    run = CONTENDERS[name](folder)
    run(-1)  # what is only done once is not a run's cost
    done = 0
    print("ready", file=answers, flush=True)
    for asked in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(asked)):
            run(done)
            done += 1
        print(1000 * (time.perf_counter() - start) / int(asked), file=answers, flush=True)
    with contextlib.suppress(BrokenPipeError):
        answers.close()


if __name__ == "__main__":
    main()

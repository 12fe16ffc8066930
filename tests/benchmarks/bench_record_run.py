"""What recording one run in process costs, beside other trackers and the floor: the same as JSON with fsync.

Each library works in a process of its own, which has done one run before the first that is measured. They take turns,
so that a busy machine slows all alike. The bar is 10 ms a run on a quiet machine, while keeping more and surviving a
kill at any moment.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import environment, environments, show  # type: ignore[import-not-found]

OURS = "Marin Research"
PEERS = {
    "Sacred (FileStorageObserver)": ("sacred", ("sacred==0.8.7", "setuptools<80", "numpy")),
    "trackio": ("trackio", ("trackio==0.43.0",)),
    "MLflow on SQLite, batched": ("mlflow", ("mlflow==3.17.2",)),
    "W&B offline": ("wandb", ("wandb==0.31.0",)),
}


class Worker:
    """A process that records runs with one library."""

    def __init__(self, python: Path | str, name: str, folder: Path) -> None:
        folder.mkdir()
        script = Path(__file__).with_name("record_run_worker.py")
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MARIN_"))}
        heard, told = os.pipe()
        with (folder.parent / f"{name}.out").open("wb") as out:
            self._process = subprocess.Popen(
                [python, script, name, folder, str(told)],
                stdin=subprocess.PIPE, stdout=out, stderr=out, pass_fds=[told], text=True,
                env=plain | {"PYTHONPATH": str(Path(__file__).parents[2])},
            )  # fmt: skip
        os.close(told)
        self._answers = os.fdopen(heard)
        if self._answers.readline() != "ready\n":
            raise RuntimeError(f"{name} does not work here: {(folder.parent / f'{name}.out').read_text()[-2000:]}")

    def milliseconds(self, runs: int) -> float:
        assert self._process.stdin is not None
        print(runs, file=self._process.stdin, flush=True)
        return float(self._answers.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=10, help="in each round")
    parser.add_argument("--peers", help="keep the peers' environments in this folder")
    said = parser.parse_args()

    with environments(said.peers) as peers, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        workers = {
            "floor: the same as JSON with fsync": Worker(sys.executable, "floor", folder / "floor"),
            OURS: Worker(sys.executable, "marin_research", folder / "marin_research"),
        }
        for title, (name, packages) in PEERS.items():
            programs = environment(peers, name, *packages)
            if programs is not None:
                workers[title] = Worker(programs / "python", name, folder / name)
        times: dict[str, list[float]] = {title: [] for title in workers}
        for _ in range(said.rounds):
            for title, worker in workers.items():
                times[title].append(worker.milliseconds(said.runs))
        for worker in workers.values():
            worker.close()
    show("recording a run: 50 parameters, 100 steps of 3 series, 1,000 lines printed", times, ours=OURS)


if __name__ == "__main__":
    main()

"""What finding the newest 20 of 10,000 runs by a metric costs, beside MLflow and the floor: one indexed SQLite table.

The bars on a quiet machine: 5 ms in a program that runs already, 100 ms for the command beyond its start, 15 s to make
the index anew, one read for a new run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from listing_worker import BOUND, NEWEST  # type: ignore[import-not-found]
from peers import environment, environments, show  # type: ignore[import-not-found]

OURS = "Marin Research"
FLOOR = "floor: one indexed SQLite table"
MLFLOW = "MLflow on SQLite"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", help="keep the peers' environments in this folder")
    said = parser.parse_args()

    with environments(said.peers) as peers, tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = f"{scratch}/cache"
        contenders: dict[str, tuple[str, Path | str]] = {
            FLOOR: ("floor", sys.executable),
            OURS: ("marin_research", sys.executable),
        }
        programs = environment(peers, "mlflow", "mlflow==3.17.2")
        if programs is not None:
            contenders[MLFLOW] = ("mlflow", programs / "python")
        for name, python in contenders.values():
            (Path(scratch) / name).mkdir()
            worker(python, "make", name, Path(scratch) / name, said.runs)
        ours = Path(scratch) / "marin_research"
        parsed_s, least_s = worker(sys.executable, "parse", "-", ours, 0)
        took_s, used_s = worker(sys.executable, "cold", "-", ours, 0)
        print(f"an index of {said.runs:,} runs is made in {took_s:.1f} s, {used_s:.1f} s of it on the processor")
        print(f"floor: to read and parse their objects takes {parsed_s:.1f} s, {least_s:.1f} s of it on the processor")
        print(f"on the processor that is {used_s / least_s:.1f} times the floor")
        time.sleep(3)  # what has just been written may be written again without a trace; then the index looks twice
        times: dict[str, list[float]] = {title: [] for title in contenders}
        for _ in range(said.rounds):
            for title, (name, python) in contenders.items():
                times[title] += worker(python, "ask", name, Path(scratch) / name, 20)
        show(f"the newest {NEWEST} of {said.runs:,} runs by a metric", times, ours=OURS)
        show_command(ours, said.rounds)
        took_ms, read = worker(sys.executable, "more", "-", ours, said.runs)
        print(f"after one more run: {took_ms:.1f} ms, {read} record(s) read")


def worker(python: Path | str, *words: object) -> Any:
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MARIN_"))}
    done = subprocess.run(
        [python, Path(__file__).with_name("listing_worker.py"), *map(str, words)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=plain | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    return json.loads(done.stdout.splitlines()[-1])


def show_command(root: Path, rounds: int) -> None:
    """What the command takes, beside what it takes to start."""
    program = str(Path(sys.executable).with_name("marin-research"))
    wanted = ["--where", f"loss<{BOUND}", "--sort", "-time", "--limit", str(NEWEST)]
    query = [program, "runs", *wanted, "--root", str(root)]
    times: dict[str, list[float]] = {"marin-research runs ...": [], "marin-research runs --help": []}
    for _ in range(2 * rounds):
        for name, line in zip(times, (query, [program, "runs", "--help"]), strict=True):
            begun = time.perf_counter()
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
            times[name].append(1000 * (time.perf_counter() - begun))
    show("the command", times, ours="marin-research runs ...")
    asked, started = (statistics.median(values) for values in times.values())
    print(f"the answer takes {asked - started:.1f} ms beyond the start (the bar is 100)")


if __name__ == "__main__":
    main()

"""What recording adds to Marin's StepRunner over 50 trivial steps, beside the floor: the same JSON with fsync.

The runner polls its jobs once a second, which would hide everything else, so its clock is told to sleep a millisecond.
Steps run one at a time: several at once would wait for each other's share of the processor and count that as cost.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

STEPS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds

    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(MARIN_PREFIX=f"{folder}/prefix", MARIN_RESEARCH_ROOT=f"{folder}/records")
        plain, recorded_times, floor = [], [], []
        for index in range(rounds):  # interleaved, so that a busy machine slows all alike
            plain.append(run_steps(f"plain{index}", record=False))
            recorded_times.append(run_steps(f"recorded{index}", record=True))
            floor.append(write_floor(Path(folder) / "records", Path(folder) / f"floor{index}"))
    print(f"{STEPS} trivial steps, median of {rounds} rounds (best in brackets), milliseconds a step")
    show("StepRunner alone", plain)
    show("StepRunner, recorded", recorded_times)
    show("floor: the same JSON with fsync", floor)
    added = statistics.median(recorded_times) - statistics.median(plain)
    print(f"recording adds {added:.1f} ms a step, {added / statistics.median(floor):.1f} times the floor;")
    print(f"the steps take {statistics.median(recorded_times) / statistics.median(plain):.2f} times as long")


def show(name: str, times_ms: list[float]) -> None:
    print(f"  {name:34} {statistics.median(times_ms):8.1f} ({min(times_ms):.1f})")


def run_steps(name: str, *, record: bool) -> float:
    """Milliseconds a step, from where the runner takes it up to where it is done with it."""
    import logging

    from marin.execution import step_runner
    from marin.execution.lazy import apply, lower

    from marin_research import Thread, recorded

    logging.getLogger().setLevel(logging.WARNING)
    thread = Thread(topic="benchmark", prefix="BENCH")
    handles = [apply(f"{name}/{index}", trivial, version="dev", value=index) for index in range(STEPS)]
    if record:
        handles = [recorded(handle, thread) for handle in handles]
    spans: list[float] = []
    run_step, clock = step_runner.run_step, step_runner.time

    def timed(step: object) -> None:
        start = time.perf_counter()
        run_step(step)
        spans.append(time.perf_counter() - start)

    step_runner.run_step = timed
    step_runner.time = SimpleNamespace(sleep=lambda _seconds: time.sleep(0.001), monotonic=time.monotonic)
    try:
        step_runner.StepRunner().run([lower(handle) for handle in handles], max_concurrent=1)
    finally:
        step_runner.run_step, step_runner.time = run_step, clock
    return 1000 * statistics.mean(spans)


def trivial(value: int) -> None:
    """Do nothing."""


def write_floor(records: Path, folder: Path) -> float:
    """Milliseconds to write what the records of one step hold, as plain files with fsync."""
    run = max((records / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    payloads = [path.read_bytes() for path in sorted((run / "events").iterdir())]
    folder.mkdir()
    start = time.perf_counter()
    for index in range(STEPS):
        for number, payload in enumerate(payloads):
            with (folder / f"{index}-{number}.json").open("wb") as file:
                file.write(json.dumps(json.loads(payload)).encode())
                file.flush()
                os.fsync(file.fileno())
    return 1000 * (time.perf_counter() - start) / STEPS


if __name__ == "__main__":
    main()

"""What recording ``true`` costs, beside trackio (the nearest peer), the smallest crash-proof wrapper and nothing.

The bar is a quarter of trackio's time. Everything runs in turn, in checkouts of one commit, so that a busy machine
slows all alike; each line is one process from its start to its end.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import environment, environments, show  # type: ignore[import-not-found]

OURS, BARE, TRACKIO = "marin-research run -- true", "true", "trackio logbook run -- true"
FLOOR = """
import json, os, subprocess, sys, time

def keep(name, value):
    with open(name, "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())

keep("start.json", {"argv": sys.argv[1:], "cwd": os.getcwd(), "time": time.time()})
with open("output", "wb") as output:
    code = subprocess.call(sys.argv[1:], stdout=output, stderr=output)
keep("end.json", {"code": code, "time": time.time()})
sys.exit(code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--peers", help="keep the peers' environments in this folder")
    said = parser.parse_args()

    with environments(said.peers) as peers, tempfile.TemporaryDirectory() as folder:
        lines = contenders(Path(folder), peers)
        times: dict[str, list[float]] = {name: [] for name in lines}
        for _ in range(said.rounds):
            for name, (line, checkout) in lines.items():
                times[name].append(timed(line, checkout))
    show("recording a command", times, ours=OURS)
    added = statistics.median(times[OURS]) - statistics.median(times[BARE])
    print(f"recording adds {added:.1f} ms to the bare command", end="")
    if TRACKIO in times:
        print(f", {added / statistics.median(times[TRACKIO]):.2f} of trackio's time (the bar is 0.25)", end="")
    print()


def contenders(folder: Path, peers: Path) -> dict[str, tuple[list[str], Path]]:
    """Each one's command line, and the checkout where it runs."""
    script = folder / "floor.py"
    script.write_text(FLOOR)
    run = [str(Path(sys.executable).with_name("marin-research")), "run", "--thread", "bench", "--", "true"]
    changed = checkout(folder / "changed")
    (changed / "train.py").write_text("lr = 0.2\n")
    found = {
        BARE: (["true"], checkout(folder / "bare")),
        "python -c pass": ([sys.executable, "-c", "pass"], checkout(folder / "python")),
        "smallest wrapper (JSON with fsync)": ([sys.executable, str(script), "true"], checkout(folder / "floor")),
        OURS: (run, checkout(folder / "ours")),
        "the same in a checkout with changes": (run, changed),
    }
    programs = environment(peers, "trackio", "trackio==0.43.0")
    if programs is not None:
        logbook = checkout(folder / "trackio")
        for line in (["open", "--no-serve"], ["page", "Bench"]):
            subprocess.run([programs / "trackio", "logbook", *line], cwd=logbook, check=True, capture_output=True)
        found[TRACKIO] = ([str(programs / "trackio"), "logbook", "run", "--page", "Bench", "--", "true"], logbook)
    return found


def checkout(top: Path) -> Path:
    (top / ".agents/research").mkdir(parents=True)
    (top / ".agents/research/bench.yaml").write_text("topic: bench\nprefix: BENCH\n")
    (top / "train.py").write_text("lr = 0.1\n")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    for line in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "--message", "start")):
        subprocess.run(["git", *line], cwd=top, check=True)
    return top


def timed(line: list[str], folder: Path) -> float:
    """Milliseconds that a command takes; bytecode is kept, as where programs are installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MARIN_", "PYTHON"))}
    start = time.perf_counter()
    subprocess.run(line, cwd=folder, check=True, capture_output=True, env=environment)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()

"""How fast logs are digested, in how much memory, and what survives, beside ``wc -l``, a floor and drain3.

Run it with ``python tests/benchmarks/bench_digest.py [--megabytes N]``. drain3 is fetched by ``uv`` into an environment
of its own, which is thrown away. MARIN_RESEARCH_LOGHUB may name a folder with Loghub's labelled samples.

The floor is what no digest in Python can pass: deleting digits, splitting lines and counting distinct ones.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import training_log  # type: ignore[import-not-found]  # beside this script
from grouping import accuracies, by_mask  # type: ignore[import-not-found]

from marin_research.digest.build import index_of

REPEATS = 3
RIVAL_LINES = 40_000

DIGEST = """
import sys, time
from marin_research.digest.build import index_of
start = time.process_time()
with open(sys.argv[1], "rb") as file:
    index_of([("log", file)], several=False)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(time.process_time() - start, int(status["VmHWM"].split()[0]) / 1024)
"""
FLOOR = """
import sys, time
from collections import Counter
start, kinds, rest = time.process_time(), Counter(), b""
with open(sys.argv[1], "rb") as file:
    while block := file.read(1 << 20):
        lines = (rest + block).translate(None, b"0123456789").split(b"\\n")
        rest = lines.pop()
        kinds.update(lines)
print(time.process_time() - start, 0)
"""
DRAIN = """
import itertools, sys, time
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig
miner = TemplateMiner(config=TemplateMinerConfig())
with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
    lines = list(itertools.islice(file, int(sys.argv[2])))
start = time.process_time()
for line in lines:
    miner.add_log_message(line)
print(sum(len(line.encode()) for line in lines) / 1e6 / (time.process_time() - start))
"""


def measured(script: str, path: Path) -> tuple[float, float]:
    """MB a second of CPU, the best of some runs, and MB of memory at most."""
    runs = []
    for _ in range(REPEATS):
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, check=True, text=True)
        runs.append(tuple(map(float, done.stdout.split())))
    return path.stat().st_size / 1e6 / min(seconds for seconds, _ in runs), max(memory for _, memory in runs)


def word_count(path: Path) -> float:
    """The same for ``wc -l``."""
    seconds = []
    for _ in range(REPEATS):
        before = os.times().children_user + os.times().children_system
        subprocess.run(["wc", "-l", path], capture_output=True, check=True)
        seconds.append(os.times().children_user + os.times().children_system - before)
    return path.stat().st_size / 1e6 / max(min(seconds), 1e-3)


def drain(path: Path) -> float | None:
    """The same for drain3 with its defaults, on the first lines; None if it cannot be fetched."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        return None
    command = [uv, "run", "--quiet", "--isolated", "--no-project", "--with", "drain3", "python", "-c", DRAIN]
    done = subprocess.run([*command, path, str(RIVAL_LINES)], capture_output=True, check=False, text=True)
    return float(done.stdout) if done.returncode == 0 else None


def speeds(folder: Path, megabytes: float) -> None:
    print(
        f"{'MB/s of CPU':24} {'wc -l':>8} {'floor':>8} {'digest':>8} {'drain3':>8} {'digest/floor':>13} {'memory':>8}"
    )
    for name, services in (("training", 0.0), ("mixed", 0.35)):
        path = folder / f"{name}.log"
        run = training_log.Run(7, 32)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(f"{line}\n" for _, line, _ in training_log.lines(run, int(megabytes * 1e6), services, []))
        floor, _ = measured(FLOOR, path)
        ours, memory = measured(DIGEST, path)
        rival = drain(path)
        theirs = f"{rival:.1f}" if rival else "-"
        print(
            f"{name + f', {megabytes:.0f} MB':24} {word_count(path):9.0f} {floor:9.0f} {ours:9.0f} {theirs:>9}"
            f" {ours / floor:9.0%} {memory:6.0f} MB"
        )


def needles(megabytes: float) -> None:
    dice = random.Random(11)  # noqa: S311 - no secret
    planted = training_log.needles(1000, dice)
    run = training_log.Run(11, 64)
    log = (f"{line}\n".encode() for _, line, _ in training_log.lines(run, int(megabytes * 1e6), 0.2, planted))
    start = time.process_time()
    index = index_of([("log", log)], several=False)
    once = {" ".join(severe.text.split()) for severe in index.severe if severe.count == 1}
    kept = sum(any(needle.partition(": ")[2] in text for text in once) for needle in planted)
    counted = sum(template.count for template in index.templates) == index.streams[0].states
    states = index.streams[0].states
    print(f"\n{kept} of {len(planted)} planted errors kept word for word among {states:,} lines of 64 hosts")
    print(f"every line counted once: {counted}; {time.process_time() - start:.1f} s of CPU, making the log included")


def grouping(folder: Path) -> None:
    found = accuracies(folder, by_mask)
    print("\ngrouping accuracy on Loghub (one configuration)")
    print("  " + ", ".join(f"{system} {accuracy:.3f}" for system, accuracy in found.items()))
    print(f"  mean {sum(found.values()) / len(found):.4f}, worst {min(found.values()):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=200)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        speeds(Path(folder), megabytes)
    needles(min(megabytes, 64) / 2)
    if loghub := os.environ.get("MARIN_RESEARCH_LOGHUB"):
        grouping(Path(loghub))


if __name__ == "__main__":
    main()

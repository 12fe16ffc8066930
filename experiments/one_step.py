"""The smallest recorded step: how fast NumPy multiplies matrices here. Knows nothing of threads, logbooks or drafts."""

import time

import numpy as np
from marin.execution.lazy import ArtifactStep, apply

from marin_research import Thread, recorded, report, research_main

thread = Thread.load("one-step")


def multiply(size: int, repeats: int) -> None:
    matrix = np.random.default_rng(0).random((size, size), dtype=np.float32)
    start = time.perf_counter()
    for _ in range(repeats):
        matrix @ matrix
    report("gflop_per_second", repeats * 2 * size**3 / (time.perf_counter() - start) / 1e9, "GFLOP/s")


def build() -> ArtifactStep:
    """Multiply matrices and record how fast it went."""
    return recorded(apply("one-step/multiply", multiply, size=1024, repeats=20), thread)


if __name__ == "__main__":
    research_main(build, thread)()

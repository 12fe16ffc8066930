"""How long it takes to append an entry to a logbook of 1 MB, beside the least that any program must do for it.

The floor reads, writes, syncs and renames the same bytes and nothing else. The bar is 20 ms beyond the start of Python.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from marin_research.logbook import NewEntry, append, parse

SIZE = 1_000_000
REPETITIONS = 30
BAR_MS = 20.0

ENTRY = """### {time:%Y-%m-%d %H:%M} UTC - LR-{number:03} learning rate {number}e-5

- Hypothesis: a higher rate needs a longer warm-up, and the loss at the end stays within
  the noise of the baseline. The gradient norm of the first thousand steps should show it
  before the loss does, so the run may be stopped early.
- Commit Hash: `0123456789abcdef0123456789abcdef01234567`, tree clean
- Command:
  ```bash
  # the third try; the first two had no capacity
  WANDB_PROJECT=lr-sweep uv run iris --cluster=marin job run --no-wait --tpu v6e-4 \
    --region us-central2 --priority production --max-retries 10 \
    -- python -m experiments.lr_sweep --run --learning-rate {number}e-5
  ```
- Config:
  - `learning_rate={number}e-5`, `warmup=0.02`, `schedule=cosine`
  - batch 1024, sequence length 4096, 4 devices of kind TPU v6e, one host
- Result:

  | step | loss | gradient norm | tokens/s | MFU % |
  | ---: | ---: | ---: | ---: | ---: |
  | 1000 | 3.2107 | 0.81 | 405630 | 41.2 |
  | 2000 | 2.9811 | 0.64 | 405112 | 41.1 |
  | 4000 | 2.8430 | 0.52 | 404998 | 41.1 |
  | 8000 | 2.7712 | 0.49 | 405204 | 41.2 |

- Interpretation: the difference to the baseline is smaller than that between two seeds, so
  nothing can be said about the rate itself. The norm fell as it did for the baseline, which
  speaks against the hypothesis that the warm-up is too short at this rate. Throughput is
  the same within half a per cent, as it should be.
- Next action: repeat with two more seeds, and only then try the next rate. If the spread
  stays as large, average the last thousand steps instead of taking the last one.

"""
"""About 1.7 kB, the mean of real entries."""


def logbook() -> bytes:
    """A logbook of ``SIZE`` bytes with entries of a usual length."""
    head = "# LR sweep: Research Logbook\n\n## Scope\n\n- Goal: the best rate\n\n## Entry Log\n\n"
    start = datetime(2026, 1, 1, tzinfo=UTC)
    numbers = range(1, SIZE // len(ENTRY) + 1)
    return (head + "".join(ENTRY.format(time=start + timedelta(hours=n), number=n) for n in numbers)).encode()


def floor(path: Path, data: bytes) -> None:
    """What an append that never leaves half a file, nor loses a whole one, cannot do without."""
    part = path.with_suffix(".part")
    path.read_bytes()
    with part.open("wb") as file:
        file.write(data)
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Took(NamedTuple):
    """Milliseconds. The quickest says most about us, the median about the machine as it is."""

    quickest: float
    median: float
    cpu: float
    """Of the quickest."""


def measure(work: Callable[[int], object]) -> Took:
    found = []
    for repetition in range(REPETITIONS):
        start, start_cpu = time.perf_counter(), time.process_time()
        work(repetition)
        found.append((1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - start_cpu)))
    quickest, cpu = min(found)
    return Took(quickest, statistics.median(wall for wall, _ in found), cpu)


def main() -> None:
    data = logbook()
    entry = NewEntry(ids=("LR-999",), label="the next one", time=datetime.now(UTC), body="- Result: fine\n")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "logbook.md"
        path.write_bytes(data)
        least = measure(lambda _: floor(path, data))
        took = measure(lambda repetition: append(path, entry, marker=f"<!-- marin-research: {repetition} -->"))
        entries = len(parse(path.read_bytes()).entries)
    verdict = "met" if took.quickest <= BAR_MS else "MISSED"
    print(f"logbook of {len(data) / 1e6:.2f} MB, {entries} entries, {REPETITIONS} times each")
    print(f"floor (read, write, sync, rename)  {_said(least)}")
    print(f"append                             {_said(took)}  bar {BAR_MS:.0f} ms: {verdict}")


def _said(took: Took) -> str:
    return f"{took.quickest:6.1f} ms (CPU {took.cpu:.1f} ms), median {took.median:.1f} ms"


if __name__ == "__main__":
    main()

"""How long it takes to append an entry to a logbook of 1 MB, beside the least that any program must do for it.

The floor writes, syncs and renames the same bytes and nothing else. The bar is 20 ms beyond the start of Python.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from marin_research.logbook import NewEntry, append, parse

SIZE = 1_000_000
REPETITIONS = 30
BAR_MS = 20.0

ENTRY = """### {time:%Y-%m-%d %H:%M} UTC - LR-{number:03} learning rate {number}e-5

- Hypothesis: a higher rate needs a longer warm-up, and the loss at the end stays within
  the noise of the baseline.
- Command:
  ```bash
  # the third try
  uv run iris --cluster=marin job run --no-wait --tpu v6e-4 \\
    -- python -m experiments.lr_sweep --run
  ```
- Config: `lr={number}e-5`, batch 1024, sequence length 4096
- Result:

  | step | loss | tokens/s |
  | ---: | ---: | ---: |
  | 1000 | 3.21 | 405630 |
  | 2000 | 2.98 | 405112 |

- Interpretation: the difference is smaller than that between two seeds.
- Next action: repeat with another seed.

"""


def logbook() -> bytes:
    """A logbook of ``SIZE`` bytes with entries of a usual length."""
    head = "# LR sweep: Research Logbook\n\n## Scope\n\n- Goal: the best rate\n\n## Entry Log\n\n"
    start = datetime(2026, 1, 1, tzinfo=UTC)
    numbers = range(1, SIZE // len(ENTRY) + 1)
    return (head + "".join(ENTRY.format(time=start + timedelta(hours=n), number=n) for n in numbers)).encode()


def floor(path: Path, data: bytes) -> None:
    """Read, write, sync, rename: what an append that never leaves half a file cannot do without."""
    part = path.with_suffix(".part")
    path.read_bytes()
    with part.open("wb") as file:
        file.write(data)
        os.fsync(file.fileno())
    part.replace(path)


def median_ms(work: Callable[[int], object]) -> float:
    times = []
    for repetition in range(REPETITIONS):
        start = time.perf_counter()
        work(repetition)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    data = logbook()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "logbook.md"
        path.write_bytes(data)
        entry = NewEntry(ids=("LR-999",), label="the next one", time=now, body="- Result: fine\n")

        def add(repetition: int) -> None:
            append(path, entry, marker=f"<!-- marin-research: {repetition} -->")

        least = median_ms(lambda _: floor(path, data))
        took = median_ms(add)
        entries = len(parse(path.read_bytes()).entries)
    print(f"logbook of {len(data) / 1e6:.2f} MB, {entries} entries, median of {REPETITIONS}")
    print(f"floor (read, write, sync, rename)  {least:6.1f} ms")
    print(
        f"append                             {took:6.1f} ms   bar {BAR_MS:.0f} ms: {'met' if took <= BAR_MS else 'MISSED'}"
    )


if __name__ == "__main__":
    main()

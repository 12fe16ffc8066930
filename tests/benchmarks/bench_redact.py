"""How fast logs are redacted, beside merely splitting them into lines and joining them again on the same machine.

Run it with ``python tests/benchmarks/bench_redact.py``.
"""

from __future__ import annotations

import io
import random
import string
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from marin_research.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTES = 8
CHUNK = 64 * 1024
REPEATS = 5


def training_log(random_source: random.Random) -> bytes:
    """Lines as a training run writes them; no secret in them, though words such as ``tokens`` and ``key`` are."""
    draw = random_source.random
    makers: list[Callable[[int], str]] = [
        lambda step: (
            f"2026-09-01 12:{step // 60 % 60:02d}:{step % 60:02d},{step % 1000:03d} INFO levanter.trainer step={step} "
            f"loss={draw() * 3:.4f} grad_norm={draw():.5f} tokens_per_second={draw() * 1e6:.1f} mfu={draw() * 50:.2f}"
        ),
        lambda step: f"Progress on:train {step}it/30.0kit rate:1.2it/s remaining:5:32:10 postfix:loss={draw() * 3:.3f}",
        lambda step: (
            f"I0901 12:00:00.123456 7 checkpoint.py:112] Saving to gs://bucket/checkpoints/run-{step:06x}/step-{step}"
        ),
        lambda step: (
            f"INFO:jax._src.dispatch: Finished XLA compilation of jit(train_step) in {draw() * 30:.3f} sec, task-{step}"
        ),
        lambda step: f"eval/paloma/c4_en/loss: {draw() * 3:.4f}, total_tokens: {step * 4096}, cache key=block_{step}",
    ]
    return _lines(random_source, makers)


def secrets_log(random_source: random.Random) -> bytes:
    """Lines that each hold a secret."""

    def letters(count: int) -> str:
        return "".join(random_source.choices(string.ascii_letters + string.digits, k=count))

    makers: list[Callable[[int], str]] = [
        lambda step: f"step={step} WANDB_API_KEY={letters(40)} python train.py",
        lambda step: f"{step} Authorization: Bearer {letters(40)}",
        lambda step: f'{{"step": {step}, "api_key": "{letters(32)}"}}',
        lambda step: f"{step} cloning https://user:{letters(12)}@github.com/org/repo",
        lambda step: f"{step} using {'gh' + 'p_'}{letters(36)} for the push",
    ]
    return _lines(random_source, makers)


def _lines(random_source: random.Random, makers: list[Callable[[int], str]]) -> bytes:
    lines, size, step = [], 0, 0
    while size < MEGABYTES * 1_000_000:
        lines.append(random_source.choice(makers)(step))
        size += len(lines[-1]) + 1
        step += 1
    return ("\n".join(lines) + "\n").encode()


def stream(log: bytes) -> None:
    writer = Redactor.from_environment().stream(io.BytesIO().write)
    for start in range(0, len(log), CHUNK):
        writer.write(log[start : start + CHUNK])
    writer.flush()


def split_and_join(log: bytes) -> None:
    b"\n".join(log.splitlines())


def rate(action: Callable[[bytes], None], log: bytes) -> float:
    """Megabytes a second, the best of a few tries."""
    best = min(_seconds(action, log) for _ in range(REPEATS))
    return len(log) / best / 1e6


def _seconds(action: Callable[[bytes], None], log: bytes) -> float:
    start = time.perf_counter()
    action(log)
    return time.perf_counter() - start


def import_ms() -> float:
    """What importing the redactor adds to starting Python."""

    def start(code: str) -> float:
        times = []
        for _ in range(REPEATS):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - begin)
        return min(times)

    return 1e3 * (start("import marin_research.redact") - start("pass"))


def main() -> None:
    source = random.Random(1)  # noqa: S311 - made-up logs
    for name, log in (("training log", training_log(source)), ("a secret in each line", secrets_log(source))):
        floor, mine = rate(split_and_join, log), rate(stream, log)
        print(
            f"{name}: {mine:.0f} MB/s redacted, {floor:.0f} MB/s split and joined; {floor / mine:.1f} times the floor"
        )
    print(f"import: {import_ms():.0f} ms on top of an empty Python")


if __name__ == "__main__":
    main()

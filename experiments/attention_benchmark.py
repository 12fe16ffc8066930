"""A benchmark of a kernel choice: causal attention written out against ``jax.nn.dot_product_attention``.

On a CPU the latter is XLA's implementation (the cuDNN one is for GPUs, and only where asked for). Knows nothing of how
runs are recorded. Run it alone (``--max-concurrent 1``): by default Marin builds eight steps at a time, which time each
other.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from marin.execution.artifact import Artifact
from marin.execution.lazy import ArtifactStep, apply

from marin_research import Thread, recorded, report, research_main

thread = Thread.load("attention-kernel")

SHAPES = ((128, 4, 64), (256, 4, 64), (512, 4, 64), (512, 8, 32), (1024, 4, 64))
"""Sequence length, heads, size of a head."""
TOLERANCE = 1e-2
"""Largest error an implementation may have: wide enough for accelerators, which multiply float32 in lower precision."""

Attention = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def explicit_attention(query: jax.Array, key: jax.Array, value: jax.Array) -> jax.Array:
    """Two einsums and a softmax; arrays are (batch, sequence, heads, size of a head)."""
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) * query.shape[-1] ** -0.5
    causal = jnp.tril(jnp.ones(scores.shape[-2:], dtype=bool))
    weights = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf), axis=-1)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, value)


def library_attention(query: jax.Array, key: jax.Array, value: jax.Array) -> jax.Array:
    return jax.nn.dot_product_attention(query, key, value, is_causal=True)


IMPLEMENTATIONS: dict[str, Attention] = {"einsum": explicit_attention, "dot_product_attention": library_attention}


class Timings(Artifact):
    """What one implementation took."""

    measured: dict[str, float]
    """Milliseconds per call by quantity and shape (``forward_ms/t1024_h4_d64``), and ``max_abs_error``."""


def reference_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Causal attention in float64, a query at a time: slow, and plain enough to be right."""
    out = np.empty_like(query, dtype=np.float64)
    for batch, position, head in np.ndindex(query.shape[:3]):
        scores = key[batch, : position + 1, head].astype(np.float64) @ query[batch, position, head]
        weights = np.exp((scores - scores.max()) / np.sqrt(query.shape[-1]))
        out[batch, position, head] = weights / weights.sum() @ value[batch, : position + 1, head]
    return out


def time_call(function: Callable[..., Any], *args: jax.Array, repeats: int) -> tuple[float, float]:
    """Median and interquartile range of the milliseconds a call takes, compilation and the first call excluded."""
    for _ in range(2):
        jax.block_until_ready(function(*args))
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(function(*args))
        times.append(1e3 * (time.perf_counter() - began))
    lower, median, upper = statistics.quantiles(times, n=4)
    return median, upper - lower


def measure(
    implementation: str, seed: int, shapes: Sequence[tuple[int, int, int]], batch: int, repeats: int
) -> Timings:
    """The step: check one implementation against float64, and time its forward pass and its gradient at every shape.

    Raises:
        ArithmeticError: it does not compute attention, so that its times would mean nothing.
    """
    attention = IMPLEMENTATIONS[implementation]
    forward = jax.jit(attention)
    gradient = jax.jit(jax.grad(lambda *qkv: jnp.square(attention(*qkv)).sum(), argnums=(0, 1, 2)))
    measured = {"max_abs_error": 0.0}
    for length, heads, size in shapes:
        shape = f"t{length}_h{heads}_d{size}"
        keys = jax.random.split(jax.random.key(seed), 3)
        qkv = [jax.random.normal(key, (batch, length, heads, size)) for key in keys]
        error = float(np.abs(forward(*qkv) - reference_attention(*map(np.asarray, qkv))).max())
        if not error < TOLERANCE:
            raise ArithmeticError(f"{implementation} is off by {error} at {shape}, more than {TOLERANCE}")
        measured["max_abs_error"] = max(measured["max_abs_error"], error)
        for quantity, function in (("forward", forward), ("gradient", gradient)):
            median, spread = time_call(function, *qkv, repeats=repeats)
            print(f"{implementation} {quantity} {shape}: {median:.2f} ms (IQR {spread:.2f} ms)", flush=True)
            for name, value in ((f"{quantity}_ms/{shape}", median), (f"{quantity}_iqr_ms/{shape}", spread)):
                measured[name] = value
                report(name, value, "ms")
    report("max_abs_error", measured["max_abs_error"])
    return Timings(measured=measured)


def bench(implementation: str, seed: int) -> ArtifactStep:
    return apply(
        f"attention-kernel/{implementation}-seed{seed}",
        measure,
        artifact_type=Timings,
        implementation=implementation,
        seed=seed,
        shapes=SHAPES,
        batch=2,
        repeats=11,
    )


def build() -> list[ArtifactStep]:
    """Time both implementations at every shape, twice over."""
    library = "dot_product_attention is at least as fast as the einsums at every shape"
    return [
        recorded(bench("einsum", 0), thread, label="einsum, seed 0", baseline=True),
        recorded(bench("dot_product_attention", 0), thread, label="dot_product_attention, seed 0", hypothesis=library),
        recorded(bench("einsum", 1), thread, label="einsum, seed 1"),
        recorded(bench("dot_product_attention", 1), thread, label="dot_product_attention, seed 1", hypothesis=library),
    ]


if __name__ == "__main__":
    research_main(build, thread)()

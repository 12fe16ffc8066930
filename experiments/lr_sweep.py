"""A learning-rate sweep: a small byte-level transformer trained with momentum SGD, one run diverging.

Knows nothing of how runs are recorded. Run it alone (``--max-concurrent 1``) where its speeds matter: by default Marin
builds eight steps at a time.
"""

import hashlib
import os
import sysconfig
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from marin.execution.artifact import Artifact
from marin.execution.build_context import resolve_version
from marin.execution.lazy import ArtifactStep

from marin_research import Thread, recorded, research_main

thread = Thread.load("lr-sweep")

LOG_EVERY = 10
"""Steps between two points of the loss curve."""
TRAIN_MODULES = (
    *("argparse", "ast", "calendar", "codecs", "configparser", "copy", "csv", "dataclasses", "datetime", "difflib"),
    *("doctest", "enum", "fractions", "ftplib", "functools", "gettext", "glob", "gzip", "heapq", "imaplib", "inspect"),
    *("ipaddress", "locale", "mailbox", "mimetypes"),
)
HELD_OUT_MODULES = ("statistics", "tarfile", "textwrap")


@dataclass(frozen=True, kw_only=True)
class Config:
    """What identifies a run: all that its loss depends on, but for the text, which comes with Python."""

    learning_rate: float
    """At its peak: it rises over the warm-up and falls along a cosine to a tenth."""
    momentum: float = 0.9
    warmup_steps: int = 20
    steps: int = 400
    batch_size: int = 16
    context: int = 64
    """Bytes a prediction may look back on."""
    width: int = 64
    heads: int = 4
    layers: int = 2
    eval_windows: int = 512
    """How many windows of the held-out text are scored."""
    seed: int = 0
    """Of the initial weights and of the order of the batches."""


class Trained(Artifact):
    """How well and how fast a model trained."""

    eval_loss: float
    """Nats per byte on the held-out modules."""
    train_loss: float
    """Nats per byte, mean over the last ``LOG_EVERY`` steps."""
    tokens_per_second: float
    """Bytes trained on per second of the whole run; compilation and scoring excluded, sampling and logging included."""
    parameters: int
    corpus_sha256: str
    """Of the training and held-out text, which differs between versions of Python."""


# The model: pre-norm blocks, and no norm before the output weights. With one there, a residual stream that overflows is
# divided by infinity, and a run that has diverged shows the finite loss of a uniform guess.


def init_model(config: Config) -> dict[str, Any]:
    keys = iter(jax.random.split(jax.random.key(config.seed), 3 + 4 * config.layers))

    def normal(*shape: int, scale: float) -> jax.Array:
        return scale * jax.random.normal(next(keys), shape)

    width = config.width
    block_scale = width**-0.5 / config.layers
    return {
        "embed": normal(256, width, scale=0.1),
        "position": normal(config.context, width, scale=0.1),
        "output": normal(width, 256, scale=width**-0.5),
        "blocks": [
            {
                "attention_norm": jnp.ones(width),
                "qkv": normal(width, 3 * width, scale=width**-0.5),
                "attention_out": normal(width, width, scale=block_scale),
                "mlp_norm": jnp.ones(width),
                "up": normal(width, 4 * width, scale=width**-0.5),
                "down": normal(4 * width, width, scale=block_scale / 2),
            }
            for _ in range(config.layers)
        ],
    }


def next_byte_loss(model: dict[str, Any], windows: jax.Array, heads: int) -> jax.Array:
    """Mean cross-entropy in nats of each byte of ``windows`` (batch, context + 1) given those before it."""
    x = model["embed"][windows[:, :-1]] + model["position"]
    for block in model["blocks"]:
        qkv = _rms_norm(x, block["attention_norm"]) @ block["qkv"]
        query, key, value = (part.reshape(*x.shape[:2], heads, -1) for part in jnp.split(qkv, 3, axis=-1))
        attended = jax.nn.dot_product_attention(query, key, value, is_causal=True)
        x = x + attended.reshape(x.shape) @ block["attention_out"]
        x = x + jax.nn.gelu(_rms_norm(x, block["mlp_norm"]) @ block["up"]) @ block["down"]
    return optax.softmax_cross_entropy_with_integer_labels(x @ model["output"], windows[:, 1:]).mean()


def _rms_norm(x: jax.Array, gain: jax.Array) -> jax.Array:
    return gain * x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-5)


def read_modules(names: tuple[str, ...]) -> np.ndarray:
    """The source of standard-library modules, one after the other, as bytes."""
    library = Path(sysconfig.get_path("stdlib"))
    return np.frombuffer(b"".join((library / f"{name}.py").read_bytes() for name in names), dtype=np.uint8)


def cut_windows(text: np.ndarray, starts: np.ndarray, context: int) -> np.ndarray:
    return text[starts[:, None] + np.arange(context + 1)].astype(np.int32)


def make_optimizer(config: Config) -> optax.GradientTransformation:
    peak = config.learning_rate
    schedule = optax.warmup_cosine_decay_schedule(0.0, peak, config.warmup_steps, config.steps, end_value=peak / 10)
    return optax.sgd(schedule, momentum=config.momentum)


def optimize(
    config: Config, text: np.ndarray, log: Callable[[dict[str, float], int], None]
) -> tuple[Any, float, float]:
    """Train a new model on ``text``; give it with its last training loss and its speed in tokens per second.

    Raises:
        FloatingPointError: the loss is no longer a finite number.
    """
    optimizer = make_optimizer(config)

    def update(model: Any, state: Any, windows: jax.Array) -> tuple[Any, Any, jax.Array]:
        loss, gradient = jax.value_and_grad(next_byte_loss)(model, windows, config.heads)
        change, state = optimizer.update(gradient, state)
        return optax.apply_updates(model, change), state, loss

    def sample() -> np.ndarray:
        return cut_windows(text, random.integers(len(text) - config.context, size=config.batch_size), config.context)

    random = np.random.default_rng(config.seed)
    model = init_model(config)
    state = optimizer.init(model)
    compiled = jax.jit(update).lower(model, state, sample()).compile()
    losses = []
    began = time.perf_counter()
    for step in range(1, config.steps + 1):
        model, state, loss = compiled(model, state, sample())
        losses.append(loss)
        if step % LOG_EVERY == 0 or step == config.steps:
            recent = np.asarray(losses)  # waits for the device: the clock then counts work done, not work queued
            losses.clear()
            train_loss = float(recent.mean())
            speed = step * config.batch_size * config.context / (time.perf_counter() - began)
            log({"train/loss": train_loss, "train/tokens_per_second": speed}, step)
            require_finite(recent, step)
    return model, train_loss, speed


def require_finite(losses: np.ndarray, last_step: int) -> None:
    """Check the losses of consecutive steps, the last of them ``last_step``.

    Raises:
        FloatingPointError: one of them is not a finite number; names the first.
    """
    broken = np.flatnonzero(~np.isfinite(losses))
    if broken.size:
        step = last_step - len(losses) + 1 + broken[0]
        raise FloatingPointError(f"loss is {losses[broken[0]]} at step {step}; a lower learning rate may train")


def evaluate(model: Any, config: Config, text: np.ndarray) -> float:
    """Nats per byte over windows evenly spaced in ``text``."""
    starts = np.linspace(0, len(text) - config.context - 1, config.eval_windows).astype(int)
    windows = cut_windows(text, starts, config.context)
    return float(jax.jit(next_byte_loss, static_argnames="heads")(model, windows, heads=config.heads))


def fit(config: Config) -> Trained:
    """The step: train and score a model, with its curves in a W&B run (offline unless WANDB_MODE says otherwise).

    Raises:
        FloatingPointError: training diverged.
    """
    import wandb

    train_text, held_out_text = read_modules(TRAIN_MODULES), read_modules(HELD_OUT_MODULES)
    with wandb.init(
        entity=thread.wandb.entity or None,
        project=thread.wandb.project or None,
        config=asdict(config),
        mode=None if "WANDB_MODE" in os.environ else "offline",
        reinit="create_new",  # otherwise steps that train at the same time in this process would share one run
    ) as run:

        def log(point: dict[str, float], step: int) -> None:
            run.log(point, step=step)
            loss, speed = point.values()
            print(f"step {step}: loss {loss:.3f}, {speed:.0f} tok/s", flush=True)

        model, train_loss, speed = optimize(config, train_text, log)
        eval_loss = evaluate(model, config, held_out_text)
        run.summary.update({"eval/loss": eval_loss, "tokens_per_second": speed})
    return Trained(
        eval_loss=eval_loss,
        train_loss=train_loss,
        tokens_per_second=speed,
        parameters=sum(leaf.size for leaf in jax.tree.leaves(model)),
        corpus_sha256=hashlib.sha256(train_text.tobytes() + held_out_text.tobytes()).hexdigest(),
    )


def train(learning_rate: float) -> ArtifactStep:
    name = f"lr-sweep/lr-{learning_rate:g}"
    config = Config(learning_rate=learning_rate)
    return ArtifactStep(
        name=name,
        version=resolve_version(name, None),  # from --version and --override
        artifact_type=Trained,
        run=fit,
        build_config=lambda _context: config,
    )


def build() -> list[ArtifactStep]:
    """Train one small model per learning rate, all else equal."""
    sweep = {
        0.01: "0.01 is too slow for 400 steps: a higher loss than 0.03",
        0.06: "0.06 reaches a lower loss than 0.03",
        0.1: "0.1 is near the edge of stability, with the lowest loss",
        0.3: "0.3 diverges",
    }
    baseline = recorded(train(0.03), thread, label="lr=0.03", hypothesis="0.03 trains steadily", baseline=True)
    return [baseline, *(recorded(train(lr), thread, label=f"lr={lr}", hypothesis=why) for lr, why in sweep.items())]


if __name__ == "__main__":
    research_main(build, thread)()

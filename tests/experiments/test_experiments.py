"""The experiment scripts people copy: what they measure is real, and what they declare is the same everywhere."""

import contextlib
import importlib.util
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marin_research.store import RecordStore
from marin_research.wandb_file import WandbFile, metrics, read

pytestmark = pytest.mark.marin

ROOT = Path(__file__).parents[2]
SCRIPTS = ["one_step", "lr_sweep", "attention_benchmark"]


def load(name: str, top: Path = ROOT) -> Any:
    """The script as a module; its thread is found from the working directory, as when a user runs it."""
    spec = importlib.util.spec_from_file_location(f"script_{name}", top / "experiments" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with contextlib.chdir(top):
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lr_sweep() -> Any:
    return load("lr_sweep")


@pytest.fixture(scope="module")
def attention() -> Any:
    return load("attention_benchmark")


def built(module: Any) -> list[Any]:
    from marin.execution.build_context import BuildContext, VersionCodex, build_context

    with build_context(BuildContext(versions=VersionCodex(default="dev"))):
        handles = module.build()
    return handles if isinstance(handles, list) else [handles]


def test_the_model_learns(lr_sweep: Any) -> None:
    """A sweep over a model that does not learn would compare noise."""
    curve: list[tuple[int, float]] = []
    config = lr_sweep.Config(learning_rate=0.06, steps=40, width=32, context=32, layers=1)

    def log(point: dict[str, float], step: int) -> None:
        curve.append((step, point["train/loss"]))

    _, last, speed = lr_sweep.optimize(config, lr_sweep.read_modules(("csv",)), log)

    assert [step for step, _ in curve] == [10, 20, 30, 40]
    assert curve[-1][1] == last < curve[0][1] - 1
    assert speed > 0


def test_the_same_seed_gives_the_same_losses(lr_sweep: Any) -> None:
    """Runs of the sweep may differ only by their learning rate."""
    config = lr_sweep.Config(learning_rate=0.06, warmup_steps=2, steps=5, width=16, context=16, layers=1)
    text = lr_sweep.read_modules(("csv",))

    first, second = (lr_sweep.optimize(config, text, lambda *_: None)[1] for _ in range(2))

    assert first == second


def test_a_rate_that_is_too_large_really_diverges(lr_sweep: Any) -> None:
    """The failed run of the sweep is a result of its own, not an exception somebody threw in."""
    config = lr_sweep.Config(learning_rate=0.3)

    with pytest.raises(FloatingPointError, match=r"loss is (nan|inf) at step \d+;"):
        lr_sweep.optimize(config, lr_sweep.read_modules(lr_sweep.TRAIN_MODULES), lambda *_: None)


def test_the_first_broken_loss_is_the_one_that_is_named(lr_sweep: Any) -> None:
    """Whoever looks for the cause of a divergence starts at the step that the message names."""
    with pytest.raises(FloatingPointError, match="loss is inf at step 18;"):
        lr_sweep.require_finite(np.array([2.5, 9.0, math.inf, math.nan, math.nan]), last_step=20)


def _read_whole(run_file: Path) -> WandbFile:
    """The file once its end is in it: W&B's own process writes it a little after `finish` has returned."""
    deadline = time.monotonic() + 30
    while not (file := read(run_file)).finished:
        assert time.monotonic() < deadline, "W&B did not write its file in time"
        time.sleep(0.05)
    return file


def test_a_training_step_leaves_what_its_thread_is_judged_by(
    lr_sweep: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A primary metric that no run records would stay empty in every table."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))

    trained = lr_sweep.fit(lr_sweep.Config(learning_rate=0.03, warmup_steps=5, steps=20, eval_windows=16, layers=1))

    (run_file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    logged = metrics(_read_whole(run_file), source="wandb")
    assert {metric.name for metric in lr_sweep.thread.metrics} <= logged.keys()
    assert logged["eval/loss"].value == pytest.approx(trained.eval_loss)
    assert trained.eval_loss < math.log(256)
    assert len(trained.corpus_sha256) == 64


@pytest.mark.parametrize("implementation", ["einsum", "dot_product_attention"])
def test_an_attention_agrees_with_float64_arithmetic(attention: Any, implementation: str) -> None:
    """The time of a kernel that computes something else means nothing."""
    query, key, value = np.random.default_rng(0).standard_normal((3, 2, 17, 3, 8), dtype=np.float32)

    result = attention.IMPLEMENTATIONS[implementation](query, key, value)

    np.testing.assert_allclose(result, attention.reference_attention(query, key, value), atol=1e-5)


def test_both_attentions_have_one_gradient(attention: Any) -> None:
    """The gradients are timed against each other, so they must be the same computation."""
    import jax

    query, key, value = np.random.default_rng(0).standard_normal((3, 2, 17, 3, 8), dtype=np.float32)

    gradients = [
        jax.grad(lambda *qkv, form=form: (form(*qkv) ** 2).sum(), argnums=(0, 1, 2))(query, key, value)
        for form in attention.IMPLEMENTATIONS.values()
    ]

    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_kernel_that_is_wrong_gets_no_time(attention: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving out the causal mask makes attention faster, which must not win the benchmark."""
    import jax

    monkeypatch.setitem(attention.IMPLEMENTATIONS, "unmasked", jax.nn.dot_product_attention)

    with pytest.raises(ArithmeticError, match="unmasked is off by"):
        attention.measure("unmasked", seed=0, shapes=[(16, 2, 8)], batch=1, repeats=3)


def test_a_benchmark_measures_what_its_thread_is_judged_by(attention: Any) -> None:
    """A primary metric that no run records would stay empty in every table."""
    primary = {metric.name for metric in attention.thread.metrics}
    shapes = [(t, h, d) for t, h, d in attention.SHAPES if any(f"t{t}_h{h}_d{d}" in name for name in primary)]

    measured = attention.measure("einsum", seed=0, shapes=shapes, batch=2, repeats=3).measured

    assert primary <= measured.keys()
    assert all(value > 0 for name, value in measured.items() if name.startswith(("forward_ms", "gradient_ms")))


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_identifies_a_step_does_not_depend_on_where_it_stands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One recipe must have one fingerprint in every checkout and under every prefix, or Marin warns of drift."""
    for folder, pattern in (("experiments", "*.py"), (".agents/research", "*.yaml")):
        (tmp_path / folder).mkdir(parents=True)
        for path in (ROOT / folder).glob(pattern):
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / ".git").mkdir()

    monkeypatch.setenv("MARIN_PREFIX", "/tmp/one")
    here = {handle.name: handle.fingerprint() for handle in built(load(name))}
    monkeypatch.setenv("MARIN_PREFIX", "/tmp/two")
    there = {handle.name: handle.fingerprint() for handle in built(load(name, top=tmp_path))}

    assert here == there
    assert len(set(here.values())) == len(built(load(name)))


@pytest.mark.parametrize("how", [["experiments/one_step.py"], ["-m", "experiments.one_step"]], ids=["file", "module"])
def test_the_smallest_script_runs_as_it_stands(how: list[str], tmp_path: Path) -> None:
    """The first thing a newcomer tries is to run it."""
    command = [sys.executable, *how, "--version", "dev", "--run", "--no-curate"]
    environment = os.environ | {"MARIN_PREFIX": str(tmp_path)}
    environment.pop("MARIN_RESEARCH_ROOT", None)

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert RecordStore(str(tmp_path / "research")).run("ONE-001").metrics["gflop_per_second"].value > 0

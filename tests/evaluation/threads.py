"""Small threads as facts: sweeps, a serving comparison, replicates, failed and preempted runs.

The values are made up; their shapes are those of real experiments.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from curator.facts import Fact, FactKind, delta, mean, percent, ratio, spread
from marin_research.thread import Direction

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


class Measure(NamedTuple):
    name: str
    unit: str
    better: Direction | None


class Run(NamedTuple):
    id: str
    values: dict[str, float]
    config: dict[str, Any]
    status: str = "succeeded"
    wall: float = 0.0
    texts: tuple[tuple[FactKind, str, str], ...] = ()
    counts: tuple[tuple[str, int], ...] = ()


def facts_of(measures: list[Measure], runs: list[Run], *, baseline: str, counts: dict[str, int]) -> tuple[Fact, ...]:
    """The facts a curator takes out of such runs: values, configs, changes against the baseline, counts."""
    facts = [fact for run in runs for fact in _run_facts(run, measures)]
    known = {fact.id: fact for fact in facts}
    for run in runs:
        for measure in measures:
            a, b = known.get(f"{run.id}/metric/{measure.name}"), known.get(f"{baseline}/metric/{measure.name}")
            if a and b and a is not b:
                facts += [delta(a, b), percent(a, b), ratio(a, b)]
    facts += [
        Fact(id=f"sweep/count/{name}", kind=FactKind.COUNT, value=count, name=name, source="sweep")
        for name, count in counts.items()
    ]
    facts.append(Fact(id="thread/baseline", kind=FactKind.RUN, value=baseline, name="baseline", source="thread"))
    return tuple(facts)


def _run_facts(run: Run, measures: list[Measure]) -> Iterator[Fact]:
    def fact(kind: FactKind, key: str, value: Any, **details: Any) -> Fact:
        return Fact(id=f"{run.id}/{key}", kind=kind, value=value, subject=run.id, source=f"{run.id}#/{key}", **details)

    yield fact(FactKind.RUN, "id", run.id)
    yield fact(FactKind.STATUS, "status", run.status)
    for measure in measures:
        if measure.name in run.values:
            name, amount = measure.name, run.values[measure.name]
            yield fact(FactKind.METRIC, f"metric/{name}", amount, unit=measure.unit, name=name, better=measure.better)
    for key, value in run.config.items():
        yield fact(FactKind.CONFIG, f"config/{key}", value, name=key)
    if run.wall:
        yield fact(FactKind.DURATION, "duration/wall", run.wall, unit="s", name="wall")
    for number, (kind, name, text) in enumerate(run.texts):
        yield fact(kind, f"{kind}/{name}{number}", text, name=name)
    for name, count in run.counts:
        yield fact(FactKind.COUNT, f"count/{name}", count, name=name)


def sweep() -> tuple[Fact, ...]:
    """Five learning rates; the largest diverges."""
    measures = [
        Measure(name="eval/loss", unit="nats/byte", better=LOWER),
        Measure(name="throughput/tokens_per_second", unit="tok/s", better=HIGHER),
    ]
    rows = [
        ("LR-001", 0.003, 2.4031, 405630.0, 43.24),
        ("LR-002", 0.001, 2.5120, 404120.0, 44.01),
        ("LR-003", 0.01, 2.3087, 401877.0, 43.86),
        ("LR-004", 0.03, 2.3519, 403310.0, 42.87),
    ]
    runs = [
        Run(
            id=run,
            values={"eval/loss": loss, "throughput/tokens_per_second": rate},
            config={"lr": lr, "batch_size": 512, "steps": 20000},
            wall=wall,
            counts=(("devices", 8),),
            texts=(
                (FactKind.COMMAND, "", f"uv run python -m experiments.lr_sweep --lr {lr}"),
                (FactKind.DEVICE, "kind", "TPU v4"),
                (FactKind.TIME, "started", f"2026-07-01T12:0{n}:05.123456Z"),
            ),
        )
        for n, (run, lr, loss, rate, wall) in enumerate(rows)
    ]
    runs[2] = _with_references(runs[2])
    runs.append(
        Run(
            id="LR-005",
            values={"eval/loss": math.nan},
            config={"lr": 0.1, "batch_size": 512, "steps": 20000},
            status="failed",
            wall=12.5,
            texts=((FactKind.QUOTE, "", "FloatingPointError: loss is NaN at step 412 on rank 3"),),
        )
    )
    return facts_of(measures, runs, baseline="LR-001", counts={"runs": 5, "succeeded": 4, "failed": 1})


def _with_references(run: Run) -> Run:
    texts = (
        *run.texts,
        (FactKind.COMMIT, "", "4f9c1ae20b7d3356aa01c7e1b35bd0a7e1f20c11"),
        (FactKind.LINK, "wandb", "https://wandb.ai/marin-community/lr-sweep/runs/k3x9q2ab"),
        (FactKind.TEXT, "hypothesis", "Raising the learning rate to 0.01 lowers the loss by at least 0.05."),
        (FactKind.LABEL, "confidence", "exploratory"),
        (FactKind.PATH, "checkpoint", "ckpt/lr-003/step20000"),
    )
    return Run(id=run.id, values=run.values, config=run.config, wall=run.wall, counts=run.counts, texts=texts)


def serving() -> tuple[Fact, ...]:
    """An FP8 cache against the default: faster, less accurate."""
    measures = [
        Measure(name="gsm8k_acc", unit="%", better=HIGHER),
        Measure(name="throughput_tok_s", unit="tok/s", better=HIGHER),
        Measure(name="p99_latency_ms", unit="ms", better=LOWER),
        Measure(name="peak_mem_gib", unit="GiB", better=LOWER),
    ]
    values = {
        "KV-CACHE-001": (64.9, 6480.0, 1190.0, 71.25, "bf16"),
        "KV-CACHE-002": (61.2, 9120.0, 842.0, 52.5, "fp8"),
    }
    runs = [
        Run(
            id=run,
            values=dict(zip([m.name for m in measures], row[:4], strict=True)),
            config={"kv_cache_dtype": row[4], "concurrency": 64, "max_len": 8192},
            wall=2280.0,
            counts=(("devices", 2), ("items", 1319)),
            texts=(
                (FactKind.DEVICE, "kind", "NVIDIA H100 80GB HBM3"),
                (FactKind.COMMAND, "", f"python serve_bench.py --kv-cache-dtype {row[4]} --concurrency 64"),
                (FactKind.QUOTE, "", "1319/1319 GSM8K items scored"),
                (FactKind.QUOTE, "", "warning: calibration scales not found, using 1.0"),
                (
                    FactKind.TEXT,
                    "hypothesis",
                    "An FP8 KV cache keeps GSM8K accuracy within 0.5 points while raising throughput.",
                ),
            ),
        )
        for run, row in values.items()
    ]
    return facts_of(measures, runs, baseline="KV-CACHE-001", counts={"runs": 2, "succeeded": 2})


def replicates() -> tuple[Fact, ...]:
    """Label smoothing with three seeds against three seeds without."""
    measures = [Measure(name="test/accuracy", unit="", better=HIGHER), Measure(name="ece", unit="", better=LOWER)]
    rows = [
        ("SMOOTH-001", 0.0, 17, 0.8102, 0.0512),
        ("SMOOTH-002", 0.0, 18, 0.8139, 0.0498),
        ("SMOOTH-003", 0.0, 19, 0.8122, 0.0521),
        ("SMOOTH-004", 0.1, 17, 0.8125, 0.0381),
        ("SMOOTH-005", 0.1, 18, 0.8161, 0.0379),
        ("SMOOTH-006", 0.1, 19, 0.8116, 0.0390),
    ]
    runs = [
        Run(
            id=run,
            values={"test/accuracy": accuracy, "ece": ece},
            config={"label_smoothing": smoothing, "seed": seed, "epochs": 200},
            wall=50700.0,
            counts=(("devices", 1),),
        )
        for run, smoothing, seed, accuracy, ece in rows
    ]
    facts = list(facts_of(measures, runs, baseline="SMOOTH-001", counts={"runs": 6, "succeeded": 6, "seeds": 3}))
    known = {fact.id: fact for fact in facts}
    for metric in ("test/accuracy", "ece"):
        for scope, ids in (("without", ("001", "002", "003")), ("with", ("004", "005", "006"))):
            group = [known[f"SMOOTH-{each}/metric/{metric}"] for each in ids]
            facts += [mean(group, fact_id=f"{scope}/mean/{metric}"), spread(group, fact_id=f"{scope}/stdev/{metric}")]
        pair = [next(f for f in facts if f.id == f"{scope}/mean/{metric}") for scope in ("with", "without")]
        facts += [delta(*pair, fact_id=f"with/delta/{metric}"), percent(*pair, fact_id=f"with/percent/{metric}")]
    return tuple(facts)


def memory() -> tuple[Fact, ...]:
    """A longer context against the default; one attempt ran out of memory."""
    measures = [
        Measure(name="val_loss", unit="", better=LOWER),
        Measure(name="step_time_ms", unit="ms", better=LOWER),
        Measure(name="peak_mem_gib", unit="GiB", better=LOWER),
        Measure(name="mfu", unit="%", better=HIGHER),
    ]
    names = [m.name for m in measures]
    runs = [
        Run(
            id="CTX-010",
            values=dict(zip(names, (3.1024, 391.0, 31.7, 41.3), strict=True)),
            config={"seq_len": 4096, "act_ckpt": False, "max_steps": 5000, "micro_batch": 2},
            wall=1955.0,
            counts=(("devices", 4), ("attempts", 1)),
            texts=(
                (FactKind.DEVICE, "kind", "A100-80GB"),
                (FactKind.COMMIT, "", "c5a80f3e91b2d4c6a7081923bb5de0f0aa17c3d2"),
            ),
        ),
        Run(
            id="CTX-011",
            values=dict(zip(names, (3.0871, 736.0, 39.4, 44.6), strict=True)),
            config={"seq_len": 16384, "act_ckpt": True, "max_steps": 5000, "micro_batch": 2},
            wall=3680.0,
            counts=(("devices", 4), ("attempts", 2), ("preemptions", 1)),
            texts=(
                (FactKind.DEVICE, "kind", "A100-80GB"),
                (FactKind.COMMIT, "", "c5a80f3e91b2d4c6a7081923bb5de0f0aa17c3d2"),
                (
                    FactKind.COMMAND,
                    "",
                    "torchrun --nproc_per_node=4 train.py --config configs/gpt_1b.yaml --seq_len 16384 --act_ckpt",
                ),
                (FactKind.LINK, "issue", "https://github.com/marin-community/marin/issues/4321"),
                (FactKind.TIME, "ended", "2026-08-14T09:41:40Z"),
            ),
        ),
        Run(
            id="CTX-012",
            values={"peak_mem_gib": 79.1},
            config={"seq_len": 16384, "act_ckpt": False, "max_steps": 5000, "micro_batch": 2},
            status="failed",
            wall=132.0,
            counts=(("devices", 4),),
            texts=((FactKind.QUOTE, "", "torch.cuda.OutOfMemoryError at step 3 on rank 1"),),
        ),
    ]
    return facts_of(measures, runs, baseline="CTX-010", counts={"runs": 3, "succeeded": 2, "failed": 1})


def experts() -> tuple[Fact, ...]:
    """Mixtures of experts on a pod: many metrics, long runs, and runs that were preempted, cancelled and cached."""
    measures = [
        Measure(name="eval/paloma/macro_loss", unit="", better=LOWER),
        Measure(name="train/loss", unit="", better=LOWER),
        Measure(name="throughput/tokens_per_second", unit="tok/s", better=HIGHER),
        Measure(name="throughput/mfu", unit="%", better=HIGHER),
        Measure(name="router/load_balance", unit="", better=None),
    ]
    rows = [
        ("MOE-HC-001", 64, 2, 1.25, (3.1605, 2.9874, 175165.0, 38.2, 0.912), "succeeded", 37810.0),
        ("MOE-HC-002", 128, 2, 1.25, (3.1287, 2.9512, 168940.0, 36.8, 0.874), "succeeded", 39204.0),
        ("MOE-HC-003", 64, 4, 1.25, (3.1198, 2.9447, 131280.0, 41.5, 0.935), "succeeded", 50470.0),
        ("MOE-HC-004", 64, 2, 2.0, (3.1611, 2.9879, 158420.0, 34.5, 0.941), "succeeded", 41812.0),
        ("MOE-HC-005", 256, 2, 1.25, (), "preempted", 9120.0),
        ("MOE-HC-006", 64, 1, 1.25, (), "cancelled", 1440.0),
    ]
    names = [measure.name for measure in measures]
    runs = [
        Run(
            id=run,
            values=dict(zip(names, values, strict=False)),
            config={
                "num_experts": experts,
                "top_k": top_k,
                "capacity_factor": capacity,
                "seed": 0,
                "train_steps": 18000,
            },
            status=status,
            wall=wall,
            counts=(("devices", 64), ("attempts", 3 if run == "MOE-HC-002" else 1), ("hosts", 16)),
            texts=(
                (FactKind.DEVICE, "kind", "TPU v5p"),
                (FactKind.NAME, "wandb name", f"moe-e{experts}-k{top_k}-cf{capacity}"),
                (FactKind.LINK, "wandb", f"https://wandb.ai/marin-community/marin_moe/runs/{run.lower()}-x7"),
                (FactKind.COMMIT, "", f"{run[-1]}b41f0c92d7e8a35560c1f9e2d4b7a8c3e6f5d0{run[-1]}1"),
            ),
        )
        for run, experts, top_k, capacity, values, status, wall in rows
    ]
    counts = {"runs": 6, "succeeded": 4, "preempted": 1, "cancelled": 1}
    return facts_of(measures, runs, baseline="MOE-HC-001", counts=counts)


def pipeline() -> tuple[Fact, ...]:
    """Deduplication with more workers: a throughput that saturates, and a run that the machine killed."""
    measures = [
        Measure(name="docs_per_second", unit="docs/s", better=HIGHER),
        Measure(name="elapsed_s", unit="s", better=LOWER),
        Measure(name="rss_gib", unit="GiB", better=LOWER),
        Measure(name="duplicates", unit="", better=None),
    ]
    rows = [
        ("DEDUP-101", 1, 1184.0, 211.1, 0.72, 3120.0),
        ("DEDUP-102", 2, 2206.0, 113.3, 1.41, 3120.0),
        ("DEDUP-103", 4, 3871.0, 64.58, 2.79, 3120.0),
        ("DEDUP-104", 8, 3902.0, 64.07, 5.56, 3120.0),
    ]
    names = [measure.name for measure in measures]
    runs = [
        Run(
            id=run,
            values=dict(zip(names, values, strict=True)),
            config={"workers": workers, "batch": 256, "shuffle": False},
            wall=values[1] + 4,
            counts=(("documents", 250000), ("shards", 32)),
            texts=(
                (FactKind.COMMAND, "", f"uv run python dedup.py --workers {workers} --batch 256"),
                (FactKind.DEVICE, "kind", "cpu"),
            ),
        )
        for run, workers, *values in rows
    ]
    runs.append(
        Run(
            id="DEDUP-105",
            values={},
            config={"workers": 16, "batch": 256, "shuffle": False},
            status="failed",
            wall=18.2,
            texts=((FactKind.QUOTE, "", "Killed: worker 11 used 12.1 GiB, exit code 137"),),
        )
    )
    return facts_of(measures, runs, baseline="DEDUP-101", counts={"runs": 5, "succeeded": 4, "failed": 1})


def optimizers() -> tuple[Fact, ...]:
    """Optimizers and schedules, named by words instead of numbers, with labels; one run was lost."""
    measures = [
        Measure(name="eval/c4_en/bpb", unit="bits/byte", better=LOWER),
        Measure(name="train/grad_norm", unit="", better=None),
        Measure(name="throughput/examples_per_second", unit="examples/s", better=HIGHER),
        Measure(name="hbm_peak_gib", unit="GiB", better=LOWER),
    ]
    rows = [
        ("OPT-1", "adamw", "cosine", (1.0921, 0.84, 61.7, 14.2), "AdamW, cosine"),
        ("OPT-2", "muon", "cosine", (1.0714, 0.61, 58.9, 12.9), "Muon, cosine"),
        ("OPT-3", "adamw", "wsd", (1.0890, 0.79, 61.5, 14.2), "AdamW, WSD"),
        ("OPT-4", "muon", "wsd", (1.0702, 0.58, 58.8, 12.9), "Muon, WSD"),
        ("OPT-5", "sgd", "cosine", (1.4312, 2.37, 63.0, 9.8), "SGD, cosine"),
    ]
    names = [measure.name for measure in measures]
    runs = [
        Run(
            id=run,
            values=dict(zip(names, values, strict=True)),
            config={"optimizer": optimizer, "schedule": schedule, "train_steps": 2000, "seed": 0},
            wall=2000 * 32 / values[2],
            counts=(("devices", 4), ("attempts", 1)),
            texts=((FactKind.LABEL, "label", label), (FactKind.DEVICE, "kind", "TPU v6e-4")),
        )
        for run, optimizer, schedule, values, label in rows
    ]
    quote = "step 271: loss 3.902, no heartbeat since"
    runs.append(
        Run(
            id="OPT-6",
            values={},
            config={"optimizer": "lion", "schedule": "cosine", "train_steps": 2000, "seed": 0},
            status="lost",
            wall=310.0,
            texts=((FactKind.LABEL, "label", "Lion, cosine"), (FactKind.QUOTE, "", quote)),
        )
    )
    return facts_of(measures, runs, baseline="OPT-1", counts={"runs": 6, "succeeded": 5, "lost": 1})


THREADS = {
    "sweep": sweep,
    "serving": serving,
    "replicates": replicates,
    "memory": memory,
    "experts": experts,
    "pipeline": pipeline,
    "optimizers": optimizers,
}

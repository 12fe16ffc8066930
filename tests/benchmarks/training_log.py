"""Writes logs like those of a training run on many hosts, with errors planted in them that occur once each.

Run it with ``python tests/benchmarks/training_log.py FOLDER [--megabytes N] [--hosts N] [--services SHARE] [--needles N]
[--split] [--seed N]``. FOLDER gets ``train.log``, or with ``--split`` a file a host, and ``needles.json``.

The errors are what Python's own standard library raises: a list that nobody made with the digest in mind.
"""

# ruff: noqa: E501, S311 - a line of a log is one line here, and the dice keep no secrets

from __future__ import annotations

import argparse
import json
import random
import re
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

type Line = Callable[["Run"], str]

_RAISED = re.compile(r"""\braise (\w+Error)\(\s*("|')([^"'\\{}\n]+)\2""")
_NOT_RUN = {"site-packages", "test", "tests", "idlelib", "lib2to3"}


class Run:
    """The state of a run, and the dice."""

    def __init__(self, seed: int, hosts: int) -> None:
        self.dice = random.Random(seed)
        self.hosts = hosts
        self.host = 0
        self.step = 0
        self.clock = 3 * 3600.0
        self.id = self.hexadecimal(6)
        self.pids = [self.number(1000, 3_000_000) for _ in range(hosts)]
        self.addresses = [f"10.{self.number(120, 210)}.{self.number(0, 3)}.{self.number(2, 254)}" for _ in range(hosts)]

    def number(self, low: int, high: int) -> int:
        return low + int(self.dice.random() * (high - low + 1))

    def decimal(self, low: float, high: float, digits: int = 3) -> str:
        return f"{low + self.dice.random() * (high - low):.{digits}f}"

    def hexadecimal(self, length: int) -> str:
        return f"{self.dice.getrandbits(4 * length):0{length}x}"

    def choice(self, *options: str) -> str:
        return options[int(self.dice.random() * len(options))]

    @property
    def time(self) -> str:
        second = int(self.clock)
        return f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"

    @property
    def day(self) -> int:
        return 22 + int(self.clock) // 86_400

    def launcher(self) -> str:
        return f"[{self.time}] task=/power/run-{self.id}/{self.host} attempt=0 | "

    def absl(self, level: str, source: str) -> str:
        micros = self.number(0, 999_999)
        return f"{level}11{self.day} {self.time}.{micros:06d}  {self.pids[self.host]} {source}] "

    def rigging(self, level: str, logger: str) -> str:
        return f"{level}202611{self.day} {self.time} {140_000_000_000_000 + self.pids[self.host]} {logger} "

    def ray(self) -> str:
        return f"\x1b[36m(train_lm pid={self.pids[self.host]}, ip={self.addresses[self.host]})\x1b[0m "


def short(count: int) -> str:
    return f"{count / 1000:.2f}kit" if count >= 1000 else f"{count}it"


def info(logger: str, text: Line) -> Line:
    return lambda run: run.rigging("I", logger) + text(run)


def warning(logger: str, text: Line) -> Line:
    return lambda run: run.rigging("W", logger) + text(run)


TRAINING: list[tuple[int, Line]] = [
    (
        30,
        info(
            "tqdm_loggable.tqdm_logging",
            lambda r: (
                f"Progress on:train {short(r.step)}/51.6kit rate:{r.decimal(0.8, 1.9, 1)}s/it remaining:{r.number(0, 99)}:"
                f"{r.number(0, 59):02d}:11 elapsed:{r.number(0, 99)}:{r.number(0, 59):02d}:07 postfix:loss={r.decimal(2, 4)}"
            ),
        ),
    ),
    (6, info("tqdm_loggable.tqdm_logging", lambda r: f"Progress on:eval {r.number(1, 500)}it/500it rate:{r.decimal(5, 30, 1)}it/s postfix:loss={r.decimal(2, 4)}")),
    (10, info("levanter.callbacks", lambda r: f"{r.choice('paloma/c4_en', 'paloma/m2d2', 'uncheatable/wiki')} validation loss: {r.decimal(2, 4)}")),
    (4, info("levanter.checkpoint", lambda r: f"Saving temporary checkpoint at step {r.step}.")),
    (4, info("levanter.checkpoint", lambda r: f"Saved checkpoint to gs://bucket/checkpoints/{r.id}/step-{r.step} for step {r.step}")),
    (3, info("levanter.checkpoint", lambda r: f"Deleted old checkpoint gs://bucket/checkpoints/{r.id}/step-{r.step} in {r.decimal(0, 40, 2)} seconds")),
    (8, info("jax.experimental.array_serialization", lambda r: r.choice(f"Finished waiting at barrier for process {r.host}", "Waiting for previous serialization to finish."))),
    (4, warning("levanter.data.loader", lambda r: f"Data loader stalled {r.decimal(0.5, 20)}s. queue_size={r.number(0, 4)} fetch_batch_size=32 max_buffered=64")),
    (2, info("levanter.store", lambda r: f"Building cache for {r.choice('dclm', 'starcoder', 'proofpile')}...")),
    (6, info("iris.cluster.worker", lambda r: f"Task /power/run-{r.id}/{r.host} BUILDING->RUNNING after {r.decimal(0, 60, 1)}s")),
    (4, info("iris.cluster.controller", lambda r: f"event=assignment entity=/power/run-{r.hexadecimal(8)}/{r.host} worker=worker-{r.hexadecimal(8)}-{r.host}")),
    (4, info("iris.autoscaler", lambda r: f"event=scale_up group=tpu-v5p-64 reason=target={r.number(1, 9)} (demand={r.number(0, 9)}+buffer=0), pending={r.number(0, 9)}")),
    (3, info("iris.cluster.worker", lambda r: f"TaskAttempt finished: task_id=/power/run-{r.id}/{r.host} attempt={r.number(0, 9)} state=4 exit_code=0")),
    (3, warning("urllib3.connectionpool", lambda r: f"Connection pool is full, discarding connection: storage.example. Connection pool size: {r.number(10, 50)}")),
    (3, info("httpx", lambda r: f'HTTP Request: POST https://api.example/files/{r.id}/file_stream "HTTP/1.1 200 OK"')),
    (5, lambda r: f"2026-11-{r.day} {r.time}.{r.number(0, 999_999):06d}: E external/xla/xla/service/slow_operation_alarm.cc:73] Constant folding an instruction is taking > {r.number(1, 64)}s:"),
    (3, lambda r: f"2026-11-{r.day} {r.time}.{r.number(0, 999_999):06d}: E external/xla/xla/service/slow_operation_alarm.cc:140] The operation took {r.decimal(1, 9, 9)}s"),
    (3, lambda r: f'{r.absl("W", "curl_transport.cc:444")}Read "gs://bucket/data/c/{r.number(0, 999_999)}" got status UNAVAILABLE, retrying in {r.decimal(0, 30)}s'),
    (2, lambda r: f"{r.absl('I', 'tpu_version_flag.cc:53')}Using auto-detected TPU version TPU v5p"),
    (3, lambda r: f"{r.ray()}INFO:levanter.store.cache:Finished shard train-{r.number(0, 4095):05d}-of-04096 with {r.number(1000, 99_999)} rows"),
    (2, lambda r: f"{r.ray()}/usr/lib/python3.11/jax/_src/mlir.py:{r.number(500, 999)}: UserWarning: Some donated buffers were not usable: float32[{r.number(1, 64)},{r.number(128, 8192)}]."),
    (4, lambda r: f"2026-11-{r.day}T{r.time} - {r.host} - levanter.trainer_state - trainer_state.py:{r.number(10, 99)} - INFO :: Mean norm grad/{r.choice('embeddings', 'mlp', 'lm_head')} = {r.decimal(0, 3, 5)}"),
]  # fmt: skip

SERVICES: list[tuple[int, Line]] = [
    (5, lambda r: f'{r.addresses[r.host]} - - [22/Nov/2026:{r.time} +0000] "GET /{r.choice("api", "static", "health")}/{r.number(1, 9999)} HTTP/1.1" {r.choice("200", "200", "200", "304", "404")} {r.number(100, 99_999)}'),
    (5, lambda r: f"Nov {r.day} {r.time} node-{r.host} sshd[{r.number(100, 30_000)}]: Accepted publickey for {r.choice('ada', 'grace', 'alan')} from 10.0.{r.number(0, 9)}.{r.number(1, 254)} port {r.number(1024, 65_535)} ssh2"),
    (5, lambda r: f"Nov {r.day} {r.time} node-{r.host} kernel: [{r.decimal(1e4, 1e6, 6)}] eth{r.number(0, 3)}: link becomes ready"),
    (8, lambda r: f"2026-11-{r.day} {r.time},{r.number(0, 999):03d} INFO [block-{r.number(1, 40)}] datanode.DataNode: Receiving block blk_{r.number(10**9, 10**10)} src: /10.0.0.{r.number(1, 254)}:{r.number(1024, 65_535)} dest: /10.0.0.{r.number(1, 254)}:50010"),
    (5, lambda r: f'{{"time": "2026-11-{r.day}T{r.time}Z", "severity": "INFO", "pod": "web-{r.hexadecimal(10)}-{r.hexadecimal(5)}", "ms": {r.decimal(0, 900, 3)}, "path": "/v1/{r.choice("runs", "users", "jobs")}"}}'),
    (5, lambda r: f"2026-11-{r.day} {r.time},{r.number(0, 999):03d} INFO executor.Executor: Running task {r.number(0, 999)}.0 in stage {r.number(0, 99)}.0 (TID {r.number(0, 99_999)})"),
    (3, lambda r: f"2026-11-{r.day} {r.time},{r.number(0, 999):03d} WARN quorum.QuorumCnxManager: Send worker leaving thread for id {r.number(1, 99)} = {r.number(1, 9999)}"),
    (3, lambda r: f'time=2026-11-{r.day}T{r.time}Z level=info msg="reconciled {r.choice('deployment', 'service', 'ingress')}" name=app-{r.hexadecimal(4)} took={r.decimal(0, 9)}s'),
]  # fmt: skip

TRACEBACKS = [
    """Traceback (most recent call last):
  File "/app/levanter/main/train_lm.py", line 431, in main
    trainer.train(state, train_loader)
  File "/app/levanter/trainer.py", line {n}, in train_step
    raise RuntimeError("Loss is NaN")
RuntimeError: Loss is NaN""",
    """Traceback (most recent call last):
  File "/app/site-packages/tensorstore/_src.py", line 88, in read
    return await arr.read()
ValueError: UNAVAILABLE: Error reading "gs://bucket/{n}": HTTP response code: 503

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/levanter/data/loader.py", line 260, in __next__
    batch = next(self._batches)
RuntimeError: Data loading failed at batch {n}""",
    """Traceback (most recent call last):
  File "/app/levanter/trainer.py", line 555, in train_step
    result = self._jit_train_step_fn(state, *batch)
jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm. Used 21.95G of 15.48G hbm. Exceeded hbm capacity by {n}M.

Total hbm usage >= 22.47G:
    reserved        530.00M""",
]


def needles(count: int, dice: random.Random) -> list[str]:
    """Distinct error lines: what the standard library raises, as Python prints it or as a logger with a level does."""
    messages = {}
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if not _NOT_RUN & set(path.parts):
            for error, _, text in _RAISED.findall(path.read_text(encoding="utf-8", errors="replace")):
                messages[" ".join(text.split())] = error
    telling = sorted(text for text in messages if text.count(" ") > 1)
    return [f"{messages[text]}: {text}" for text in dice.sample(telling, count)]


def plant(run: Run, needle: str) -> str:
    """One of the ways in which an error comes to stand in a log; some have a level and no exception's name."""
    bare = needle.partition(": ")[2]
    ways = [
        run.launcher() + needle,
        needle,
        run.ray() + needle,
        run.launcher() + run.rigging("E", "levanter.trainer") + bare,
        run.launcher() + run.absl("F", "client.h:77") + bare,
        f"INFO ok\r{needle}\r",
    ]
    return ways[run.number(0, len(ways) - 1)]


def progress_bar(run: Run) -> str:
    frames = range(run.number(0, 30), run.number(31, 99), run.number(1, 4))
    return "".join(
        f"\rLoading:  {p:3d}%|{'#' * (p // 10):10s}| {p * 10}/1000 [00:{p // 2:02d}<00:{50 - p // 2:02d},  {run.decimal(1, 40, 2)}it/s]"
        for p in frames
    )


def configuration(run: Run) -> str:
    return '{"model": {' + ", ".join(f'"p{i}": {run.decimal(0, 1, 6)}' for i in range(run.number(200, 900))) + "}}"


def lines(run: Run, size: int, services: float, planted: list[str]) -> Iterator[tuple[int, str, str]]:
    """Host, line and the needle in it, if any, until ``size`` bytes are reached and all needles are planted."""
    dice = run.dice.random
    training, weights = zip(*((line, weight) for weight, line in TRAINING), strict=True)
    other, other_weights = zip(*((line, weight) for weight, line in SERVICES), strict=True)
    open_tracebacks: dict[int, tuple[str, list[str]]] = {}
    written, next_needle, rest = 0, 0, list(planted)
    while written < size or rest:
        run.clock += 0.02
        run.step += dice() < 0.002
        run.host = run.number(0, run.hosts - 1)
        needle, drawn = "", dice()
        if rest and written >= next_needle:
            needle = rest.pop()
            next_needle += size // (len(planted) + 1)
            line = plant(run, needle)
        elif open_tracebacks and drawn < 0.5:
            run.host = list(open_tracebacks)[run.number(0, len(open_tracebacks) - 1)]
            prefix, left = open_tracebacks[run.host]
            line = (run.ray() if prefix else run.launcher()) + left.pop(0)
            if not left:
                del open_tracebacks[run.host]
        elif (drawn := dice()) < services:
            line = run.dice.choices(other, other_weights)[0](run)
        elif drawn < services + 0.012:
            line = progress_bar(run)
        elif drawn < services + 0.0122 and run.host not in open_tracebacks:
            text = TRACEBACKS[run.number(0, 2)].format(n=run.number(1, 9999))
            open_tracebacks[run.host] = (run.choice("", "ray"), text.split("\n"))
            continue
        elif drawn < services + 0.01222:
            line = configuration(run)
        else:
            line = run.dice.choices(training, weights)[0](run)
            if not line.startswith("\x1b") and dice() < 0.6:
                line = run.launcher() + line
        written += len(line) + 1
        yield run.host, line, needle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--hosts", type=int, default=32)
    parser.add_argument("--services", type=float, default=0.0, help="share of lines of other programs")
    parser.add_argument("--needles", type=int, default=50)
    parser.add_argument("--split", action="store_true", help="a file for each host")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    run = Run(given.seed, given.hosts)
    names = [f"host-{host:02d}.log" for host in range(given.hosts)] if given.split else ["train.log"]
    files = [(given.folder / name).open("w", encoding="utf-8", newline="") for name in names]
    planted = []
    chosen = needles(given.needles, random.Random(given.seed))
    for host, line, needle in lines(run, int(given.megabytes * 1e6), given.services, chosen):
        files[host if given.split else 0].write(line + "\n")
        if needle:
            planted.append({"text": needle, "message": needle.partition(": ")[2], "host": host})
    for file in files:
        file.close()
    (given.folder / "needles.json").write_text(json.dumps(planted), encoding="utf-8")


if __name__ == "__main__":
    main()

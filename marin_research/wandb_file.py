"""Reads what a W&B run was told from the file it keeps, ``run-<id>.wandb``.

Knows nothing of live runs (``wandb_hook``) and of the file's bytes (``wandb_format``).

W&B writes the file in bursts, so a run that was killed leaves one that ends early or in the middle of a record. That is
no error: what is whole is read, and ``truncated`` says that something is missing.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from marin_research.errors import MarinResearchError
from marin_research.history import History
from marin_research.record import Metric, Unknown, WandbRun
from marin_research.wandb_format import (
    KEY_TAG,
    START,
    RecordField,
    RunField,
    TornError,
    UpdateField,
    fields,
    key_path,
    named,
    payloads,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class WandbFileError(MarinResearchError):
    """The file is not a W&B run file, or one of a format that this program does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WandbFile:
    """What a run told W&B, as far as it reached the file."""

    run_id: str
    entity: str | Unknown
    """Only there when the run named it: the server's default is not written."""
    project: str | Unknown
    name: str | Unknown
    """Display name; Unknown as long as W&B has not made one up."""
    config: dict[str, Any]
    """Without W&B's own ``_wandb``."""
    summary: dict[str, Any]
    """JSON values by name; nested names are joined with ``/``. Media (histograms, tables) are left out."""
    internal: dict[str, Any]
    """What W&B itself adds to the summary: ``_step``, ``_runtime``, ``_timestamp``, ``_wandb/...``."""
    history: dict[str, Metric]
    """Every number that was logged over time, folded. Media are left out."""
    exit_code: int | None
    """None when the file has no exit record."""
    finished: bool
    """The run was finished, with whatever exit code, and that reached the file."""
    truncated: bool
    """The file ends in the middle of a record, or holds bytes that are none."""


def read(path: Path, *, numbers: bool = True) -> WandbFile:
    """Read a run's file in one pass, holding no more of it than one record and the folded metrics.

    Args:
        path: ``.../run-<id>.wandb``.
        numbers: False leaves ``summary``, ``internal`` and ``history`` empty, which is several times as fast.

    Raises:
        WandbFileError: this is not a W&B run file.
        OSError: it cannot be read.
    """
    reader = _Reader(numbers=numbers)
    with path.open("rb") as file:
        start = file.read(len(START))
        if not START.startswith(start):
            raise WandbFileError(f"{path}: not a W&B run file; a run's folder holds it as run-<id>.wandb")
        whole = start == START and reader.take_all(file)
    return reader.result(path.stem.removeprefix("run-"), truncated=not whole)


def metrics(file: WandbFile, source: str) -> dict[str, Metric]:
    """Every number of the run by name: its history, and the summary's word on the final value.

    A value that was set in the summary by hand has no step and no time. Where the summary keeps only aggregates of a
    metric (``loss/min``), the metric keeps the last value of its history and each aggregate is a metric of its own.
    """
    found = {name: replace(metric, source=source) for name, metric in file.history.items()}
    for name, value in file.summary.items():
        number = _number(value)
        if number is None:
            continue
        logged = found.get(name)
        if logged is None:
            found[name] = Metric(name=name, value=number, source=source, non_finite=int(not math.isfinite(number)))
        elif logged.value != number and not (math.isnan(logged.value) and math.isnan(number)):
            found[name] = replace(logged, value=number, step=None, time=None)
    return found


def completed(run: WandbRun, file: WandbFile) -> WandbRun:
    """``run`` with what only its file can say: how a run ended in another process, for one."""
    return replace(
        run,
        entity=run.entity or file.entity,
        name=run.name or file.name,
        finished=run.finished or file.finished,
        exit_code=file.exit_code if run.exit_code is None else run.exit_code,
    )


class _Reader:
    """Takes a run's records one after the other."""

    def __init__(self, *, numbers: bool) -> None:
        self._takers: dict[int, Callable[[bytes], None]] = {
            RecordField.RUN: self._run,
            RecordField.CONFIG: self._config,
            RecordField.EXIT: self._exit,
        }
        if numbers:
            self._takers |= {RecordField.HISTORY: self._history, RecordField.SUMMARY: self._summary}
        self._facts: dict[int, str] = {}
        self._settings: dict[str, Any] = {}
        self._folds: dict[bytes, History] = {}
        self._summaries: dict[bytes, bytes] = {}
        self._media: set[str] = set()
        self._exit_code: int | None = None

    def take_all(self, file: BinaryIO) -> bool:
        """Take records up to the end, or to where they stop making sense (False)."""
        try:
            for payload in payloads(file):
                for number, value in fields(payload):
                    if taker := self._takers.get(number):
                        taker(value)
        except (TornError, IndexError, struct.error):
            return False
        return True

    def _run(self, record: bytes) -> None:
        for number, value in fields(record):
            if number == RunField.CONFIG:
                self._config(value)
            elif number in (RunField.ENTITY, RunField.PROJECT, RunField.NAME) and value:
                self._facts[number] = value.decode(errors="replace")

    def _config(self, record: bytes) -> None:
        for number, item in fields(record):
            keys, raw = key_path(item)
            *parents, last = (key.decode(errors="replace") for key in keys)
            place = self._settings
            for parent in parents:
                inner = place.get(parent)
                if not isinstance(inner, dict):
                    inner = place[parent] = {}
                place = inner
            if number == UpdateField.UPDATE:
                place[last] = _json(raw)
            elif number == UpdateField.REMOVE:
                place.pop(last, None)

    def _exit(self, record: bytes) -> None:
        code = dict(fields(record)).get(1, 0)
        self._exit_code = code - (1 << 64) if code >> 63 else code

    def _history(self, record: bytes) -> None:
        row: dict[bytes, bytes] = {}
        step: int | None = None
        for number, value in fields(record):
            if number == 1:
                name, raw = named(value)
                row[name] = raw
            elif number == 2:
                step = dict(fields(value)).get(1, 0)
        time = _float(row.get(b"_timestamp", b""))
        for name, raw in row.items():
            if name[:1] != b"_":
                self._fold(name, raw, step, time)

    def _fold(self, name: bytes, raw: bytes, step: int | None, time: float | None) -> None:
        value = _float(raw)
        if value is not None:
            fold = self._folds.get(name)
            if fold is None:
                fold = self._folds[name] = History()
            fold.add(value, step, time)
        elif name.endswith(b"/_type"):
            self._media.add(name.decode(errors="replace").removesuffix("_type"))

    def _summary(self, record: bytes) -> None:
        for number, item in fields(record):
            name, raw = named(item)
            if item[0] == KEY_TAG:  # a whole value, not a part of a nested one: it replaces what was there
                for part in [each for each in self._summaries if each.startswith(name + b"/")]:
                    del self._summaries[part]
            if number == UpdateField.UPDATE:
                self._summaries[name] = raw
            elif number == UpdateField.REMOVE:
                self._summaries.pop(name, None)

    def result(self, run_id: str, *, truncated: bool) -> WandbFile:
        summary: dict[str, Any] = {}
        for key, raw in sorted(self._summaries.items()):  # W&B writes the items of a row in any order
            summary.update(_leaves(key.decode(errors="replace"), _json(raw)))
        media = tuple(self._media | {name.removesuffix("_type") for name in summary if name.endswith("/_type")})
        history = {key.decode(errors="replace"): fold for key, fold in sorted(self._folds.items())}
        not_there = Unknown("not in the run's file")
        return WandbFile(
            run_id=run_id,
            entity=self._facts.get(RunField.ENTITY, not_there),
            project=self._facts.get(RunField.PROJECT, not_there),
            name=self._facts.get(RunField.NAME, not_there),
            config={name: value for name, value in self._settings.items() if name != "_wandb"},
            summary={n: v for n, v in summary.items() if not n.startswith(("_", *media))},
            internal={n: v for n, v in summary.items() if n.startswith("_")},
            history={n: f.metric(n, f"wandb:{run_id}") for n, f in history.items() if not n.startswith(media)},
            exit_code=self._exit_code,
            finished=self._exit_code is not None,
            truncated=truncated,
        )


def _json(raw: bytes) -> Any:
    """The JSON value, NaN and infinities included; None for what is none."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name}/{key}", inner)
    else:
        yield name, value


def _float(raw: bytes) -> float | None:
    """The number that a JSON text is, if it is one."""
    try:
        return float(raw)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)

"""What tells two runs apart, and whether comparing them is fair. Decides from the records alone.

A delta against the baseline means something when nothing but the tested axis changed. ``differences`` lists
everything that did; ``tested_axis`` finds what a sweep varies on purpose.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from marin_research.codec import encode
from marin_research.errors import RunNotFoundError
from marin_research.record import Attempt, Blob, Devices, Git, Run, Status, Step, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marin_research.store import RecordStore

_NO_PERCENT = Unknown("not a finite change of a finite value")


_MAY_CHANGE = ("command", "environment")
"""Between two tries at one run; whoever starts it again may ask for other output."""
_REPETITION = re.compile(r"(?:.*[._])?(?:seed|repetition|replicate|trial)")
_BETWEEN_WORDS = re.compile(r"""([\s='"]+)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One respect in which two runs differ."""

    what: str
    """``config``, ``command``, ``environment``, ``commit``, ``uncommitted changes``, ``device kind``, ``device count``,
    ``python`` or ``package``; ``record`` where one of them has no attempt, so that nothing can be compared."""
    key: str
    """Which config key, variable or package; empty where there is only one."""
    baseline: Any
    run: Any

    @property
    def name(self) -> str:
        return f"{self.what} {self.key}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One metric of a run against the baseline's."""

    metric: str
    baseline: float
    run: float
    difference: float
    """``run - baseline``, in the metric's unit."""
    percent: float | Unknown
    """Relative to the baseline's magnitude; Unknown where that is zero or not finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run against its baseline: the deltas of what both measured, and what makes the comparison unfair."""

    baseline: str
    run: str
    axis: tuple[str, ...]
    """Config keys that are varied on purpose."""
    deltas: tuple[Delta, ...]
    differences: tuple[Difference, ...]
    """Everything else that differs; empty means apples to apples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is not the same in two tries at one run, which should be the same in everything."""

    before: int
    """The earlier attempt's number."""
    after: int
    differences: tuple[Difference, ...]


def compare(baseline: Run, run: Run, *, axis: Sequence[str] = ()) -> Comparison:
    """Compare two runs.

    Args:
        baseline: the reference.
        run: the run that is judged.
        axis: config keys that are varied on purpose; they are no reason to call the comparison unfair.
    """
    names = [name for name in run.metrics if name in baseline.metrics]
    return Comparison(
        baseline=baseline.id,
        run=run.id,
        axis=tuple(axis),
        deltas=tuple(_delta(name, baseline, run) for name in names),
        differences=tuple(
            difference
            for difference in differences(baseline, run)
            if not (difference.what == "config" and difference.key in axis)
        ),
    )


def differences(baseline: Run, run: Run) -> tuple[Difference, ...]:
    """Every difference of config, command, environment, commit, devices and versions."""
    ours, theirs = run.attempt, baseline.attempt
    if ours is None or theirs is None:
        known = [Unknown("it never ran") if attempt is None else "recorded" for attempt in (theirs, ours)]
        return (Difference(what="record", key="", baseline=encode(known[0]), run=encode(known[1])),)
    configs = _mapping_differences("config", flat_config(baseline), flat_config(run))
    others = _differences_of_attempts(theirs, ours)
    if _command_says_only(configs, theirs.command.line, ours.command.line):
        others = tuple(each for each in others if each.what != "command")
    return (*configs, *others)


def changes_between_attempts(run: Run) -> tuple[Change, ...]:
    """Where a retry was not a repetition: another config, commit, uncommitted change, device or version."""
    changes = []
    for before, after in itertools.pairwise(run.attempts):
        configs = _mapping_differences(
            "config", *(flat_config(replace(run, attempts=(attempt,))) for attempt in (before, after))
        )
        others = [
            each for each in _differences_of_attempts(before, after) if each.what not in ("command", "environment")
        ]
        if configs or others:
            changes.append(Change(before=before.number, after=after.number, differences=(*configs, *others)))
    return tuple(changes)


def _command_says_only(configs: Sequence[Difference], theirs: str, ours: str) -> bool:
    """Whether two command lines differ in values alone that the configs record: ``--lr 0.1`` and ``--lr 0.3``.

    Each value of the configs stands for one word, so that a second flag which got the same value still counts.
    """
    before, after = _BETWEEN_WORDS.split(theirs), _BETWEEN_WORDS.split(ours)
    unexplained = list(configs)
    for words in zip(before, after, strict=False):
        if words[0] == words[1]:
            continue
        said = next((each for each in unexplained if _states(words, each)), None)
        if said is None:
            return False
        unexplained.remove(said)
    return len(before) == len(after)


def _states(words: tuple[str, str], difference: Difference) -> bool:
    return all(_is_value(*each) for each in zip(words, (difference.baseline, difference.run), strict=True))


def _is_value(word: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return word.lower() == str(value).lower()
    try:
        return float(word) == value
    except ValueError:
        return False


def _differences_of_attempts(theirs: Attempt, ours: Attempt) -> tuple[Difference, ...]:
    found = [
        *_value_difference("command", theirs.command.line, ours.command.line),
        *_mapping_differences("environment", theirs.environment, ours.environment),
        *_commit_difference(theirs.git, ours.git),
        *_value_difference("uncommitted changes", _named(theirs.git.diff), _named(ours.git.diff)),
        *_device_differences(theirs.devices, ours.devices),
        *_value_difference("python", theirs.python, ours.python),
        *_mapping_differences("package", theirs.packages, ours.packages),
    ]
    return tuple(found)


def tested_axis(runs: Sequence[Run]) -> tuple[str, ...]:
    """The config keys in which the given runs of one sweep differ."""
    configs = [flat_config(run) for run in runs if run.attempts]
    keys = dict.fromkeys(key for config in configs for key in config)
    return tuple(key for key in keys if len({json.dumps(encode(config.get(key))) for config in configs}) > 1)


def varied_on_purpose(runs: Sequence[Run], baseline: Run | None, of_thread: Sequence[Run]) -> tuple[str, ...]:
    """The config keys that some runs vary on purpose, seeds included.

    Of several runs all in which they or their baseline differ; of one run what its sweep varies, and of a run that was
    launched alone the one that it changed: of two, nobody could say which of them it was.
    """
    reference = [baseline] if baseline is not None else []
    if len(runs) != 1:
        return tested_axis([*runs, *reference])
    keys = flat_config(runs[0]).keys()
    sweep = [each for each in of_thread if each.launch == runs[0].launch and flat_config(each).keys() == keys]
    varied = tested_axis([*runs, *sweep, *reference])
    return varied if len(sweep) > 1 or len(varied) == 1 else ()


def is_repetition_key(key: str) -> bool:
    """Whether a config key only tells repetitions of one measurement apart: ``seed``, ``trainer.data_seed``."""
    return _REPETITION.fullmatch(key) is not None


def flat_config(run: Run) -> dict[str, Any]:
    """The config as ``{"optimizer.lr": 0.003}``; lists of plain values stay whole.

    The run's own output path is taken out of it: it always differs.
    """
    own_path = run.step.output_path if isinstance(run.step, Step) else None
    flat: dict[str, Any] = {}
    for key, value in run.config.items():
        _flatten(value, key, own_path, flat)
    return flat


def find_baseline(runs: Sequence[Run], of_thread: Sequence[Run], store: RecordStore | None = None) -> Run | None:
    """The run that some runs are measured against: the newest succeeded baseline.

    Of a launch that brought baselines of its own along, the newest of those, and first of those among the runs.

    Args:
        runs: the runs that are judged, as they were launched; one of them may be the baseline itself.
        of_thread: the thread's runs, oldest first.
        store: where the run behind a cached baseline is looked up.
    """
    marked = [each for each in _baselines(of_thread, store) if each.marked.thread in {run.thread for run in runs}]
    here = [each for each in marked if {each.marked.launch} == {run.launch for run in runs}]
    own = [each for each in here if each.marked.id in {run.id for run in runs}]
    newest = own or here or marked
    return newest[-1].result if newest else None


def baseline_before(baseline: Run, of_thread: Sequence[Run], store: RecordStore | None = None) -> Run | None:
    """The run that was the baseline before a launch made ``baseline`` it; None where that was the first."""
    marked = _baselines(of_thread, store)
    launch = next((each.marked.launch for each in reversed(marked) if each.result.id == baseline.id), None)
    at = next((index for index, each in enumerate(marked) if each.marked.launch == launch), 0)
    before = marked[at - 1].result if at else None
    return before if before is not None and before.id != baseline.id else None


class _Baseline(NamedTuple):
    marked: Run
    """The run that was declared to be the baseline."""
    result: Run
    """The run that made its output, which Marin's cache may have served."""


def _baselines(of_thread: Sequence[Run], store: RecordStore | None) -> list[_Baseline]:
    """The baselines that succeeded, in the order in which they were declared to be it."""
    marked = ((run, made_by(run, store)) for run in of_thread if run.baseline)
    return [_Baseline(run, made) for run, made in marked if made is not None and made.status is Status.SUCCEEDED]


def made_by(run: Run, store: RecordStore | None) -> Run | None:
    """The run that holds the result: itself, or for a cached one the run that made the output."""
    if run.status is not Status.CACHED:
        return run
    if not isinstance(run.cached_from, str) or store is None:
        return None
    try:
        return store.run(run.cached_from)
    except RunNotFoundError:
        return None


def _delta(name: str, baseline: Run, run: Run) -> Delta:
    reference, value = baseline.metrics[name].value, run.metrics[name].value
    difference = value - reference
    percent = 100 * difference / abs(reference) if reference else math.nan
    return Delta(
        metric=name,
        baseline=reference,
        run=value,
        difference=difference,
        percent=percent if math.isfinite(percent) and math.isfinite(reference) else _NO_PERCENT,
    )


def _flatten(value: Any, path: str, own_path: str | None, flat: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _flatten(item, f"{path}.{key}", own_path, flat)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            _flatten(item, f"{path}.{index}", own_path, flat)
    else:
        flat[path] = _without(value, own_path) if own_path else value


def _without(value: Any, own_path: str) -> Any:
    if isinstance(value, list):
        return [_without(item, own_path) for item in value]
    return value.replace(own_path, "<output_path>") if isinstance(value, str) else value


def _mapping_differences(what: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[Difference]:
    keys = dict.fromkeys([*theirs, *ours])
    return [
        Difference(what=what, key=key, baseline=theirs.get(key), run=ours.get(key))
        for key in keys
        if encode(theirs.get(key)) != encode(ours.get(key))
    ]


def _commit_difference(theirs: Git, ours: Git) -> list[Difference]:
    if theirs.code == ours.code and isinstance(ours.code, str):
        return []  # an entry in the logbook makes no other code
    return _value_difference("commit", theirs.commit, ours.commit)


def _named(diff: Blob | Unknown) -> str | Unknown:
    return f"diff {diff.sha256[:12]}" if isinstance(diff, Blob) else diff


def _value_difference(what: str, theirs: Any, ours: Any) -> list[Difference]:
    return [] if theirs == ours else [Difference(what=what, key="", baseline=encode(theirs), run=encode(ours))]


def _device_differences(theirs: Devices | Unknown, ours: Devices | Unknown) -> list[Difference]:
    if isinstance(theirs, Unknown) and isinstance(ours, Unknown):
        return []
    both = [(each.kind, each.count) if isinstance(each, Devices) else (each, each) for each in (theirs, ours)]
    return [
        *_value_difference("device kind", both[0][0], both[1][0]),
        *_value_difference("device count", both[0][1], both[1][1]),
    ]

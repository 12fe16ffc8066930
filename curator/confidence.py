"""The confidence label of a result: computed from the records, never chosen.

``exploratory`` is one run. ``replicated`` is two or more runs that differ only in seed or repetition and agree within
the tolerance. ``stable`` is replicated, and holds under every variant that the thread declares: at each value of each
declared config key, and on each declared kind of device, runs that differ in nothing else move away from the baseline
of that variant the same way; where nothing is the baseline, they agree within the tolerance.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from marin_research.compare import find_baseline, flat_config, is_repetition_key
from marin_research.record import Devices, Run
from marin_research.replicates import DEVICES, TOLERANCE_PERCENT, replicates, spread_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marin_research.thread import Thread


class Confidence(StrEnum):
    EXPLORATORY = "exploratory"
    REPLICATED = "replicated"
    STABLE = "stable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label with its reason."""

    confidence: Confidence
    reason: str
    runs: tuple[str, ...]
    """The run and its replicates, oldest first, then those of the variants."""
    metric: str = ""
    """What they were compared by."""
    spread_percent: float | None = None
    """Sample standard deviation over the replicates, relative to their mean; None for a single run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """The result under one value of a variant."""

    runs: tuple[str, ...] = ()
    why_not: str = ""
    """Why it does not hold, or cannot be known to."""


def label(run: Run, of_thread: Sequence[Run], metric: str, thread: Thread) -> Label:
    """How well supported ``run``'s value of ``metric`` is.

    Args:
        run: the run that holds the result.
        of_thread: the thread's runs, among which replicates and variants are looked for.
        metric: the primary metric that must agree.
        thread: what a result must hold across to be stable.
    """
    repeated = replicates(run, of_thread)
    values = _values(repeated, metric)
    ids = tuple(r.id for r in repeated)
    if len(values) < 2:
        return Label(confidence=Confidence.EXPLORATORY, reason="a single run", runs=(run.id,))
    spread = spread_percent(values)
    if spread is None:
        return Label(confidence=Confidence.EXPLORATORY, reason="the replicates have no finite mean", runs=ids)
    text = f"{len(values)} runs, {', '.join(ids)}{_seeds(repeated)}, spread {spread:.1f} % of {metric}"
    found = Label(confidence=Confidence.REPLICATED, reason=text, runs=ids, metric=metric, spread_percent=spread)
    if spread > TOLERANCE_PERCENT:
        return _as(found, Confidence.EXPLORATORY, f"{text}, too far to agree")
    return _across_variants(found, run, of_thread, thread)


def _as(found: Label, confidence: Confidence, reason: str, runs: Iterable[str] = ()) -> Label:
    return Label(
        confidence=confidence,
        reason=reason,
        runs=tuple(dict.fromkeys([*found.runs, *runs])),
        metric=found.metric,
        spread_percent=found.spread_percent,
    )


def _seeds(repeated: Sequence[Run]) -> str:
    """``, seeds 0-2``: what tells the repetitions apart, where it is one key."""
    keys = {key for run in repeated for key in flat_config(run) if is_repetition_key(key)}
    varied = [key for key in keys if len({repr(flat_config(run).get(key)) for run in repeated}) == len(repeated)]
    if len(varied) != 1:
        return ""
    seeds = [flat_config(run).get(varied[0]) for run in repeated]
    noun = varied[0].rpartition(".")[2]
    numbers = sorted(seed for seed in seeds if isinstance(seed, int))
    if len(numbers) == len(seeds) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f", {noun}s {numbers[0]}-{numbers[-1]}"
    return f", {noun}s {', '.join(map(str, seeds))}"


# -- across variants ------------------------------------------------------------------------------------------------


def _across_variants(found: Label, run: Run, of_thread: Sequence[Run], thread: Thread) -> Label:
    """The label of a replicated result, once it was looked for under every variant."""
    if not thread.variants:
        return found
    tried = {
        f"{key} {value}": _under(key, value, run, of_thread, found.metric)
        for key, values in thread.variants.items()
        for value in values
    }
    for each in tried.values():
        if each.why_not:
            return _as(found, Confidence.REPLICATED, f"{found.reason}; not stable: {each.why_not}")
    runs = [run_id for each in tried.values() for run_id in each.runs]
    return _as(found, Confidence.STABLE, f"{found.reason}; holds with {', '.join(tried)}", runs)


def _under(key: str, value: str, run: Run, of_thread: Sequence[Run], metric: str) -> _Tried:
    varied = [other for other in replicates(run, of_thread, apart=key) if _has(other, key, value)]
    values = _values(varied, metric)
    if not values:
        return _Tried(why_not=f"nothing that ended well differs only in {key} {value}")
    ids = tuple(other.id for other in varied)
    baseline = find_baseline([run], of_thread)
    like_baseline = replicates(baseline, of_thread, apart=key) if baseline is not None else []
    if baseline is None or run in like_baseline:
        spread = spread_percent([*values, *_values([run], metric)]) or 0.0
        far = spread > TOLERANCE_PERCENT
        return _Tried(runs=ids, why_not=f"with {key} {value} {metric} lies {spread:.1f} % apart" if far else "")
    mine, own = _values([run], metric), _values([baseline], metric)
    theirs = _values([other for other in like_baseline if _has(other, key, value)], metric)
    if not mine or not own or not theirs:
        return _Tried(why_not=f"there is no baseline with {key} {value}")
    here, gained = mine[0] - own[0], statistics.fmean(values) - statistics.fmean(theirs)
    return _Tried(
        runs=ids, why_not="" if here * gained > 0 else f"with {key} {value} it is not so against the baseline"
    )


def _has(run: Run, key: str, value: str) -> bool:
    if key != DEVICES:
        return str(flat_config(run).get(key)) == value
    devices = run.attempt.devices if run.attempt else None
    return isinstance(devices, Devices) and value.lower() in str(devices.kind).lower()


def _values(runs: Sequence[Run], metric: str) -> list[float]:
    return [run.metrics[metric].value for run in runs if metric in run.metrics]

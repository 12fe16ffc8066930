"""Settings that were run more than once: what they measured on average, how far that varies, and over which runs.

One lucky seed is no result; whoever tells of a setting that was repeated tells of the mean first.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import Fact, FactError, FactKind, mean, number, percent, render, spread
from marin_research.compare import flat_config, is_repetition_key
from marin_research.record import Status
from marin_research.replicates import replicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from marin_research.record import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """What the runs of one setting say together of one metric."""

    runs: tuple[str, ...]
    """Those that measured it, oldest first; at least two. Of the whole thread, as for the confidence label."""
    mean: Fact
    spread: Fact
    """Their sample standard deviation, in the metric's unit."""
    reference: Fact | None
    """What the mean is compared with: the baseline, or the mean over its repetitions; None for the baseline's own."""
    change: Fact | None
    """Of the mean against the reference; None where there is none, as against zero."""

    @property
    def said(self) -> str:
        """``mean eval/loss 2.363 nats/byte over 3 runs, standard deviation 0.01200 nats/byte``."""
        return (
            f"mean {self.mean.name} {render(self.mean)} over {len(self.runs)} runs, "
            f"standard deviation {render(self.spread)}"
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What a text may state of it."""
        named = (
            Fact(id=f"{run}/run", kind=FactKind.RUN, value=run, subject=run, source=f"{run}#/id") for run in self.runs
        )
        count = Fact(
            id=self.mean.id.replace("/mean/", "/count/"),
            kind=FactKind.COUNT,
            value=len(self.runs),
            name="runs",
            source=f"counted over {', '.join(self.runs)}",
        )
        return tuple(fact for fact in (*named, count, self.mean, self.spread, self.change) if fact is not None)


def repetitions(
    results: Iterable[Run],
    baseline: Run | None,
    of_thread: Sequence[Run],
    metric: str,
    facts_of: Callable[[Run], Iterable[Fact]],
) -> tuple[Repeated, ...]:
    """Each setting of some runs, and the baseline's, that was repeated.

    Args:
        results: the runs of a write-up.
        baseline: what they are compared with.
        of_thread: among which repetitions are looked for.
        metric: the name of what is averaged.
        facts_of: what the record of a run says.
    """
    by_setting: dict[str, list[Run]] = {}
    for run in of_thread:
        by_setting.setdefault(_setting(run), []).append(run)
    groups: dict[tuple[str, ...], list[Fact]] = {}
    for run in (*([baseline] if baseline else []), *results):
        if run.status is Status.SUCCEEDED:
            alike = replicates(run, by_setting.get(_setting(run), []))
            values = [fact for other in alike for fact in facts_of(other) if _is_value(fact, metric)]
            if len(values) > 1:
                groups[tuple(value.subject for value in values)] = values
    own = next((runs for runs in groups if baseline is not None and baseline.id in runs), None)
    reference = _mean(groups[own]) if own else _value(baseline, metric, facts_of)
    return tuple(_repeated(runs, values, None if runs == own else reference) for runs, values in groups.items())


def _repeated(runs: tuple[str, ...], values: Sequence[Fact], reference: Fact | None) -> Repeated:
    average = _mean(values)
    change = None
    if reference is not None:
        with contextlib.suppress(FactError):  # nothing is relative to zero
            change = percent(average, reference, fact_id=_id(values, "percent"))
    return Repeated(
        runs=runs,
        mean=average,
        spread=spread(values, fact_id=_id(values, "stdev")),
        reference=reference,
        change=change,
    )


def _setting(run: Run) -> str:
    """What repetitions have in common, for a start: comparing all runs with all in every respect takes too long."""
    return repr(sorted((key, repr(value)) for key, value in flat_config(run).items() if not is_repetition_key(key)))


def _mean(values: Sequence[Fact]) -> Fact:
    return mean(values, fact_id=_id(values, "mean"))


def _id(values: Sequence[Fact], what: str) -> str:
    return f"repeated/{values[0].subject}/{what}/{values[0].name}"


def _value(run: Run | None, metric: str, facts_of: Callable[[Run], Iterable[Fact]]) -> Fact | None:
    return next((fact for fact in facts_of(run) if _is_value(fact, metric)), None) if run is not None else None


def _is_value(fact: Fact, metric: str) -> bool:
    return fact.id == f"{fact.subject}/metric/{metric}" and math.isfinite(number(fact))

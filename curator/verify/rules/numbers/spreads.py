"""Judges by how much repetitions differ: ``the seed spread of 0.01``, ``the seeds differ by at most 0.01``."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit, stands
from curator.verify.known.quantities import changes
from curator.verify.known.wording import of_quantities
from curator.verify.reading.amounts import spread_at
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.numbers.statement import is_about
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.known.quantities import Quantity
    from curator.verify.reading.amounts import Amount
    from curator.verify.report import Collector
    from curator.verify.rules.numbers.statement import Statement

_SLACK = 1.001


def judge_spread(it: Statement, found: Collector) -> bool:
    """Judge a numeral by which repetitions are said to differ; whether it is one."""
    amount = spread_at(it.s, it.i)
    if amount is None:
        return False
    spreads = [each for values in _repeated(it, amount) for each in _spreads(values, bounded=it.side is not None)]
    right = [q for q in spreads if _is_so(it, q)]
    token = it.s.tokens[it.i]
    if right:
        found.support(token.start, token.end, right[0].ids)
    elif spreads:
        found.object_to(FindingKind.ATTRIBUTION, token, f"they differ by {of_quantities(spreads[:1], it.world)}")
    return bool(spreads)


def _is_so(it: Statement, spread: Quantity) -> bool:
    if it.side is None:
        return fit(replace(it.numeral, sign=""), spread, about=is_about(it.s, it.i)) is Fit.MATCH
    pair = stands(it.numeral, spread)
    if pair is None:
        return False
    written, stated = pair
    return stated <= written * _SLACK if it.side is Sense.DOWN else stated * _SLACK >= written


def _repeated(it: Statement, amount: Amount) -> Iterator[Sequence[Quantity]]:
    """What repetitions measured, for each group and metric that may be meant."""
    world, s = it.world, it.s
    named = frozenset(run for m in it.reader.runs if amount.low <= m.first < amount.high for run in m.meant)
    groups = dict.fromkeys(world.repeats(run) for run in sorted(named or world.all_runs))
    places = s.of_kind(TokenKind.METRIC)
    inside = [j for j in places if amount.low <= j < amount.high] or places
    names = {name for j in inside for name in s.names(j)} or {world.primary}
    for group in groups:
        for name in sorted(names):
            values = [q for run in sorted(group) if (q := world.values.get((run, name)))]
            values = [q for q in values if all(map(world.ended_well, q.runs))]
            if len(values) > 1:
                yield sorted(values, key=lambda q: q.value)


def _spreads(values: Sequence[Quantity], *, bounded: bool) -> Iterator[Quantity]:
    """By how much they differ: from the lowest to the highest and, where no bound is meant, by their deviation."""
    each = list(changes(values[-1], values[0]))
    yield from (change for change in each if change.kind is not FactKind.RATIO)
    if bounded:
        return
    deviation, mean = statistics.stdev(q.value for q in values), statistics.fmean(q.value for q in values)
    yield replace(each[0], kind=FactKind.DEVIATION, value=deviation)
    yield from (replace(q, value=100 * deviation / abs(mean)) for q in each if q.kind is FactKind.PERCENT and mean)

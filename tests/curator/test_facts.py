"""Facts: what is computed from them, and how they are written."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.facts import (
    MEASURED,
    Fact,
    FactError,
    FactKind,
    delta,
    from_json,
    mean,
    percent,
    ratio,
    render,
    spread,
    to_json,
)
from marin_research.thread import Direction

NUMBERS = st.one_of(st.integers(-(10**12), 10**12), st.floats(allow_nan=True, allow_infinity=True))


def metric(run: str, value: float, unit: str = "nats/byte", name: str = "eval/loss") -> Fact:
    return Fact(
        id=f"{run}/metric/{name}",
        kind=FactKind.METRIC,
        value=value,
        unit=unit,
        subject=run,
        name=name,
        better=Direction.LOWER,
        source=f"{run}#/metrics/eval~1loss/value",
    )


def test_changes_are_computed_and_name_both_ends():
    """A reviewer who doubts a difference must find the two values it was made of."""
    run, baseline = metric("LR-003", 2.0), metric("LR-001", 2.5)

    changes = [make(run, baseline) for make in (delta, percent, ratio)]

    assert [fact.value for fact in changes] == [-0.5, -20.0, 0.8]
    assert [fact.id for fact in changes] == [f"LR-003/{kind}/eval/loss" for kind in ("delta", "percent", "ratio")]
    assert all(fact.inputs == (run.id, baseline.id) for fact in changes)
    assert all(fact.better is Direction.LOWER for fact in changes)
    assert changes[0].formula == "LR-003/metric/eval/loss - LR-001/metric/eval/loss"


def test_a_difference_of_percentages_is_in_points():
    """A drop from 64.9 % to 61.2 % is 3.7 points; calling it 3.7 % would be another claim."""
    change = delta(metric("A-002", 61.2, unit="%"), metric("A-001", 64.9, unit="%"))

    assert change.unit == "points"


def test_percent_is_relative_to_the_magnitude_of_the_reference():
    """A score that rises from -2 to -1 went up, whatever the sign of the reference."""
    assert percent(metric("A-002", -1.0), metric("A-001", -2.0)).value == 50.0


@pytest.mark.parametrize("make", [percent, ratio])
def test_nothing_is_relative_to_zero(make):
    """An infinite improvement over a baseline of zero must never reach a draft."""
    with pytest.raises(FactError, match="state the difference instead"):
        make(metric("A-002", 1.0), metric("A-001", 0.0))


def test_only_like_can_be_compared():
    """A loss minus a throughput is no fact."""
    with pytest.raises(FactError, match="do not measure the same"):
        delta(metric("A-002", 1.0), metric("A-001", 1.0, unit="tok/s", name="throughput"))


def test_text_has_no_difference():
    """A config value that happens to be text must not be computed with."""
    with pytest.raises(FactError, match="not a number"):
        delta(metric("A-002", 1.0), dataclasses.replace(metric("A-001", 1.0), value="adamw"))


def test_replicates_give_a_mean_and_a_sample_deviation():
    """Replicates are summarised over all of them, with what they are named."""
    runs = [metric(f"A-00{n}", value) for n, value in enumerate((1.0, 2.0, 3.0), start=1)]

    average, deviation = mean(runs, subject="A"), spread(runs, subject="A")

    assert (average.value, average.id) == (2.0, "A/mean/eval/loss")
    assert (deviation.value, deviation.kind) == (1.0, FactKind.DEVIATION)
    assert deviation.inputs == tuple(fact.id for fact in runs)


def test_one_run_has_no_deviation():
    """A deviation over one run would be zero and look like certainty."""
    with pytest.raises(FactError, match="too few"):
        spread([metric("A-001", 1.0)])


@pytest.mark.parametrize(
    ("kind", "value", "unit", "written"),
    [
        (FactKind.METRIC, 2.30874, "nats/byte", "2.309 nats/byte"),
        (FactKind.METRIC, 412350.7, "tok/s", "412,351 tok/s"),
        (FactKind.METRIC, 0.00012345, "", "0.0001234"),
        (FactKind.METRIC, math.nan, "", "nan"),
        (FactKind.METRIC, -math.inf, "nats", "-inf nats"),
        (FactKind.METRIC, 61.2, "%", "61.20 %"),
        (FactKind.DELTA, 0.0424, "", "+0.04240"),
        (FactKind.DELTA, -0.0424, "", "-0.04240"),
        (FactKind.PERCENT, 12.345, "%", "+12.3 %"),
        (FactKind.PERCENT, -3.93, "%", "-3.9 %"),
        (FactKind.RATIO, 1.4074, "", "1.407x"),
        (FactKind.COUNT, 12, "", "12"),
        (FactKind.CONFIG, 0.003, "", "0.003"),
        (FactKind.CONFIG, 16384, "", "16384"),
        (FactKind.CONFIG, True, "", "true"),
        (FactKind.DURATION, 0.184, "s", "184 ms"),
        (FactKind.DURATION, 43.24, "s", "43.2 s"),
        (FactKind.DURATION, 72.0, "s", "1 min 12 s"),
        (FactKind.DURATION, 9073.0, "s", "2 h 31 min"),
        (FactKind.DURATION, math.nan, "s", "nan s"),
        (FactKind.NAME, "adamw", "", "adamw"),
        (FactKind.METRIC, None, "", "unknown"),
    ],
)
def test_a_value_is_written_with_the_digits_that_say_something(kind, value, unit, written):
    """What a draft shows is short enough to read and long enough to compare."""
    assert render(Fact(id="x", kind=kind, value=value, unit=unit, source="x")) == written


@given(st.sampled_from(sorted(FactKind)), NUMBERS | st.text() | st.booleans() | st.none(), st.text(max_size=8))
def test_every_fact_can_be_written(kind, value, unit):
    """A strange value in a record must not stop a draft."""
    assert isinstance(render(Fact(id="x", kind=kind, value=value, unit=unit, source="x")), str)


@given(
    st.lists(
        st.builds(
            Fact,
            id=st.text(),
            kind=st.sampled_from(sorted(MEASURED)),
            value=NUMBERS,
            unit=st.text(max_size=8),
            better=st.sampled_from(Direction) | st.none(),
            source=st.text(),
            inputs=st.lists(st.text(), max_size=3).map(tuple),
        ),
        max_size=5,
    )
)
def test_measured_facts_survive_json(facts):
    """The facts a reviewer checks against are those of the draft, NaN and infinities included."""
    read = from_json(json.loads(json.dumps(to_json(facts), allow_nan=False)))

    assert repr(read) == repr(tuple(facts))


@pytest.mark.parametrize("value", ["003", "NaN", "1e5", True, 3, 3.5, None])
def test_a_value_keeps_its_type(value):
    """A config value "003" is text, and true is not 1."""
    fact = Fact(id="x", kind=FactKind.CONFIG, value=value, source="x")

    (read,) = from_json(json.loads(json.dumps(to_json([fact]))))

    assert (type(read.value), read.value) == (type(value), value)

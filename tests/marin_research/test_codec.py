"""Everything that is known of a run survives being written as JSON and read again."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marin_research.codec import Unknown, decode, dump, encode
from marin_research.record import (
    Attempt,
    Blob,
    Command,
    Devices,
    End,
    ExceptionInfo,
    Gap,
    Git,
    Host,
    Metric,
    Output,
    Run,
    Status,
    Step,
    WandbRun,
)

# Text as it comes from file names and terminals: any characters, half of a surrogate pair too.
TEXT = st.text(st.characters(), max_size=20)
TIMES = st.integers(0, 2**52).map(lambda us: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us))
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
COUNTS = st.integers(0, 2**62)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
UNKNOWN = st.builds(Unknown, TEXT)
TEXTS = st.dictionaries(TEXT, TEXT, max_size=2)


def maybe(known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return known | UNKNOWN


def optional(known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | known


def tuples(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(items, max_size=2).map(tuple)


BLOBS = st.builds(Blob, sha256=TEXT, size=COUNTS)
COMMANDS = st.builds(Command, argv=tuples(TEXT), line=TEXT, cwd=TEXT, cwd_in_repository=maybe(TEXT))
GITS = st.builds(
    Git,
    commit=maybe(TEXT),
    branch=maybe(TEXT),
    remote=maybe(TEXT),
    tree=maybe(TEXT),
    dirty=maybe(st.booleans()),
    diff=maybe(BLOBS),
)
DEVICES = st.builds(
    Devices, kind=TEXT, count=COUNTS, local_count=maybe(COUNTS), process_count=maybe(COUNTS), source=TEXT
)
STEPS = st.builds(
    Step, name=TEXT, version=TEXT, fingerprint=TEXT, output_path=TEXT, artifact_type=TEXT, deps=tuples(TEXT)
)
METRICS = st.builds(
    Metric,
    name=TEXT,
    value=NUMBERS,
    unit=TEXT,
    source=TEXT,
    time=optional(TIMES),
    step=optional(COUNTS),
    count=COUNTS,
    first=optional(NUMBERS),
    minimum=optional(NUMBERS),
    maximum=optional(NUMBERS),
    non_finite=COUNTS,
    series=tuples(st.tuples(NUMBERS, NUMBERS)),
)
WANDB_RUNS = st.builds(
    WandbRun,
    id=TEXT,
    project=TEXT,
    entity=maybe(TEXT),
    name=maybe(TEXT),
    url=maybe(TEXT),
    mode=TEXT,
    path=TEXT,
    synced=st.booleans(),
    attribution=TEXT,
    reused=st.booleans(),
    finished=st.booleans(),
    exit_code=optional(COUNTS),
)
EXCEPTIONS = st.builds(ExceptionInfo, type=TEXT, message=TEXT, traceback=TEXT)
ENDS = st.builds(
    End,
    status=st.sampled_from(Status),
    time=TIMES,
    why=TEXT,
    exit_code=optional(COUNTS),
    signal=optional(TEXT),
    exception=optional(EXCEPTIONS),
)
HOSTS = st.builds(
    Host,
    index=COUNTS,
    name=TEXT,
    pid=COUNTS,
    writer=TEXT,
    started=TIMES,
    devices=maybe(DEVICES),
    output=maybe(st.builds(Output, size=COUNTS, lines=COUNTS, shared=st.booleans())),
    heartbeat=optional(TIMES),
    heartbeat_interval_s=st.floats(0.1, 1e6),
    end=optional(ENDS),
)
ATTEMPTS = st.builds(
    Attempt,
    number=COUNTS,
    launch=TEXT,
    started=TIMES,
    command=COMMANDS,
    git=GITS,
    config=st.dictionaries(TEXT, JSON, max_size=2),
    environment=TEXTS,
    python=TEXT,
    platform=TEXT,
    packages=TEXTS,
    declared_devices=maybe(DEVICES),
    hosts=tuples(HOSTS),
    end=optional(ENDS),
)
RUNS = st.builds(
    Run,
    id=TEXT,
    thread=TEXT,
    launch=TEXT,
    status=st.sampled_from(Status),
    why=TEXT,
    label=TEXT,
    declared=TIMES,
    hypothesis=optional(TEXT),
    baseline=st.booleans(),
    step=maybe(STEPS),
    cached_from=optional(maybe(TEXT)),
    attempts=tuples(ATTEMPTS),
    metrics=st.dictionaries(TEXT, METRICS, max_size=2),
    wandb=tuples(WANDB_RUNS),
    gaps=tuples(st.builds(Gap, what=TEXT, why=TEXT)),
    schema_version=COUNTS,
)


@given(RUNS)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_record_survives_json(run):
    """A fact that changes on its way to the disk and back would make every write-up about it wrong."""
    again = decode(Run, json.loads(dump(run)))

    # NaN equals nothing, so what is compared is how the two are shown.
    assert repr(again) == repr(run)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308])
def test_a_diverged_metric_is_a_number_again_when_it_is_read(value):
    """NaN and infinity are results; JSON readers elsewhere must still be able to read the store."""
    metric = Metric(name="loss", value=value, source="report", series=((1.0, value),))

    written = dump(metric)
    again = decode(Metric, json.loads(written, parse_constant=pytest.fail))

    assert repr(again) == repr(metric)


def test_non_finite_numbers_have_the_names_that_the_schema_promises():
    """Scripts that read ``--json`` look for exactly these strings."""
    assert encode([math.nan, math.inf, -math.inf]) == ["NaN", "Infinity", "-Infinity"]


def test_an_unknown_fact_is_neither_false_nor_missing():
    """``dirty: false`` and "git did not answer" lead to opposite conclusions about a result."""
    git = Git(**dict.fromkeys(("commit", "branch", "remote", "tree", "diff"), Unknown("no git")), dirty=False)

    again = decode(Git, json.loads(dump(git)))

    assert again.dirty is False
    assert again.commit == Unknown("no git")
    assert not again.commit


@dataclass(frozen=True, kw_only=True)
class Small:
    name: str
    count: int = 1
    tags: tuple[str, ...] = ()
    values: dict[str, float] = field(default_factory=dict)
    when: datetime | None = None


def test_a_record_of_another_version_is_read_as_far_as_it_is_known():
    """A store that an older or newer version wrote must stay readable."""
    assert decode(Small, {"name": "a", "invented_later": {"x": 1}}) == Small(name="a")


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "a",
        {},
        {"name": 1},
        {"name": None},
        {"name": "a", "count": "1"},
        {"name": "a", "count": 1.5},
        {"name": "a", "tags": "abc"},
        {"name": "a", "tags": {"a": 1}},
        {"name": "a", "tags": [1]},
        {"name": "a", "values": [1]},
        {"name": "a", "values": {"x": "many"}},
        {"name": "a", "values": {"x": 10**400}},
        {"name": "a", "values": {"x": None}},
        {"name": "a", "when": "yesterday"},
        {"name": "a", "when": 5},
        {"name": "a", "when": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_what_is_not_a_record_is_refused_and_never_half_read(raw):
    """Damaged data that is read as something else ends up in a published text."""
    with pytest.raises((TypeError, ValueError)):
        decode(Small, raw)


def test_times_are_written_in_utc_whatever_the_zone():
    """Records of hosts in different zones must sort by when things happened."""
    there = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=13)))

    assert encode(there) == "2026-11-21T12:30:00.000000Z"
    assert decode(Small, {"name": "a", "when": encode(there)}).when == there


def test_what_has_no_json_form_is_named():
    """A silent ``str()`` would put addresses of objects into records."""
    with pytest.raises(TypeError, match="object has no JSON form"):
        encode({"x": object()})

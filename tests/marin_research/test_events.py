"""A record is the fold of its events, whichever of them arrived, in whatever order the clocks say they happened."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.codec import encode
from marin_research.errors import EventFormatError
from marin_research.events import Event, Heartbeat, Kind, read_batch, write_batch
from marin_research.fold import fold
from marin_research.record import Attempt, Cause, Devices, End, Gap, Host, Metric, Output, Run, Status, Unknown

T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def event(
    kind: Kind, body: Any, seconds: float = 0, *, attempt: int = 1, writer: str = "h0-abc123", raw: bool = False
) -> Event:
    return Event(kind=kind, time=at(seconds), attempt=attempt, writer=writer, body=body if raw else encode(body))


def ended(status: Status = Status.SUCCEEDED, seconds: float = 60, why: str = "the step returned") -> End:
    return End(status=status, time=at(seconds), why=why)


def fold_now(events: list[Event], *, seconds: float = 100, heartbeats: list[Heartbeat] | None = None) -> Run:
    return fold("LR-001", events, gaps=[], heartbeats=heartbeats or [], now=at(seconds))


@pytest.fixture
def start(a_run, an_attempt, a_host):
    """The three events that every attempt begins with, for one writer."""

    def make(attempt: int = 1, seconds: float = 0, writer: str = "h0-abc123", index: int = 0) -> list[Event]:
        declared = replace(a_run(), attempts=(), status=Status.RUNNING, declared=at(seconds))
        begun: Attempt = replace(an_attempt(attempt, started=at(seconds)), hosts=(), end=None)
        host: Host = a_host(index, writer=writer, started=at(seconds), output=Unknown("no output was captured"))
        return [
            event(Kind.DECLARED, declared, seconds, attempt=attempt, writer=writer),
            event(Kind.ATTEMPT_STARTED, begun, seconds, attempt=attempt, writer=writer),
            event(Kind.HOST_STARTED, host, seconds, attempt=attempt, writer=writer),
        ]

    return make


def test_a_run_is_what_its_events_say(start):
    """The usual life of a run, from its declaration to its end."""
    devices = Devices(kind="TPU v4", count=4, source="jax")
    run = fold_now(
        [
            *start(),
            event(Kind.METRIC, Metric(name="loss", value=3.0, source="report"), 10),
            event(Kind.METRIC, Metric(name="loss", value=2.5, source="report"), 20),
            event(Kind.DEVICES, devices, 60),
            event(Kind.OUTPUT, Output(size=120, lines=3), 60),
            event(Kind.HOST_ENDED, ended(), 60),
            event(Kind.ATTEMPT_ENDED, ended(), 60),
        ]
    )

    assert run.status is Status.SUCCEEDED
    assert run.why == "the step returned"
    assert run.metrics["loss"].value == 2.5
    assert run.attempt is not None
    assert run.attempt.devices == devices
    assert run.attempt.wall_s == 60
    assert run.attempt.hosts[0].output == Output(size=120, lines=3)
    assert run.gaps == ()


def test_a_clock_that_jumps_back_hides_nothing(start):
    """NTP sets a fresh VM's clock back by minutes; the end of the run would then seem to come before its start."""
    run = fold_now(
        [
            *start(seconds=1000),
            event(Kind.METRIC, Metric(name="loss", value=3.0, source="report"), 1010),
            event(Kind.METRIC, Metric(name="loss", value=2.5, source="report"), 10),
            event(Kind.OUTPUT, Output(size=7, lines=1), 11),
            event(Kind.HOST_ENDED, ended(seconds=11), 11),
            event(Kind.ATTEMPT_ENDED, ended(seconds=11), 11),
        ]
    )

    assert run.status is Status.SUCCEEDED
    assert run.metrics["loss"].value == 2.5
    assert run.attempt is not None
    assert run.attempt.hosts[0].end == ended(seconds=11)
    assert run.attempt.hosts[0].output == Output(size=7, lines=1)


def test_a_retry_on_a_host_whose_clock_is_behind_still_decides(start):
    """The last attempt's outcome is the run's, whatever the clocks of two machines say."""
    run = fold_now(
        [
            *start(1, seconds=500),
            event(Kind.METRIC, Metric(name="loss", value=9.0, source="report"), 510),
            event(Kind.ATTEMPT_ENDED, ended(Status.PREEMPTED, 520, "killed by SIGTERM"), 520),
            *start(2, seconds=100, writer="h0-def456"),
            event(Kind.METRIC, Metric(name="loss", value=2.0, source="report"), 110, attempt=2, writer="h0-def456"),
            event(Kind.ATTEMPT_ENDED, ended(seconds=120), 120, attempt=2, writer="h0-def456"),
        ],
    )

    assert run.status is Status.SUCCEEDED
    assert [attempt.number for attempt in run.attempts] == [1, 2]
    assert [attempt.end.status for attempt in run.attempts if attempt.end] == [Status.PREEMPTED, Status.SUCCEEDED]
    assert run.metrics["loss"].value == 2.0


def test_a_retry_does_not_move_the_declaration(start):
    """`runs` sorts by when a run was declared; a retry a day later must not make it a new run."""
    run = fold_now([*start(1, seconds=0), *start(2, seconds=90_000, writer="h0-def456")])

    assert run.declared == at(0)


@given(data=st.data())
def test_how_the_writers_interleave_changes_nothing(data):
    """Two hosts' objects are listed in any order; only what each of them wrote is in order."""
    host = Host(index=0, name="a", pid=1, writer="h0", started=T0)
    declared = Run(id="LR-001", thread="t", launch="l", status=Status.RUNNING, why="", label="", declared=T0)
    first = [
        event(Kind.DECLARED, declared),
        event(Kind.HOST_STARTED, host),
        event(Kind.METRIC, Metric(name="a", value=1, source="report"), 5),
        event(Kind.METRIC, Metric(name="a", value=2, source="report"), 7),
    ]
    second = [
        event(Kind.HOST_STARTED, replace(host, index=1, writer="h1"), writer="h1"),
        event(Kind.METRIC, Metric(name="a", value=3, source="report"), 6, writer="h1"),
        event(Kind.GAP, Gap(what="output", why="lost"), 8, writer="h1"),
    ]
    picks = data.draw(st.permutations([0] * len(first) + [1] * len(second)))
    rest = [list(first), list(second)]
    mixed = [rest[pick].pop(0) for pick in picks]

    assert fold_now(mixed) == fold_now([*first, *second])


# Several hosts


def test_two_hosts_that_claim_one_index_stay_two_hosts(start):
    """A restarted pod worker takes the index of the one it replaces; what both printed must stay findable."""
    run = fold_now([*start(), *start(writer="h0-def456", seconds=5)[2:]])

    assert run.attempt is not None
    assert [host.writer for host in run.attempt.hosts] == ["h0-abc123", "h0-def456"]
    assert [host.index for host in run.attempt.hosts] == [0, 0]


@pytest.mark.parametrize("failed_at", [50, 70])
def test_one_failed_host_fails_the_attempt(start, failed_at):
    """A pod whose worker 1 crashed has no result, even if worker 0 returned, before it or after."""
    crash = ended(Status.FAILED, failed_at, "the step raised XlaRuntimeError")
    run = fold_now(
        [
            *start(),
            *start(writer="h1-def456", index=1)[2:],
            event(Kind.ATTEMPT_ENDED, ended(), 60),
            event(Kind.ATTEMPT_ENDED, crash, failed_at, writer="h1-def456"),
        ]
    )

    assert run.status is Status.FAILED
    assert run.why == "the step raised XlaRuntimeError"


def test_hosts_are_listed_by_index_whoever_started_first(start):
    """`logs --host 1` and the devices of a pod are looked up by index."""
    run = fold_now([*start(writer="h1-def456", index=1), *start(seconds=3)[2:]])

    assert run.attempt is not None
    assert [host.index for host in run.attempt.hosts] == [0, 1]


# Signs of life


@pytest.mark.parametrize(("silent_s", "status"), [(89, Status.RUNNING), (91, Status.LOST), (86_400, Status.LOST)])
def test_a_run_is_lost_after_three_heartbeats(start, silent_s, status):
    """A preempted VM says nothing; waiting for its run would be waiting for ever."""
    beat = Heartbeat(writer="h0-abc123", time=at(300), size=10, lines=1)

    run = fold_now(start(), seconds=300 + silent_s, heartbeats=[beat])

    assert run.status is status
    assert run.attempt is not None
    assert run.attempt.hosts[0].heartbeat == at(300)


def test_the_heartbeat_of_one_living_host_keeps_a_run_alive(start):
    """One slow network link must not declare a whole pod dead."""
    events = [*start(), *start(writer="h1-def456", index=1)[2:]]

    run = fold_now(events, seconds=1000, heartbeats=[Heartbeat(writer="h1-def456", time=at(990))])

    assert run.status is Status.RUNNING


def test_an_attempt_that_ended_is_never_lost(start):
    """Heartbeats stop when a run is over; that is no news."""
    run = fold_now([*start(), event(Kind.ATTEMPT_ENDED, ended(), 60)], seconds=10**7)

    assert run.status is Status.SUCCEEDED


def test_a_reader_whose_clock_is_behind_does_not_declare_a_run_lost(start):
    """A laptop that is a minute behind the cluster looks at a run that has just started."""
    assert fold_now(start(), seconds=-60).status is Status.RUNNING


def test_a_heartbeat_tells_how_much_was_printed_while_a_run_lasts(start):
    """It is the only sign of progress from a machine that cannot be reached."""
    run = fold_now(start(), heartbeats=[Heartbeat(writer="h0-abc123", time=at(90), size=500, lines=9)])

    assert run.attempt is not None
    assert run.attempt.hosts[0].output == Output(size=500, lines=9)


# Runs without a try of their own


@pytest.mark.parametrize("source", ["LR-007", Unknown("no recorded run made this output")])
def test_a_cached_run_points_to_the_run_that_made_its_output(a_run, source):
    """The numbers of a cached step are another run's; without the pointer they are nobody's."""
    declared = a_run(attempts=(), status=Status.CACHED)
    why = "served from Marin's cache"
    run = fold_now(
        [
            event(Kind.DECLARED, declared, attempt=0, writer="launcher"),
            event(Kind.CACHED, {"from": encode(source), "why": why}, attempt=0, writer="launcher", raw=True),
        ],
        seconds=10**6,
    )

    assert (run.status, run.why, run.cached_from) == (Status.CACHED, why, source)


def test_a_run_that_never_started_says_which_failure_kept_it(a_run):
    """A missing row in a sweep's table needs its reason."""
    run = fold_now(
        [
            event(Kind.DECLARED, a_run(attempts=(), status=Status.CANCELLED), attempt=0, writer="launcher"),
            event(Kind.NOT_RUN, {"why": "not run: data failed"}, attempt=0, writer="launcher"),
        ],
        seconds=10**6,
    )

    assert (run.status, run.why) == (Status.CANCELLED, "not run: data failed")


# What cannot be read


def test_the_end_counts_even_when_the_start_is_what_is_missing():
    """A damaged first object must not turn a finished run into one that seems to run."""
    run = fold_now([event(Kind.ATTEMPT_ENDED, ended(), 60)], seconds=10**6)

    assert run.status is Status.SUCCEEDED


def test_a_run_of_which_nothing_can_be_read_is_lost_and_not_running():
    """Somebody would wait for it."""
    run = fold_now([], seconds=10**6)

    assert run.status is Status.LOST
    assert "declaration" in run.why


def test_a_body_that_does_not_fit_costs_that_fact_and_no_other(start):
    """One fact of a changed shape must not hide a whole run from `runs` and `show`."""
    run = fold_now(
        [
            *start(),
            event(Kind.DEVICES, {"kind": 5}, 10, raw=True),
            event(Kind.METRIC, ["loss", 2.5], 20, raw=True),
            event(Kind.CACHED, {}, 30, raw=True),
            event(Kind.METRIC, Metric(name="loss", value=2.5, source="report"), 40),
            event(Kind.ATTEMPT_ENDED, ended(), 60),
        ]
    )

    assert run.status is Status.SUCCEEDED
    assert run.metrics["loss"].value == 2.5
    assert [gap.what for gap in run.gaps] == ["devices of attempt 1", "metric of attempt 1", "cached of attempt 1"]


def test_an_event_that_was_invented_later_becomes_a_gap_beside_the_ones_that_are_known(start):
    """Two versions of the program write into one store while a cluster is being updated."""
    batch = json.loads(write_batch(start()))
    batch["events"].insert(1, {"kind": "loss_spike", "time": encode(T0), "attempt": 1, "writer": "h0", "body": {}})
    batch["events"].append("not an event")

    events, gaps = read_batch("events/1.json", json.dumps(batch).encode())

    assert events == start()
    assert ["event 1 of events/1.json" in gap.what for gap in gaps] == [True, False]
    assert "loss_spike" in gaps[0].why


def test_fields_that_were_invented_later_are_passed_over(start):
    """An older program reads what a newer one of the same format wrote."""
    batch = json.loads(write_batch(start()))
    batch["written_by"] = "2.0"
    for item in batch["events"]:
        item["trace"] = "abc"
        item["body"]["invented_later"] = {"x": [1]}

    events, gaps = read_batch("events/1.json", json.dumps(batch).encode())

    assert fold_now(events) == fold_now(start())
    assert gaps == []


def test_an_end_in_words_that_were_invented_later_is_still_an_end(start):
    """The run would be called lost, or be waited for, although its record says what became of it."""
    ends = [event(kind, {**encode(ended()), "cause": "cosmic_ray"}) for kind in (Kind.HOST_ENDED, Kind.ATTEMPT_ENDED)]
    paused = [event(Kind.ATTEMPT_ENDED, {**encode(ended()), "status": "paused", "why": "the cluster is asleep"})]

    known, later = fold_now([*start(), *ends]), fold_now([*start(), *paused])

    assert (known.status, known.why) == (Status.SUCCEEDED, "the step returned")
    assert known.attempt is not None
    assert known.attempt.end == replace(ended(), cause=Cause.UNKNOWN)
    assert later.status is Status.LOST
    assert "a newer version of this program says that it ended, as paused: the cluster is asleep" in later.why


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 40,
        b"[]",
        b'"text"',
        b'{"events": []}',
        b'{"format": "marin-research/events/2", "events": []}',
        b'{"format": "marin-research/events/1"}',
        b'{"format": "marin-research/events/1", "events": {}}',
        b"\xff\xfe{}",
        b"[" * 100,
        b"[" * 100_000,
    ],
)
def test_an_object_that_is_not_a_batch_is_named_and_left_alone(data):
    """The error goes into the record as a gap; it must say which object it was about."""
    with pytest.raises(EventFormatError, match=r"LR-001/events/x\.json.*left as it is"):
        read_batch("LR-001/events/x.json", data)


def test_no_beginning_of_a_batch_passes_for_the_whole(start):
    """Half of what happened, taken for all of it, would be a wrong record instead of one with a gap."""
    whole = write_batch(start())

    for size in range(len(whole) - 1):  # the last byte is a newline
        with pytest.raises(EventFormatError, match="cut off"):
            read_batch("x.json", whole[:size])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_diverged_metric_passes_through_an_event(value):
    """The loss that went to NaN is the finding of many a run."""
    written = write_batch([event(Kind.METRIC, Metric(name="loss", value=value, source="report", minimum=value))])

    events, _ = read_batch("x.json", written)
    metric = fold_now(events).metrics["loss"]

    assert repr(metric.value) == repr(metric.minimum) == repr(value)

"""A run of which no end was recorded: what may be said of it, and what may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from marin_research.events import Heartbeat
from marin_research.fold import fold
from marin_research.liveness import presumed_end, why_running
from marin_research.machine import Machine, this_machine
from marin_research.record import Cause, Evidence, Progress, Status, Unknown

T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE = Machine("worker-0", "boot-1")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@pytest.fixture
def silent(an_attempt, a_host):
    """An attempt whose last heartbeat came after five minutes, with what else is said of its host."""

    def make(**said):
        host = a_host(started=T0, heartbeat=at(300), boot="boot-1", **said)
        return an_attempt(started=T0, hosts=(host,), end=None)

    return make


def test_silence_alone_is_a_loss_without_a_cause(silent):
    """Calling a silent run failed or preempted would be a guess that ends up in a logbook."""
    end = presumed_end(silent(), now=at(391), here=HERE)

    assert end is not None
    assert (end.status, end.cause, end.time) == (Status.LOST, Cause.UNKNOWN, at(300))
    assert end.why == (
        "nothing was heard of it after 2026-11-22 12:05:00 UTC (heartbeats are 30 s apart) "
        "and nothing said how it ended"
    )
    assert presumed_end(silent(), now=at(389), here=HERE) is None


@pytest.mark.parametrize(
    ("cause", "status"), [(Cause.PREEMPTED, Status.PREEMPTED), (Cause.OUT_OF_MEMORY, Status.FAILED)]
)
def test_what_was_noted_just_before_the_silence_explains_it(silent, cause, status):
    """A preempted VM has seconds to say so; its run must not stand there as lost for no reason."""
    seen = Evidence(time=at(301), source="GCE metadata", text="instance/preempted is TRUE", cause=cause)

    end = presumed_end(silent(evidence=(seen,)), now=at(10_000), here=HERE)

    assert end is not None
    assert (end.status, end.cause, end.evidence) == (status, cause, (seen,))
    assert end.why.endswith("; GCE metadata: instance/preempted is TRUE")


def test_what_decides_nothing_is_told_and_changes_nothing(silent):
    """That a recorder was killed says nothing bad of the command that it recorded."""
    seen = Evidence(time=at(301), source="sidecar", text="the recorder (process 7) ended; the command still ran")

    end = presumed_end(silent(evidence=(seen,)), now=at(10_000), here=HERE)

    assert end is not None
    assert (end.status, end.cause) == (Status.LOST, Cause.UNKNOWN)
    assert "the command still ran" in end.why


def test_a_machine_that_was_started_anew_took_its_runs_along(silent):
    """The boot ID is evidence that no heartbeat can give: this run will never come back."""
    end = presumed_end(silent(), now=at(391), here=Machine("worker-0", "boot-2"))

    assert end is not None
    assert (end.status, end.cause) == (Status.LOST, Cause.MACHINE_LOST)
    assert "the machine worker-0 has been started anew since" in end.why


@pytest.mark.parametrize("here", [Machine("laptop", "boot-2"), Machine("worker-0", Unknown("no such file")), None])
def test_another_machine_says_nothing_about_a_restart(silent, here):
    """Every machine has its own boot ID; a reader elsewhere would declare every machine restarted."""
    end = presumed_end(silent(), now=at(391), here=here)

    assert end is not None
    assert end.cause is Cause.UNKNOWN


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(), "its heartbeat is fresh"),
        (Progress(output_at=at(290)), "its heartbeat is fresh; it last printed 20.0 s ago"),
        (Progress(output_at=at(-3290)), "its heartbeat is fresh; it has printed nothing for 1 h 0 min: it may hang"),
        (
            Progress(output_at=at(309), step=4600, step_at=at(300)),
            "its heartbeat is fresh; training step 4600 was reached 10.0 s ago; it last printed 1.0 s ago",
        ),
        (
            Progress(output_at=at(309), step=4600, step_at=at(-600)),
            (
                "its heartbeat is fresh; training step 4600 was reached 15 min 10 s ago, and none since: it may hang; "
                "it last printed 1.0 s ago"
            ),
        ),
    ],
)
def test_a_run_that_lives_says_whether_it_moves(silent, progress, said):
    """A hung run looks like a running one for days unless somebody compares its step with yesterday's."""
    assert why_running(silent(progress=progress), now=at(310)) == said


def test_a_heartbeat_from_the_future_is_no_sign_of_life(silent):
    """A run that was killed before its machine's clock was set right would seem to live until that time has come."""
    said = why_running(silent(progress=Progress(output_at=at(299))), now=at(300 - 3600))

    assert said.startswith("its last heartbeat is 1 h 0 min ahead of the clock here")
    assert "fresh" not in said


def test_a_heartbeat_brings_the_progress_into_the_record(store, a_run, keep, a_host, an_attempt):
    """`show` is asked from a laptop, where nothing of the run can be seen but its heartbeat."""
    host = a_host(started=T0, output=Unknown("no output was captured"))
    keep(a_run(attempts=(an_attempt(hosts=(host,), end=None),)))
    progress = Progress(output_at=at(60), step=7, step_at=at(50))
    store.beat("LR-001", Heartbeat(writer=host.writer, time=at(61), size=10, lines=1, progress=progress))

    run = store.run("LR-001", now=at(62))

    assert run.attempt is not None
    assert run.attempt.hosts[0].progress == progress
    assert "training step 7 was reached 12.0 s ago" in run.why


def test_an_attempt_that_fell_silent_has_an_end_even_when_another_followed(a_run, keep, store, an_attempt, a_host):
    """The history of a run that was resumed must say what became of its first try."""
    first = an_attempt(1, started=T0, hosts=(a_host(started=T0),), end=None)
    second = an_attempt(2, started=at(1000))
    run = keep(a_run(attempts=(first, second)))

    assert [attempt.end.status for attempt in run.attempts] == [Status.LOST, Status.SUCCEEDED]
    assert run.status is Status.SUCCEEDED
    assert fold("LR-002", [], gaps=[], heartbeats=[], now=T0).status is Status.LOST


def test_this_machine_says_which_start_of_it_this_is():
    """Without it, a restart could never be told from a silence."""
    assert isinstance(this_machine().boot, str)
    assert this_machine() == this_machine()

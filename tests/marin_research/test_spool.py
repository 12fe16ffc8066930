"""What is recorded for a store that is far away is kept here at once and gets there, whatever the network does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marin_research.codec import encode
from marin_research.errors import StoreError, ThreadError
from marin_research.events import Event, Heartbeat, Kind
from marin_research.object_storage import FsspecObjects
from marin_research.output import read_output
from marin_research.record import Metric, Retry, Run, Status
from marin_research.spool.folder import SpoolFolder, SpoolFullError
from marin_research.spool.objects import DistantObjects
from marin_research.spool.patience import ALLOWANCE_S, FIRST_S, Patience
from marin_research.spool.store import SpooledStore
from marin_research.spool.upload import Sender, wait_until_sent
from marin_research.store import RecordStore, has_prefix

pytestmark = pytest.mark.usefixtures("senders")


def declared(run_id: str) -> Run:
    return Run(id=run_id, thread="lr", launch="l", status=Status.RUNNING, why="", label="", declared=datetime.now(UTC))


def write(store: RecordStore, run_id: str, sequence: int = 0, kind: Kind = Kind.DECLARED, body: object = None) -> None:
    fact = declared(run_id) if kind is Kind.DECLARED else body
    event = Event(kind=kind, time=datetime.now(UTC), attempt=1, writer="h0", body=encode(fact))
    store.write(run_id, "h0", sequence, [event])


def until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def sent(url: str) -> list[str]:
    """Every object that the store itself has, in the order of their names."""
    objects = FsspecObjects(url)
    return sorted(path.removeprefix(f"{objects._root}/") for path in objects._fs.find(objects._root))


# While the store answers


def test_what_is_recorded_is_sent(s3):
    """By a process of its own, while the experiment goes on."""
    store = SpooledStore(s3.url)
    store.prepare()
    store.own_prefix("LR", "lr")
    run_id = store.claim_id("LR", launch="l")
    assert run_id == "LR-001"
    assert store.claim_attempt(run_id) == 1
    write(store, run_id)
    store.beat(run_id, Heartbeat(writer="h0", time=datetime.now(UTC)))
    store.remember_output("/out", run_id)
    store.put_thread("lr", {"topic": "lr"})
    blob = store.put_blob(b"diff")

    until(store.objects.spool.is_empty)
    elsewhere = RecordStore(s3.url)
    elsewhere.objects = FsspecObjects(s3.url)

    assert elsewhere.run(run_id).thread == "lr"
    assert elsewhere.newest_attempt(run_id) == 1
    assert elsewhere.runs_of_output("/out") == ["LR-001"]
    assert elsewhere.blob(blob) == b"diff"
    until(lambda: elsewhere.thread("lr") == {"topic": "lr"})
    until(lambda: "runs/LR-001/heartbeats/h0.json" in sent(s3.url))


def test_what_waits_is_read_with_the_rest(s3):
    """`show` on the machine where it runs must not lag behind the network."""
    store = SpooledStore(s3.url)
    write(store, "LR-001")
    until(store.objects.spool.is_empty)
    s3.network("hang")
    write(store, "LR-001", 1, Kind.METRIC, Metric(name="loss", value=1.0, source="report"))

    reader = RecordStore(s3.url)
    assert isinstance(reader.objects, DistantObjects)
    reader.objects.store.deadline_s = 0.5
    assert len(reader.objects.here.names("runs/LR-001/events")) == 1
    run = reader.run("LR-001")
    assert "loss" in run.metrics
    assert run.gaps[0].what == "what the store has"
    reader.objects.store.deadline_s = 3600
    assert reader.run("LR-001") == run  # what has just not answered is not asked again and again
    s3.network("pass")

    run = RecordStore(s3.url).run("LR-001")
    assert (run.thread, run.metrics["loss"].value, run.gaps) == ("lr", 1.0, ())


CLAIMERS = """
    import os, sys
    from marin_research.spool import objects, patience
    from marin_research.store import recording_store
    import s3fs  # once for all
    patience.ALLOWANCE_S = patience.FIRST_S = objects._OPEN_S = 3600.0  # they share few cores here
    url, folder = sys.argv[1:]
    begin, go = os.pipe()
    for number in range(20):
        if os.fork() == 0:
            os.close(go)
            os.environ["XDG_STATE_HOME"] = f"{folder}/machine-{number % 2}"
            store = recording_store(url)
            os.read(begin, 1)  # all at once, when the other end is closed
            with open(f"{folder}/{number}", "x") as file:
                file.write(store.claim_id("LR", launch="l"))
            os._exit(0)
    os.close(go)
    for _ in range(20):
        os.wait()
"""


def test_twenty_processes_on_two_machines_get_every_id_exactly_once(s3, tmp_path):
    """Two runs under one ID would be one record of two experiments; a lost one would look like a hidden result."""
    subprocess.run([sys.executable, "-c", textwrap.dedent(CLAIMERS), s3.url, str(tmp_path)], check=True)

    claimed = [(tmp_path / str(number)).read_text() for number in range(20)]
    assert sorted(claimed) == [f"LR-{number:03d}" for number in range(1, 21)]


def test_a_prefix_belongs_to_one_thread_there_too(s3):
    """The answer is remembered: it never changes, and asking costs a launch a request."""
    SpooledStore(s3.url).own_prefix("LR", "lr")
    s3.network("hang")
    SpooledStore(s3.url).own_prefix("LR", "lr")
    s3.network("pass")

    with pytest.raises(ThreadError, match="belongs to thread 'lr'"):
        SpooledStore(s3.url).own_prefix("LR", "other")


# While it does not


@pytest.fixture
def impatient(monkeypatch):
    """A launch whose patience has run out, whatever the time of day."""
    from marin_research.spool import objects

    patience = Patience(clock=lambda: 0.0)
    patience.failed(ALLOWANCE_S, "no answer")
    monkeypatch.setattr(objects, "_patience_with", lambda url: patience)


def test_without_the_store_runs_are_recorded_under_ids_of_this_machine(s3, impatient, caplog):
    """The experiment starts; the record gets there when the network is back, and keeps its name."""
    s3.network("hang")
    store = SpooledStore(s3.url)
    assert store.prepare() == b""
    store.own_prefix("LR", "lr")
    first, second = (store.claim_id("LR", launch="l") for _ in range(2))
    assert store.claim_attempt(first) == 1
    assert store.newest_attempt(first) == 1
    assert store.newest_attempt(second) == 0
    write(store, first)
    assert [record.message for record in caplog.records if "under IDs of its own" in record.message]

    assert first.startswith("LR-OFF-")
    assert first.endswith("-001")
    assert second == first.replace("-001", "-002")
    assert has_prefix(first, "LR")
    assert not has_prefix(first, "MOE")
    s3.network("pass")
    until(store.objects.spool.is_empty)
    elsewhere = RecordStore(s3.url)
    assert elsewhere.run_ids("LR") == [first]
    assert elsewhere.run(first).id == first
    assert "store.json" in sent(s3.url)
    assert SpooledStore(s3.url)._own_id("LR") == first.replace("-001", "-003")


def test_an_id_that_is_asked_for_by_name_needs_the_store(far, impatient):
    """Somebody else may have it."""
    far.go_away()

    with pytest.raises(StoreError, match="leave --id out"):
        SpooledStore(far.url).claim_exact_id("LR-007", "LR", launch="l")


def test_a_claim_without_an_answer_is_asked_for_again(far):
    """The store may have made it: another number would leave a hole in the list, and look like a hidden result."""
    store = SpooledStore(far.url)
    assert store.claim_id("LR", launch="a") == "LR-001"
    store.objects.spool.leave_asked("ids/LR/000002.json", b"ours")
    store.objects.spool.leave_asked("ids/LR/000003.json", b"ours, too")
    FsspecObjects(far.url).claim("ids/LR/000002.json", b"somebody else's")
    FsspecObjects(far.url).claim("ids/LR/000003.json", b"ours, too")

    assert [store.claim_id("LR", launch="a") for _ in range(2)] == ["LR-003", "LR-004"]


def test_a_claim_that_hangs_is_left_to_the_next_launch(s3, monkeypatch):
    """The request may still arrive, long after it was given up."""
    from marin_research.spool import objects

    monkeypatch.setattr(objects, "_patience_with", lambda url: Patience())
    store = SpooledStore(s3.url)
    store.objects.store.names("")  # connects
    s3.network("deaf PUT")

    assert store.claim_id("LR", launch="a").startswith("LR-OFF-")
    s3.network("pass")
    assert FsspecObjects(s3.url).names("ids/LR") == ["000001.json"]
    assert SpooledStore(s3.url).claim_id("LR", launch="b") == "LR-001"
    assert SpooledStore(s3.url).claim_id("LR", launch="b") == "LR-002"


def test_a_client_that_looks_for_credentials_for_ever_is_not_waited_for(far, monkeypatch):
    """Google's asks a server that exists on its own machines alone, twenty seconds long."""
    from marin_research.spool import objects

    found = threading.Event()

    def open_slowly(url: str) -> FsspecObjects:
        found.wait(60)
        return FsspecObjects(url)

    monkeypatch.setattr(objects, "FsspecObjects", open_slowly)
    monkeypatch.setattr(objects, "_patience_with", lambda url: Patience())
    monkeypatch.setattr(objects, "_OPEN_S", 0.05)
    reader = RecordStore(far.url)

    assert SpooledStore(far.url).claim_id("LR", launch="a").startswith("LR-OFF-")
    with pytest.raises(StoreError, match=r"cannot open .* no answer within 0\.05 s; check .* credentials"):
        reader.run_ids()
    found.set()
    monkeypatch.setattr(objects, "_OPEN_S", 60)
    monkeypatch.setattr(objects, "_SILENT_S", 0)
    assert reader.run_ids() == []


def test_a_retry_of_somebody_elses_run_gets_a_number_of_its_own(far, impatient):
    """Which attempts there were cannot be asked; one that looks like the first would be mixed with it."""
    far.go_away()
    store = SpooledStore(far.url)

    first, second = store.claim_attempt("LR-007"), store.claim_attempt("LR-007")

    assert second > first > 1000


def test_the_hosts_of_a_gang_join_one_attempt_whether_or_not_they_reach_the_store(
    far, impatient, tmp_path, monkeypatch
):
    """A preempted pod that comes back without its network would be one attempt a host."""
    retry = Retry(of=1, job="/ada/train", number=1)
    assert RecordStore(far.url).claim_attempt("LR-007") == 1
    assert RecordStore(far.url).join_attempt("LR-007", retry) == 2  # the host that does
    far.go_away()
    spools = []
    for machine in ("a", "b"):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / machine))
        assert SpooledStore(far.url).join_attempt("LR-007", retry) == 2
        spools.append(SpoolFolder(far.url))

    far.come_back()

    assert [(Sender(spool).send().left, spool.refused()) for spool in spools] == [(0, []), (0, [])]
    assert FsspecObjects(far.url).names("runs/LR-007/attempts") == ["000001.json", "000002.json"]


def test_an_attempt_is_later_than_the_one_before_whatever_the_clock_says(far, impatient, monkeypatch):
    """The run would end as its first attempt did."""
    far.go_away()
    first = SpooledStore(far.url).claim_attempt("LR-007")
    far.come_back()
    Sender(SpoolFolder(far.url)).send()
    assert SpoolFolder(far.url).is_empty()
    far.go_away()
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)

    assert SpooledStore(far.url).claim_attempt("LR-007") > first


@pytest.mark.parametrize("problem", ["credentials", "bucket", "network"])
def test_what_is_wrong_with_the_store_is_said_once_and_nothing_is_lost(s3, problem, monkeypatch, caplog):
    """A key that expired over night must cost no run."""
    url = s3.url
    match problem:
        case "credentials":
            monkeypatch.delenv("AWS_ACCESS_KEY_ID")
            monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        case "bucket":
            url = "s3://no-such-bucket/records"
        case "network":
            monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store = SpooledStore(url)
    store.prepare()
    run_ids = [store.claim_id("LR", launch="l") for _ in range(3)]
    for run_id in run_ids:
        write(store, run_id)

    said = [record.message for record in caplog.records if "cannot be asked" in record.message]
    assert len(said) == 1
    assert "\n" not in said[0]
    assert [store.run(run_id).thread for run_id in run_ids] == ["lr"] * 3


def test_patience_is_used_up_by_waiting_and_comes_back():
    """A store that takes 2 s a request may slow a launch down by seconds, not by minutes; a quick one costs nothing."""
    now = 0.0
    patience = Patience(clock=lambda: now)
    for _ in range(1000):
        patience.waited(0.3)
    assert patience.left() == ALLOWANCE_S
    for _ in range(4):
        patience.waited(2.0)
    assert patience.left() == pytest.approx(2.0)
    patience.waited(2.0)
    assert patience.left() == 0
    assert "slow" in patience.why
    now += 120
    assert patience.left() == pytest.approx(2.0)
    patience.failed(1.0, "refused")
    assert (patience.left(), patience.why) == (0, "refused")
    now += 3600
    assert patience.left() == ALLOWANCE_S


def test_a_store_that_never_answers_costs_less_patience_than_one_that_is_slow():
    """Whoever launches without a network would wait at the beginning, and once more at the end."""
    now = 0.0
    patience = Patience(clock=lambda: now)

    assert patience.left() == FIRST_S < ALLOWANCE_S
    patience.failed(FIRST_S, "no answer")
    assert patience.is_pausing
    now += 60
    assert not patience.is_pausing
    assert patience.left() == FIRST_S
    patience.waited(1.0)
    assert patience.left() == pytest.approx(ALLOWANCE_S - FIRST_S)


def test_a_command_goes_on_while_the_store_is_away(far, workplace, monkeypatch):
    """A night without a network costs neither the result nor its record, and who looks is told where it is."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", far.url)
    waits = "until [ -e go ]; do sleep 0.1; done; echo loss=1.5; exit 3"
    options = ("--metric", "loss=([0-9.]+)")
    recording = workplace.start("sh", "-c", f"touch started; {waits}", options=options, stderr=subprocess.PIPE)
    until((workplace.top / "started").exists)
    far.go_away()
    (workplace.top / "go").touch()

    out, said = recording.communicate(timeout=120)

    assert (recording.returncode, out) == (3, "loss=1.5\n")
    assert "recorded as KER-001" in said
    assert "marin-research sync" in said.splitlines()[-1]
    far.come_back()
    subprocess.run([*workplace.program, "sync"], check=True, capture_output=True)
    elsewhere = RecordStore(far.url)
    elsewhere.objects = FsspecObjects(far.url)
    run = elsewhere.run("KER-001")
    assert (run.status, run.metrics["loss"].value, run.gaps) == (Status.FAILED, 1.5, ())
    (host,) = run.attempts[-1].hosts
    assert b"".join(read_output(elsewhere, run.id, 1, host.writer)) == b"loss=1.5\n"


# When it is back


def test_events_are_sent_in_the_order_in_which_they_were_written(far, impatient):
    """A reader of the store must not see an end before the beginning."""
    far.go_away()
    store = SpooledStore(far.url)
    for sequence in range(5):
        write(store, "LR-001", sequence, Kind.GAP, {"what": f"{sequence}", "why": ""})
        os.utime(store.objects.spool.path / f"runs/LR-001/events/001-h0-{sequence:06d}.json", (1000, 1000 + sequence))
    keys = [entry.key for entry in store.objects.spool.entries() if "events" in entry.key]

    assert keys == [f"runs/LR-001/events/001-h0-{sequence:06d}.json" for sequence in range(5)]


def test_any_part_of_a_record_that_got_there_can_be_read(far, impatient, a_run, an_attempt, a_host):
    """The network may go away again in the middle."""
    far.go_away()
    store = SpooledStore(far.url)
    started = datetime.now(UTC)
    attempt = an_attempt(started=started, hosts=(), end=None)
    facts = [
        (Kind.DECLARED, declared("LR-001")),
        (Kind.ATTEMPT_STARTED, attempt),
        (Kind.HOST_STARTED, a_host(started=started, writer="h0")),
        (Kind.METRIC, Metric(name="loss", value=1.0, source="report")),
        (Kind.ATTEMPT_ENDED, an_attempt().end),
    ]
    for sequence, (kind, body) in enumerate(facts):
        write(store, "LR-001", sequence, kind, body)
    entries = [entry for entry in store.objects.spool.entries() if "events" in entry.key]
    elsewhere = RecordStore(f"memory://{os.urandom(4).hex()}")

    for entry in entries:
        elsewhere.objects.put_new(entry.key, entry.path.read_bytes())
        run = elsewhere.run("LR-001")
        assert run.thread == "lr"
        assert run.gaps == ()
    assert run.status is Status.SUCCEEDED


def test_sending_twice_is_harmless(far):
    """A process that is killed between sending and forgetting sends again."""
    store = SpooledStore(far.url)
    write(store, "LR-001")
    spool = store.objects.spool
    until(lambda: spool.is_empty() and not spool.entries())
    before = [key for key in sent(far.url) if not key.startswith("changes/")]
    write(store, "LR-001")

    until(spool.is_empty)

    assert [key for key in sent(far.url) if not key.startswith("changes/")] == before


def test_what_the_store_cannot_take_is_put_aside(far, impatient, command_line):
    """Nobody's object is overwritten, nothing stands in the way of the rest, and nothing is thrown away."""
    far.go_away()
    store = SpooledStore(far.url)
    store.own_prefix("LR", "mine")
    write(store, "LR-OFF-ABCDEF-001")
    far.come_back()
    FsspecObjects(far.url).put("prefixes/LR.json", b'{"topic": "theirs"}')

    until(store.objects.spool.is_empty)

    assert json.loads(FsspecObjects(far.url).get("prefixes/LR.json")) == {"topic": "theirs"}
    assert json.loads((store.objects.spool.path / ".refused" / "prefixes" / "LR.json").read_bytes()) == {
        "topic": "mine"
    }
    assert RecordStore(far.url).run_ids() == ["LR-OFF-ABCDEF-001"]
    assert ".refused/prefixes/LR.json" in command_line("marin-research", "sync").err


def test_a_newer_heartbeat_takes_the_place_of_one_that_waits(far, impatient):
    """Only the last sign of life counts."""
    far.go_away()
    store = SpooledStore(far.url)
    for size in range(3):
        store.beat("LR-001", Heartbeat(writer="h0", time=datetime.now(UTC), size=size))

    assert [entry.replaces for entry in store.objects.spool.entries()] == [True]
    far.come_back()
    until(lambda: "runs/LR-001/heartbeats/h0.json" in sent(far.url))
    until(lambda: b'"size": 2' in FsspecObjects(far.url).get("runs/LR-001/heartbeats/h0.json"))


def test_a_later_command_sends_what_was_left(far, impatient, command_line):
    """The machine was switched off, or the process that sends has given up."""
    far.go_away()
    store = SpooledStore(far.url)
    write(store, "LR-001")
    spool = store.objects.spool
    until(lambda: spool.problem)
    os.kill(int((spool.path / ".lock").read_text()), signal.SIGKILL)

    said = command_line("marin-research", "sync", "--json")
    assert said.code == 1
    (problem,) = json.loads(said.out)
    assert problem["waiting"] == 1
    assert "cannot" in problem["why"]
    assert "`marin-research sync` sends them" in command_line("marin-research", "runs", "--root", far.url).err
    far.come_back()
    said = command_line("marin-research", "sync", "--json")
    assert said.code == 0
    (done,) = json.loads(said.out)
    assert (done["store"], done["waiting"], done["why"]) == (far.url, 0, "")
    assert RecordStore(far.url).run("LR-001").thread == "lr"
    assert command_line("marin-research", "sync", "--root", "/local/store").err == "nothing waits on this machine\n"


def test_the_end_of_a_process_waits_for_its_last_records(far):
    """A container is gone with its process; a store that does not answer is not waited for."""
    said: list[str] = []
    store = SpooledStore(far.url)
    write(store, "LR-001")
    wait_until_sent(store.objects.spool, patience_s=60, say=said.append)
    assert store.objects.spool.is_empty()
    far.go_away()
    write(store, "LR-001", 1, Kind.GAP, {"what": "a", "why": "b"})
    until(lambda: store.objects.spool.problem)
    wait_until_sent(store.objects.spool, patience_s=3600, say=said.append)

    assert "marin-research sync" in said[-1]
    assert "cannot" in said[-1]


# Bounds


def test_a_spool_that_is_full_keeps_events_longer_than_output(tmp_path, monkeypatch):
    """Of a run that goes on for days without a network, how it ended must still be known."""
    monkeypatch.setenv("MARIN_RESEARCH_SPOOL_BYTES", "1000000")
    spool = SpoolFolder("s3://nowhere/records")
    spool.put_new("runs/LR-001/output/1", bytes(900_000))

    with pytest.raises(SpoolFullError, match="MARIN_RESEARCH_SPOOL_BYTES"):
        spool.put_new("runs/LR-001/output/2", bytes(200_000))
    for number in range(200):
        with suppress(SpoolFullError):
            spool.put_new(f"runs/LR-001/output/short-{number}", bytes(1000))
    assert sum(entry.path.stat().st_size for entry in spool.entries()) <= 1_000_000
    spool.put_new("runs/LR-001/events/1", bytes(60_000))
    spool.put_new("runs/LR-001/events/2", bytes(1_000_000))
    spool.put("runs/LR-001/heartbeats/h0.json", bytes(100))

    kinds = Counter(entry.key.split("/")[2] for entry in spool.entries())
    assert (kinds["events"], kinds["heartbeats"]) == (2, 1)


def test_output_without_room_stays_within_bounds_until_its_metrics_were_looked_for(tmp_path, monkeypatch):
    """The disk would fill up in place of the folder."""
    monkeypatch.setenv("MARIN_RESEARCH_SPOOL_BYTES", "0")
    monkeypatch.setattr("marin_research.spool.folder._GLANCE_BYTES", 25_000)
    spool = SpoolFolder("s3://nowhere/records")

    for number in range(4):
        with pytest.raises(SpoolFullError):
            spool.put_new(f"runs/LR-001/output/001-h0/{number}.gz", bytes(10_000))

    assert spool.names("runs/LR-001/output/001-h0") == ["2.gz", "3.gz"]
    assert spool.entries() == []


def test_a_command_without_room_for_its_output_has_its_metrics_and_its_end(workplace, far):
    """What it measured over the days without a network is what it ran for."""
    far.go_away()
    script = "for step in 1 2 3 4 5; do echo step $step tok/s=1$step; sleep 0.3; done; exit 3"
    environment = {**os.environ, "MARIN_RESEARCH_SPOOL_BYTES": "0", "MARIN_RESEARCH_ROOT": far.url}
    options = ("--heartbeat", "0.2", "--metric", "tok/s=([0-9]+)")

    done = workplace.record("sh", "-c", script, options=options, env=environment)

    (run_id,) = SpoolFolder(far.url).names("runs")
    run = RecordStore(far.url).run(run_id)
    assert (done.returncode, run.why) == (3, "it exited with code 3")
    assert (run.metrics["tok/s"].value, run.metrics["tok/s"].count) == (15, 5)
    assert any("is not kept whole" in gap.why for gap in run.gaps)
    assert SpoolFolder(far.url).new.names(f"runs/{run_id}/output") == []


# Kills


DRIVER = """
    import json, os, sys
    from datetime import datetime, UTC
    from marin_research.codec import encode
    from marin_research.events import Event, Heartbeat, Kind
    from marin_research.object_storage import FsspecObjects
    from marin_research.record import Run, Status
    from marin_research.spool import objects
    from marin_research.spool.folder import SpoolFolder
    from marin_research.spool.upload import Sender
    from marin_research.store import recording_store
    import concurrent.futures, fsspec.implementations.local  # once for all children
    objects.start_sending = lambda spool: None

    def record(url, number, say, armed):
        store = recording_store(url)
        armed()
        run_id = store._own_id("LR")
        say(run_id)
        now = datetime.now(UTC)
        run = Run(id=run_id, thread="lr", launch="l", status=Status.RUNNING, why="", label="", declared=now)
        for sequence in range(2):
            event = Event(kind=Kind.DECLARED, time=now, attempt=1, writer="h0", body=encode(run))
            store.write(run_id, "h0", sequence, [event])
            say(str(sequence))
        store.beat(run_id, Heartbeat(writer="h0", time=now))

    def send(url, number, say, armed):
        spool = SpoolFolder(url)
        for sequence in range(2):
            key = f"runs/LR-{number:03d}/events/001-h0-{sequence:06d}.json"
            spool.new.put_new(key, f"{number} {sequence}".encode())
        sender = Sender(spool)
        armed()
        sender.send()

    def child(work, url, number, file):
        left = number
        def watch(name, args):
            nonlocal left
            if name in WATCHED and "spool" in str(args[0]):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), 9)
        WATCHED = {"open", "os.link", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}
        work(url, number, lambda text: os.write(file, f"{text} ".encode()), lambda: sys.addaudithook(watch))

    work, url, folder = globals()[sys.argv[1]], sys.argv[2], sys.argv[3]
    codes = []
    while not codes or codes[-1] != 0:
        file = os.open(f"{folder}/{len(codes) + 1}", os.O_WRONLY | os.O_CREAT)
        process = os.fork()
        if process == 0:
            try:
                child(work, url, len(codes) + 1, file)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    print(json.dumps(codes))
"""


def killed_everywhere(work: str, url: str, folder: Path) -> list[list[str]]:
    """Do the work again and again, killed at its first access to the spool, its second, and so on.

    Returns:
        What each try has announced.
    """
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DRIVER), work, url, str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    codes = json.loads(done.stdout)
    assert set(codes[:-1]) == {-9}
    return [(folder / str(number)).read_text().split() for number in range(1, len(codes) + 1)]


def test_killed_at_any_access_to_the_spool_what_was_announced_gets_there(far, tmp_path):
    """What a write has returned from is kept, what it has not is there whole or not at all; no ID is used twice."""
    tries = killed_everywhere("record", far.url, tmp_path / "said")
    assert len(tries) > 15
    assert len({said[0] for said in tries if said}) == sum(map(bool, tries))

    result = Sender(SpoolFolder(far.url)).send()

    assert (result.left, result.problem) == (0, "")
    store = RecordStore(far.url)
    for run_id, *batches in filter(None, tries):
        found = store.objects.names(f"runs/{run_id}/events")
        assert len(found) >= len(batches)
        if found:
            assert store.run(run_id).gaps == ()


def test_killed_at_any_moment_of_sending_everything_gets_there(far, tmp_path):
    """Another process goes on where it stopped, and every index is told."""
    tries = len(killed_everywhere("send", far.url, tmp_path / "said"))
    assert tries > 8

    assert Sender(SpoolFolder(far.url)).send().left == 0

    there = sent(far.url)
    runs = [f"LR-{number:03d}" for number in range(1, tries + 1)]
    assert [key for key in there if "events" in key] == [
        f"runs/{run}/events/001-h0-{sequence:06d}.json" for run in runs for sequence in range(2)
    ]
    marks = {key.split("/")[2].partition(".")[0] for key in there if key.startswith("changes/")}
    assert marks == set(runs)

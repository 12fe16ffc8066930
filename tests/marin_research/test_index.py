"""The index answers what reading every run would answer, whatever happened to it and to the store meanwhile."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marin_research.cli.show import find_run
from marin_research.codec import encode
from marin_research.errors import RunNotFoundError, StoreError, UsageError
from marin_research.events import Event, Heartbeat, Kind
from marin_research.index import distant_changes
from marin_research.index.index import Index, index_path
from marin_research.index.local_changes import LocalWatch
from marin_research.index.query import Query, find, parse_conditions
from marin_research.index.tables import Tables
from marin_research.join import POINTER
from marin_research.objects import LocalObjects
from marin_research.record import End, Metric, Run, Status, Unknown
from marin_research.spool.store import SpooledStore
from marin_research.spool.upload import Sender
from marin_research.store import RecordStore


class CountingStore(RecordStore):
    """Remembers which runs were read."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.read: list[str] = []

    def run(self, run_id: str, *, now: datetime | None = None) -> Run:
        self.read.append(run_id)
        return super().run(run_id, now=now)


def ids(store: RecordStore, **wanted) -> list[str]:
    """What a program that starts now finds."""
    return [found.id for found in Index(store).find(Query(**wanted))]


def settle(store: RecordStore) -> None:
    """Let the store look as if nothing had been written for an hour."""
    an_hour_ago = time.time() - 3600
    for folder, _, _ in os.walk(store.root):
        os.utime(folder, (an_hour_ago, an_hour_ago))


def add(store: RecordStore, run_id: str, kind: Kind, body: object, *, sequence: int, writer: str = "late") -> None:
    event = Event(kind=kind, time=datetime.now(UTC), attempt=1, writer=writer, body=encode(body))
    store.write(run_id, writer, sequence, [event])


@pytest.fixture
def sweep(a_run, keep, store: RecordStore) -> RecordStore:
    for number, loss in enumerate((2.5, 2.25, math.nan, 3.0), 1):
        keep(a_run(f"LR-{number:03d}", metrics={"loss": loss}, config={"lr": number / 10}))
    settle(store)
    return store


# What has changed is seen


def test_what_did_not_change_is_not_read_again(sweep):
    """Reading ten thousand runs for every question would take seconds."""
    store = CountingStore(sweep.root)

    assert ids(store) == ["LR-001", "LR-002", "LR-003", "LR-004"]
    assert sorted(store.read) == ["LR-001", "LR-002", "LR-003", "LR-004"]
    store.read.clear()
    assert ids(store, sort="loss", limit=1) == ["LR-002"]
    assert store.read == []


def test_a_new_run_costs_one_read(sweep, a_run, keep):
    """However many there are already."""
    store = CountingStore(sweep.root)
    ids(store)
    store.read.clear()
    keep(a_run("LR-005", metrics={"loss": 1.0}))

    assert ids(store, sort="loss", limit=1) == ["LR-005"]
    assert store.read == ["LR-005"]


def test_a_run_that_goes_on_is_seen(sweep):
    """A late metric, a new attempt, another end: whoever lists the runs must not see yesterday's."""
    index = Index(sweep)
    assert index.find(Query(conditions=parse_conditions("loss<1"))) == []

    add(sweep, "LR-001", Kind.METRIC, Metric(name="loss", value=0.5, source="report"), sequence=0)

    for each in (index, Index(sweep)):
        assert [found.id for found in each.find(Query(conditions=parse_conditions("loss<1")))] == ["LR-001"]


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(sweep):
    """File systems count time in steps of milliseconds, some in seconds."""
    index = Index(sweep)
    for sequence in range(20):
        add(sweep, "LR-001", Kind.METRIC, Metric(name="loss", value=sequence, source="report"), sequence=sequence)
        events = Path(sweep.root) / "runs" / "LR-001" / "events"
        whole = math.floor(time.time())
        os.utime(events, (whole, whole))
        (found,) = index.find(Query(conditions=parse_conditions("id=LR-001")))

        assert index.measured("loss", [found])[found.key].value == sequence


def test_a_clock_that_jumps_back_hides_nothing(sweep):
    """What was written before the jump seems to come from the future."""
    tomorrow = time.time() + 86_400
    for folder, _, _ in os.walk(sweep.root):
        os.utime(folder, (tomorrow, tomorrow))
    index = Index(sweep)
    index.find(Query())

    events = Path(sweep.root) / "runs" / "LR-001" / "events"
    add(sweep, "LR-001", Kind.METRIC, Metric(name="loss", value=0.5, source="report"), sequence=0)
    os.utime(events, (tomorrow, tomorrow))

    assert [found.id for found in index.find(Query(conditions=parse_conditions("loss<1")))] == ["LR-001"]


@pytest.mark.parametrize("kind", ["fuse.gcsfuse", "fuse"])
def test_where_folders_keep_no_time_their_names_are_compared(sweep, kind):
    """A bucket that is mounted as a folder may show any time for it, always the same."""
    place = str(Path(sweep.root).parent).replace(" ", "\\040")
    watch = LocalWatch(
        LocalObjects(Path(sweep.root)), mounts=f"/dev/sda1 / ext4 rw 0 0\nbucket {place} {kind} rw 0 0\n"
    )
    tables = Tables()

    def look() -> list[str]:
        found = watch.changes(tables, "")
        for name, state in found.unread:
            tables.put(name, sweep.run(name), state=state, read_at=time.time())
        return [name for name, _ in found.unread]

    assert look() == ["LR-001", "LR-002", "LR-003", "LR-004"]
    assert look() == []
    add(sweep, "LR-003", Kind.METRIC, Metric(name="loss", value=0.5, source="report"), sequence=0)
    settle(sweep)
    assert look() == ["LR-003"]


def test_a_running_run_is_lost_when_its_heartbeat_stops(store, a_run, an_attempt, a_host, keep):
    """Nothing is written when a machine dies; the list must say so all the same."""
    now = datetime.now(UTC)
    host = a_host(started=now, heartbeat=now, heartbeat_interval_s=0.5, writer="h0")
    keep(a_run(attempts=(an_attempt(started=now, hosts=(host,), end=None),)))
    index = Index(store)
    assert index.find(Query())[0].status == Status.RUNNING

    deadline = time.monotonic() + 30
    while index.find(Query())[0].status != Status.LOST:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    store.beat("LR-001", Heartbeat(writer="h0", time=datetime.now(UTC)))

    assert index.find(Query())[0].status == Status.RUNNING


def test_the_end_of_a_running_run_is_seen(store, a_run, an_attempt, a_host, keep):
    """Also by an index that another program has written."""
    now = datetime.now(UTC)
    keep(a_run(attempts=(an_attempt(started=now, hosts=(a_host(started=now, heartbeat=now),), end=None),)))
    settle(store)
    assert ids(store, status=Status.RUNNING) == ["LR-001"]

    end = End(status=Status.FAILED, time=now, why="it raised")
    add(store, "LR-001", Kind.ATTEMPT_ENDED, end, sequence=0)

    assert ids(store, status=Status.FAILED) == ["LR-001"]
    assert ids(store, status=Status.RUNNING) == []


def test_a_run_that_was_removed_is_gone(sweep):
    """Somebody cleans up by hand."""
    index = Index(sweep)
    assert len(index.find(Query())) == 4

    shutil.rmtree(Path(sweep.root) / "runs" / "LR-002")

    assert [found.id for found in index.find(Query())] == ["LR-001", "LR-003", "LR-004"]
    assert ids(sweep) == ["LR-001", "LR-003", "LR-004"]


def test_another_store_at_the_same_place_is_another_store(sweep, a_run, keep):
    """A store may be moved away and a copy of another one be put there, times and all."""
    ids(sweep)
    root = Path(sweep.root)
    shutil.copytree(root, root.with_name("copy"))
    shutil.rmtree(root / "runs" / "LR-004")
    settle(sweep)
    ids(sweep)
    root.rename(root.with_name("away"))
    root.with_name("copy").rename(root)
    settle(sweep)

    assert ids(sweep) == ["LR-001", "LR-002", "LR-003", "LR-004"]


def test_a_number_that_was_taken_and_never_used_is_looked_at_once(sweep):
    """Its process was killed between taking the number and saying what for."""
    store = CountingStore(sweep.root)
    sweep.claim_attempt("LR-009")
    (Path(sweep.root) / "runs" / "notes").mkdir()
    settle(sweep)

    assert len(ids(store)) == 4
    store.read.clear()
    assert len(ids(store)) == 4
    assert store.read == []


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format": "marin-research/events/2"}', b"\x00" * 100])
def test_a_damaged_record_is_listed_with_what_can_be_read(sweep, damage):
    """One bad object must not keep anybody from listing the others."""
    events = Path(sweep.root) / "runs" / "LR-002" / "events"
    for path in events.iterdir():
        path.write_bytes(damage)

    assert ids(sweep) == ["LR-001", "LR-002", "LR-003", "LR-004"]
    assert ids(sweep, status=Status.LOST) == ["LR-002"]


def test_texts_that_are_no_unicode_are_found_all_the_same(store, a_run, keep):
    """Paths on Linux are bytes; a label or a config may hold them."""
    keep(a_run(label="\udcff", config={"na\udcffme": "va\udcfflue", 'quo"ted': "1\0"}, metrics={"lo\udcffss": 1.0}))

    assert ids(store, conditions=parse_conditions("label=\udcff")) == ["LR-001"]
    assert ids(store, conditions=parse_conditions("config.na\udcffme=va\udcfflue")) == ["LR-001"]
    assert ids(store, conditions=parse_conditions("lo\udcffss=1")) == ["LR-001"]
    assert ids(store, sort='quo"ted') == ["LR-001"]


# Far away


@pytest.fixture
def distant(far):
    """A store that is not on this machine, with two runs that have ended, and what was sent all there."""
    store = SpooledStore(far.url)
    for number in (1, 2):
        ended(store, f"LR-{number:03d}", loss=number)
    send(store)
    yield store
    shutil.rmtree(store.objects.spool.path)  # or the end of the tests would wait for it


def ended(store: RecordStore, run_id: str, *, loss: float) -> None:
    now = datetime.now(UTC)
    run = Run(id=run_id, thread="t", launch="l", status=Status.RUNNING, why="", label="", declared=now)
    end = End(status=Status.SUCCEEDED, time=now, why="it returned")
    metric = Metric(name="loss", value=loss, source="report")
    for sequence, (kind, body) in enumerate(((Kind.DECLARED, run), (Kind.METRIC, metric), (Kind.ATTEMPT_ENDED, end))):
        add(store, run_id, kind, body, sequence=sequence)


def send(store: SpooledStore) -> None:
    assert Sender(store.objects.spool).send().left == 0
    assert store.objects.spool.is_empty()


def test_in_a_distant_store_only_what_is_marked_as_changed_is_read(distant):
    """A request takes longer there than reading a hundred runs from a disk."""
    store = CountingStore(distant.root)
    assert ids(store, sort="-loss") == ["LR-002", "LR-001"]
    store.read.clear()
    assert ids(store, sort="loss", limit=1) == ["LR-001"]
    assert store.read == []
    ended(distant, "LR-003", loss=0.5)
    send(distant)

    assert ids(store, sort="loss", limit=1) == ["LR-003"]
    assert store.read == ["LR-003"]


def test_a_run_of_a_distant_store_that_goes_on_is_seen(distant):
    """Also one that had ended: a late metric, another attempt."""
    store = RecordStore(distant.root)
    index = Index(store)
    assert index.find(Query(conditions=parse_conditions("loss<1"))) == []
    add(distant, "LR-001", Kind.METRIC, Metric(name="loss", value=0.5, source="report"), sequence=9)

    assert [found.id for found in index.find(Query(conditions=parse_conditions("loss<1")))] == ["LR-001"]
    send(distant)
    for each in (index, Index(store)):
        assert [found.id for found in each.find(Query(conditions=parse_conditions("loss<1")))] == ["LR-001"]


def test_what_cannot_be_read_now_is_read_later(distant):
    """The network goes away between seeing that something changed and reading it."""
    store = RecordStore(distant.root)
    assert len(ids(store)) == 2
    ended(distant, "LR-003", loss=0.5)
    send(distant)

    class Failing(RecordStore):
        def run(self, run_id: str, *, now: datetime | None = None) -> Run:
            raise StoreError(f"no answer for {run_id} at {now}")

    with pytest.raises(StoreError):
        Index(Failing(distant.root)).find(Query())

    assert ids(store, sort="loss", limit=1) == ["LR-003"]


def test_a_run_that_nobody_marked_is_found_all_the_same(distant, monkeypatch):
    """A machine whose clock is a week behind marks hours that nobody looks at."""
    store = RecordStore(distant.root)
    assert len(ids(store)) == 2
    ended(store, "LR-004", loss=0.25)
    assert len(ids(store)) == 2

    monkeypatch.setattr(distant_changes, "_THOROUGH_S", 0)

    assert ids(store, sort="loss", limit=1) == ["LR-004"]


# Whatever happened to the index


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """A store with an index: the store, the index's file, what the file held."""
    folder = tmp_path_factory.mktemp("indexed")
    store = RecordStore(str(folder / "records"))
    for number, loss in enumerate((2.5, 2.25, 3.0), 1):
        ended(store, f"LR-{number:03d}", loss=loss)
    settle(store)
    return store


def best(store: RecordStore) -> list[str]:
    return ids(store, conditions=parse_conditions("loss<2.9"), sort="loss")


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_index_that_is_damaged_is_made_anew(indexed, data):
    """Disks lose and flip bits; what the index says of a run must be what the store says, or be read again."""
    path = index_path(indexed.objects.url)
    assert best(indexed) == ["LR-002", "LR-001"]
    good = path.read_bytes()
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] ^= data.draw(st.integers(1, 255))
    bad = bad[: data.draw(st.integers(0, len(bad)) | st.just(len(bad)))]
    bad += data.draw(st.binary(max_size=20))
    path.write_bytes(bad)

    assert best(indexed) == ["LR-002", "LR-001"]
    assert path.read_bytes() == good or bytes(bad) != good


@pytest.mark.parametrize("found", ["nothing", "folder", "text", "sqlite", "link"])
def test_whatever_lies_in_the_place_of_the_index_does_no_harm(sweep, found, tmp_path):
    """People and other programs put things into cache folders."""
    path = index_path(sweep.objects.url)
    path.parent.mkdir(parents=True)
    match found:
        case "folder":
            path.mkdir()
        case "text":
            path.write_text("my notes")
        case "sqlite":
            sqlite3.connect(path).execute("CREATE TABLE t(a)").connection.close()
        case "link":
            path.symlink_to(tmp_path / "nowhere")

    for _ in range(2):
        assert ids(sweep, sort="loss", limit=1) == ["LR-002"]


def test_an_index_that_cannot_be_written_is_done_without(sweep, monkeypatch, tmp_path):
    """A home folder may be read-only, or not be there at all."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert ids(sweep, sort="loss", limit=1) == ["LR-002"]


def test_a_full_disk_costs_nothing_but_the_index(sweep):
    """The records can be read; the index is written where there is room again."""
    script = """
        import resource, signal, sys
        from marin_research.index.query import Query
        from marin_research.store import RecordStore
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        print(*(found.id for found in RecordStore(sys.argv[1]).index.find(Query(sort="loss", limit=2))))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), sweep.root], check=True, capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("LR-002 LR-001\n", "")
    assert list(index_path(sweep.objects.url).parent.iterdir()) == []


def test_an_index_of_another_version_is_not_read(sweep):
    """Its tables may mean something else."""
    ids(sweep)
    path = index_path(sweep.objects.url)
    place, version, rest = path.name.rsplit("-", 2)
    assert int(version) > 0
    other = path.with_name(f"{place}-0-{rest}")
    path.rename(other)
    before = other.read_bytes()

    assert len(ids(sweep)) == 4
    assert path.exists()
    assert other.read_bytes() == before


KILLED = """
    import os, sys
    from marin_research.index.query import Query
    from marin_research.store import RecordStore
    left = int(sys.argv[2])
    def watch(name, args):
        global left
        if name in ("open", "os.mkdir", "os.rename", "os.remove") and "index" in str(args[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), 9)
    index = RecordStore(sys.argv[1]).index
    sys.addaudithook(watch)
    index.find(Query())
"""


def test_killed_at_any_access_to_the_index_the_next_program_is_right(sweep, a_run, keep):
    """A terminal may be closed at any moment."""
    ids(sweep)
    keep(a_run("LR-005", metrics={"loss": 1.0}))
    settle(sweep)
    for count in range(1, 20):
        died = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(KILLED), sweep.root, str(count)], check=False
        ).returncode
        assert ids(sweep, sort="loss", limit=1) == ["LR-005"]
        index_path(sweep.objects.url).unlink()
        if died == 0:
            break
    assert died == 0
    assert count > 2


def test_readers_and_writers_at_once_see_whole_records(store, a_run, keep):
    """Two people list while a sweep runs; none may see an error, and in the end all see everything."""
    reader = """
        import sys, time
        from marin_research.index.index import Index
        from marin_research.index.query import Query
        from marin_research.store import RecordStore
        deadline = time.monotonic() + 60
        seen = []
        while len(seen) < 30 and time.monotonic() < deadline:
            found = [run.id for run in Index(RecordStore(sys.argv[1])).find(Query())]
            assert found[: len(seen)] == seen, (found, seen)
            seen = found
        print(len(seen))
    """
    readers = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(reader), store.root], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for number in range(1, 31):
        keep(a_run(f"LR-{number:03d}", metrics={"loss": float(number)}))

    assert [process.communicate(timeout=90)[0] for process in readers] == ["30\n"] * 3
    assert ids(store, sort="-loss", limit=1) == ["LR-030"]


def test_an_empty_store_leaves_no_index(tmp_path):
    """A typo in --root must not fill the cache."""
    store = RecordStore(str(tmp_path / "records"))

    assert ids(store) == []
    assert not index_path(store.objects.url).parent.exists()


def test_a_store_in_memory_can_be_searched(a_run):
    """Nothing outside of the process may be consulted for it."""
    store = RecordStore(f"memory://{os.urandom(4).hex()}")
    run = a_run(attempts=(), status=Status.RUNNING)
    add(store, "LR-001", Kind.DECLARED, run, sequence=0)

    assert ids(store) == ["LR-001"]
    add(store, "LR-001", Kind.NOT_RUN, {"why": "no"}, sequence=1)
    assert ids(store, status=Status.CANCELLED) == ["LR-001"]


# What can be asked


@pytest.fixture(scope="module")
def tables():
    """Runs that differ in everything that can be asked for."""
    filled = Tables()
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    base = Run(id="", thread="lr", launch="l1", status=Status.SUCCEEDED, why="", label="a b", declared=noon)

    def metric(value: float) -> dict[str, Metric]:
        return {"loss": Metric(name="loss", value=value, source="report")}

    runs = {
        "LR-001": replace(base, metrics=metric(2.5)),
        "LR-002": replace(base, metrics=metric(math.nan), label="low"),
        "LR-1000": replace(base, metrics=metric(math.inf), launch="l2", declared=noon + timedelta(days=1)),
        "MOE-001": replace(base, metrics=metric(-1.0) | {"acc/top=1": metric(0.5)["loss"]}, thread="moe"),
        "MOE-002": replace(base, thread="moe", status=Status.FAILED),
    }
    for name, run in runs.items():
        filled.put(name, replace(run, id=name), state="", read_at=0)
    return filled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loss<2.6", "LR-001 MOE-001"),
        ("loss > -5", "LR-001 LR-1000 MOE-001"),
        ("loss=inf", "LR-1000"),
        ("loss=nan", "LR-002"),
        ("loss!=nan", "LR-001 LR-1000 MOE-001"),
        ("loss!=2.5", "LR-002 LR-1000 MOE-001"),
        ("acc/top=1>=0.5", "MOE-001"),
        ("thread=moe", "MOE-001 MOE-002"),
        ("thread!=moe and loss<1e9", "LR-001"),
        ("status=failed", "MOE-002"),
        ("label=a b and thread=lr", "LR-001 LR-1000"),
        ("launch=l2", "LR-1000"),
        ("attempts=0 and id!=LR-001 and thread=lr", "LR-002 LR-1000"),
        ("nothing<1", ""),
        ("config.loss<1", ""),
    ],
)
def test_runs_are_found_by_conditions(tables, text, expected):
    """Each of several conditions must hold; NaN is a value, and a run without the name fits nothing."""
    assert [run.id for run in find(tables, Query(conditions=parse_conditions(text)))] == expected.split()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "LR-001 LR-002 LR-1000 MOE-001 MOE-002"),
        ({"sort": "-id"}, "MOE-002 MOE-001 LR-1000 LR-002 LR-001"),
        ({"sort": "loss"}, "MOE-001 LR-001 LR-1000 LR-002 MOE-002"),
        ({"sort": "-loss"}, "LR-1000 LR-001 MOE-001 LR-002 MOE-002"),
        ({"sort": "-loss", "limit": 2}, "LR-1000 LR-001"),
        ({"sort": "loss", "limit": 4}, "MOE-001 LR-001 LR-1000 LR-002"),
        ({"sort": "loss", "limit": 3, "topic": "moe"}, "MOE-001 MOE-002"),
        ({"sort": "-time", "limit": 1}, "LR-1000"),
        ({"sort": "label", "prefix": "LR"}, "LR-001 LR-1000 LR-002"),
        ({"sort": "nothing"}, "LR-001 LR-002 LR-1000 MOE-001 MOE-002"),
        ({"since": datetime(2026, 11, 23, tzinfo=UTC)}, "LR-1000"),
        ({"status": Status.FAILED}, "MOE-002"),
    ],
)
def test_runs_come_in_the_order_that_is_asked_for(tables, wanted, expected):
    """The best first, and runs without the number last, whichever way it is sorted and however many are wanted."""
    assert [run.id for run in find(tables, Query(**wanted))] == expected.split()


def test_runs_are_found_by_their_config(store, a_run, keep):
    """Numbers compare as numbers, texts as texts; a name that is also a metric is the metric's."""
    keep(a_run("LR-001", config={"lr": 0.1, "opt": {"name": "adam", "fused": True, "eps": None}, "shape": [8, 4]}))
    keep(a_run("LR-002", config={"lr": 0.02, "opt": {"name": "sgd"}, "seed": "7"}, metrics={"lr": 5.0}))

    for text, expected in {
        "lr<0.5": "LR-001",
        "config.lr<0.05": "LR-002",
        "opt.name=adam": "LR-001",
        "opt.name!=adam": "LR-002",
        "opt.fused=true": "LR-001",
        "opt.eps=null": "LR-001",
        "seed=7": "LR-002",
        "shape=[8, 4]": "LR-001",
        "opt.name=adam and lr>0": "LR-001",
        "seed<9": "",
    }.items():
        assert ids(store, conditions=parse_conditions(text)) == expected.split(), text
    assert ids(store, sort="config.lr") == ["LR-002", "LR-001"]
    assert ids(store, sort="-opt.name") == ["LR-002", "LR-001"]


@pytest.mark.parametrize("text", ["status=done", "loss<low", "loss", "a and b", "loss<1 and", ""])
def test_a_condition_that_can_never_hold_is_wrong_usage(text):
    """A filter that silently matches nothing hides results."""
    with pytest.raises(UsageError):
        parse_conditions(text)


@given(st.text(max_size=30))
def test_any_text_is_a_condition_or_refused(text):
    """Nothing that is typed may end in a traceback or reach the database as SQL."""
    try:
        conditions = parse_conditions(text)
    except UsageError:
        return
    find(Tables(), Query(conditions=conditions, sort=text))


# Runs by their other names


@pytest.mark.parametrize(
    "name",
    [
        "https://wandb.ai/marin/lr-sweep/runs/3fa2c1",
        "https://wandb.example.org:8080/base/marin/lr-sweep/runs/3fa2c1/overview?tab=x#y",
        "marin/lr-sweep/3fa2c1",
        "marin/lr-sweep/runs/3fa2c1",
        "/marin/train/LR-001/dev",
        "/marin/train/LR-001/dev/",
    ],
)
def test_a_run_is_found_by_any_of_its_names(store, a_run, a_wandb_run, keep, name):
    """From a number in W&B, or from a folder, to the record in one hop."""
    keep(a_run("LR-001", wandb=(a_wandb_run(),)))
    keep(a_run("LR-002"))

    assert Index(store).named(name) == ["LR-001"]


def test_a_wandb_run_that_was_offline_is_found_by_the_url_it_got_later(store, a_run, a_wandb_run, keep):
    """It did not know its entity when it was recorded; one of another project is another run."""
    unknown = Unknown("offline")
    keep(a_run("LR-001", wandb=(a_wandb_run(url=unknown, entity=unknown, mode="offline"),)))

    assert Index(store).named("https://wandb.ai/marin/lr-sweep/runs/3fa2c1") == ["LR-001"]
    assert Index(store).named("https://wandb.ai/marin/other/runs/3fa2c1") == []


def test_the_last_run_that_wrote_a_path_answers_to_it(store, a_run, keep):
    """What lies there now is its output."""
    step = a_run("LR-001").step
    for number in (9, 10, 2):
        keep(a_run(f"LR-{number:03d}", step=step))

    assert Index(store).named(step.output_path) == ["LR-010"]


@pytest.mark.parametrize("name", ["/ada/train-1a2b", "/ada/train-1a2b/1", "/ada/train-1a2b/1:2"])
def test_a_run_is_found_by_its_job_and_by_a_task_of_it(store, preempted_pod, a_run, keep, name):
    """That is what a cluster's own list of what runs says."""
    keep(preempted_pod("LR-001"))
    keep(a_run("LR-002"))

    assert Index(store).named(name) == ["LR-001"]


def test_an_output_that_was_moved_still_leads_to_its_record(store, a_run, keep, tmp_path, command_line):
    """A checkpoint that somebody has copied says where it came from, also where another store is meant."""
    keep(a_run("LR-001"))
    for root, said in ((store.objects.url, "LR-001"), ("s3://elsewhere/records", "LR-007")):
        (tmp_path / said).mkdir()
        (tmp_path / said / POINTER).write_text(json.dumps({"run": said, "record": root}))
    (tmp_path / POINTER).write_text("[1]")

    assert find_run(store, str(tmp_path / "LR-001")).id == "LR-001"
    elsewhere = command_line("marin-research", "show", "--root", store.root, str(tmp_path / "LR-007"))
    assert elsewhere.code == 2
    assert "is LR-007 in s3://elsewhere/records; add --root s3://elsewhere/records" in elsewhere.err
    with pytest.raises(RunNotFoundError):
        find_run(store, str(tmp_path))


def test_a_wandb_run_of_several_runs_is_not_guessed(store, a_run, a_wandb_run, keep, command_line):
    """Several steps may have shared one W&B run; which of them is meant is for the user to say."""
    for number in (1, 2):
        keep(a_run(f"LR-{number:03d}", wandb=(a_wandb_run(attribution="ambiguous"),)))

    said = command_line("marin-research", "show", "--root", store.root, "marin/lr-sweep/3fa2c1")

    assert said.code == 2
    assert "belongs to 2 runs; name one of LR-001, LR-002" in said.err


@pytest.mark.parametrize("name", ["nonsense", "https://wandb.ai/a/b/runs/c", "/nowhere", "\udcff", "a\0b", ""])
def test_a_name_that_nothing_answers_to_is_an_error(store, a_run, keep, name):
    """Whatever is typed, the answer is one line."""
    keep(a_run())
    with pytest.raises(RunNotFoundError):
        find_run(store, name)


def test_json_lists_whole_records(sweep, command_line):
    """The index only finds; what is printed comes from the store."""
    said = command_line("marin-research", "runs", "--root", sweep.root, "--json", "--where", "config.lr<0.15")

    assert json.loads(said.out) == [encode(sweep.run("LR-001"))]

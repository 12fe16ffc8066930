"""The store keeps every record apart and whole, whoever writes at once and whatever was damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marin_research.checkout import checkout_top
from marin_research.codec import encode
from marin_research.errors import RunNotFoundError, StoreError, ThreadError
from marin_research.events import Event, Kind
from marin_research.record import Blob, Metric, Retry, Status, Unknown
from marin_research.store import RecordStore, default_root, run_order

CLAIMER = """
    import json, sys
    from marin_research.store import RecordStore
    store = RecordStore(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps([store.claim_id("LR", launch="l") for _ in range(25)]))
"""


def test_many_processes_at_once_get_every_id_exactly_once(store):
    """Two runs under one ID would be one record of two experiments; a lost one would look like a hidden result."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(CLAIMER), store.root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    claimed = [json.loads(process.communicate(timeout=60)[0]) for process in processes]

    assert sorted(run_id for each in claimed for run_id in each) == [f"LR-{number:03d}" for number in range(1, 201)]
    assert all(each == sorted(each) for each in claimed)


def test_ids_go_on_where_they_stopped(store):
    """A program that starts again must not begin with LR-001."""
    assert [store.claim_id("LR", launch="a") for _ in range(2)] == ["LR-001", "LR-002"]
    assert RecordStore(store.root).claim_id("LR", launch="b") == "LR-003"
    assert store.claim_id("MOE", launch="b") == "MOE-001"


@pytest.mark.parametrize(
    ("last", "following"), [("000999", "LR-1000"), ("999999", "LR-1000000"), ("1000000", "LR-1000001")]
)
def test_ids_grow_longer_than_they_were_planned(store, last, following):
    """An agent that runs thousands of small experiments must not be stopped by the number of digits."""
    store.objects.put_new("ids/LR/000002.json", b"{}")
    store.objects.put_new(f"ids/LR/{last}.json", b"{}")

    assert store.claim_id("LR", launch="a") == following


def test_files_that_other_programs_leave_among_the_claims_are_passed_over(store):
    """Editors and file syncers leave copies behind; an ID must still be had."""
    store.claim_id("LR", launch="a")
    for name in ("000001 (conflicted copy).json", "000001.json~", "README", "zzz.json"):
        store.objects.put_new(f"ids/LR/{name}", b"")

    assert store.claim_id("LR", launch="a") == "LR-002"


def test_a_retry_is_the_next_attempt_of_its_run(store):
    """Retries on several hosts at once are told apart by their number."""
    assert [store.claim_attempt("LR-001") for _ in range(3)] == [1, 2, 3]
    assert store.claim_attempt("LR-002") == 1


def test_all_hosts_of_a_gang_that_ask_at_once_join_one_attempt(store):
    """A preempted pod of many hosts comes back as one more try, not as one a host, and leaves no number out."""
    assert store.claim_attempt("LR-001") == 1
    jobs = [Retry(of=1, job="/ada/train", number=number) for number in (1, 2)]
    with ThreadPoolExecutor(max_workers=32) as pool:
        joined = list(
            pool.map(lambda index: RecordStore(store.root).join_attempt("LR-001", jobs[index % 2]), range(64))
        )

    assert {*joined[::2]} | {*joined[1::2]} == {2, 3}
    assert len({*joined[::2]}) == len({*joined[1::2]}) == 1
    assert store.newest_attempt("LR-001") == 3
    assert store.claim_attempt("LR-001") == 4


def test_a_claim_that_was_cut_short_is_nobodys_attempt_to_join(store):
    """A launch that was killed while it claimed leaves an empty file."""
    store.objects.put_new("runs/LR-001/attempts/000001.json", b"")
    store.objects.put_new("runs/LR-001/attempts/000002.json", b"[]")

    retry = Retry(of=1, job="/ada/train", number=1)
    assert [store.join_attempt("LR-001", retry) for _ in range(2)] == [3, 3]


def test_a_prefix_belongs_to_one_thread(store):
    """`LR-007` would otherwise mean two experiments in two logbooks."""
    store.own_prefix("LR", "lr-sweep")
    store.own_prefix("LR", "lr-sweep")

    with pytest.raises(ThreadError, match=r"prefix LR belongs to thread 'lr-sweep'.*give thread 'other' a prefix"):
        store.own_prefix("LR", "other")


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"{}"])
def test_a_damaged_claim_of_a_prefix_is_named(store, damaged):
    """Whom the prefix belongs to is then unknown; guessing could mix two threads."""
    store.objects.put_new("prefixes/LR.json", damaged)

    with pytest.raises(StoreError, match=r"prefixes/LR\.json is damaged"):
        store.own_prefix("LR", "lr-sweep")


# Reading records


def test_a_record_cut_off_anywhere_is_still_a_record(store, a_run, keep):
    """A full disk may cut any object; the rest of the record must stay readable, and the gap be named."""
    whole = keep(a_run(metrics={"loss": 2.5}))
    folder = Path(store.root) / "runs" / whole.id / "events"
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        for size in [*range(0, len(data) - 1, 41), len(data) - 2]:  # the last byte is a newline
            path.write_bytes(data[:size])
            run = store.run(whole.id)
            assert [gap.what for gap in run.gaps] == [f"events in {path.name}"]
            assert run.id == whole.id
            assert run.metrics or "facts" in path.name
        path.write_bytes(data)

    assert store.run(whole.id) == whole


def test_an_object_of_a_newer_format_is_a_gap_and_stays_as_it_is(store, a_run, keep):
    """Somebody updated the program on the cluster first; nobody's history may be dropped or rewritten for it."""
    whole = keep(a_run())
    newer = json.dumps({"format": "marin-research/events/2", "facts": []}).encode()
    key = f"runs/{whole.id}/events/001-h0-ffffff-000000.json"
    store.objects.put_new(key, newer)

    run = store.run(whole.id)

    assert run.status is Status.SUCCEEDED
    assert [gap.what for gap in run.gaps] == ["events in 001-h0-ffffff-000000.json"]
    assert "a newer version may read it" in run.gaps[0].why
    assert store.objects.get(key) == newer


def test_a_run_of_which_nothing_can_be_read_says_why(store):
    """It is not lost: whoever has the newer version sees it whole."""
    store.objects.put_new("runs/LR-009/events/001-h0-ffffff-000000.json", b'{"format": "marin-research/events/2"}')

    run = store.run("LR-009")

    assert run.why.startswith("its declaration is missing; ")
    assert "a newer version may read it" in run.why


def test_an_object_that_cannot_be_opened_is_a_gap(store, a_run, keep):
    """One bad sector must not hide a run."""
    whole = keep(a_run())
    (Path(store.root) / "runs" / whole.id / "events" / "001-h9-ffffff-000000.json").mkdir()

    run = store.run(whole.id)

    assert run.status is Status.SUCCEEDED
    assert [gap.what for gap in run.gaps] == ["events in 001-h9-ffffff-000000.json"]


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"writer": 5}', b'{"writer": "h0-000001"}'])
def test_a_damaged_heartbeat_is_as_good_as_none(store, a_run, keep, damaged):
    """It is overwritten in place on file systems where that is not one step; the next one is whole again."""
    whole = keep(a_run())
    store.objects.put(f"runs/{whole.id}/heartbeats/h0-000001.json", damaged)

    assert store.run(whole.id) == whole


def test_a_number_that_was_taken_and_never_used_hides_no_other_run(store, a_run, keep):
    """Its process was killed between taking the number and saying what for; `runs` must still list the others."""
    first, third = keep(a_run("LR-001")), keep(a_run("LR-003"))
    store.claim_attempt("LR-002")

    assert list(store.runs()) == [first, third]
    with pytest.raises(RunNotFoundError):
        store.run("LR-002")


@pytest.mark.parametrize(
    "name", ["LR-404", "", "LR", "../LR-001", "/etc/passwd", "gs://bucket/x", "LR-001/events", "a\0b", "x" * 5000]
)
def test_a_run_that_is_not_there_is_said_to_be_missing(store, a_run, keep, name):
    """Whatever is typed, the answer is one line, and nothing outside of the records is looked at."""
    keep(a_run("LR-001"))

    with pytest.raises(RunNotFoundError, match="`marin-research runs` lists the runs there are"):
        store.run(name)


def test_runs_are_listed_by_prefix_and_number(store, a_run, keep):
    """LR-1000 comes after LR-999, not after LR-100."""
    for run_id in ("LR-1000", "MOE-HC-001", "LR-999", "LR-002", "MOE-001"):
        keep(a_run(run_id))

    assert store.run_ids() == ["LR-002", "LR-999", "LR-1000", "MOE-001", "MOE-HC-001"]
    assert store.run_ids("MOE") == ["MOE-001"]
    assert [run.id for run in store.runs("LR")] == ["LR-002", "LR-999", "LR-1000"]
    assert run_order("notes") == ("notes", 0)


def test_attempts_and_hosts_come_back_as_they_were_written(store, a_run, an_attempt, a_host, keep):
    """A preempted pod and its retry are one run with two tries."""
    first = an_attempt(1, hosts=(a_host(0), a_host(1)), launch="a")
    second = an_attempt(2, hosts=(a_host(0, writer="h0-def456"),), launch="b")

    run = keep(a_run(attempts=(first, second), metrics={"loss": 2.5}))

    assert [(attempt.number, len(attempt.hosts), attempt.launch) for attempt in run.attempts] == [
        (1, 2, "a"),
        (2, 1, "b"),
    ]
    assert run.attempt is not None
    assert run.attempt.command == second.command
    assert run.config == second.config


def test_an_event_is_never_written_over_another(store):
    """A writer that lost count must fail rather than rewrite history."""
    now = datetime.now(UTC)

    def measured(value: float) -> list[Event]:
        body = encode(Metric(name="a", value=value, source="report"))
        return [Event(kind=Kind.METRIC, time=now, attempt=1, writer="h0", body=body)]

    store.write("LR-001", "h0", 0, measured(1))
    store.write("LR-001", "h0", 0, measured(1))  # tried again, because the answer had got lost

    with pytest.raises(FileExistsError):
        store.write("LR-001", "h0", 0, measured(2))
    assert len(store.objects.names("runs/LR-001/events")) == 1


# Outputs, blobs, threads


def test_an_output_is_found_by_its_path(store):
    """`show` and the cache look up which run made a directory; a slash at the end is no other directory."""
    for run_id in ("LR-010", "LR-002", "LR-002"):
        store.remember_output("gs://bucket/train/dev", run_id)

    assert store.runs_of_output("gs://bucket/train/dev/") == ["LR-002", "LR-010"]
    assert store.runs_of_output("gs://bucket/train") == []


def test_a_blob_is_kept_once_and_comes_back(store):
    """The diff of a dirty tree belongs to every run of the launch."""
    data = os.urandom(1000) + bytes(100_000)

    blobs = {store.put_blob(data) for _ in range(3)}

    assert [store.blob(blob) for blob in blobs] == [data]
    assert len(store.objects.names("blobs")) == 1


@pytest.mark.parametrize("damage", [b"", b"\x1f\x8b\x08", b"not gzip", None])
def test_a_blob_that_is_damaged_is_not_passed_off_as_the_diff(store, damage):
    """A snapshot made from half a diff would not be what ran."""
    blob = store.put_blob(b"diff --git a b")
    path = Path(store.root) / "blobs" / f"{blob.sha256}.gz"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(StoreError, match=r"missing or damaged|something else"):
        store.blob(blob)


def test_a_blob_that_is_another_blob_is_refused(store):
    """Content is addressed by its hash; what does not hash to it is not it."""
    first, second = store.put_blob(b"one"), store.put_blob(b"two")
    folder = Path(store.root) / "blobs"
    (folder / f"{first.sha256}.gz").write_bytes((folder / f"{second.sha256}.gz").read_bytes())

    with pytest.raises(StoreError, match="holds something else"):
        store.blob(first)
    with pytest.raises(StoreError, match="missing"):
        store.blob(Blob(sha256="0" * 64, size=1))


def test_a_thread_is_remembered_as_it_last_ran(store):
    """Records are read on machines that do not have the checkout."""
    store.put_thread("lr-sweep", {"topic": "lr-sweep", "title": "old"})
    store.put_thread("lr-sweep", {"topic": "lr-sweep", "title": "new"})

    assert store.thread("lr-sweep") == {"topic": "lr-sweep", "title": "new"}
    assert store.thread("other") is None
    assert store.topics() == ["lr-sweep"]


# Where it is


def test_the_store_works_in_memory(a_run):
    """Any fsspec URL is a root; this one needs no network."""
    store = RecordStore(f"memory://{uuid.uuid4()}")
    store.prepare()
    store.prepare()
    store.own_prefix("LR", "lr-sweep")
    run_id = store.claim_id("LR", launch="l")
    run = a_run(run_id, attempts=(), status=Status.RUNNING)
    event = Event(kind=Kind.DECLARED, time=run.declared, attempt=1, writer="h0", body=encode(run))
    store.write(run_id, "h0", 0, [event])
    store.remember_output("/out", run_id)
    blob = store.put_blob(b"diff")

    elsewhere = RecordStore(store.objects.url)

    assert [run.id for run in elsewhere.runs()] == ["LR-001"]
    assert elsewhere.claim_id("LR", launch="l") == "LR-002"
    assert elsewhere.runs_of_output("/out") == ["LR-001"]
    assert elsewhere.blob(blob) == b"diff"
    with pytest.raises(RunNotFoundError):
        elsewhere.run("LR-009")


def test_the_store_has_a_place_of_its_own(tmp_path, monkeypatch, git_checkout):
    """Without any setting the records of a checkout are in it, wherever in it one stands."""
    checkout = git_checkout()
    (checkout / "src").mkdir()
    monkeypatch.chdir(checkout / "src")

    assert default_root({}) == str(checkout / ".marin-research")
    assert default_root({"MARIN_PREFIX": "gs://marin/"}) == "gs://marin/research"
    assert default_root({"MARIN_PREFIX": "gs://marin", "MARIN_RESEARCH_ROOT": "s3://x"}) == "s3://x"
    assert checkout_top(tmp_path) is None
    monkeypatch.chdir(tmp_path)
    assert default_root({}) == str(tmp_path / ".marin-research")


@pytest.mark.parametrize(
    "first_use", [RecordStore.prepare, lambda store: store.own_prefix("LR", "lr"), lambda store: store.put_blob(b"x")]
)
def test_records_do_not_make_a_checkout_dirty(git_checkout, git, monkeypatch, first_use):
    """A run whose own record makes the tree dirty could never be reproduced from a clean commit."""
    checkout = git_checkout()
    monkeypatch.chdir(checkout)

    first_use(RecordStore())

    assert git(checkout, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[]", b'"x"', b'{"format": "marin-research/store/2"}', b'{"format": null}']
)
def test_a_store_of_an_unknown_format_is_left_alone(tmp_path, content):
    """It may be a newer program's, or somebody's folder with a file of that name."""
    (tmp_path / "store.json").write_bytes(content)

    with pytest.raises(StoreError, match=str(tmp_path)):
        RecordStore(str(tmp_path)).prepare()

    assert Counter(path.name for path in tmp_path.iterdir()) == {"store.json": 1}
    assert (tmp_path / "store.json").read_bytes() == content


def test_reading_an_empty_store_creates_nothing(tmp_path):
    """`runs` in the wrong folder must not leave a store there."""
    store = RecordStore(str(tmp_path / "records"))

    assert list(store.runs()) == []
    assert store.run_ids("LR") == []
    assert not (tmp_path / "records").exists()


def test_a_cached_run_without_its_maker_is_still_listed(store, a_run, keep):
    """Output from before recording began has no run behind it."""
    nobody = Unknown("no recorded run made this output")
    run = keep(a_run(status=Status.CACHED, cached_from=nobody, attempts=(), why="served from Marin's cache"))

    assert run.cached_from == nobody
    assert list(store.runs()) == [run]

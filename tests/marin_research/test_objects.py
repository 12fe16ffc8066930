"""Objects are whole or absent, are never overwritten by accident, and behave alike wherever they live."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import pytest

from marin_research.errors import StoreError
from marin_research.object_storage import FsspecObjects
from marin_research.objects import LocalObjects, open_objects


@pytest.fixture(params=["folder", "file-url", "memory", "no-hard-links", "s3", "gs"])
def objects(request, tmp_path, monkeypatch):
    """The same contract on a local disk, on a file system without hard links, and behind fsspec."""
    match request.param:
        case "s3":
            return open_objects(request.getfixturevalue("s3").url)
        case "gs":
            return open_objects(request.getfixturevalue("gcs"))
        case "folder":
            return open_objects(str(tmp_path / "a folder 'quoted'"))
        case "file-url":
            return open_objects(f"file://{tmp_path}/records")
        case "memory":
            return open_objects(f"memory://{uuid.uuid4()}/records")
        case _:
            forbid_links(monkeypatch, errno.EPERM)
            return open_objects(str(tmp_path / "records"))


def forbid_links(monkeypatch, number: int) -> None:
    def link(*args: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)


def files(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_object_keeps_what_it_first_held(objects):
    """Two hosts that take one name must not overwrite each other's history."""
    objects.put_new("runs/LR-001/events/1.json", b"first")

    with pytest.raises(FileExistsError):
        objects.put_new("runs/LR-001/events/1.json", b"second")

    assert objects.get("runs/LR-001/events/1.json") == b"first"
    assert objects.names("runs/LR-001/events") == ["1.json"]


def test_what_was_written_may_be_written_again(objects):
    """A client that got no answer tries again, and must not be told that somebody else was first."""
    for write in (objects.put_new, objects.claim):
        write("ids/LR/000001.json", b"mine")

    assert objects.get("ids/LR/000001.json") == b"mine"


def test_a_claim_is_had_by_one(objects):
    """Experiment IDs are claims."""
    objects.claim("ids/LR/000001.json", b"mine")

    for take in (objects.claim, objects.put_new):
        with pytest.raises(FileExistsError):
            take("ids/LR/000001.json", b"theirs")

    assert objects.get("ids/LR/000001.json") == b"mine"


def test_what_may_be_replaced_is_replaced(objects):
    """A heartbeat is the newest sign of life, not the first."""
    objects.put("beats/a.json", b"1")
    objects.put("beats/a.json", b"2")

    assert objects.get("beats/a.json") == b"2"
    assert objects.names("beats") == ["a.json"]


def test_names_are_those_directly_below(objects):
    """`runs` lists run folders, not every object in them."""
    for key in ("runs/LR-002/events/1.json", "runs/LR-001/events/1.json", "runs/LR-001/note", "store.json"):
        objects.put_new(key, b"{}")

    assert objects.names("runs") == ["LR-001", "LR-002"]
    assert objects.names("runs/LR-001") == ["events", "note"]
    assert objects.names("nowhere") == []


def test_what_is_missing_is_said_to_be_missing(objects):
    """Callers tell "never written" from "cannot be read"."""
    with pytest.raises(FileNotFoundError):
        objects.get("runs/LR-001/events/1.json")


def test_many_objects_are_read_at_once(objects):
    """What can be read is read; what is missing is missing by itself and spoils nothing."""
    objects.put_new("a/1", b"one")
    objects.put_new("a/3", b"three")

    first, second, third = objects.get_each(["a/1", "a/2", "a/3"])

    assert (first, third) == (b"one", b"three")
    assert isinstance(second, FileNotFoundError)


def test_its_url_opens_the_same_place(objects):
    """A step on another machine opens the store by the URL that the launch carries."""
    objects.put_new("a/b", b"x")

    assert open_objects(objects.url).get("a/b") == b"x"


@pytest.mark.parametrize("url", ["memory://", "memory:///", "memory://x/"])
def test_a_root_at_the_top_of_a_bucket_stays_where_it_is(url):
    """``gs://bucket/`` must not become a folder called ``gs:`` in the working directory."""
    key = f"{uuid.uuid4()}/a"
    objects = open_objects(url)

    objects.put_new(key, b"x")

    assert isinstance(open_objects(objects.url), FsspecObjects)
    assert open_objects(objects.url).get(key) == b"x"


def test_a_folder_may_have_any_name(tmp_path):
    """Checkouts stand in folders with spaces, quotes, and worse."""
    folder = tmp_path / 'it\'s "one"\nfolder é \udcff'
    objects = LocalObjects(folder)

    objects.put_new("a", b"x")

    assert objects.get("a") == b"x"
    assert objects.names("") == ["a"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK])
def test_without_hard_links_an_object_is_still_written_once(tmp_path, monkeypatch, number):
    """Buckets that are mounted as folders have no hard links, and experiment IDs are claimed on them too."""
    forbid_links(monkeypatch, number)
    objects = LocalObjects(tmp_path)

    objects.put_new("ids/LR/000001.json", b"{}")
    with pytest.raises(FileExistsError):
        objects.put_new("ids/LR/000001.json", b"other")

    assert files(tmp_path) == ["ids/LR/000001.json"]


def test_without_hard_links_a_disk_that_is_full_leaves_no_half_object(tmp_path, monkeypatch):
    """Half a claim would be an ID that nobody owns and nobody can get."""
    forbid_links(monkeypatch, errno.EPERM)
    synced: list[int] = []

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:  # the temporary file is written, the object itself is not
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    objects = LocalObjects(tmp_path)

    with pytest.raises(StoreError):
        objects.put_new("ids/LR/000001.json", b"{}")

    assert files(tmp_path) == []


@pytest.mark.parametrize("key", ["store.json", "runs/LR-001/events/1.json"])
@pytest.mark.parametrize("write", [LocalObjects.put, LocalObjects.put_new, LocalObjects.claim])
def test_a_file_in_the_way_is_an_error_that_says_what_to_do(tmp_path, key, write):
    """``--root`` may name a file by mistake; what it holds must survive, and the name must not pass for taken."""
    root = tmp_path / "records"
    root.write_text("my notes")

    with pytest.raises(
        StoreError, match=r"records/.*: .*; mend that, or name another place with --root or MARIN_RESEARCH_ROOT"
    ):
        write(LocalObjects(root), key, b"{}")

    assert root.read_text() == "my notes"
    assert files(tmp_path) == ["records"]


def test_a_folder_where_an_object_should_be_is_an_error(tmp_path):
    """Somebody made a folder by that name; reading must not end in a traceback."""
    (tmp_path / "store.json").mkdir()

    with pytest.raises(StoreError, match=r"cannot read .*store\.json"):
        LocalObjects(tmp_path).get("store.json")
    with pytest.raises(StoreError, match=r"cannot write .*store\.json"):
        LocalObjects(tmp_path).put("store.json", b"{}")
    with pytest.raises(FileExistsError):
        LocalObjects(tmp_path).put_new("store.json", b"{}")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no folder that nobody can write to")
def test_a_place_that_cannot_be_written_is_an_error_that_says_what_to_do():
    """Clusters mount code read-only; the error must name the way out (root may write to any ordinary folder)."""
    with pytest.raises(StoreError, match="or name another place with --root"):
        LocalObjects(open_objects("/proc/self/records").root).put_new("store.json", b"{}")  # type: ignore[attr-defined]


def test_a_url_that_nothing_can_open_is_an_error_that_says_what_to_do():
    """A typo in the scheme, or a file system whose package is not installed."""
    with pytest.raises(StoreError, match=r"cannot open .*--root"):
        open_objects("nosuchscheme://bucket/x")


# Every write may be the last thing a process does.

DRIVER = """
    import contextlib, json, os, sys
    from marin_research.codec import encode
    from marin_research.events import Event, Heartbeat, Kind
    from marin_research.record import Gap, Run, Status
    from marin_research.store import RecordStore
    from datetime import datetime, UTC

    WATCHED = {"open", "os.link", "os.mkdir", "os.remove", "os.rename", "sync"}

    def work(root):
        now = datetime.now(UTC)
        store = RecordStore(root)
        store.prepare()
        store.own_prefix("LR", "lr-sweep")
        run_id = store.claim_id("LR", launch="l")
        attempt = store.claim_attempt(run_id)
        run = Run(id=run_id, thread="lr-sweep", launch="l", status=Status.RUNNING, why="", label="", declared=now)
        event = Event(kind=Kind.DECLARED, time=now, attempt=attempt, writer="h0", body=encode(run))
        store.write(run_id, "h0", 0, [event])
        store.beat(run_id, Heartbeat(writer="h0", time=now))
        store.beat(run_id, Heartbeat(writer="h0", time=now, size=1))
        store.remember_output("/marin/out", run_id)
        store.put_blob(b"diff" * 100)

    def die_at(count):
        left = count
        def watch(name, args):
            nonlocal left
            if name in WATCHED and not (name == "open" and "records" not in str(args[0])):
                left -= 1
                if left == 0:
                    os._exit(9)
        sys.addaudithook(watch)
        sync = os.fsync
        os.fsync = lambda descriptor: (sys.audit("sync"), sync(descriptor))

    if "--no-links" in sys.argv:
        def no_link(*args, **options):
            raise PermissionError(1, "no hard links here")
        os.link = no_link

    root, codes = sys.argv[1], []
    while not codes or codes[-1] != 0:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                die_at(len(codes) + 1)
                work(f"{root}/{len(codes)}/records")
                os._exit(0)
            os._exit(1)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(codes))
"""


def killed_everywhere(tmp_path, *options: str) -> list[int]:
    """Do the work again and again, killed at its first access to the disk, its second, ... until it is done."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DRIVER), str(tmp_path), *options],
        check=True,
        capture_output=True,
        text=True,
    )
    codes: list[int] = json.loads(done.stdout)
    assert set(codes[:-1]) == {9}
    assert len(codes) > 20
    return codes


def test_killed_at_any_access_to_the_disk_the_store_shows_only_whole_objects(tmp_path):
    """A VM may be taken away at any instant; whoever reads the store then must find no half truth and can go on."""
    from marin_research.store import RecordStore

    for index, _ in enumerate(killed_everywhere(tmp_path)):
        folder = tmp_path / str(index) / "records"
        for path in folder.rglob("*"):
            is_claim = {"ids", "attempts", "outputs"} & {*path.parts}  # of those, only the name matters
            if path.is_file() and not path.name.startswith(".") and not is_claim:
                assert path.suffix == ".gz" or json.loads(path.read_bytes())
        store = RecordStore(str(folder))
        store.prepare()
        store.own_prefix("LR", "lr-sweep")
        taken = store.objects.names("ids/LR")
        assert store.claim_id("LR", launch="next") == f"LR-{len(taken) + 1:03d}"
        assert store.blob(store.put_blob(b"diff" * 100)) == b"diff" * 100
        for run in store.runs():
            assert run.gaps == ()


def test_without_hard_links_a_kill_leaves_at_worst_a_gap_that_is_named(tmp_path):
    """There a write is not one step; what it left must not stop anybody from reading the rest or going on."""
    from marin_research.store import RecordStore

    for index, _ in enumerate(killed_everywhere(tmp_path, "--no-links")):
        store = RecordStore(str(tmp_path / str(index) / "records"))
        taken = store.objects.names("ids/LR")
        assert store.claim_id("LR", launch="next") == f"LR-{len(taken) + 1:03d}"
        for run in store.runs():
            assert run.thread == "lr-sweep" or run.gaps
        with contextlib.suppress(StoreError):  # which says which file to restore
            store.prepare()
            store.own_prefix("LR", "lr-sweep")

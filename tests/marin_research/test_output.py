"""Storing and reading what a host printed, and finding the lines that say how it failed."""

from __future__ import annotations

import gzip
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.capture.live_output import LiveOutput, ship
from marin_research.codec import encode
from marin_research.events import Event, Kind
from marin_research.output import StoredOutput, follow, read_output, tail
from marin_research.record import Attempt, Command, End, Git, Host, Run, Status, Unknown
from marin_research.store import RecordStore

RUN = "T-001"


@pytest.fixture
def store(tmp_path):
    return RecordStore(str(tmp_path / "store"))


def live(store: RecordStore) -> LiveOutput:
    output = LiveOutput(store.objects.url, folder(store))
    for stretch in output.open():
        ship(store.objects, folder(store), stretch)
    return output


def folder(store: RecordStore) -> str:
    return store.output_folder(RUN, 1, "h0")


def cut(store: RecordStore, output: LiveOutput, *, last: bool = False) -> None:
    stretch = output.cut(last=last)
    if stretch:
        ship(store.objects, folder(store), stretch)


def stored(store: RecordStore) -> bytes:
    return b"".join(read_output(store, RUN, 1, "h0"))


def chunks(store: RecordStore) -> list[str]:
    return [name for name in store.objects.names(folder(store)) if name.endswith(".gz")]


ACTIONS = st.lists(
    st.one_of(
        st.binary(max_size=40).map(lambda data: ("append", data)),
        st.sampled_from([("cut", b""), ("cut and die", b""), ("die", b"")]),
    ),
    max_size=20,
)


@given(actions=ACTIONS, ends=st.booleans(), wanted=st.integers(0, 5))
def test_output_survives_cuts_and_deaths_at_any_moment(tmp_path_factory, actions, ends, wanted):
    """A sidecar killed between two steps of its work would lose, repeat or miscount output."""
    store = RecordStore(str(tmp_path_factory.mktemp("store")))
    output = live(store)
    written = b""
    for action, data in actions:
        match action:
            case "append":
                output.append(data)
                written += data
            case "cut":
                cut(store, output)
            case "cut and die":
                output.cut()
                output = live(store)
            case "die":
                output = live(store)
    if ends:
        cut(store, output, last=True)
        assert all(name.endswith(".gz") for name in store.objects.names(folder(store)))
    assert stored(store) == written
    assert (output.size, output.lines) == (len(written), written.count(b"\n"))
    lines = written.removesuffix(b"\n").split(b"\n")
    expected = b"\n".join(lines[-wanted:] if wanted else []) + (b"\n" if written.endswith(b"\n") and wanted else b"")
    assert tail(store, RUN, 1, "h0", wanted) == (expected if written else b"")


def test_a_chunk_that_was_stored_without_an_answer_is_not_stored_twice(store):
    """A retry after a lost answer would stop the shipping for good."""
    output = live(store)
    output.append(b"text\n")
    stretch = output.cut(last=True)
    assert stretch is not None
    ship(store.objects, folder(store), stretch)
    stretch.path.write_bytes(b"text\n")
    ship(store.objects, folder(store), stretch)
    assert not stretch.path.exists()
    assert stored(store) == b"text\n"


def test_a_chunk_that_was_cut_off_does_not_cost_its_live_file(store):
    """A file system without hard links can leave half a chunk, and the whole one would be thrown away for it."""
    output = live(store)
    output.append(b"text\n")
    stretch = output.cut(last=True)
    assert stretch is not None
    store.objects.put_new(f"{folder(store)}/000000000000-000000000005.gz", gzip.compress(b"te"))
    ship(store.objects, folder(store), stretch)
    assert stored(store) == b"text\n"


@pytest.mark.parametrize("keep", [0, 5, 30, -4])
def test_a_damaged_chunk_is_named_and_hides_nothing_else(store, keep):
    """One bad block on a disk would make a whole log unreadable."""
    output = live(store)
    for data in (b"first\n", b"second " * 100 + b"\n", b"third\n"):
        output.append(data)
        cut(store, output)
    name = chunks(store)[1]
    path = store.objects.path(f"{folder(store)}/{name}")
    path.write_bytes(path.read_bytes()[:keep])
    text = stored(store)
    assert text.startswith(b"first\n")
    assert text.endswith(b"third\n")
    assert name.encode() in text
    assert b"damaged" in text


def test_a_missing_chunk_is_said_where_it_was(store):
    """A log with a hole in it would read as if nothing was missing."""
    output = live(store)
    for data in (b"first\n", b"second\n", b"third\n"):
        output.append(data)
        cut(store, output)
    store.objects.path(f"{folder(store)}/{chunks(store)[1]}").unlink()
    assert stored(store) == b"first\n\n[marin-research: bytes 6 to 13 of this output are missing]\nthird\n"


def test_output_that_could_not_be_stored_is_counted_in_the_text(store):
    """A full disk would leave a hole that nobody sees."""
    output = live(store)
    output.append(b"first\n")
    cut(store, output, last=True)
    place = store.objects.path(folder(store))
    place.rename(place.with_name("aside"))
    place.write_text("a file in the way")
    output.append(b"lost\n")
    output.append(b"lost\n")
    place.unlink()
    place.with_name("aside").rename(place)
    output.append(b"last\n")
    assert stored(store) == b"first\n\n[marin-research: 10 bytes could not be stored here]\nlast\n"
    assert output.problem is not None
    assert output.size == len(stored(store))


def test_reading_while_the_live_file_becomes_a_chunk_loses_nothing(store):
    """``logs`` on a running step would repeat lines or leave some out."""
    done = threading.Event()

    def write() -> None:
        output = live(store)
        for i in range(2000):
            output.append(b"line %d\n" % i)
            if i % 20 == 0:
                cut(store, output)
        cut(store, output, last=True)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    reader = StoredOutput(store, RUN, 1, "h0")
    text = b""
    while not done.is_set():
        text += b"".join(reader.read())
    thread.join()
    text += b"".join(reader.read())
    assert text == b"".join(b"line %d\n" % i for i in range(2000))


def test_nothing_printed_is_an_empty_output(store):
    """Asking for the log of a silent step would fail."""
    assert stored(store) == b""
    assert tail(store, RUN, 1, "h0", 10) == b""


def test_following_ends_with_the_attempt_and_has_everything(store):
    """``logs --follow`` would go on for ever, or miss the last line."""
    now = datetime.now(UTC)
    declare(store, now)
    output = live(store)
    output.append(b"first\n")
    following = follow(store, RUN, 1, "h0")
    text = next(following)
    output.append(b"second\n")
    text += next(following)
    output.append(b"last\n")
    cut(store, output, last=True)
    end = End(status=Status.FAILED, time=now, why="it raised")
    write(store, 1, Event(kind=Kind.ATTEMPT_ENDED, time=now, attempt=1, writer="h0", body=encode(end)))
    text += b"".join(following)
    assert text == b"first\nsecond\nlast\n"


def write(store: RecordStore, sequence: int, *events: Event) -> None:
    store.write(RUN, "h0", sequence, list(events))


def declare(store: RecordStore, now: datetime) -> None:
    unknown = Unknown("a test")
    attempt = Attempt(
        number=1,
        launch="l",
        started=now,
        command=Command(argv=(), line="", cwd="/", cwd_in_repository=unknown),
        git=Git(commit=unknown, branch=unknown, remote=unknown, tree=unknown, dirty=unknown, diff=unknown),
        config={},
        environment={},
        python="",
        platform="",
        packages={},
        declared_devices=unknown,
    )
    host = Host(index=0, name="here", pid=1, writer="h0", started=now)
    run = Run(id=RUN, thread="t", launch="l", status=Status.RUNNING, why="", label="", declared=now, hypothesis=None)
    facts = [(Kind.DECLARED, run), (Kind.ATTEMPT_STARTED, attempt), (Kind.HOST_STARTED, host)]
    write(store, 0, *(Event(kind=kind, time=now, attempt=1, writer="h0", body=encode(body)) for kind, body in facts))

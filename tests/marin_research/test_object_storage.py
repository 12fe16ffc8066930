"""Object storage fails in its own ways: refused keys, buckets that do not exist, answers that never come."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from marin_research.errors import StoreError
from marin_research.object_storage import FsspecObjects

READ_AND_WRITE = pytest.mark.parametrize(
    "request_of",
    [
        lambda objects: objects.get("store.json"),
        lambda objects: objects.names("runs"),
        lambda objects: objects.put_new("store.json", b"{}"),
        lambda objects: objects.claim("ids/LR/000001.json", b"{}"),
        lambda objects: objects.put("threads/lr.json", b"{}"),
    ],
    ids=["get", "names", "put_new", "claim", "put"],
)


def refusal(url: str, request_of, *, deadline_s: float = 30.0) -> str:
    objects = FsspecObjects(url)
    objects.deadline_s = deadline_s
    with pytest.raises(StoreError) as refused:
        request_of(objects)
    said = str(refused.value)
    assert "\n" not in said
    assert said.endswith("or name another place with --root")
    return said


@READ_AND_WRITE
def test_a_url_without_credentials_says_so(s3, monkeypatch, request_of):
    """Who forgot to log in must read that, not a traceback of the client's."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    assert "Unable to locate credentials" in refusal(s3.url, request_of)


@READ_AND_WRITE
def test_a_key_that_is_rejected_is_an_error_that_says_so(locked_s3, request_of):
    """An expired key must not look like an empty store."""
    assert "AWS Access Key Id you provided does not exist" in refusal(locked_s3, request_of)


@pytest.mark.parametrize("scheme", ["s3", "gcs"])
def test_a_bucket_that_does_not_exist_is_an_error_that_says_so(request, scheme):
    """A typo in the bucket's name must not look like an empty store, and nothing may make the bucket."""
    request.getfixturevalue(scheme)
    url = f"{'gs' if scheme == 'gcs' else 's3'}://no-such-bucket/records"

    for write in (lambda objects: objects.put_new("a", b""), lambda objects: objects.put("a", b"")):
        assert "cannot write" in refusal(url, write)
    assert "no bucket 'no-such-bucket'" in refusal(url, lambda objects: objects.names("runs"))
    assert "no bucket 'no-such-bucket'" in refusal(url, lambda objects: objects.names(""))


@READ_AND_WRITE
def test_a_dead_network_is_an_error_that_says_so(s3, monkeypatch, request_of):
    """Nobody listens at the endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert "Could not connect to the endpoint" in refusal(s3.url, request_of)


@READ_AND_WRITE
def test_a_store_that_never_answers_is_not_waited_for(s3, request_of):
    """A hung request would hang the command that makes it."""
    s3.network("hang")

    assert "no answer within 0.5 s" in refusal(s3.url, request_of, deadline_s=0.5)


def test_its_threads_take_no_signals(s3):
    """The end of a command is a signal: a thread that took it would leave `marin-research run` waiting for ever."""
    program = """if True:
        import sys, threading
        from marin_research.object_storage import FsspecObjects
        FsspecObjects(sys.argv[1]).names("")
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                print(open(f"/proc/self/task/{thread.native_id}/status").read().partition("SigBlk:")[2].split()[0])
    """

    said = subprocess.run([sys.executable, "-c", program, s3.url], check=True, stdout=subprocess.PIPE, text=True).stdout

    masks = [int(line, 16) for line in said.split()]
    assert masks
    assert all(mask >> (number - 1) & 1 for mask in masks for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM))


def test_what_cannot_be_read_spoils_nothing_that_can(s3):
    """A network that dies while a record is read leaves gaps, each with its reason."""
    objects = FsspecObjects(s3.url)
    objects.put_new("a/1", b"one")
    s3.network("hang")
    objects.deadline_s = 0.5

    (found,) = objects.get_each(["a/1"])

    assert isinstance(found, StoreError)
    assert "no answer within 0.5 s" in str(found)


def test_a_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(s3):
    """The client tries again by itself and is told that the key is taken: by its own first try."""
    objects = FsspecObjects(s3.url)
    objects.names("")  # connects
    s3.network("deaf 1")

    objects.claim("ids/LR/000001.json", b"mine")

    assert objects.names("ids/LR") == ["000001.json"]
    with pytest.raises(FileExistsError):
        objects.claim("ids/LR/000001.json", b"theirs")

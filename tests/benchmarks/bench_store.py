"""What keeping an event costs whoever records, where the store is an S3 server: beside a bare write to that server.

The server is a real one on loopback, so its answers are as quick as answers can be; it can be made slow by so many
seconds an answer, as the network makes one that is far away. What is recorded is on this machine's disk, synced, when
the call returns; how long it takes until all of it has reached the server is told as well.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from peers import show  # type: ignore[import-not-found]

from marin_research.events import Event, Kind
from marin_research.store import RecordStore, recording_store

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = "Marin Research: an event for the store"
LOCAL, BARE = "floor: an event in a store on this disk", "fsspec: pipe_file to the server"
_SERVERS = Path(__file__).parents[1] / "object_servers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each answer is late")
    said = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch, server(said.delay) as endpoint:
        os.environ |= {
            "XDG_STATE_HOME": f"{scratch}/state", "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        import fsspec

        s3 = fsspec.filesystem("s3")
        s3.mkdir("bench")
        local, distant = RecordStore(f"{scratch}/records"), recording_store("s3://bench/records")
        times: dict[str, list[float]] = {LOCAL: [], OURS: [], BARE: []}
        begun = time.perf_counter()
        for number in range(said.events):
            event = [Event(kind=Kind.GAP, time=datetime.now(UTC), attempt=1, writer="h0", body={"what": "", "why": ""})]
            for name, store in ((LOCAL, local), (OURS, distant)):
                with timed(times[name]):
                    store.write("BENCH-001", "h0", number, event)
            if number < 50:  # each is the same, and may be slow
                with timed(times[BARE]):
                    s3.pipe_file(f"bench/bare/{number}", b"{}" * 100, mode="create")
        wait_for("s3://bench/records")
        took_s = time.perf_counter() - begun
    show(f"keeping an event, each answer of the server {said.delay:g} s late", times, ours=OURS)
    print(f"all {said.events} events were on the server {took_s:.1f} s after the first was begun")


def wait_for(url: str) -> None:
    from marin_research.spool.folder import SpoolFolder
    from marin_research.spool.upload import wait_until_sent

    wait_until_sent(SpoolFolder(url), patience_s=600, say=print)


@contextmanager
def timed(times_ms: list[float]) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    times_ms.append(1000 * (time.perf_counter() - begun))


@contextmanager
def server(delay_s: float) -> Iterator[str]:
    """The address of an S3 server."""
    with started("s3_server.py") as (_, port), started("faulty_proxy.py", port) as (proxy, near):
        assert proxy.stdin
        print(f"delay {delay_s}", file=proxy.stdin, flush=True)
        yield f"http://127.0.0.1:{near}"


@contextmanager
def started(script: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, _SERVERS / script, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()

"""``marin-research digest``, and what `show` tells of a failed run: logs of any kind, in files, pipes and the store."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from marin_research.capture.live_output import LiveOutput
from marin_research.cli.schema import schemas
from marin_research.digest import templates
from marin_research.digest.stored import StoredLog, digest_of
from marin_research.record import End, Status

CONSOLE = Path(sys.executable).with_name("marin-research")
LOG = b"".join(b"step:%d/999 val_loss:%.4f\n" % (n, 4 - n / 500) for n in range(1000)) + (
    b'Traceback (most recent call last):\n  File "/x/train.py", line 3, in f\n    g()\nValueError: bad shape\n'
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, store):
    """Every command finds the test's own store, from a folder that is no checkout."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def say(command_line):
    return lambda *args: command_line("marin-research", "digest", *args)


@pytest.fixture
def printed(store, keep, a_run, an_attempt, a_host):
    """A run that failed on two hosts, with what they printed."""

    def make(run_id: str, *outputs: bytes, status: Status = Status.FAILED, **of_attempt):
        hosts = tuple(a_host(index) for index in range(len(outputs)))
        attempt = an_attempt(hosts=hosts, **of_attempt)
        end = End(status=status, time=attempt.end.time, why="the step raised ValueError", exit_code=1)
        run = keep(a_run(run_id, attempts=(an_attempt(hosts=hosts, end=end, **of_attempt),)))
        for host, output in zip(hosts, outputs, strict=True):
            live = LiveOutput(store.objects.url, store.output_folder(run_id, 1, host.writer))
            live.open()
            live.append(output)
        return run

    return make


@pytest.mark.parametrize(
    ("name", "pack"),
    [("plain.log", bytes), ("a.log.gz", gzip.compress), ("a.log.xz", lzma.compress), ("über log", bytes)],
)
def test_a_file_is_read_as_it_is(say, name, pack):
    """Logs are kept compressed, and who has to unpack them first does not look."""
    Path(name).write_bytes(pack(LOG))

    said = say(name)

    assert said.code == 0
    assert said.out.startswith(f"Digest of {name}: ")
    assert "ValueError: bad shape" in said.out
    assert "1,004 lines" in said.out


def test_standard_input_is_read_as_it_comes():
    """`iris job logs ... | marin-research digest -` is how a cluster's log is looked at."""
    done = subprocess.run([CONSOLE, "digest", "-"], input=LOG, capture_output=True, check=True)

    assert b"ValueError: bad shape" in done.stdout
    assert done.stderr == b""


def test_several_files_are_hosts(say):
    """The logs of a pod lie in a folder, one of each host."""
    Path("pod").mkdir()
    for host in range(3):
        Path(f"pod/host-{host}.log").write_bytes(LOG if host == 1 else b"all is well\n")

    said = say("pod/host-0.log", "pod/host-1.log", "pod/host-2.log")

    assert "Digest of 3 streams" in said.out
    assert "once on host-1.log, pod/host-1.log:1001" in said.out
    assert say("pod").out == said.out


def test_the_index_is_whole_and_has_a_schema(say):
    """A script that reads the digest would have to guess its fields."""
    Path("a.log").write_bytes(LOG + b"loss=nan\n")

    said = say("a.log", "--json")

    index = json.loads(said.out, parse_constant=pytest.fail)
    jsonschema.validate(index, schemas()["schemas"]["Digest"])
    assert sum(template["count"] for template in index["templates"]) == 1005
    assert index["severe"][0]["hosts"] == {"a.log": 1}


def test_the_end_of_a_cut_off_archive_hides_nothing(say):
    """The machine died while it compressed its log; what it had written is what one wants to read."""
    Path("a.log.gz").write_bytes(gzip.compress(LOG + os.urandom(100_000))[:-50_000])

    said = say("a.log.gz")

    assert said.code == 0
    assert "ValueError: bad shape" in said.out
    assert "[marin-research: a.log.gz cannot be read after byte" in said.out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["missing.log"], "there is no file 'missing.log', and as a run: no run"),
        (["LR-001"], "there is no file 'LR-001', and as a run: no run"),
        (["empty"], "there are no files in the folder empty"),
        (
            ["https://localhost:1/a.log"],
            "cannot read https://localhost:1/a.log: it does not exist or cannot be reached",
        ),
        (["broken.gz"], "cannot read broken.gz: "),
        (["plain.log", "--attempt", "1"], "--attempt is of a recorded run"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(say, args, says):
    """A traceback of ours would be taken for one of the log's."""
    Path("broken.gz").write_bytes(b"this is no gzip")
    Path("plain.log").write_bytes(LOG)
    Path("empty").mkdir()

    said = say(*args)

    assert said.code in (1, 2)
    assert said.out == ""
    assert said.err.startswith(f"marin-research: {says}")
    assert said.err.count("\n") == 1


def test_severe_lines_without_room_go_to_a_file(say, monkeypatch):
    """Ten thousand kinds of errors are too many for an index, and one of them may be the cause."""
    monkeypatch.setattr(templates, "MOST_GRAVE", 400)
    names = [bytes([97 + n // 676, 97 + n // 26 % 26, 97 + n % 26]) * 4 for n in range(600)]
    Path("a.log").write_bytes(b"".join(b"%b failed\n%b failed\n" % (name, name) for name in names))

    index = json.loads(say("a.log", "--json", "--overflow", "more.txt").out)

    kept = {line["text"] for line in index["severe"]}
    spilled = [line.split(": ", 1)[1] for line in Path("more.txt").read_text().splitlines()]
    assert len(spilled) == len(set(spilled)) > 100
    assert kept | set(spilled) == {f"{name.decode()} failed" for name in names}


def test_a_recorded_run_is_digested_from_the_store(say, printed):
    """The output is in the store already; nobody should have to export it first."""
    printed("LR-001", LOG, b"all is well\n")

    said = say("LR-001")

    assert "Digest of 2 streams" in said.out
    assert "once on host 0, host 0:1001" in said.out
    assert say("LR-001", "--attempt", "1").out == said.out
    assert say("LR-001", "--attempt", "2").code == 1


def test_the_digest_of_a_stored_run_is_made_once(printed, store):
    """Each look at a failed run would take as long as the first."""
    run = printed("LR-001", LOG)
    assert StoredLog(store, run).kept() is None

    index = digest_of(store, "LR-001")

    assert StoredLog(store, run).kept() == index
    live = LiveOutput(store.objects.url, store.output_folder("LR-001", 1, run.attempts[0].hosts[0].writer))
    live.open()
    live.append(b"KeyError: later\n")
    assert StoredLog(store, run).kept() is None
    assert any(line.text == "KeyError: later" for line in digest_of(store, "LR-001").severe)


@pytest.mark.parametrize("damage", [b"", b"junk", gzip.compress(b"[1]", mtime=0), gzip.compress(b"{}", mtime=0)])
def test_a_damaged_digest_is_made_anew(printed, store, damage):
    """A full disk once would break the digest for ever."""
    printed("LR-001", LOG)
    index = digest_of(store, "LR-001")
    store.objects.put(store.digest_key("LR-001", 1), damage)

    assert digest_of(store, "LR-001") == index


def test_a_store_that_may_only_be_read_gives_digests(printed, store):
    """Somebody else's records are looked at with rights that end there."""
    printed("LR-001", LOG)
    store.objects.put(f"{store.digest_key('LR-001', 1)}/in-the-way", b"")

    assert digest_of(store, "LR-001").severe


def test_a_run_whose_recorder_was_killed_has_a_digest(say, tmp_path, git_checkout):
    """It could not condense anything itself, and its last words are what matters."""
    checkout = git_checkout()
    subprocess.run([CONSOLE, "init", "lr-sweep", "--prefix", "LR"], cwd=checkout, check=True, capture_output=True)
    script = "import time; print('RuntimeError: the tensor is haunted', flush=True); time.sleep(60)"
    recorder = subprocess.Popen(
        [CONSOLE, "run", "--thread", "lr-sweep", "--", sys.executable, "-c", script],
        cwd=checkout,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while "the tensor is haunted" not in say("LR-001").out and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(recorder.pid, signal.SIGKILL)
    recorder.wait()

    assert "RuntimeError: the tensor is haunted" in say("LR-001").out


def test_show_tells_the_most_telling_lines_of_a_failed_run(command_line, printed):
    """One looks at a failed run to learn why it failed."""
    printed("LR-001", LOG)
    printed("LR-002", LOG, status=Status.SUCCEEDED)

    assert "from its output, line 1,001\n" in command_line("marin-research", "show", "LR-001").out
    assert "ValueError: bad shape\n" in command_line("marin-research", "show", "LR-001").out
    assert "from its output" not in command_line("marin-research", "show", "LR-002").out


def test_a_draft_quotes_the_host_that_failed_first(store, printed):
    """The write-up of a pod's failure would quote the host that only noticed it."""
    from curator.evidence import gather
    from marin_research.thread import Thread

    noticed = b"E1122 03:00:20.592194 7 agent.cc:332] Polled an error from coordination service\n"
    cause = b"E1122 03:00:07.592194 7 tpu.cc:1] RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm\n"
    printed("LR-001", noticed, cause + noticed, noticed)

    evidence = gather(["LR-001"], Thread(topic="lr-sweep", prefix="LR"), store)

    assert evidence.subjects[0].quotes == ("RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm",)
    assert evidence.subjects[0].quoted_from == "host 1, line 1"

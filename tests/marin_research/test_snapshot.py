"""Snapshots: what is committed, tagged and bundled, that doing it again does no harm, and what is refused."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from marin_research.cli.schema import schemas
from marin_research.errors import SnapshotError
from marin_research.git import WorkTree
from marin_research.record import Unknown
from marin_research.snapshot.making import make, plan, push
from marin_research.snapshot.record import Snapshot, read_snapshot, seal, sums_of, write_bundle
from marin_research.store import RecordStore
from marin_research.thread import find_thread

TAG = "kernels-snapshot-001"
NOTE = ".skillevolve/memory/sess-1.jsonl"


@pytest.fixture
def folder(bench):
    return bench.top / ".marin-research/snapshots" / TAG


def test_only_what_belongs_to_the_results_is_committed(bench):
    """Somebody's half a thought must not be sealed with a result, nor be staged or undone on the way."""
    (bench.top / "staged.txt").write_text("staged\n")
    bench.git("add", "staged.txt")

    said = bench.say("snapshot", "kernels")

    assert said.code == 0, said
    assert bench.git("show", "--name-only", "--format=") == "bench.py"
    assert bench.git("status", "--porcelain").splitlines() == ["M notes.txt", "A  staged.txt", "?? draft.txt"]
    assert bench.git("cat-file", "-t", TAG) == "tag"
    assert bench.git("rev-parse", f"{TAG}^{{commit}}") == bench.git("rev-parse", "main")
    assert "draft.txt, notes.txt, staged.txt: changed here, no part of it" in said.out
    assert not bench.git("tag", at=bench.remote)


def test_the_plan_is_told_before_anything_is_done(bench):
    """A dry run names the files, the tag and the bundle, and leaves no trace."""
    before = bench.state()

    said = bench.say("snapshot", "kernels", "--dry-run", "--push")

    assert [word in said.out for word in (TAG, "bench.py", "notes.txt", "KER-001, KER-002")] == [True] * 4
    assert bench.state() == before
    told = json.loads(bench.say("snapshot", "kernels", "--dry-run", "--json").out)
    assert (told["made"], told["commits"], told["left"]) == (False, ["bench.py"], ["draft.txt", "notes.txt"])
    jsonschema.validate(told, schemas()["schemas"]["Sealed"])


def test_the_same_again_changes_nothing_and_more_is_the_next(bench):
    """Scripts repeat themselves; a tag per repetition would bury the one that matters."""
    first = json.loads(bench.say("snapshot", "kernels", "--json").out)
    before = bench.state()

    again = json.loads(bench.say("snapshot", "kernels", "--json").out)

    assert bench.state() == before
    assert (again["tag"], again["commit"], again["existed"]) == (TAG, first["commit"], True)
    bench.git("commit", "--quiet", "--all", "--message", "more")
    assert json.loads(bench.say("snapshot", "kernels", "--json").out)["tag"] == "kernels-snapshot-002"


@pytest.mark.parametrize("made_by", ["us", "hand"])
def test_a_name_that_seals_something_else_is_refused(bench, made_by):
    """A tag that moves makes every link to it a lie; and nothing may be committed for a snapshot that is refused."""
    if made_by == "us":
        bench.say("snapshot", "KER-001", "--tag", "v1")
    else:
        bench.git("tag", "--annotate", "--message", "mine", "v1")
    before = bench.state()

    said = bench.say("snapshot", "kernels", "--tag", "v1")

    assert said.code == 1
    assert "v1 seals something else" in said.err
    assert "another name with --tag" in said.err
    assert bench.state() == before


def test_the_pushed_tag_is_the_very_same(bench):
    """What readers fetch has to be the object that the record names."""
    said = bench.say("snapshot", "kernels", "--push")

    assert f"origin has the same tag {TAG}" in said.out
    assert bench.git("rev-parse", f"refs/tags/{TAG}", at=bench.remote) == read_snapshot(bench.store, TAG).tag_object
    assert bench.git("branch", at=bench.remote) == ""
    assert bench.say("snapshot", "kernels", "--push").code == 0


def test_a_remote_that_refuses_is_told_of_and_can_be_asked_again(bench):
    """Nothing is forced, the tag stays here, and the next push finds it."""
    hook = bench.remote / "hooks/update"
    hook.write_text("#!/bin/sh\necho 'tags are frozen' >&2\nexit 1\n")
    hook.chmod(0o755)

    refused = bench.say("snapshot", "kernels", "--push")

    assert refused.code == 1
    assert "nothing is forced" in refused.err
    assert refused.err.count("\n") == 1
    hook.unlink()
    assert bench.say("snapshot", "kernels", "--push").code == 0


def test_another_tag_at_the_remote_is_left_there(bench):
    """A colleague took the name first, in a clone whose tags were never fetched."""
    bench.say("snapshot", "kernels")
    bench.git("push", "--quiet", "origin", f"main:refs/tags/{TAG}")
    there = bench.git("rev-parse", TAG, at=bench.remote)

    said = bench.say("snapshot", "kernels", "--push")

    assert said.code == 1
    assert f"origin has another tag {TAG}" in said.err
    assert bench.git("rev-parse", TAG, at=bench.remote) == there


def test_a_reader_can_put_together_again_what_ran(bench, folder):
    """The patch on the commit is the code that ran, the command is the one, and the table has every digit."""
    bench.say("snapshot", "kernels")

    readme = (folder / "README.md").read_text()
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    commit = bench.store.run("KER-002").attempt.git.commit
    (patch,) = (folder / "patches").iterdir()
    bench.git("worktree", "add", "--quiet", "--detach", "../again", commit)
    bench.git("apply", str(patch), at=bench.top.parent / "again")
    assert "SCALE = 3" in (bench.top.parent / "again/bench.py").read_text()
    for said in ("env XLA_FLAGS=--xla_dump python3 bench.py 256", f"--detach ../reproduced {commit}", patch.name):
        assert said in readme
    rows = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text())))
    assert [(row["run"], row["block"], row["tok/s"], row["tok/s change %"]) for row in rows] == [
        ("KER-001", "128", "256.0", ""),
        ("KER-002", "256", "768.0", "200.0"),
    ]
    assert "| KER-002            | 256   | succeeded | 768 (+200.0 %)" in (folder / "table.md").read_text()
    assert json.loads((folder / "records/KER-002.json").read_text())["metrics"]["tok/s"]["value"] == 768


def test_a_script_that_is_no_longer_what_ran_is_not_sealed_as_if_it_were(bench):
    """Whoever edits on while results come in has to ask for the new text by name."""
    (bench.top / "bench.py").write_text("print('rewritten')\n")

    said = bench.say("snapshot", "kernels", "--dry-run")

    assert "bench.py is left out: it is not what KER-002 ran; --include bench.py" in said.out
    asked = json.loads(bench.say("snapshot", "kernels", "--dry-run", "--json", "--include", "bench.py").out)
    assert asked["commits"] == ["bench.py"]


def test_without_a_branch_nothing_is_begun(bench):
    """A commit that no branch holds is soon lost, and a half-made one would stay in the index."""
    bench.git("switch", "--quiet", "--detach")
    before = bench.state()

    said = bench.say("snapshot", "kernels")

    assert (said.code, "no branch is checked out" in said.err) == (1, True)
    assert bench.state() == before


def test_code_that_the_tag_does_not_lead_to_is_named(bench):
    """A run of a commit that nobody pushed cannot be reproduced by anybody else."""
    bench.git("checkout", "--quiet", "--orphan", "elsewhere")
    bench.git("commit", "--quiet", "--all", "--message", "another history")

    assert "which is not part of what is tagged" in bench.say("snapshot", "kernels", "--dry-run").out


_WRITES = ("commit-tree", "update-index", "update-ref", "tag", "push")
_OBJECTS = ("SHA256SUMS", "README.md", "table.md", "snapshot.json")
"""The first, the second, the last of a bundle's files, and what says that it is whole."""


def _seal(bench) -> None:
    """What ``snapshot kernels --push`` does."""
    tree, runs = WorkTree.here(), list(bench.store.runs("KER"))
    planned = plan(runs, find_thread("kernels", bench.store), tree, bench.store, remote="origin")
    push(make(planned, tree, bench.store), tree, "origin")


def _killed_at(point: int, bench) -> bool:
    """Make a snapshot in a child that is killed before its ``point``-th write; False if it had fewer."""
    child = os.fork()
    if child == 0:
        count = 0

        def audit(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            words = arguments[1] if event == "subprocess.Popen" else ()
            linked = str(arguments[1]) if event == "os.link" else ""
            if linked.endswith(_OBJECTS) or any(word in _WRITES for word in words):
                count += 1
                if count == point:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(audit)
        try:
            _seal(bench)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_it_may_be_killed_at_any_point_and_done_again(bench, tmp_path, record_property):
    """One commit, one tag, one whole bundle, pushed once: whatever was done before the power went out."""
    points = 0
    for name in ("checkout", "remote.git"):
        (tmp_path / name).rename(tmp_path / f"{name}.start")
    while True:
        for name in ("checkout", "remote.git"):
            subprocess.run(["cp", "-r", str(tmp_path / f"{name}.start"), str(tmp_path / name)], check=True)
        os.chdir(bench.top)
        if not _killed_at(points + 1, bench):
            break
        points += 1

        _seal(bench)

        assert bench.git("rev-list", "--count", "main") == "2"
        assert bench.git("tag") == TAG == bench.git("tag", at=bench.remote)
        assert read_snapshot(bench.store, TAG).tag_object == bench.git("rev-parse", TAG, at=bench.remote)
        assert bench.git("status", "--porcelain").splitlines() == ["M notes.txt", "?? draft.txt"], points
        for name in ("checkout", "remote.git"):
            subprocess.run(["rm", "-r", str(tmp_path / name)], check=True)
    assert points >= 10
    record_property("points", points)


@pytest.mark.parametrize("harm", ["unfinished", "damaged"])
def test_half_a_bundle_is_never_taken_for_a_whole_one(bench, folder, harm):
    """Whoever quotes a bundle has to have all of it."""
    bench.say("snapshot", "kernels")
    if harm == "unfinished":
        (folder / "snapshot.json").unlink()
    else:
        (folder / "table.csv").write_text("run,tok/s\n")

    with pytest.raises(SnapshotError, match="not finished" if harm == "unfinished" else "table.csv missing or damaged"):
        read_snapshot(bench.store, TAG)


def test_a_bundle_on_object_storage_is_written_once(s3):
    """A bucket has no renames; a second writer with other results must not mix into the first one's folder."""
    store = RecordStore(s3.url)
    files = {"README.md": b"# it\n", "records/LR-001.json": b"{}\n"}
    snapshot = Snapshot(
        tag="lr/v1", tag_object="a" * 40, commit="b" * 40, thread="lr", runs=("LR-001",), remote=Unknown("none"),
        files=(), bundle=f"{s3.url}/snapshots/lr%2Fv1", created=datetime(2026, 11, 22, tzinfo=UTC),
        sha256=hashlib.sha256(sums_of(files)).hexdigest(),
    )  # fmt: skip

    write_bundle(store, "lr/v1", files)
    write_bundle(store, "lr/v1", files)
    with pytest.raises(SnapshotError, match="another name"):
        write_bundle(store, "lr/v1", files | {"README.md": b"# other\n"})

    with pytest.raises(SnapshotError, match="not finished"):
        read_snapshot(store, "lr/v1")
    assert seal(store, snapshot) == seal(store, replace(snapshot, created=datetime(2027, 1, 1, tzinfo=UTC)))
    assert read_snapshot(store, "lr/v1") == snapshot


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        ([], 2, "name runs, or a thread"),
        (["KER-009"], 1, "no run 'KER-009'"),
        (["nothing"], 1, "no thread 'nothing'"),
        (["kernels", "--tag", "a..b"], 2, "git takes no tag called 'a..b'"),
        (["kernels", "--tag=--force"], 2, "git takes no tag called '--force'"),
        (["kernels", "--include", "../elsewhere"], 2, "is not in"),
        (["kernels", "--include", "gone.py"], 2, "there is no file gone.py"),
        (["kernels", "--include", NOTE], 2, f"{NOTE} is work memory, which stays on this machine"),
        (["kernels", "--include", ".marin-research/store.json"], 2, "git ignores .marin-research/store.json"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(bench, args, code, why):
    """And leaves everything as it was."""
    (bench.top / NOTE).parent.mkdir(parents=True)
    (bench.top / NOTE).write_text("a note\n")
    before = bench.state()

    said = bench.say("snapshot", *args)

    assert (said.code, said.err.count("\n")) == (code, 1)
    assert why in said.err
    assert bench.state() == before


def test_a_run_that_goes_on_is_not_sealed(bench):
    """Its numbers will change; a whole thread is sealed without it, and says so."""
    record = [sys.executable, "-m", "marin_research.cli.main", "run", "--thread", "kernels", "--", "cat"]
    with subprocess.Popen(record, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(b"on record\n")
        running.stdin.flush()
        running.stdout.readline()

        whole, named = bench.say("snapshot", "kernels", "--dry-run"), bench.say("snapshot", "KER-003")

        running.stdin.close()
    assert "KER-003 is still running; seal it" in whole.out
    assert (named.code, "KER-003 is still running; seal it when it has ended" in named.err) == (1, True)

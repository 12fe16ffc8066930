"""Work memory: notes in both documented shapes, read and written, and nothing of what was there lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.skillevolve.memory import TYPES, Note, read_memory, read_session
from curator.skillevolve.notebook import archive, current_file, write_note

NOW = datetime(2026, 2, 15, 10, 30, tzinfo=UTC)
WITH_HEADER = """\
{"session_id": "sess-2026-02-15-1a2b3c4d", "started": "2026-02-15T10:00:00+01:00", "skill": "vllm", "task": "serve"}
{"time": "2026-02-15T11:05:00Z", "type": "gotcha", "note": "set CUDA_VISIBLE_DEVICES before importing torch"}
"""
LINES_ONLY = """\
{"type":"gotcha","skill":"vllm","content":"Order matters for multi-GPU.","timestamp":"2026-02-15T10:30:00Z"}
{"type":"technique","skill":"grpo-rl-training","content":"Partial credit first.","timestamp":"2026-02-15T11:15:00Z"}
"""
THE_DOCUMENTS_READER = """\
import sys, json
for line in sys.stdin:
    entry = json.loads(line.strip())
    print(f"[{entry['type']}] {entry['skill']}: {entry['content'][:80]}...")
"""
"""How the workflow prints the notes of a session."""


def note(text: str = "jit compiles again", kind: str = "gotcha", **said) -> Note:
    return Note(type=kind, text=text, time=NOW, **said)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / ".skillevolve/memory"
    made.mkdir(parents=True)
    return made


def test_both_documented_shapes_are_read(folder):
    """Agents write the one or the other, depending on which document they read."""
    (folder / "sess-2026-02-15-1a2b3c4d.jsonl").write_text(WITH_HEADER)
    (folder / "2026-02-15-session.jsonl").write_text(LINES_ONLY)

    memory = read_memory([folder])

    by_id = {session.id: session for session in memory.sessions}
    told = by_id["sess-2026-02-15-1a2b3c4d"]
    assert (told.skill, told.task, told.started) == ("vllm", "serve", datetime(2026, 2, 15, 9, tzinfo=UTC))
    assert [(n.type, n.skill, n.text) for n in memory.notes] == [
        ("gotcha", "", "set CUDA_VISIBLE_DEVICES before importing torch"),
        ("gotcha", "vllm", "Order matters for multi-GPU."),
        ("technique", "grpo-rl-training", "Partial credit first."),
    ]
    assert memory.damaged == ()
    assert all(session.id.startswith("sess-2026-02-15-") for session in memory.sessions)


DAMAGED = {
    "cut short": b'{"type": "tip", "note": "half a l',
    "not UTF-8": b'{"type": "tip", "note": "\xff"}',
    "a list": b'["tip", "text"]',
    "nothing said": b'{"type": "tip", "note": ""}',
    "nested past all reading": b"[" * 100_000,
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_line_is_reported_and_left_alone(folder, how):
    """One torn line must not hide the notes of a whole day, nor be tidied away."""
    file = folder / "s.jsonl"
    data = WITH_HEADER.encode() + DAMAGED[how] + b"\n" + LINES_ONLY.encode()
    file.write_bytes(data)

    memory = read_memory([folder])

    assert [(d.file, d.line) for d in memory.damaged] == [(file, 3)]
    assert memory.damaged[0].why
    assert len(memory.notes) == 3
    assert file.read_bytes() == data


def test_a_type_nobody_documented_is_a_note_that_keeps_its_word(folder):
    """The list of types is open; other agents write what they like."""
    (folder / "s.jsonl").write_text('{"type": "finding", "note": "odd", "mood": "good"}\n')

    (found,) = read_memory([folder]).notes

    assert (found.type, found.more) == ("note", {"type": "finding", "mood": "good"})


def test_a_session_that_is_kept_twice_is_read_once_and_whole(folder, tmp_path):
    """The documents have the file copied below the home folder when the session begins; both may grow after that."""
    name = "sess-2026-02-15-1a2b3c4d.jsonl"
    (folder / name).write_text(WITH_HEADER)
    below_home = tmp_path / "home"
    below_home.mkdir()
    (below_home / name).write_text(WITH_HEADER + LINES_ONLY.splitlines()[0] + "\n")

    memory = read_memory([folder, below_home])

    assert len(memory.sessions) == 1
    assert [note.text for note in memory.notes] == [
        "set CUDA_VISIBLE_DEVICES before importing torch",
        "Order matters for multi-GPU.",
    ]


def test_the_workflows_own_reader_reads_what_we_add_to_its_file(folder):
    """It looks up `skill` and `content` on every line and would stop at any other."""
    file = folder / "2026-02-15-session.jsonl"
    file.touch()  # as the workflow begins it
    for text in ("one", "two"):
        write_note(note(text, skill="vllm", more={"run": "LR-001"}), file)

    said = subprocess.run(
        [sys.executable, "-c", THE_DOCUMENTS_READER], input=file.read_bytes(), capture_output=True, check=True
    )

    assert said.stdout.decode() == "[gotcha] vllm: one...\n[gotcha] vllm: two...\n"


@pytest.mark.parametrize("name", ["sess-2026-02-15-1a2b3c4d.jsonl", "2026-02-15-session.jsonl", "other.jsonl"])
@given(
    said=st.builds(
        note,
        text=st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
        kind=st.sampled_from(TYPES),
        skill=st.sampled_from(["", "vllm"]),
        more=st.dictionaries(st.sampled_from(["run", "problem"]), st.text(st.characters(codec="utf-8"), min_size=1)),
    )
)
def test_what_was_noted_is_what_is_read(tmp_path_factory, name, said):
    """Notes hold code, quotes and several lines."""
    file = tmp_path_factory.mktemp("memory") / name
    write_note(said, file)

    session, damaged = read_session(file)

    assert damaged == []
    assert session.has_header is not name.endswith("-session.jsonl")
    (found,) = session.notes
    assert (found.id, found.text, found.type) == (said.id, said.text, said.type)
    assert (found.skill, found.more, found.time) == (said.skill, said.more, said.time)


def test_a_note_goes_after_a_torn_line_not_into_it(folder):
    """A crash in the middle of a line must cost that line only."""
    file = folder / "s.jsonl"
    file.write_bytes(WITH_HEADER.encode() + b'{"type": "tip", "no')

    added = write_note(note(), file)

    session, damaged = read_session(file)
    assert [d.line for d in damaged] == [3]
    assert session.notes[-1].text == added.text
    assert added.source.endswith(":4")
    assert file.read_bytes().startswith(WITH_HEADER.encode() + b'{"type": "tip", "no\n')


def test_many_writers_at_once_lose_nothing(folder):
    """Two agents work in one checkout."""
    file = folder / "2026-02-15-session.jsonl"
    script = (
        "import sys, pathlib\nfrom datetime import UTC, datetime\n"
        "from curator.skillevolve.memory import Note\nfrom curator.skillevolve.notebook import write_note\n"
        "for i in range(25):\n"
        "    note = Note(type='tip', text=f'{sys.argv[2]} {i}', time=datetime.now(UTC))\n"
        "    write_note(note, pathlib.Path(sys.argv[1]))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(file), str(n)]) for n in range(4)]

    assert [writer.wait(60) for writer in writers] == [0] * 4
    session, damaged = read_session(file)
    assert (len(session.notes), damaged) == (100, [])


def test_a_full_disk_is_one_clear_error_and_no_half_line(folder):
    """The note is lost, which must be said; what was there must not be."""
    file = folder / "sess-2026-02-15-1a2b3c4d.jsonl"
    file.write_text(WITH_HEADER)
    script = (
        "import pathlib, resource, sys\nfrom datetime import UTC, datetime\n"
        "from curator.skillevolve.memory import Note\nfrom curator.skillevolve.notebook import write_note\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(WITH_HEADER) + 40},) * 2)\n"
        "write_note(Note(type='tip', text='x' * 100, time=datetime.now(UTC)), pathlib.Path(sys.argv[1]))\n"
    )

    said = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=False)

    assert "NotebookError: cannot write" in said.stderr
    assert "File too large; make room" in said.stderr
    assert file.read_text() == WITH_HEADER


def test_a_session_goes_on_for_a_working_day_and_ends_with_its_report(folder, monkeypatch, tmp_path):
    """Notes of one day belong together; what comes after the report belongs to the next session."""
    monkeypatch.setenv("HOME", str(tmp_path))
    now = datetime.now(UTC)
    first = current_file(now, folder)
    write_note(note(), first)

    assert current_file(now, folder) == first
    assert current_file(now + timedelta(hours=9), folder) != first
    session, _ = read_session(first)
    archive(session.id, {"session_id": session.id}, [first])
    assert current_file(now, folder) != first
    kept = tmp_path / ".skillevolve/sessions"
    assert (kept / f"{session.id}-memory.jsonl").read_bytes() == first.read_bytes()
    assert json.loads((kept / f"{session.id}.json").read_text()) == {"session_id": session.id}


# The commands


def test_a_note_is_written_and_listed(checkout):
    """The whole use of it: a line now, found again later."""
    said = checkout.curator("note", "--type", "gotcha", "--skill", "vllm", "order", "matters")

    assert said.out.startswith("noted N-")
    listed = checkout.curator("notes").out
    assert "gotcha  vllm  order matters" in listed
    (found,) = json.loads(checkout.curator("notes", "--json").out)["notes"]
    assert (found["text"], found["skill"], found["type"]) == ("order matters", "vllm", "gotcha")
    assert checkout.curator("notes", "--type", "tip").err == "no notes\n"


def test_a_note_does_not_make_the_checkout_dirty(checkout, git):
    """It stays on this machine: the next `git add .` must not take it along."""
    git(checkout.top, "init", "--quiet")

    checkout.curator("note", "--type", "tip", "order matters")
    ours = git(checkout.top, "status", "--porcelain", "--untracked-files=all", ".skillevolve")
    (checkout.top / ".skillevolve/.gitignore").unlink()
    checkout.curator("note", "--type", "tip", "it does")

    assert ours == ""
    assert not (checkout.top / ".skillevolve/.gitignore").exists(), "somebody wants the notes in git"


def test_a_key_in_a_note_is_masked_before_it_is_written(checkout):
    """The memory is kept beside the code and may be committed with it."""
    key = "ghp_" + "k3Jd8sLq0ZxV5tRb7Yw2NfHc9MaPuE4GiT6o"
    checkout.curator("note", "--type", "fix", "--problem", f"{key} was refused", stdin=f"use {key}")

    (file,) = (checkout.top / ".skillevolve/memory").iterdir()
    assert key not in file.read_text()
    assert file.read_text().count("[REDACTED:github]") == 2


@pytest.mark.parametrize(
    "wrong", [[], ["--problem", "x", "y"], ["--issue", "error", "y"]], ids=["empty", "problem", "issue"]
)
def test_a_note_that_makes_no_sense_is_refused(checkout, wrong):
    """What is wrong is said, and nothing is written."""
    assert "say" in checkout.curator("note", "--type", "tip", *wrong, code=2).err
    assert not (checkout.top / ".skillevolve").exists()


def test_damaged_lines_are_named_when_notes_are_listed(checkout):
    """Whoever wrote the line can still mend it."""
    folder = checkout.top / ".skillevolve/memory"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_text("oops\n" + LINES_ONLY)

    said = checkout.curator("notes")

    assert said.out.count("\n") == 2
    assert "s.jsonl, line 1: this is no JSON" in said.err


def test_records_suggest_notes_and_each_is_written_once(checkout, keep_here):
    """A failed run is worth a note; asking again must not note it again."""
    keep_here("LR-001", baseline=True, lr=0.003, loss=2.0)
    keep_here("LR-002", lr=0.01, loss=1.5)
    keep_here("LR-003", lr=0.1, loss=3.0)
    keep_here("LR-004", lr=1.0, error="FloatingPointError: loss is nan")

    said = checkout.curator("notes", "--propose", "lr-sweep")

    assert [line.split()[4] for line in said.out.splitlines()] == ["gotcha", "technique", "gotcha"]
    assert "With lr=1.0 the run failed (FloatingPointError: loss is nan)" in said.out
    assert "lr=0.01: eval/loss -25.0 %" in said.out
    assert not (checkout.top / ".skillevolve").exists()
    checkout.curator("notes", "--propose", "lr-sweep", "--keep")
    assert checkout.curator("notes", "--propose", "lr-sweep").out == ""
    runs = [n["more"]["run"] for n in json.loads(checkout.curator("notes", "--json").out)["notes"]]
    assert sorted(runs) == ["LR-002", "LR-003", "LR-004"]
    assert os.listdir(checkout.top / ".skillevolve/memory")  # noqa: PTH208 - one name is enough

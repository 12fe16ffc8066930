"""Writing a logbook: several writers at once, edits by hand in between, and crashes at every step."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from marin_research.errors import LogbookError
from marin_research.logbook import NewEntry, append, parse
from marin_research.logbook.file import rewrite

OLD = b"# T\n\n## Entry Log\n\n### 2026-01-01 - one\n\ntext\n"
MARKER = "<!-- marin-research: 0123abc -->"
ENTRY = NewEntry(ids=("LR-003",), label="label", time=datetime(2026, 9, 1, tzinfo=UTC), body="- Result: fine\n")

APPEND = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from marin_research.logbook import NewEntry, append

def entry(number, body="- Result: fine"):
    return NewEntry(ids=(f"LR-{number:03}",), label="label", time=datetime(2026, 9, 1, tzinfo=UTC), body=body)

path = Path(sys.argv[1])
"""


@pytest.fixture
def logbook(tmp_path):
    path = tmp_path / "lr-sweep.md"
    path.write_bytes(OLD)
    return path


def child(program, *arguments, **pipes):
    return subprocess.Popen([sys.executable, "-c", APPEND + program, *map(str, arguments)], **pipes)


def exchange(path, data):
    """Saves ``data`` as most editors do."""
    other = path.with_suffix(".new")
    other.write_bytes(data)
    other.replace(path)


def test_an_entry_is_written_once_however_often_it_is_sent(logbook):
    """A publication that is tried again after a lost answer must not appear twice."""
    first = append(logbook, ENTRY, marker=MARKER)
    written = logbook.read_bytes()
    again = append(logbook, ENTRY, marker=MARKER)

    assert logbook.read_bytes() == written
    assert (first.written, again.written) == (True, False)
    assert (
        (again.start, again.end, again.line) == (first.start, first.end, first.line) == (len(OLD) + 1, len(written), 9)
    )


def test_mode_links_and_folder_are_left_as_they_were(logbook, tmp_path):
    """A shared logbook stays shared, and a repository gets no stray files."""
    logbook.chmod(0o640)
    link = tmp_path / "link.md"
    link.symlink_to(logbook.name)

    appended = append(link, ENTRY, marker=MARKER)

    assert link.is_symlink()
    assert appended.path == logbook.resolve()
    assert logbook.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.md", "lr-sweep.md"]


def test_two_processes_lose_nothing(logbook):
    """Two agents on one machine write into the same logbook."""
    program = """
print("ready", flush=True)
sys.stdin.read()
for number in range(20):
    append(path, entry(100 * int(sys.argv[2]) + number), marker=f"<!-- marin-research: {sys.argv[2]}.{number} -->")
"""
    writers = [child(program, logbook, writer, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for writer in (1, 2)]
    assert [writer.stdout.readline() for writer in writers] == [b"ready\n"] * 2
    for writer in writers:
        writer.stdin.close()
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]

    data = logbook.read_bytes()
    written = [entry.ids[0] for entry in parse(data).entries[1:]]
    assert data.startswith(OLD)
    assert sorted(written) == [f"LR-{100 * writer + number:03}" for writer in (1, 2) for number in range(20)]


@dataclass(frozen=True)
class Changed:
    data: bytes


@pytest.mark.parametrize("how", ["in place", "by another file"])
def test_an_edit_by_hand_in_between_is_kept(logbook, how):
    """Editors know nothing of our lock; what somebody saved while we were thinking must not vanish."""
    edits = iter([b"one edit\n", b"another edit\n"])

    def change(before):
        edit = next(edits, None)
        if edit and how == "in place":
            with logbook.open("ab") as file:
                file.write(edit)
        elif edit:
            exchange(logbook, before + edit)
        return Changed(before + b"ours\n")

    rewrite(logbook, change)

    assert logbook.read_bytes() == OLD + b"one edit\nanother edit\nours\n"


def test_a_file_that_was_exchanged_for_its_like_is_locked_anew(logbook):
    """The lock went with the old file, and another appender may already hold that of the new one."""
    seen: list[bytes] = []

    def change(before):
        if not seen:
            exchange(logbook, before)
        seen.append(before)
        return Changed(before + b"ours\n")

    rewrite(logbook, change)

    assert seen == [OLD, OLD]
    assert logbook.read_bytes() == OLD + b"ours\n"


def test_a_file_that_never_rests_is_left_alone(logbook):
    """Waiting for ever would look like a hang."""

    def change(before):
        logbook.write_bytes(before + b"x")
        return parse(before)

    with pytest.raises(LogbookError, match="keeps changing"):
        rewrite(logbook, change)


def test_a_crash_at_any_step_leaves_the_old_file_or_the_new_one(logbook):
    """A machine may die at any moment; half a logbook would be worse than none."""
    program = f"""
step = 0
def dying(function):
    def call(*arguments, **named):
        global step
        step += 1
        if step == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call
for name in ("open", "fstat", "fchown", "fchmod", "write", "fsync", "replace", "unlink", "close"):
    setattr(os, name, dying(getattr(os, name)))
append(path, entry(3), marker={MARKER!r})
"""
    seen = []
    for step in count(1):
        logbook.write_bytes(OLD)
        code = child(program, logbook, step).wait(timeout=60)
        seen.append(logbook.read_bytes())
        if code == 0:
            break
        assert code == -signal.SIGKILL

    append(logbook, ENTRY, marker=MARKER)
    new = logbook.read_bytes()
    assert len(seen) > 8
    assert set(seen) == {OLD, new}
    assert new.startswith(OLD)
    assert [path.name for path in logbook.parent.iterdir()] == [logbook.name]


@pytest.mark.parametrize("written", [0, 1, 40, 4096])
def test_a_crash_in_the_middle_of_writing_leaves_the_old_file(logbook, written):
    """The kernel ends the writer after so many bytes, wherever that is in the text."""
    limit = len(OLD) + written
    program = f"""
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
append(path, entry(3, "x" * 10_000), marker={MARKER!r})
"""
    assert child(program, logbook).wait(timeout=60) == -signal.SIGXFSZ

    assert logbook.read_bytes() == OLD
    append(logbook, ENTRY, marker=MARKER)
    assert [path.name for path in logbook.parent.iterdir()] == [logbook.name]


def test_a_full_disk_leaves_the_old_file_and_no_litter(logbook):
    """The error says that nothing was written, and it must be true."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(OLD) + 10, limits[1]))
    try:
        with pytest.raises(LogbookError, match="nothing was written"):
            append(logbook, ENTRY, marker=MARKER)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert logbook.read_bytes() == OLD
    assert [path.name for path in logbook.parent.iterdir()] == [logbook.name]


def test_the_copy_of_a_living_writer_is_not_taken_for_litter(logbook):
    """Cleaning up behind the dead must not pull the file away under the living."""
    part = logbook.parent / f".{logbook.name}.living.part"
    program = """
import fcntl
fcntl.flock(os.open(sys.argv[2], os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""
    with child(program, logbook, part, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout.readline() == b"locked\n"
        append(logbook, ENTRY, marker=MARKER)
        assert part.exists()
    append(logbook, ENTRY, marker="<!-- marin-research: another -->")
    assert not part.exists()


@pytest.mark.parametrize(
    ("name", "reason"), [("missing.md", "no logbook"), ("folder", "directory"), ("nowhere/missing.md", "no logbook")]
)
def test_what_cannot_be_written_is_refused_in_one_line(tmp_path, name, reason):
    """A traceback does not tell a researcher what to do."""
    (tmp_path / "folder").mkdir()

    with pytest.raises(LogbookError, match=reason) as refusal:
        append(tmp_path / name, ENTRY, marker=MARKER)

    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_write_protected_logbook_is_respected(logbook):
    """Somebody closed it on purpose."""
    logbook.chmod(0o444)

    with pytest.raises(LogbookError, match="Permission"):
        append(Path(logbook), ENTRY, marker=MARKER)

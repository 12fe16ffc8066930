"""``marin-research logbook`` as a shell sees it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

OLD = "# T é\n\n## Entry Log\n\n### 2026-01-01 10:00 UTC - LR-001, LR-002 one\n\ntext\n\n### Kick-off\n\ntext\n"


@pytest.fixture
def logbook(tmp_path):
    path = tmp_path / "lr-sweep.md"
    path.write_bytes(OLD.encode())
    return path


def run(*arguments, text=b""):
    command = [sys.executable, "-m", "marin_research.cli.main", "logbook", *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def append(path, *options, label="warm-up", text=b"- Result: fine\n"):
    return run("append", path, "--id", "LR-003", "--label", label, *options, text=text)


def test_list_gives_byte_offsets(logbook):
    """Scripts cut entries out of the file with these numbers."""
    code, out, _ = run("list", logbook, "--json")
    one, other = json.loads(out)

    assert code == 0
    assert one == {
        "id": "LR-001",
        "ids": ["LR-001", "LR-002"],
        "label": "one",
        "time": "2026-01-01 10:00 UTC",
        "level": 3,
        "start": 22,
        "end": OLD.encode().index(b"### Kick-off"),
        "line": 5,
    }
    assert (other["id"], other["time"], other["line"], other["end"]) == (None, None, 9, len(OLD.encode()))


def test_list_for_people_is_one_line_an_entry(logbook):
    """FILE:LINE is what editors jump to."""
    assert run("list", logbook)[1].splitlines() == [
        f"{logbook}:5  2026-01-01 10:00 UTC  LR-001, LR-002  one",
        f"{logbook}:9  Kick-off",
    ]


def test_append_says_where_and_happens_once(logbook):
    """An agent that runs its last command again must not write the entry twice."""
    first = append(logbook, "--time", "2026-09-01T14:30+02:00")
    written = logbook.read_text()
    again = append(logbook, "--time", "2026-09-02T00:00Z")

    assert first == (0, f"{logbook}:13\n", "")
    assert written.startswith(
        OLD + "\n### 2026-09-01 12:30 UTC - LR-003 warm-up\n\n- Result: fine\n\n<!-- marin-research: "
    )
    assert again == (0, f"{logbook}:13\n", "the entry was there already\n")
    assert logbook.read_text() == written


def test_another_text_is_another_entry(logbook):
    """A correction is appended under the same ID and label."""
    append(logbook)
    code, out, _ = append(logbook, "--json", text=b"- Result: wrong after all\n")

    assert code == 0
    assert json.loads(out)["written"] is True
    assert logbook.read_text().count("LR-003 warm-up") == 2


def test_a_dry_run_shows_the_change_and_writes_nothing(logbook):
    """People look before they write into a public record."""
    code, out, _ = append(logbook, "--dry-run", "--time", "2026-09-01T12:30")

    assert code == 0
    assert "+### 2026-09-01 12:30 UTC - LR-003 warm-up\n" in out
    assert not [line for line in out.splitlines()[2:] if line.startswith("-")]
    assert logbook.read_text() == OLD


@pytest.mark.parametrize(
    ("options", "label", "text", "reason"),
    [
        ([], "warm-up", b" \n", "no text"),
        ([], "", b"x", "label"),
        ([], "warm-up", b"\xff", "not UTF-8"),
        (["--id", "three"], "warm-up", b"x", "no experiment ID"),
    ],
)
def test_what_cannot_be_appended_is_refused_in_one_line(logbook, options, label, text, reason):
    """The line says what to do; the file stays as it was."""
    code, out, err = append(logbook, *options, label=label, text=text)

    assert (code, out) == (1, "")
    assert reason in err
    assert err.count("\n") == 1
    assert logbook.read_text() == OLD


def test_a_wrong_time_is_wrong_usage(logbook):
    """Exit code 2 tells scripts that the call itself is wrong."""
    code, _, err = append(logbook, "--time", "yesterday")

    assert code == 2
    assert "ISO 8601" in err


@pytest.mark.parametrize("arguments", [["list"], ["append", "--id", "LR-003", "--label", "x"]])
def test_a_missing_file_is_named(tmp_path, arguments):
    """A mistyped path must not start a second logbook."""
    name, *options = arguments
    code, _, err = run(name, tmp_path / "none.md", *options, text=b"x")

    assert code == 1
    assert "none.md" in err
    assert list(tmp_path.iterdir()) == []

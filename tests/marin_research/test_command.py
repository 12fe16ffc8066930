"""`marin-research run`: any command, recorded as it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pexpect
import pytest

from marin_research.errors import UsageError
from marin_research.output import read_output
from marin_research.output_metrics import OutputMetrics, parse_pattern
from marin_research.record import Status
from marin_research.store import RecordStore

PROGRAM = [sys.executable, "-m", "marin_research.cli.main"]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with a thread declared in it, where commands are recorded."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".agents/research").mkdir(parents=True)
    (tmp_path / ".agents/research/kernels.yaml").write_text("topic: kernels\nprefix: KER\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", str(tmp_path / "records"))
    return tmp_path


def record(*arguments: str, command: tuple[str, ...], **options) -> subprocess.CompletedProcess[str]:
    line = [*PROGRAM, "run", "--thread", "kernels", *arguments, "--", *command]
    return subprocess.run(line, check=False, capture_output=True, text=True, timeout=60, **options)


def only_run(folder: Path):
    store = RecordStore(str(folder / "records"))
    (run,) = store.runs()
    return run


def printed(folder: Path) -> str:
    run = only_run(folder)
    store = RecordStore(str(folder / "records"))
    return b"".join(read_output(store, run.id, run.attempts[-1].number, run.attempts[-1].hosts[0].writer)).decode()


def wait_for(condition, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_command_runs_as_without_us_and_its_exit_code_is_ours(workplace):
    """Scripts that check `$?` or read the output must not notice the recorder."""
    done = record("--set", "block=256", command=("sh", "-c", "echo out; echo err >&2; exit 3"))

    assert (done.returncode, done.stdout) == (3, "out\n")
    assert "err\n" in done.stderr
    run = only_run(workplace)
    assert (run.id, run.status, run.config) == ("KER-001", Status.FAILED, {"block": 256})
    assert run.attempt.end.exit_code == 3
    assert run.attempt.command.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")
    assert sorted(printed(workplace).split()) == ["err", "out"]


def test_standard_input_reaches_the_command(workplace):
    """`cat data | marin-research run -- program` is a common shape."""
    done = record(command=("cat",), input="a line\n")

    assert done.stdout == "a line\n"


def test_metrics_come_from_named_lines_and_from_the_file(workplace):
    """A shell script has no other way to say what it measured."""
    script = """
    echo 'step 1 tok/s=10.5'; echo 'step 2 tok/s=1.25e1'
    echo '{"loss": 2.5, "speed": {"value": 9, "unit": "GB/s"}, "bad": "fast"}' > "$MARIN_RESEARCH_METRICS"
    """

    record("--metric", "tok/s=([0-9.e+]+)", command=("sh", "-c", script))

    run = only_run(workplace)
    assert {name: metric.value for name, metric in run.metrics.items()} == {"tok/s": 12.5, "loss": 2.5, "speed": 9.0}
    assert (run.metrics["tok/s"].count, run.metrics["tok/s"].first) == (2, 10.5)
    assert run.metrics["speed"].unit == "GB/s"
    assert [gap.what for gap in run.gaps] == ["metric bad"]


def test_a_command_that_does_not_exist_is_a_recorded_failure(workplace):
    """The typo is in the record, not in somebody's memory."""
    done = record(command=("no-such-command", "--now"))

    assert done.returncode == 127
    assert only_run(workplace).why == "it could not be started: No such file or directory: no-such-command"


def test_a_killed_command_is_recorded_with_its_signal(workplace):
    """An out-of-memory kill and a crash must be told apart later; the signal is the evidence."""
    done = record(command=("sh", "-c", "kill -SEGV $$"))

    assert done.returncode == 128 + signal.SIGSEGV
    end = only_run(workplace).attempt.end
    assert (end.status, end.signal) == (Status.FAILED, "SIGSEGV")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_is_passed_on_and_recorded_as_what_it_was(workplace, number):
    """A preemption gives a program seconds to save itself; the recorder must not swallow them."""
    script = f"trap 'echo saved; exit 7' {number.name.removeprefix('SIG')}; echo ready; while :; do sleep 0.05; done"
    line = [*PROGRAM, "run", "--thread", "kernels", "--", "sh", "-c", script]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.send_signal(number)
    rest = process.stdout.read()

    assert process.wait(timeout=30) == 7
    assert rest == "saved\n"
    assert number.name in only_run(workplace).attempt.end.why


def test_ctrl_c_in_a_terminal_reaches_the_command_once(workplace):
    """Two interrupts mean something else than one to many programs."""
    script = textwrap.dedent(
        """
        import signal, sys, time
        count = 0
        def note(*_):
            global count
            count += 1
        signal.signal(signal.SIGINT, note)
        print("ready", sys.stdout.isatty(), flush=True)
        deadline = time.monotonic() + 20
        while not count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        print("interrupted", count, flush=True)
        """
    )
    (workplace / "script.py").write_text(script)
    terminal = pexpect.spawn(
        PROGRAM[0], [*PROGRAM[1:], "run", "--thread", "kernels", "--", sys.executable, "script.py"], timeout=30
    )
    terminal.expect("ready True")

    terminal.sendintr()

    terminal.expect("interrupted 1")
    terminal.expect(pexpect.EOF)


def test_killing_the_recorder_leaves_the_record_and_the_command(workplace):
    """A recorder that dies takes neither the experiment nor what is known of it along."""
    flag = workplace / "still-alive"
    script = f"echo begun; sleep 1; echo on > '{flag}'; echo finished"
    line = [*PROGRAM, "run", "--thread", "kernels", "--heartbeat", "0.2", "--", "sh", "-c", script]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"

    process.kill()
    process.wait()

    wait_for(flag.exists)
    wait_for(lambda: only_run(workplace).status is Status.LOST)
    assert only_run(workplace).attempt.command.argv[0] == "sh"
    assert "begun" in printed(workplace)


def test_resuming_a_run_is_its_next_attempt(workplace):
    """A retry by hand belongs to the run that it retries."""
    record(command=("false",))

    subprocess.run([*PROGRAM, "run", "--resume", "KER-001", "--", "true"], check=True, capture_output=True)

    run = only_run(workplace)
    assert [attempt.end.status for attempt in run.attempts] == [Status.FAILED, Status.SUCCEEDED]
    assert run.status is Status.SUCCEEDED


def test_an_id_can_be_asked_for_once(workplace):
    """Two runs under one ID would be one run."""
    assert record("--id", "KER-042", command=("true",)).returncode == 0

    again = record("--id", "KER-042", command=("true",))

    assert again.returncode == 2
    assert "KER-042 is taken" in again.stderr


def test_secrets_in_a_command_line_never_reach_the_disk(workplace):
    """The two-token form has leaked a real key before."""
    secret = "a1B2c3D4" * 5
    record(command=("true", "-e", "WANDB_API_KEY", secret))

    files = [path for path in (workplace / "records").rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]
    assert only_run(workplace).attempt.command.argv[:3] == ("true", "-e", "WANDB_API_KEY")


def test_a_command_that_deletes_its_working_directory_is_recorded(workplace):
    """What a command does to its surroundings is its own business."""
    inside = workplace / "inside"
    inside.mkdir()

    done = record(command=("sh", "-c", "rmdir ../inside; echo gone"), cwd=inside)

    assert done.stdout == "gone\n"
    assert only_run(workplace).status is Status.SUCCEEDED


def test_without_a_thread_the_error_says_what_to_do(workplace):
    """Nothing is run before it is known whose run it is."""
    done = subprocess.run([*PROGRAM, "run", "--", "touch", "ran"], check=False, capture_output=True, text=True)

    assert done.returncode == 2
    assert "--thread TOPIC" in done.stderr
    assert not (workplace / "ran").exists()


@pytest.mark.parametrize("text", ["loss", "(", "([0-9]+)"])
def test_a_pattern_that_measures_nothing_is_refused(text):
    """A metric that silently stays empty would be noticed after the run."""
    with pytest.raises(UsageError, match="--metric"):
        parse_pattern(text)


def test_values_are_found_whatever_ends_their_line():
    """Progress bars end lines with carriage returns, and chunks end anywhere."""
    text = b"\rloss: 3.5\rloss: 2.5\nloss: nan\r\nloss: 1,024.5"
    chunks = [text[i : i + 3] for i in range(0, len(text), 3)]

    (metric,) = OutputMetrics([parse_pattern(r"loss: ([\d.,]+|nan)")]).read(chunks)

    assert (metric.name, metric.value, metric.count, metric.first) == ("loss", 1024.5, 4, 3.5)
    assert metric.non_finite == 1


def test_json_of_a_recorded_command_is_one_document(workplace):
    """Other programs read what we print."""
    record(command=("true",))

    shown = subprocess.run([*PROGRAM, "show", "KER-001", "--json"], check=True, capture_output=True, text=True)

    assert json.loads(shown.stdout)["attempts"][0]["command"]["line"].endswith("true")
    assert os.environ["MARIN_RESEARCH_ROOT"]

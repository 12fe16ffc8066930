"""`marin-research run`: any command, recorded as it runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from marin_research.errors import UsageError
from marin_research.output_metrics import OutputMetrics, parse_pattern
from marin_research.record import Cause, Devices, Status
from marin_research.units import parse_duration


def test_a_command_runs_as_without_us_and_its_exit_code_is_ours(workplace):
    """Scripts that check `$?` or read the output must not notice the recorder."""
    done = workplace.record("sh", "-c", "echo out; echo err >&2; exit 3", options=("--set", "block=256"))

    assert (done.returncode, done.stdout) == (3, "out\n")
    assert done.stderr.splitlines() == ["err", "marin-research: recorded as KER-001; see `marin-research show KER-001`"]
    run = workplace.run()
    assert (run.status, run.config) == (Status.FAILED, {"block": 256})
    assert (workplace.end().exit_code, workplace.end().cause) == (3, Cause.EXITED)
    assert run.attempt.command.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")
    assert sorted(workplace.printed().split()) == [b"err", b"out"]


CLOCK = """
import datetime, os
class SetClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) - datetime.timedelta(hours=int(os.readlink(os.environ["HOURS_BACK"])))
datetime.datetime = SetClock
from marin_research.cli.main import main
main()
"""


def test_a_clock_that_is_set_back_changes_neither_durations_nor_the_order_of_attempts(workplace, monkeypatch):
    """A VM that meets its time server late would have runs of no length, and stops that nobody asked for."""
    workplace.program = (sys.executable, "-c", CLOCK)
    monkeypatch.setenv("HOURS_BACK", str(workplace.top / "hours-back"))
    set_back = "ln -s -- {} new; mv -T new hours-back"  # there is no moment without a time
    subprocess.run(["sh", "-c", set_back.format(0)], check=True)
    wait = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"

    with workplace.start("sh", "-c", wait) as running:
        assert running.stdout.readline() == "ready\n"
        subprocess.run(["sh", "-c", set_back.format(-1)], check=True)
        running.terminate()
        assert running.wait(30) == 7
    subprocess.run(["sh", "-c", set_back.format(0)], check=True)
    workplace.record("sh", "-c", f"sleep 0.3; {set_back.format(2)}", options=("--resume", "KER-001"))

    run = workplace.run()
    first, second = run.attempts
    assert (first.end.status, first.end.cause, first.number, second.number) == (Status.CANCELLED, Cause.STOPPED, 1, 2)
    assert 0 < first.wall_s < 60 < (first.end.time - first.started).total_seconds()
    assert 0.3 <= second.wall_s < 60
    assert second.end.time < second.started
    assert (run.status, run.why) == (Status.SUCCEEDED, "it exited with code 0")


def test_standard_input_reaches_the_command(workplace):
    """`cat data | marin-research run -- program` is a common shape."""
    done = workplace.record("cat", input="a line\n")

    assert done.stdout == "a line\n"


def test_descriptors_that_we_were_given_reach_the_command(workplace):
    """`make -j` gives its programs a pipe of tokens, and process substitution gives them files."""
    line = " ".join(workplace.line("sh", "-c", "'cat <&9'"))

    done = subprocess.run(["sh", "-c", f"echo a token > t; exec 9<t; {line}"], check=True, capture_output=True)

    assert done.stdout == b"a token\n"


def test_metrics_come_from_named_lines_and_from_the_file(workplace):
    """A shell script has no other way to say what it measured."""
    script = """
    echo 'step 1 tok/s=10.5'; printf 'step 2 \\033[1mtok/s=1.25e1\\033[0m\\n'
    echo '{"loss": 2.5, "speed": {"value": 9, "unit": "GB/s"}, "bad": "fast", "huge": NaN}' > "$MARIN_RESEARCH_METRICS"
    """

    workplace.record("sh", "-c", script, options=("--metric", "tok/s=([0-9.e+]+)"))

    run = workplace.run()
    assert {name: run.metrics[name].value for name in ("tok/s", "loss", "speed")} == {
        "tok/s": 12.5,
        "loss": 2.5,
        "speed": 9.0,
    }
    assert (run.metrics["tok/s"].count, run.metrics["tok/s"].first) == (2, 10.5)
    assert (run.metrics["tok/s"].step, run.metrics["tok/s"].series) == (2, ((1, 10.5), (2, 12.5)))
    assert run.metrics["speed"].unit == "GB/s"
    assert run.metrics["huge"].non_finite == 1
    assert [gap.what for gap in run.gaps] == ["metric bad"]


def test_metrics_are_on_record_while_the_command_still_runs(workplace):
    """Whoever looks at a day-long run, or at one whose recorder was killed, wants its numbers, too."""
    script = """
    echo '{"loss": 2.5}' > "$MARIN_RESEARCH_METRICS"; echo tok/s=10; echo tok/s=11; sleep 1
    echo '{"loss": 1.5}' > "$MARIN_RESEARCH_METRICS"; echo tok/s=12; read line
    """
    options = ("--heartbeat", "0.2", "--metric", "tok/s=([0-9.e+]+)")

    with workplace.start("sh", "-c", script, options=options, stdin=subprocess.PIPE) as running:
        workplace.wait_until(
            lambda: (
                {name: metric.value for name, metric in workplace.run().metrics.items()} == {"tok/s": 12, "loss": 1.5}
            )
        )
        running.communicate("go on\n")

    run = workplace.run()
    assert run.status is Status.SUCCEEDED
    assert (run.metrics["tok/s"].count, run.metrics["tok/s"].first, run.metrics["tok/s"].maximum) == (3, 10, 12)


def test_a_heartbeat_tells_the_training_step(workplace):
    """A hung run must be told from a slow one without logging in to its machine."""
    script = "echo 'step 41 loss=2'; sleep 1; printf 'step 42 loss=1'; read line"

    with workplace.start("sh", "-c", script, options=("--heartbeat", "0.2"), stdin=subprocess.PIPE) as running:
        workplace.wait_until(lambda: "training step 42 was reached" in workplace.run().why)
        running.communicate("go on\n")

    assert workplace.run().status is Status.SUCCEEDED


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("no-such-command", 127, "it could not be started: No such file or directory: no-such-command"),
        ("./data.txt", 126, "it could not be started: Permission denied: ./data.txt"),
        ("./folder", 126, "it could not be started: Permission denied: ./folder"),
    ],
)
def test_what_cannot_be_started_is_a_recorded_failure(workplace, name, code, why):
    """The typo is in the record, not in somebody's memory."""
    (workplace.top / "data.txt").touch()
    (workplace.top / "folder").mkdir()

    done = workplace.record(name, "--now")

    assert done.returncode == code
    assert f"marin-research: {why}\n" in done.stderr
    assert (workplace.end().why, workplace.end().cause, workplace.end().exit_code) == (why, Cause.NOT_STARTED, code)


def test_a_script_without_a_first_line_runs_in_the_shell(workplace):
    """Every shell runs it, so it would be our fault if it did not."""
    (workplace.top / "bench").write_text("echo $1 from a script\n")
    (workplace.top / "bench").chmod(0o755)

    assert workplace.record("./bench", "hello").stdout == "hello from a script\n"


def test_a_pipeline_in_quotes_is_for_the_shell(workplace):
    """It can mean nothing else, and what is on record can be pasted."""
    done = workplace.record("echo a b c | tr ' ' '\\n' | wc -l")

    assert done.stdout.strip() == "3"
    assert workplace.run().attempt.command.argv == ("sh", "-c", "echo a b c | tr ' ' '\\n' | wc -l")


def test_a_program_with_a_blank_in_its_name_is_no_pipeline(workplace):
    """Quotes are how such a program is named."""
    program = workplace.top / "my bench"
    program.write_text("#!/bin/sh\necho run\n")
    program.chmod(0o755)

    assert workplace.record(str(program)).stdout == "run\n"


def test_resuming_a_run_is_its_next_attempt(workplace):
    """A retry by hand belongs to the run that it retries, and has its config."""
    workplace.record("sh", "-c", "test -e fixed", options=("--set", "block=256"))
    (workplace.top / "records/fixed").touch()

    line = [*workplace.program, "run", "--resume", "KER-001", "--", "sh", "-c", "test -e records/fixed"]
    resumed = subprocess.run(line, check=True, capture_output=True, text=True)

    run = workplace.run()
    assert [attempt.end.status for attempt in run.attempts] == [Status.FAILED, Status.SUCCEEDED]
    assert (run.status, run.config) == (Status.SUCCEEDED, {"block": 256})
    assert "recorded as KER-001, attempt 2; see" in resumed.stderr


def test_the_devices_of_a_command_are_those_that_its_user_names(workplace):
    """A throughput without them says nothing; and the claim that a command never used JAX would be made up."""
    workplace.record("true", options=("--devices", "tpu v4:8"))
    workplace.record("true")
    line = [*workplace.program, "run", "--resume", "KER-001", "--", "true"]
    subprocess.run(line, check=True, capture_output=True)

    first, again = workplace.run().attempts
    assert first.devices == again.devices == Devices(kind="TPU v4", count=8, source="declared: TPU v4")
    assert not workplace.run("KER-002").attempt.devices
    shown = [
        subprocess.run([*workplace.program, *args], check=False, capture_output=True, text=True).stdout
        for args in (("show", "KER-001"), ("show", "KER-002"), ("compare", "KER-001", "KER-002"), ("check", "KER-001"))
    ]
    assert "8 x TPU v4 (declared: TPU v4)" in shown[0]
    assert "unknown (no JAX was asked; nobody named any with --devices)" in shown[1]
    assert "TPU v4" in shown[2]
    assert "8 x TPU v4, as declared" in shown[3]


@pytest.mark.parametrize("said", ["TPU v4", "8", ":8", "TPU v4:", "TPU v4:0", "TPU v4:eight", "TPU v4:-8", ""])
def test_devices_that_make_no_sense_are_refused_before_anything_runs(workplace, said):
    """A count that is silently wrong stands in every write-up of the run."""
    refused = workplace.record("touch", "ran", options=("--devices", said))

    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert f"{said!r} is not KIND:COUNT; write 'TPU v4:8'" in refused.stderr
    assert not (workplace.top / "ran").exists()


def test_a_retry_that_is_no_repetition_says_so(workplace):
    """A number from another config under the same ID would be compared as if it were the same."""
    workplace.record("false", options=("--set", "block=256"))

    line = [*workplace.program, "run", "--resume", "KER-001", "--set", "block=512", "--", "true"]
    resumed = subprocess.run(line, check=True, capture_output=True, text=True)
    shown = subprocess.run([*workplace.program, "show", "KER-001"], check=True, capture_output=True, text=True)

    assert "attempt 2, NOT THE SAME in config block" in resumed.stderr
    assert "NOT THE SAME in attempts 1 and 2: config block 256 -> 512" in shown.stdout


def test_a_run_that_belongs_to_another_thread_is_not_resumed(workplace):
    """A wrong ID would put one experiment's numbers under another."""
    (workplace.top / ".agents/research/other.yaml").write_text("topic: other\nprefix: OTH\n")
    workplace.record("false")

    line = [*workplace.program, "run", "--thread", "other", "--resume", "KER-001", "--", "true"]
    refused = subprocess.run(line, check=False, capture_output=True, text=True)

    assert refused.returncode == 2
    assert "KER-001 belongs to thread 'kernels'" in refused.stderr
    assert len(workplace.run().attempts) == 1


def test_an_id_can_be_asked_for_once(workplace):
    """Two runs under one ID would be one run."""
    assert workplace.record("true", options=("--id", "KER-042")).returncode == 0

    again = workplace.record("true", options=("--id", "KER-042"))

    assert again.returncode == 2
    assert "KER-042 is taken" in again.stderr


def test_secrets_in_a_command_line_never_reach_the_disk(workplace):
    """The two-token form has leaked a real key before."""
    secret = "a1B2c3D4" * 5
    workplace.record("true", "-e", "WANDB_API_KEY", secret)

    files = [path for path in (workplace.top / "records").rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]
    assert workplace.run().attempt.command.argv[:3] == ("true", "-e", "WANDB_API_KEY")


def test_a_command_that_deletes_its_working_directory_is_recorded(workplace):
    """What a command does to its surroundings is its own business."""
    inside = workplace.top / "inside"
    inside.mkdir()

    done = workplace.record("sh", "-c", "rmdir ../inside; echo gone", cwd=inside)

    assert done.stdout == "gone\n"
    assert workplace.run().status is Status.SUCCEEDED


def test_bytes_of_any_kind_are_shown_and_kept(workplace):
    """NUL bytes and broken UTF-8 end text tools, and the record with them."""
    done = workplace.record("printf", r"a\000b\377\n\000", text=False)

    assert done.stdout == b"a\x00b\xff\n\x00" == workplace.printed()


def test_a_line_that_does_not_end_is_kept_while_it_grows(workplace):
    """A progress bar of dots, or a prompt that waits for ever, is the last thing known of a run that is lost."""
    with workplace.start("sh", "-c", "printf 'no end in sight'; read line", stdin=subprocess.PIPE) as running:
        workplace.wait_until(lambda: workplace.store.run_ids() and workplace.printed() == b"no end in sight")
        running.communicate("go on\n")

    assert workplace.printed() == b"no end in sight"


def test_a_command_that_forks_and_exits_leaves_us_with_it(workplace):
    """A server in the background must neither hold up the script that starts it nor meet a broken pipe."""
    script = "(trap 'echo broken > broken' PIPE; sleep 4; echo late; echo later) & echo started; exit 5"

    with workplace.start("sh", "-c", script) as running:
        assert running.stdout is not None
        assert running.wait(timeout=3.5) == 5
        assert running.stdout.read() == "started\nlate\nlater\n"

    assert workplace.end().exit_code == 5
    workplace.wait_until(lambda: workplace.printed() == b"started\nlate\nlater\n")
    assert not (workplace.top / "broken").exists()


def test_without_a_thread_the_error_says_what_to_do(workplace):
    """Nothing is run before it is known whose run it is."""
    line = [*workplace.program, "run", "--", "touch", "ran"]

    done = subprocess.run(line, check=False, capture_output=True, text=True)

    assert done.returncode == 2
    assert "--thread TOPIC" in done.stderr
    assert not (workplace.top / "ran").exists()


@pytest.mark.parametrize("text", ["loss", "(", "([0-9]+)"])
def test_a_pattern_that_measures_nothing_is_refused(text):
    """A metric that silently stays empty would be noticed after the run."""
    with pytest.raises(UsageError, match="--metric"):
        parse_pattern(text)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86_400), (" 3s", 3)])
def test_a_duration_is_read_as_it_is_said(text, seconds):
    """A limit of 2 hours that means 2 seconds costs a run."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "h", "1h30", "nan", "1 w", "٣"])
def test_what_is_no_duration_is_refused(text):
    """A limit that silently does not hold costs a machine."""
    with pytest.raises(UsageError, match="duration"):
        parse_duration(text)


def test_values_are_found_whatever_ends_their_line():
    """Progress bars end lines with carriage returns, and chunks end anywhere."""
    text = b"\rloss: 3.5\rloss: 2.5\nloss: nan\r\nloss: 1,024.5"
    chunks = [text[i : i + 3] for i in range(0, len(text), 3)]
    metrics = OutputMetrics([parse_pattern(r"loss: ([\d.,]+|nan)")])

    first = list(metrics.read(chunks[:9]))
    rest = list(metrics.read(chunks[9:], last=True))

    assert [(each.name, each.value) for each in first] == [("loss", 3.5), ("loss", 2.5)]
    assert repr([each.value for each in rest]) == "[nan, 1024.5]"


def test_json_of_a_recorded_command_is_one_document(workplace):
    """Other programs read what we print."""
    workplace.record("true")

    shown = subprocess.run(
        [*workplace.program, "show", "KER-001", "--json"], check=True, capture_output=True, text=True
    )

    assert json.loads(shown.stdout)["attempts"][0]["command"]["line"].endswith("true")


def test_a_killed_command_is_recorded_with_its_signal(workplace):
    """An out-of-memory kill and a crash must be told apart later; the signal is the evidence."""
    done = workplace.record("sh", "-c", "kill -SEGV $$")

    assert done.returncode == 128 + signal.SIGSEGV
    end = workplace.end()
    assert (end.status, end.cause, end.signal) == (Status.FAILED, Cause.SIGNALLED, "SIGSEGV")

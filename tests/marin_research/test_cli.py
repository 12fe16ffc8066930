"""The command lines answer people on the terminal and scripts through ``--json``, and say in one line what is wrong."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import jsonschema  # type: ignore[import-untyped]
import pexpect
import pytest

from marin_research.capture.live_output import LiveOutput, ship
from marin_research.cli.main import group
from marin_research.cli.runs import parse_since
from marin_research.codec import decode, encode
from marin_research.record import Blob, Command, Devices, End, ExceptionInfo, Gap, Metric, Output, Run, Status, Unknown
from marin_research.store import RecordStore
from marin_research.thread import PrimaryMetric, Thread, read_thread, remember_thread

CONSOLE = Path(sys.executable).with_name("marin-research")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, store):
    """Every command of these tests finds the test's own store, from a folder that is no checkout."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def say(command_line):
    """Run ``marin-research`` in this process."""
    return lambda *args: command_line("marin-research", *args)


@pytest.fixture
def answer(say):
    """The JSON document that a command prints, with nothing else on stdout."""

    def run(*args: str):
        said = say(*args, "--json")
        assert said.err == ""
        return json.loads(said.out, parse_constant=pytest.fail)

    return run


def console(*args: str, **options) -> subprocess.CompletedProcess[str]:
    """Run the console script that users have."""
    return subprocess.run([CONSOLE, *args], capture_output=True, text=True, check=False, **options)


@pytest.fixture
def sweep(a_run, keep, an_attempt):
    """Four runs of one thread and one of another: good, better, diverged, failed; each an hour after the last."""
    noon = an_attempt().started
    crash = End(
        status=Status.FAILED,
        time=noon,
        why="the step raised ValueError",
        exception=ExceptionInfo(type="ValueError", message="no", traceback="Traceback:\n  ValueError: no\n"),
    )

    def loss(value: float) -> dict[str, Metric]:
        return {"loss": Metric(name="loss", value=value, unit="nats/byte", source="report")}

    said: list[dict[str, Any]] = [
        {
            "id": "LR-001",
            "baseline": True,
            "metrics": loss(2.5),
            "config": {"lr": 0.1},
        },
        {"id": "LR-002", "metrics": loss(2.25), "config": {"lr": 0.2}},
        {"id": "LR-003", "metrics": {"loss": math.nan}, "config": {"lr": 9.0}},
        {"id": "LR-004", "end": crash, "config": {"lr": 99.0}},
        {"id": "MOE-001", "thread": "moe", "metrics": {"loss": 2.75, "acc/top=1": 0.5}, "label": "experts"},
    ]
    return [keep(a_run(**each, declared=noon + timedelta(hours=hour))) for hour, each in enumerate(said)]


def ids(found: list[dict[str, object]]) -> list[object]:
    return [run["id"] for run in found]


# The console script


def test_the_console_script_keeps_its_promises(sweep):
    """Scripts rely on exit codes, on JSON alone on stdout, and on one line of error on stderr."""
    done = console("runs", "--json")
    refused = console("show", "LR-404")
    misused = console("runs", "--where", "loss is small")
    unknown = console("shwo", "LR-001")

    assert (done.returncode, done.stderr) == (0, "")
    assert ids(json.loads(done.stdout)) == ["LR-001", "LR-002", "LR-003", "LR-004", "MOE-001"]
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("marin-research: no run 'LR-404' in ")
    assert refused.stderr.count("\n") == 1
    assert (misused.returncode, misused.stdout) == (2, "")
    assert misused.stderr.count("\n") == 1
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "Did you mean 'show'?" in unknown.stderr


def test_a_reader_that_has_seen_enough_ends_the_program_quietly(sweep):
    """`marin-research runs | head` must not end in a traceback."""
    pipe = f"{CONSOLE} show LR-001 | true; {CONSOLE} runs --json | head -c 1"

    done = subprocess.run(["bash", "-o", "pipefail", "-c", pipe], capture_output=True, text=True, check=False)

    assert done.stderr == ""


def test_what_is_no_text_is_shown_and_not_crashed_on(a_run, keep):
    """File names on Linux are bytes; a run that was started with one must still be shown."""
    line = f"python {os.fsdecode(b'caf\xe9.py')}"
    run = keep(a_run(command=Command(argv=("python", line[7:]), line=line, cwd="/", cwd_in_repository=".")))

    shown, as_json = console("show", run.id), console("show", run.id, "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "caf\\udce9.py" in shown.stdout
    assert decode(Run, json.loads(as_json.stdout)) == run


@pytest.mark.parametrize("root", ["file in the way", "nosuchscheme://x"])
def test_a_root_that_is_no_store_is_one_line(tmp_path, say, root):
    """A typo in --root must say so, whatever the command."""
    (tmp_path / "file in the way").write_text("mine")

    for command in (
        ["runs"],
        ["show", "LR-001"],
        ["compare", "LR-001", "LR-002"],
        ["check", "LR-001"],
        ["logs", "LR-001"],
    ):
        said = say(*command, "--root", root)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert "--root" in said.err


# Help


@pytest.mark.parametrize("name", group.list_commands(click.Context(group)))
def test_every_command_has_help_with_an_example(say, name):
    """An example is what people copy."""
    said = say(name, "--help")

    assert (said.code, said.err) == (0, "")
    assert "Example" in said.out
    assert f"marin-research {name}" in said.out


def test_a_working_directory_that_was_removed_is_one_line(tmp_path, say, monkeypatch):
    """A clean-up in another terminal takes the folder away, and a traceback does not tell that."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.delenv("MARIN_RESEARCH_ROOT", raising=False)

    said = say("runs")

    assert (said.code, said.out) == (1, "")
    assert said.err == "marin-research: the folder you are in was removed; change to one that exists\n"


def test_the_program_lists_its_commands_and_its_version(say):
    """Without knowing anything one must be able to find out everything."""
    listed = say("--help")

    assert listed.code == 0
    for name in group.list_commands(click.Context(group)):
        assert f"\n  {name} " in listed.out
    assert say("-h").out == listed.out
    assert say("--version").out.startswith("marin-research, version ")


# runs


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], "LR-001 LR-002 LR-003 LR-004 MOE-001"),
        (["--thread", "moe"], "MOE-001"),
        (["--status", "failed"], "LR-004"),
        (["--status", "succeeded", "--thread", "lr-sweep"], "LR-001 LR-002 LR-003"),
        (["--where", "loss<2.5"], "LR-002"),
        (["--where", "loss <= 2.5"], "LR-001 LR-002"),
        (["--where", "loss>2.25", "--where", "loss<2.75"], "LR-001"),
        (["--where", "loss=2.25"], "LR-002"),
        (["--where", "loss!=2.25"], "LR-001 LR-003 MOE-001"),
        (["--where", "acc/top=1>=0.5"], "MOE-001"),
        (["--where", "loss<1"], ""),
        (["--sort", "time"], "LR-001 LR-002 LR-003 LR-004 MOE-001"),
        (["--sort", "-time"], "MOE-001 LR-004 LR-003 LR-002 LR-001"),
        (["--sort", "loss"], "LR-002 LR-001 MOE-001 LR-003 LR-004"),
        (["--sort", "-loss"], "MOE-001 LR-001 LR-002 LR-003 LR-004"),
        (["--sort", "-loss", "--limit", "1"], "MOE-001"),
        (["--sort", "-time", "--limit", "2", "--status", "succeeded"], "MOE-001 LR-003"),
    ],
)
def test_runs_are_filtered_and_sorted(sweep, answer, args, expected):
    """The best run of a sweep is one command away; runs without the number come last either way."""
    assert ids(answer("runs", *args)) == expected.split()


def test_runs_are_a_table_for_people(sweep, say):
    """Each run on its line: what it is called, how it stands, how long it took, what it measured."""
    lines = say("runs", "--sort", "loss").out.splitlines()

    assert len(lines) == 6
    assert lines[0].split() == ["ID", "STATUS", "DECLARED", "TOOK", "THREAD", "LABEL", "loss"]
    assert lines[1].split() == [
        "LR-002",
        "succeeded",
        "2026-11-22",
        "13:00",
        "1",
        "min",
        "0",
        "s",
        "lr-sweep",
        "lr=0.003",
        "2.250",
        "nats/byte",
    ]
    assert lines[4].split()[-1] == "nan"
    assert say("runs", "--limit", "1").out.splitlines()[1].split()[0] == "LR-001"


def test_the_table_fits_the_terminal(sweep, store, keep, a_run):
    """Lines that wrap cannot be read as a table; what a run is called and what it measured is kept."""
    keep(a_run("LR-009", label="a label that goes on and on " * 10, metrics={"loss": 2.5}))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = ["runs", "--root", store.root, "--sort", "loss"]
    for width in (60, 80, 100, 500):
        size = (50, width)
        terminal = pexpect.spawn(str(CONSOLE), command, dimensions=size, encoding="utf-8", env=environment)
        lines = terminal.read().splitlines()
        assert len(lines) == 7
        assert max(map(len, lines)) <= width
        line = next(line for line in lines if line.startswith("LR-009"))
        assert "a label tha" in line
        assert line.rstrip().endswith("2.500")
        assert ("…" in line) == (width < 400)


def test_the_primary_metric_of_a_thread_is_shown_with_its_course(store, keep, a_run, say):
    """Where people would rather look than read."""
    store.put_thread("lr-sweep", {"topic": "lr-sweep", "metrics": [{"name": "loss"}, 5, {"name": "none"}]})
    series = tuple((float(step), 9.0 - step) for step in range(8))
    keep(a_run(metrics={"loss": Metric(name="loss", value=2.0, source="report", series=series), "other": 1.0}))

    heading, line = say("runs", "--thread", "lr-sweep").out.splitlines()

    assert heading.split() == ["ID", "STATUS", "DECLARED", "TOOK", "LABEL", "loss"]
    assert line.split()[-2:] == ["2", "█▇▆▅▄▃▂▁"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36h", datetime(2026, 11, 21, tzinfo=UTC)),
        ("1.5 d", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 8, 12, tzinfo=UTC)),
        ("2026-11-22T08:00+02:00", datetime(2026, 11, 22, 6, tzinfo=UTC)),
        ("2026-11-22T08:00Z", datetime(2026, 11, 22, 8, tzinfo=UTC)),
    ],
)
def test_an_age_or_a_time_limits_the_list(text, expected):
    """Ages are what one types, times are what one pastes."""
    assert parse_since(text, now=datetime(2026, 11, 22, 12, tzinfo=UTC)) == expected


@pytest.mark.parametrize("text", ["yesterday", "5", "12x", "9999999999999d", "2026-13-01"])
def test_what_is_neither_age_nor_time_is_wrong_usage(say, text):
    """A filter that silently matches nothing hides results."""
    said = say("runs", "--since", text)

    assert (said.code, said.out) == (2, "")
    assert "for example 12h, 7d or 2026-11-22" in said.err


@pytest.mark.parametrize("option", [["--sort", "los"], ["--sort", "-los"], ["--where", "loss>0 and los<3"]])
@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_name_that_no_run_has_is_refused_with_those_there_are(sweep, say, option, how):
    """A list in another order than asked for, or an empty one, would be taken for the answer."""
    said = say("runs", *option, *how)

    assert (said.code, said.out) == (1, "")
    assert "has 'los'; name one of loss, " in said.err
    assert "acc/top=1" in said.err


def test_a_metric_that_a_thread_declares_and_no_run_has_yet_is_no_mistake(sweep, store, say):
    """Scripts ask for it before the first run of a thread has reported it."""
    store.put_thread("moe", {"topic": "moe", "metrics": [{"name": "mfu"}]})

    assert say("runs", "--sort", "-mfu", "--where", "mfu<1").code == 0


def test_a_thread_that_is_not_there_is_refused_with_those_there_are(sweep, thread, say):
    """Whoever mistyped it would think that its runs are lost."""
    said = say("runs", "--thread", "lr-swep")

    assert (said.code, said.out) == (1, "")
    assert "no thread 'lr-swep' (known threads: lr-sweep" in said.err
    assert say("runs", "--thread", "moe", "--status", "failed").code == 0


def test_no_runs_are_said_to_be_none(say, answer):
    """Nothing at all on the screen would look like an error; a script still gets its list."""
    said = say("runs")

    assert (said.code, said.out) == (0, "")
    assert "no runs in" in said.err
    assert answer("runs") == []


@pytest.mark.parametrize("text", ["loss", "loss<", "<2", "loss<low", "loss<2<3", "loss=<2", ""])
def test_a_condition_that_is_none_is_wrong_usage(say, text):
    """A filter that silently matches nothing hides results."""
    said = say("runs", "--where", text)

    assert said.code == 2
    assert "for example --where" in said.err


# show


def test_a_run_is_shown_by_its_id_and_by_its_output(sweep, answer):
    """Whoever finds a checkpoint wants to know what made it."""
    by_id = answer("show", "LR-002")

    assert by_id["id"] == "LR-002"
    assert answer("show", by_id["step"]["output_path"]) == by_id
    assert answer("show", by_id["step"]["output_path"] + "/") == by_id
    assert decode(Run, by_id) == sweep[1]


def test_everything_that_is_known_of_a_run_is_on_the_screen(  # noqa: PLR0917 - fixtures
    a_run, an_attempt, a_host, a_wandb_run, keep, say
):
    """`show` is what one opens when something is odd; what it leaves out is not found."""
    devices = Devices(kind="TPU v4", count=8, source="jax")
    first = an_attempt(1, end=End(status=Status.PREEMPTED, time=an_attempt().started, why="killed by SIGTERM"))
    second = an_attempt(
        2,
        line="XLA_FLAGS=-a python train.py",
        config={"optimizer": {"lr": 0.1}, "layers": [1, 2]},
        hosts=(a_host(0, devices=devices, output=Output(size=1500, lines=3)), a_host(1)),
        end=End(
            status=Status.FAILED,
            time=an_attempt().started,
            why="the step raised ValueError",
            exception=ExceptionInfo(type="ValueError", message="no", traceback="Traceback:\n  ValueError: no\n"),
        ),
    )
    keep(
        a_run(
            attempts=(first, second),
            hypothesis="it is stable",
            baseline=True,
            metrics={
                "loss": Metric(
                    name="loss", value=math.nan, source="wandb:x", count=9, minimum=1.0, maximum=3.0, non_finite=2
                )
            },
            wandb=(a_wandb_run(), a_wandb_run(id="2", url=Unknown("offline"), path="/w/2", attribution="ambiguous")),
            gaps=(Gap(what="the output", why="the pipe broke"),),
        )
    )

    shown = say("show", "LR-001").out

    for fact in (
        "LR-001", "failed: the step raised ValueError", "lr-sweep", "2026-11-22 12:00:00 UTC", "it is stable",
        "attempt 1", "preempted: killed by SIGTERM", "attempt 2", "XLA_FLAGS=-a python train.py", "/work/checkout",
        "c0ffee", "8 x TPU v4 (jax)", "CPython 3.12.1 on Linux 6.1 x86_64", "worker-0", "1.5 kB of output", "worker-1",
        "optimizer.lr", "0.1", "[1, 2]", "nan", "1 to 3 over 9 values", "2 not finite", "wandb:x",
        "https://wandb.ai/marin/lr-sweep/runs/3fa2c1", "/w/2 (not yet synced) (ambiguous)",
        "the output", "the pipe broke", "  ValueError: no", "/marin/train/LR-001/dev", "train/LR-001@dev",
    ):  # fmt: skip
        assert fact in shown


def test_a_damaged_record_is_shown_with_its_gaps(sweep, say, store):
    """What can be read is shown, and what cannot is named."""
    path = next((Path(store.root) / "runs" / "LR-001" / "events").glob("001-launcher-*0.json"))
    path.write_bytes(path.read_bytes()[:100])

    said = say("show", "LR-001")

    assert said.code == 0
    assert "gaps in this record" in said.out
    assert path.name in said.out


# compare


def test_a_comparison_shows_deltas_and_what_else_differs(sweep, a_run, keep, say):
    """The first run is the reference; unfair comparisons say so."""
    keep(a_run("LR-005", metrics={"loss": 2.0}, config={"lr": 0.1}, packages={"jax": "0.12"}))
    keep(a_run("LR-006", metrics={"loss": 2.0}, config={"lr": 0.1}))

    unfair, fair = say("compare", "LR-001", "LR-005").out, say("compare", "LR-001", "LR-006").out

    assert unfair.splitlines()[0] == "LR-005 against LR-001"
    assert ["loss", "2.500", "->", "2", "-20.0", "%"] in [line.split() for line in unfair.splitlines()]
    assert ["package", "jax", "0.11.2", "->", "0.12"] in [line.split() for line in unfair.splitlines()]
    assert "apples to apples" not in unfair
    assert "nothing else differs: apples to apples" in fair


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (("train.py --lr 0.1", "train.py --lr 0.3"), ["command --lr  0.1  ->  0.3"]),
        (("train.py --lr=-1 -v", "train.py --lr=-2 -v"), ["command --lr  -1  ->  -2"]),
        (("t --a 1 --b 'x y'", "t --a 2 --b z"), ["command --a  1    ->  2", "command --b  x y  ->  z"]),
        (("train.py --lr 0.1", "test.py --lr 0.3"), None),
        (("train.py --lr 0.1", "train.py --lr 0.1 --fast"), None),
        (("train.py --lr 0.1", "train.py --rate 0.1"), None),
        (("train.py --fast --lr", "train.py --fast --rate"), None),
        (("train.py --lr=1 a", "train.py --lr=1 b"), None),
        (("make -- a", "make -- b"), None),
        (("1", "2"), None),
        (("echo 'a", "echo 'b"), None),
    ],
)
def test_a_comparison_shows_in_which_flags_two_commands_differ(a_run, keep, say, lines, shown):
    """Two long lines would have to be read word by word; what is no flag's value is shown as the line that it is in."""
    for run_id, line in zip(("LR-005", "LR-006"), lines, strict=True):
        keep(a_run(run_id, command=Command(argv=("x",), line=line, cwd="/", cwd_in_repository=".")))

    said = say("compare", "LR-005", "LR-006").out

    rows = [line.strip() for line in said.partition("what else differs:\n")[2].splitlines()]
    assert rows == (shown or ["command  " + "  ->  ".join(lines)])


def test_a_comparison_of_several_finds_what_they_vary(sweep, answer, say):
    """The learning rate is what this sweep is about."""
    found = answer("compare", "LR-001", "LR-002", "LR-003")

    assert [(each["baseline"], each["run"], each["axis"], each["differences"]) for each in found] == [
        ("LR-001", "LR-002", ["lr"], []),
        ("LR-001", "LR-003", ["lr"], []),
    ]
    assert found[0]["deltas"] == [
        {"metric": "loss", "baseline": 2.5, "run": 2.25, "difference": -0.25, "percent": -10.0}
    ]
    assert found[1]["deltas"][0]["run"] == found[1]["deltas"][0]["difference"] == "NaN"
    assert "unknown" in found[1]["deltas"][0]["percent"]
    assert "varied on purpose: lr" in say("compare", "LR-001", "LR-002", "LR-003").out


def test_a_run_without_a_record_of_its_own_is_not_called_the_same(sweep, a_run, keep, say):
    """A cached run of which nobody knows the maker cannot be compared."""
    keep(a_run("LR-005", attempts=(), status=Status.CACHED, cached_from=Unknown("nobody"), why="cached"))

    said = say("compare", "LR-001", "LR-005").out

    assert "apples to apples" not in said
    assert "it never ran" in said


def test_a_cached_run_is_compared_by_what_made_it(sweep, a_run, keep, answer):
    """Its numbers are the other run's."""
    keep(a_run("LR-005", attempts=(), status=Status.CACHED, cached_from="LR-002", why="cached"))

    (found,) = answer("compare", "LR-001", "LR-005")

    assert found["run"] == "LR-002"
    assert found["deltas"][0]["run"] == 2.25


# check


@pytest.fixture
def thread(store) -> Thread:
    found = Thread(topic="lr-sweep", prefix="LR", metrics=[PrimaryMetric(name="loss", direction="lower")])
    remember_thread(found, store)
    return found


def test_check_answers_with_its_exit_code(sweep, thread, say, a_run, keep):
    """`marin-research check LR-005 && post` must not post what is not ready."""
    cpu = Devices(kind="cpu", count=1, source="declared: cpu")
    keep(a_run("LR-005", metrics={"loss": 2.0}, declared_devices=cpu, baseline=True))

    ready, not_ready = say("check", "LR-005"), say("check", "LR-003")

    assert ready.code == 0
    assert "!!" not in ready.out
    assert not_ready.code == 1
    assert ["!!", "metrics", "loss", "is", "nan"] in [line.split() for line in not_ready.out.splitlines()]
    assert not_ready.err == ""


def test_a_thread_is_checked_by_its_newest_launch(  # noqa: PLR0917 - fixtures
    sweep, thread, answer, say, a_run, keep
):
    """What one is about to post is what one has just run."""
    late = sweep[0].declared + timedelta(days=1)
    for run_id in ("LR-005", "LR-006"):
        keep(a_run(run_id, metrics={"loss": 2.0}, launch="tonight", declared=late))

    found = answer("check", "lr-sweep")

    assert [each["run"] for each in found] == ["LR-005", "LR-006"]
    assert {item["name"] for item in found[0]["checks"]} >= {"command", "commit", "metrics", "baseline"}
    assert say("check", "lr-sweep").out.count("LR-005") == 1


def test_what_is_neither_a_run_nor_a_thread_is_refused(sweep, thread, say):
    """The error names what there is."""
    assert "no run 'LR-404'" in say("check", "LR-404").err
    assert "known threads: lr-sweep" in say("check", "lr-swep").err
    assert say("check", "lr-swep").code == 1


def test_a_thread_without_runs_has_nothing_to_check(thread, say):
    """An empty checklist would count as passed."""
    assert say("check", "lr-sweep").code == 1


# schema


def test_the_schema_describes_what_json_prints(  # noqa: PLR0917 - fixtures
    sweep, thread, answer, say, a_run, an_attempt, a_host, a_wandb_run, keep
):
    """Other people's programs are written against the schema: unknown facts, NaN, missing devices, blobs and all."""
    git = an_attempt().git
    keep(
        a_run(
            "LR-005",
            metrics={
                "loss": Metric(name="loss", value=-math.inf, source="report", first=math.nan, series=((1.0, math.inf),))
            },
            wandb=(a_wandb_run(url=Unknown("offline"), entity=Unknown("offline")),),
            attempts=(
                an_attempt(1, hosts=(a_host(devices=Devices(kind="cpu", count=1, source="jax")),)),
                an_attempt(
                    2, end=None, git=type(git)(**{**encode(git), "dirty": True, "diff": Blob(sha256="0", size=1)})
                ),
            ),
            step=Unknown("not a Marin step"),
        )
    )
    keep(a_run("LR-006", attempts=(), status=Status.CACHED, cached_from=Unknown("nobody"), why="cached"))
    document = json.loads(say("schema").out)

    assert document["version"] == 1
    for name, printed in (
        ("Run", answer("runs")),
        ("Run", [answer("show", "LR-005")]),
        ("Comparison", answer("compare", "LR-001", "LR-002", "LR-003", "LR-006")),
        ("Checklist", answer("check", "LR-005")),
    ):
        validator = jsonschema.Draft202012Validator(document["schemas"][name])
        assert printed
        for each in printed:
            validator.validate(each)


def test_the_schema_refuses_what_json_never_prints(sweep, answer, say):
    """A schema that anything satisfies describes nothing."""
    validator = jsonschema.Draft202012Validator(json.loads(say("schema").out)["schemas"]["Run"])
    run = answer("show", "LR-001")

    for broken in (
        run | {"status": "done"},
        run | {"step": {"why": "not a Marin step"}},
        run | {"metrics": {"loss": run["metrics"]["loss"] | {"value": "high"}}},
        {key: value for key, value in run.items() if key != "id"},
    ):
        assert not validator.is_valid(broken)


# logs, completion, init


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--attempt", "9"], "LR-001 has no attempt 9; it has attempts 1, 2"),
        (["--host", "7"], "attempt 2 of LR-001 has no host 7; it has hosts 0, 1"),
        (["--host", "7", "--attempt", "1"], "attempt 1 of LR-001 has no host 7; it has host"),
        (["--job", "another"], "attempt 2 of LR-001 has no job another; it has job train"),
    ],
)
def test_logs_of_what_is_not_there_are_refused_with_what_there_is(preempted_pod, keep, say, args, expected):
    """The run is there; whoever hears that it is not looks for it elsewhere."""
    keep(preempted_pod())
    said = say("logs", "LR-001", *args)

    assert (said.code, said.out) == (1, "")
    assert expected in said.err


def test_logs_of_a_run_that_never_ran_are_refused_with_how_it_stands(keep, a_run, say):
    """A cached run printed nothing, and its reason says where to look."""
    keep(a_run("LR-006", attempts=(), status=Status.CACHED, why="served from the cache"))
    said = say("logs", "LR-006")

    assert (said.code, said.out) == (1, "")
    assert "LR-006 has no attempt: it is cached (served from the cache" in said.err


def test_what_several_hosts_printed_is_merged_by_time(preempted_pod, keep, store, say):
    """Which host failed first is seen where their lines stand in the order in which they were printed."""
    run = keep(preempted_pod())
    for index, writer in enumerate(("h0-try1", "h1-try1")):
        output = LiveOutput(store.root, store.output_folder(run.id, 2, writer))
        output.open()
        for step in range(3):
            output.clock = partial(float, 1_800_000_000 + 10 * step + index)
            output.append(f"host {index} at step {step}\n".encode())
        if index:
            output.append(b"and a line without an end")
            stretch = output.cut(last=True)
            assert stretch is not None
            ship(store.objects, store.output_folder(run.id, 2, writer), stretch)

    assert say("logs", "LR-001").out == (
        "[0] host 0 at step 0\n[1] host 1 at step 0\n"
        "[0] host 0 at step 1\n[1] host 1 at step 1\n"
        "[0] host 0 at step 2\n[1] host 1 at step 2\n[1] and a line without an end\n"
    )
    assert say("logs", "LR-001", "--host", "1", "--follow").out.startswith("host 1 at step 0\nhost 1 at step 1\n")
    assert say("logs", "LR-001", "--job", "train-1a2b", "--follow").out.count("\n") == 7
    assert say("logs", "LR-001", "--attempt", "1", "--host", "step").code == 0
    assert say("logs", "LR-001", "--job", "another").code == 1


def test_hosts_that_claim_one_index_are_told_apart_and_chosen_by_any_of_their_names(a_host, a_run, keep, store, say):
    """A launcher that numbers its processes wrongly must not make one host of two, whatever the machines are called."""
    names = {"h0-aaaaaa": "my lab pc", "h0-bbbbbb": "worker-1"}
    hosts = tuple(a_host(0, name=name, writer=writer) for writer, name in names.items())
    run = keep(a_run(hosts=hosts))
    for writer, name in names.items():
        output = LiveOutput(store.root, store.output_folder(run.id, 1, writer))
        output.open()
        output.append(f"Error: {name} has failed\n".encode())

    merged = say("logs", run.id).out

    assert sorted(merged.splitlines()) == [
        "[0 h0-aaaaaa] Error: my lab pc has failed",
        "[0 h0-bbbbbb] Error: worker-1 has failed",
    ]
    assert sorted(say("logs", run.id, "--host", "0").out.splitlines()) == sorted(merged.splitlines())
    assert say("logs", run.id, "--host", "my lab pc").out == "Error: my lab pc has failed\n"
    assert say("logs", run.id, "--host", "h0-bbbbbb").out == "Error: worker-1 has failed\n"
    assert "2 claim to be it: my lab pc (process 4242, h0-aaaaaa), worker-1" in say("show", run.id).out
    assert "host 0 (h0-bbbbbb)" in say("digest", run.id).out


def test_devices_other_than_those_asked_for_are_said_loudly(an_attempt, a_host, a_run, keep, say):
    """A pod of which one host never joined gives half the throughput and no error."""
    asked = Devices(kind="TPU v4-16", count=8, process_count=2, source="declared: TPU v4-16")
    seen = Devices(kind="TPU v4", count=4, local_count=4, process_count=1, source="jax")
    whole = Devices(kind="TPU v4", count=8, local_count=4, process_count=2, source="jax")
    keep(a_run("LR-001", attempts=(an_attempt(declared_devices=asked, hosts=(a_host(devices=seen),)),)))
    keep(a_run("LR-002", attempts=(an_attempt(declared_devices=asked, hosts=(a_host(devices=whole),)),)))

    loud = "NOT THE DEVICES IT ASKED FOR: 4 x TPU v4, 4 here (jax), not 8 x TPU v4-16 over 2 hosts"
    assert loud in say("show", "LR-001").out.splitlines()[2]
    assert "NOT" not in say("show", "LR-002").out


def test_show_tells_every_try_its_hosts_and_what_the_cluster_counts(preempted_pod, keep, say):
    """Where each try ran and why it ended is what a failure is looked for by."""
    keep(preempted_pod())

    shown = say("show", "LR-001").out

    assert "attempt 1, 2026-11-22 12:00:00 UTC" in shown
    assert "preempted: host 0 was preempted: spot reclaim; 1 other of its gang ended with it" in shown
    assert "attempt 2, 2026-11-22 12:01:00 UTC, took 30.0 s (1 min 0 s in all, queueing included)" in shown
    assert "/ada/train-1a2b: succeeded; iris counts 1 preemption" in shown
    assert "worker-1 (process 4242) on vm-1" in shown
    assert "8 x TPU v4-16 over 2 hosts" in shown
    assert "NOT THE SAME" not in shown


def test_a_retry_that_was_no_repetition_is_said_loudly(a_run, an_attempt, keep, say):
    """A number that was made with another commit and learning rate than the first try had is not that try's."""
    lost = End(status=Status.LOST, time=an_attempt().started, why="silence")
    first = an_attempt(1, end=lost, commit="1" * 40)
    keep(a_run(attempts=(first, an_attempt(2, commit="2" * 40, config={"lr": 0.5}))))

    assert (
        "NOT THE SAME in attempts 1 and 2: config lr 0.003 -> 0.5; commit 111111111111 -> 222222222222"
        in say("show", "LR-001").out
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_for_both_programs(say, shell):
    """A shell that is told of one program only completes one."""
    said = say("completion", shell)

    assert said.code == 0
    for name in ("_MARIN_RESEARCH_COMPLETE", "_CURATOR_COMPLETE", f"{shell}_complete"):
        assert name in said.out


def test_a_shell_completes_commands():
    """Press tab after `marin-research sh`."""
    done = console(
        env={
            **os.environ,
            "_MARIN_RESEARCH_COMPLETE": "bash_complete",
            "COMP_WORDS": "marin-research sh",
            "COMP_CWORD": "1",
        }
    )

    assert done.stdout.split() == ["plain,show"]


def test_completion_of_an_unknown_shell_is_wrong_usage(say):
    """The error lists the shells."""
    said = say("completion", "tcsh")

    assert said.code == 2
    assert "'bash', 'zsh', 'fish'" in said.err


def test_init_declares_a_thread_and_starts_its_logbook(git_checkout, say, monkeypatch):
    """The first command of a new line of research: two files, and what to do next."""
    top = git_checkout()
    (top / "src").mkdir()
    monkeypatch.chdir(top / "src")

    said = say(
        "init", "lr-sweep", "--prefix", "LR", "--goal", "find: the 'largest' rate", "--tag", "small",
        "--metric", "eval/loss:lower:nats/byte", "--wandb", "marin/lr", "--agent-marker", "🤖",
    )  # fmt: skip

    assert (said.code, said.err) == (0, "")
    thread = read_thread(top / ".agents" / "research" / "lr-sweep.yaml")
    assert thread.goal == "find: the 'largest' rate"
    assert thread.title == "Lr sweep"
    assert thread.metrics == [PrimaryMetric(name="eval/loss", direction="lower", unit="nats/byte")]
    assert (thread.wandb.entity, thread.wandb.project) == ("marin", "lr")
    assert "find: the 'largest' rate" in (top / ".agents" / "logbooks" / "lr-sweep.md").read_text()
    assert "next: " in said.out


def test_init_never_overwrites(git_checkout, say, monkeypatch):
    """A thread file and a logbook are work of people."""
    top = git_checkout()
    monkeypatch.chdir(top)
    logbook = top / ".agents" / "logbooks" / "lr-sweep.md"
    logbook.parent.mkdir(parents=True)
    logbook.write_text("mine")
    assert "kept" in say("init", "lr-sweep", "--prefix", "LR").out
    declaration = top / ".agents" / "research" / "lr-sweep.yaml"
    declaration.write_text(declaration.read_text() + "# my notes\n")

    again = say("init", "lr-sweep", "--prefix", "LX")
    rival = say("init", "other", "--prefix", "LR")

    assert (again.code, rival.code) == (1, 1)
    assert "exists already" in again.err
    assert "lr-sweep.yaml already uses the prefix LR" in rival.err
    assert logbook.read_text() == "mine"
    assert declaration.read_text().endswith("# my notes\n")
    assert sorted(path.name for path in declaration.parent.iterdir()) == ["lr-sweep.yaml"]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["LR Sweep", "--prefix", "LR"], 1, "must be a slug"),
        (["lr-sweep", "--prefix", "lr"], 1, "must be capital letters"),
        (["lr-sweep"], 2, "--prefix"),
        (["lr-sweep", "--prefix", "LR", "--metric", "loss"], 2, "NAME:higher|lower[:UNIT]"),
        (["lr-sweep", "--prefix", "LR", "--metric", "loss:down"], 2, "NAME:higher|lower[:UNIT]"),
        (["lr-sweep", "--prefix", "LR", "--logbook-repository", "../marin-logboks"], 1, "marin-logboks"),
    ],
)
def test_init_that_is_refused_leaves_nothing_behind(  # noqa: PLR0917 - fixtures
    git_checkout, say, monkeypatch, args, code, said
):
    """Half a thread would have to be found and removed by hand."""
    top = git_checkout()
    monkeypatch.chdir(top)

    answer = say("init", *args)

    assert answer.code == code
    assert said in answer.err
    assert {path.name for path in top.iterdir()} == {".git", "train.py"}
    assert not (top.parent / "marin-logboks").exists()


def test_another_threads_broken_file_does_not_stop_a_new_one(git_checkout, say, monkeypatch):
    """A colleague's typo is for the colleague."""
    top = git_checkout()
    monkeypatch.chdir(top)
    (top / ".agents" / "research").mkdir(parents=True)
    (top / ".agents" / "research" / "broken.yaml").write_text("topic: [")

    assert say("init", "lr-sweep", "--prefix", "LR").code == 0


def test_both_programs_share_one_store_setting(tmp_path, a_run, keep, say):
    """--root wins over MARIN_RESEARCH_ROOT."""
    keep(a_run())
    other = RecordStore(str(tmp_path / "other"))
    other.prepare()

    assert say("runs", "--root", other.root).out == ""
    assert say("runs").out != ""
    assert import_module("marin_research.store").default_root() != other.root

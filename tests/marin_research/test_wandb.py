"""W&B runs are seen and read as they are made by the real ``wandb``, each scenario in a process of its own.

Which module was imported when is what matters here, so nothing can be shared between scenarios; output goes to files,
because ``wandb-core`` keeps inherited pipes open.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research import wandb_file
from marin_research.codec import decode
from marin_research.history import Thinned
from marin_research.record import Metric, Unknown, WandbRun
from marin_research.wandb_folder import folders_since, refusal_in, run_in

if TYPE_CHECKING:
    from collections.abc import Callable

PRELUDE = """
import json, math, os, subprocess, sys, threading
from pathlib import Path
from marin_research import wandb_hook
from marin_research.codec import encode

def tell(**facts):
    Path("told.json").write_text(json.dumps(encode(facts)))

def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


def scan(root: Path, since: float) -> tuple[WandbRun, ...]:
    """The runs whose folders are under ``root``."""
    return tuple(run for folder in folders_since(root, since) if (run := run_in(folder)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a scenario left behind."""

    told: dict[str, Any]
    output: str
    folder: Path

    def runs(self, name: str) -> tuple[WandbRun, ...]:
        return tuple(decode(WandbRun, each) for each in self.told[name])


def play(folder: Path, script: str, **environment: str) -> Played:
    """Run a scenario in ``folder`` and end every process that it leaves behind."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scenario.py"
    file.write_text(PRELUDE + textwrap.dedent(script))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    wandb = {
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_ERROR_REPORTING": "false",
        **{f"WANDB_{name}": str(folder / name.lower()) for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR")},
    }
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, file],
            cwd=folder,
            env=clean | wandb | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=120)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    text = (folder / "output.txt").read_text(errors="replace")
    assert code == 0, text
    told = folder / "told.json"
    return Played(told=json.loads(told.read_text()) if told.exists() else {}, output=text, folder=folder)


# Seeing runs


def test_a_step_links_every_run_it_starts_by_whichever_name(tmp_path: Path) -> None:
    """A run started through a from-import, or finished before the step returns, would have no link in the record."""
    played = play(
        tmp_path,
        """
        wandb_hook.install()
        light = "wandb" not in sys.modules
        events = []
        with wandb_hook.watch("step", on_change=events.append) as watch:
            import wandb
            from wandb import init as short
            from wandb.sdk.wandb_init import init as long
            run = wandb.init(project="p", id="one", entity="team")
            started = list(events)
            run.name = "a better name"
            run.finish(exit_code=3)
            short(project="p", id="two").finish()
            with long(project="p", id="three"):
                pass
            wandb.init(project="p", id="none", mode="disabled").finish()
        import inspect
        tell(light=light, started=started, events=events, runs=watch.runs(), gaps=watch.gaps(),
             signature=list(inspect.signature(wandb.init).parameters)[:2], source=inspect.getsource(wandb.init)[:9])
        """,
        WANDB_SILENT="false",
    )

    one, two, three = played.runs("runs")
    assert played.told["light"]
    assert played.runs("started") == (
        WandbRun(
            id="one",
            project="p",
            entity="team",
            name=Unknown("offline run; W&B gives it one when it is synced"),
            url=Unknown("offline run; not synced yet"),
            mode="offline",
            path=one.path,
            synced=False,
        ),
    )
    assert (one.name, one.finished, one.exit_code) == ("a better name", True, 3)
    assert [(run.id, run.finished, run.exit_code) for run in (two, three)] == [("two", True, 0), ("three", True, 0)]
    assert isinstance(two.entity, Unknown)
    assert (Path(one.path) / "run-one.wandb").is_file()
    assert played.runs("events")[-1] == three
    assert played.told["gaps"] == []
    assert "URL not available" not in played.output
    assert played.told["signature"] == ["entity", "project"]
    assert played.told["source"] == "def init("


def test_names_taken_before_the_hook_are_seen_too(tmp_path: Path) -> None:
    """A script that imports wandb first and records later would have no links."""
    played = play(
        tmp_path,
        """
        import wandb
        from wandb.sdk.wandb_init import init
        wandb_hook.install()
        wandb_hook.install()
        with wandb_hook.watch("step") as watch:
            init(project="p", id="early").finish()
            wandb.init(project="p", id="late").finish()
        tell(runs=watch.runs(), gaps=watch.gaps())
        """,
    )

    assert [(run.id, run.finished, run.reused) for run in played.runs("runs")] == [
        ("early", True, False),
        ("late", True, False),
    ]
    assert played.told["gaps"] == []


def test_steps_in_one_process_get_their_own_runs(tmp_path: Path) -> None:
    """Marin runs steps in threads of one process: a run linked to the wrong step is a wrong record."""
    played = play(
        tmp_path,
        """
        import contextvars
        together = threading.Barrier(2)
        seen = {}
        def step(name):
            with wandb_hook.watch(name) as watch:
                together.wait()
                import wandb
                own = wandb.init(project="p", id=name, reinit="create_new")
                context = contextvars.copy_context()
                def inner():
                    wandb.init(project="p", id=name + "-inner", reinit="create_new").finish()
                in_thread(lambda: context.run(inner))
                together.wait()
                if name == "a":
                    in_thread(lambda: wandb.init(project="p", id="whose", reinit="create_new").finish())
                    own.finish()
                together.wait()
                if name == "b":
                    own.finish()
            seen[name] = watch.runs()
        steps = [threading.Thread(target=step, args=(name,)) for name in "ab"]
        [each.start() for each in steps]
        [each.join() for each in steps]

        import wandb
        unwatched = wandb.init(project="p", id="unwatched")
        with wandb_hook.watch("c") as watch:
            in_thread(lambda: wandb.init(project="p", id="raw", reinit="create_new").finish())
            same = wandb.init(project="p", id="never") is unwatched
            wandb.init(project="p", id="never either")
        seen["c"] = watch.runs()
        left_alone = wandb.run is unwatched
        unwatched.finish()
        tell(same=same, left_alone=left_alone, **seen)
        """,
    )

    for name in "ab":
        assert {run.id: (run.attribution, run.finished) for run in played.runs(name)} == {
            name: ("step", True),
            f"{name}-inner": ("step", True),
            "whose": ("ambiguous", True),
        }
    assert played.told["same"]
    assert {run.id: (run.attribution, run.reused) for run in played.runs("c")} == {
        "raw": ("step", False),
        "unwatched": ("step", True),
    }
    assert played.told["left_alone"]


def test_a_run_of_one_step_carries_what_leads_to_its_record_and_keeps_its_own_config(tmp_path: Path) -> None:
    """Somebody who finds a number in W&B must be able to tell which code and config made it."""
    played = play(
        tmp_path,
        """
        join = {"marin_research": {"run": "LR-001", "attempt": 2, "output_path": "/out"}}
        with wandb_hook.watch("LR-001", config=join) as watch:
            import wandb
            bare = wandb.init(project="p", id="bare", config=None)
            again = wandb.init(project="p", id="never")
            bare.config.update({"lr": 1})
            bare.finish()
            own = {"lr": 0.1, "marin_research": {"run": "LR-001", "attempt": 1}}
            resumed = wandb.init(project="p", id="own", config=own, resume="allow", allow_val_change=False)
            resumed.finish()
            wandb.init(project="p", id="off", mode="disabled").finish()
        tell(runs=watch.runs(), gaps=watch.gaps())
        """,
    )

    assert played.told["gaps"] == []
    configs = {run.id: wandb_file.read(Path(run.path) / f"run-{run.id}.wandb").config for run in played.runs("runs")}
    join = {"run": "LR-001", "attempt": 2, "output_path": "/out"}
    assert configs == {"bare": {"lr": 1, "marin_research": join}, "own": {"lr": 0.1, "marin_research": join}}


def test_a_new_run_that_nobody_named_is_called_by_its_experiment_id(
    wandb_server: Callable[..., str], tmp_path: Path
) -> None:
    """Two random words in W&B lead nowhere; a name that somebody chose, now or earlier, is theirs."""
    played = play(
        tmp_path,
        """
        with wandb_hook.watch("LR-001", config={"marin_research": {"run": "LR-001"}}) as watch:
            import wandb
            for said in ({}, {"name": "mine"}, {"settings": {"run_name": "also mine"}}, {"resume": "must"}):
                wandb.init(project="p", id="trained" if "resume" in said else None, **said).finish()
        with wandb_hook.watch("nobody's") as other:
            wandb.init(project="p").finish()
        tell(names=[run.name for run in (*watch.runs(), *other.runs())], gaps=watch.gaps())
        """,
        WANDB_MODE="online",
        WANDB_BASE_URL=wandb_server(),
        WANDB_API_KEY=f"local-{'k' * 40}",
    )

    assert played.told == {"names": ["LR-001", "mine", "also mine", "bright-sea-7", "calm-lake-1"], "gaps": []}


def test_a_run_that_may_be_anothers_is_told_nothing_and_claimed_by_nobody(tmp_path: Path) -> None:
    """A link to the wrong record is worse than none."""
    played = play(
        tmp_path,
        """
        from marin_research import whose
        import wandb
        with wandb_hook.watch("a", config={"marin_research": {"run": "a"}}) as a:
            with whose.belongs_to(None):
                wandb.init(project="p", id="unrecorded", reinit="create_new").finish()
                in_thread(lambda: wandb.init(project="p", id="whose", reinit="create_new").finish())
            in_thread(lambda: wandb.init(project="p", id="raw", reinit="create_new").finish())
        tell(runs=a.runs())
        """,
    )

    runs = {run.id: run for run in played.runs("runs")}
    assert {name: run.attribution for name, run in runs.items()} == {"whose": "ambiguous", "raw": "step"}
    configs = {name: wandb_file.read(Path(run.path) / f"run-{name}.wandb").config for name, run in runs.items()}
    assert configs == {"whose": {}, "raw": {"marin_research": {"run": "a"}}}


def test_runs_of_forked_children_are_found_through_the_sink(tmp_path: Path) -> None:
    """A data loader or launcher that forks its training loop would leave no link."""
    played = play(
        tmp_path,
        """
        def child(name):
            pid = os.fork()
            if pid == 0:
                import wandb
                wandb.init(project="p", id=name).finish(exit_code=4)
                wandb.teardown()
                os._exit(0)
            os.waitpid(pid, 0)
        def note(run):
            with Path("callers").open("a") as file:
                print(os.getpid(), file=file)
        sink = Path("sink")
        watching = wandb_hook.watch("step", on_change=note, sink=sink)
        with wandb_hook.watch("other", sink=sink) as other, watching as watch:
            child("before")
            import wandb
            own = wandb.init(project="p", id="own")
            own.finish()
            child("after")
            watch.runs()
            sink.open("ab").write(b'{"torn')
        callers = Path("callers").read_text().split()
        tell(runs=watch.runs(), other=other.runs(), callers=callers, me=str(os.getpid()), gaps=watch.gaps())
        """,
    )

    assert {run.id: (run.finished, run.exit_code) for run in played.runs("runs")} == {
        "before": (True, 4),
        "own": (True, 0),
        "after": (True, 4),
    }
    assert played.told["other"] == []
    assert played.told["callers"] == 6 * [played.told["me"]]
    assert played.told["gaps"] == []


def test_an_error_while_watching_never_reaches_the_run(tmp_path: Path) -> None:
    """A full disk under the record store would fail an experiment inside ``wandb.init``."""
    played = play(
        tmp_path,
        """
        def broken(run):
            raise OSError("no space left")
        with wandb_hook.watch("step", on_change=broken, sink=Path("no/such/folder")) as watch:
            import wandb
            run = wandb.init(project="p", id="fine")
            run.log({"loss": 1.5, "nested": {"x": 2, "ok": True}, "bins": wandb.Histogram([1, 2])})
            summary = watch.summary_of(watch.runs()[0])
            run.finish()
            after = watch.summary_of(watch.runs()[0])
        tell(runs=watch.runs(), gaps=watch.gaps(), summary=summary, after=after)
        """,
        WANDB_SILENT="false",
    )

    assert [(run.id, run.finished) for run in played.runs("runs")] == [("fine", True)]
    assert {gap["why"].partition(":")[0] for gap in played.told["gaps"]} == {"OSError", "FileNotFoundError"}
    assert played.told["summary"] == {"loss": 1.5, "nested/x": 2.0}
    assert played.told["after"] == {}
    assert "Traceback" not in played.output
    assert "WARNING" not in played.output


def test_an_online_run_is_linked_by_its_url(wandb_server: Callable[..., str], tmp_path: Path) -> None:
    """The link to the run, which every write-up must have, would be missing or lead nowhere."""
    server = wandb_server()
    played = play(
        tmp_path,
        """
        events = []
        with wandb_hook.watch("step", on_change=events.append) as watch:
            import wandb
            run = wandb.init(project="p", id="online", resume="allow")
            url = run.url
            run.finish(exit_code=2)
        tell(events=events, runs=watch.runs(), url=url)
        """,
        WANDB_MODE="online",
        WANDB_BASE_URL=server,
        WANDB_API_KEY=f"local-{'k' * 40}",
    )
    started, finished = played.runs("events")
    (scanned,) = scan(tmp_path, since=0)

    assert started.url == played.told["url"] == f"{server}/lab/p/runs/online"
    assert (started.entity, started.name, started.mode, started.synced) == ("lab", "calm-lake-1", "online", True)
    assert (started.finished, finished.finished, finished.exit_code) == (False, True, 2)
    assert played.runs("runs") == (finished,)
    assert (scanned.id, scanned.mode, scanned.entity, scanned.exit_code) == ("online", "online", "lab", 2)
    assert isinstance(scanned.url, Unknown)


def test_a_run_that_the_server_refuses_is_none_and_the_refusal_is_known(
    wandb_server: Callable[..., str], tmp_path: Path
) -> None:
    """A link to it would lead nowhere, and without a word everybody would look for it."""
    played = play(
        tmp_path,
        """
        with wandb_hook.watch("step") as watch:
            import wandb
            try:
                wandb.init(project="p", id="not-mine")
            except wandb.errors.CommError:
                tell(runs=watch.runs(), gaps=watch.gaps())
        """,
        WANDB_MODE="online",
        WANDB_BASE_URL=wandb_server("403"),
        WANDB_API_KEY=f"local-{'k' * 40}",
    )
    (folder,) = folders_since(tmp_path, since=0)

    assert played.runs("runs") == ()
    assert [gap["why"] for gap in played.told["gaps"]] == ["wandb.init raised CommError: permission denied"]
    assert run_in(folder) is None
    assert "error 403" in (refusal_in(folder) or "")


# Reading files

ROWS = 2500


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> WandbRun:
    """A run that was made without any hook, with every kind of value that matters."""
    started = time.time()
    played = play(
        tmp_path_factory.mktemp("wandb"),
        f"""
        import wandb
        config = {{"lr": 0.003, "model": {{"layers": 2}}, "note": "long " * 40_000}}
        run = wandb.init(project="p", entity="team", id="known", name="nice", config=config)
        run.define_metric("accuracy", summary="max,min")
        run.define_metric("silent", summary="none")
        for step in range({ROWS}):
            row = {{"loss": 2 / (step + 1), "step": {{"seconds": step * 0.5, "é/ü": step}}, "accuracy": step % 7}}
            if step % 500 == 3:
                row |= {{"loss": math.nan, "silent": step, "phase": "warm-up", "good": True, "grad": math.inf}}
            if step == 10:
                row |= {{"bins": wandb.Histogram([1, 2, 3]), "huge": 2**70, "best": {{"loss": 0.1, "stale": 1}}}}
                row |= {{"table": wandb.Table(columns=["x"], data=[[1]])}}
            run.log(row)
        run.log({{"eval": 1.5}}, step=10 * {ROWS}, commit=True)
        run.summary["eval"] = 1.25
        run.summary["best"] = {{"loss": 0.2}}
        run.summary["gone"] = 1
        del run.summary["gone"]
        run.config["late"] = 3
        run.finish(exit_code=5)
        """,
    )
    (run,) = scan(played.folder, since=started)
    return run


def file_of(run: WandbRun) -> Path:
    return Path(run.path) / f"run-{run.id}.wandb"


def leet(file: Path, *options: str) -> str:
    """W&B's own reader."""
    spec = importlib.util.find_spec("wandb")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    core = Path(spec.submodule_search_locations[0]) / "bin" / "wandb-core"
    command = [str(core), "leet", "inspect", "--no-observability", "--json", *options, "--run-file", str(file), "."]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def flat(value: Any, separator: str = "/", name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    prefix = name and name + separator
    return {k: v for key, inner in value.items() for k, v in flat(inner, separator, prefix + key).items()}


def test_the_numbers_of_a_run_become_metrics(finished_run: WandbRun) -> None:
    """The record would lack the results that the write-up is about."""
    file = wandb_file.read(file_of(finished_run))
    metrics = wandb_file.metrics(file, source="wandb:known")

    loss = metrics["loss"]
    assert (loss.value, loss.step, loss.count) == (2 / ROWS, ROWS - 1, ROWS)
    assert (loss.first, loss.minimum, loss.maximum, loss.non_finite) == (2.0, 2 / ROWS, 2.0, 5)
    assert loss.source == "wandb:known"
    assert loss.time is not None
    assert abs(loss.time - datetime.now(UTC)).total_seconds() < 600
    assert 32 < len(loss.series) <= 64
    steps = [point[0] for point in loss.series]
    assert (steps[0], steps[-1]) == (0, ROWS - 1)
    assert len({after - before for before, after in itertools.pairwise(steps[:-1])}) == 1
    assert all(math.isnan(y) if x % 500 == 3 else y == 2 / (x + 1) for x, y in loss.series)
    assert (metrics["grad"].value, metrics["grad"].minimum, metrics["grad"].non_finite) == (math.inf, None, 5)
    assert metrics["step/é/ü"].value == ROWS - 1
    assert metrics["huge"].value == 2.0**70
    assert set(metrics) == {
        "loss", "step/seconds", "step/é/ü", "accuracy", "accuracy/max", "accuracy/min", "silent", "grad", "huge",
        "eval", "best/loss", "best/stale",
    }  # fmt: skip


def test_the_summary_has_the_last_word_on_a_value_but_aggregates_do_not(finished_run: WandbRun) -> None:
    """A final score set by hand would be overruled by a training row, or a minimum would pass for the end."""
    metrics = wandb_file.metrics(wandb_file.read(file_of(finished_run)), source="wandb:known")

    assert (metrics["eval"].value, metrics["eval"].step, metrics["eval"].first) == (1.25, None, 1.5)
    assert (metrics["best/loss"].value, metrics["best/loss"].first) == (0.2, 0.1)
    assert metrics["accuracy/max"] == Metric(name="accuracy/max", value=6, source="wandb:known")
    assert metrics["accuracy"].value == (ROWS - 1) % 7
    assert metrics["silent"].value == metrics["silent"].step == 2003


def test_the_run_itself_is_described(finished_run: WandbRun) -> None:
    """The link's project, name, config or exit code would be missing or wrong."""
    file = wandb_file.read(file_of(finished_run))

    assert (file.run_id, file.entity, file.project, file.name) == ("known", "team", "p", "nice")
    assert file.config == {"lr": 0.003, "model": {"layers": 2}, "note": "long " * 40_000, "late": 3}
    assert (file.exit_code, file.finished, file.truncated) == (5, True, False)
    assert file.internal["_step"] == 10 * ROWS
    assert (file.summary["phase"], file.summary["good"]) == ("warm-up", True)
    light = wandb_file.read(file_of(finished_run), numbers=False)
    assert (light.config, light.exit_code, light.summary, light.history) == (file.config, 5, {}, {})


def test_the_reader_agrees_with_wandb_own(finished_run: WandbRun) -> None:
    """A value that W&B shows and the record does not, or the other way round, would be a wrong record."""
    path = file_of(finished_run)
    file = wandb_file.read(path)
    theirs = json.loads(leet(path, "--summary"))
    rows = [
        {key.replace(".", "/"): float(value) for key, value in record["history"]["item"].items() if _is_number(value)}
        for record in map(json.loads, leet(path).splitlines())
        if record["type"] == "history"
    ]

    ours = {"_runtime": file.internal["_runtime"], "_step": file.internal["_step"], **file.summary}
    shown = {
        k: v for k, v in flat(theirs["summary"]).items() if not k.startswith(("bins/", "table/")) and k != "_timestamp"
    }
    assert json.dumps(ours, sort_keys=True).replace("NaN", '"NaN"').replace("Infinity", '"Infinity"') == json.dumps(
        shown, sort_keys=True
    )
    assert theirs["config"] == file.config
    for name, metric in file.history.items():
        values = [row[name] for row in rows if name in row]
        finite = [value for value in values if math.isfinite(value)]
        assert (metric.count, metric.non_finite) == (len(values), len(values) - len(finite))
        assert (metric.minimum, metric.maximum) == (min(finite, default=None), max(finite, default=None))


def _is_number(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or value in ("NaN", "Infinity", "-Infinity")


def test_a_run_that_was_killed_is_read_as_far_as_it_got(finished_run: WandbRun, tmp_path: Path) -> None:
    """A preempted run would have no metrics, or reading it would fail."""
    whole = file_of(finished_run).read_bytes()
    sizes = {
        0,
        1,
        6,
        7,
        8,
        13,
        14,
        32767,
        32768,
        32769,
        32775,
        len(whole) - 1,
        *range(50, len(whole), len(whole) // 50),
    }
    cut = tmp_path / "run-cut.wandb"
    counts = []
    for size in sorted(sizes):
        cut.write_bytes(whole[:size])
        file = wandb_file.read(cut)
        assert (file.run_id, file.finished, file.exit_code) == ("cut", False, None)
        loss = file.history.get("loss")
        counts.append(loss.count if loss else 0)
        if loss:
            assert loss.first == 2.0
            assert loss.step == loss.count - 1

    assert counts == sorted(counts)
    assert counts[-1] == ROWS
    cut.write_bytes(whole[:7])
    assert not wandb_file.read(cut).truncated
    cut.write_bytes(whole[:-1])
    assert wandb_file.read(cut).truncated
    cut.write_bytes(whole + bytes(100))
    assert wandb_file.read(cut).truncated
    assert wandb_file.read(cut).exit_code == 5


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "run-known.wandb"


@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_damaged_file_gives_less_and_never_something_else(
    finished_run: WandbRun, damaged: Path, place: float, change: int
) -> None:
    """A flipped bit on disk would become a wrong number in the record."""
    content = bytearray(file_of(finished_run).read_bytes()[:300_000])
    damaged.write_bytes(content)
    before = wandb_file.read(damaged, numbers=False)
    at = 7 + int(place * (len(content) - 7))
    content[at] ^= change
    damaged.write_bytes(content)

    after = wandb_file.read(damaged, numbers=False)

    assert after == before or after.truncated
    assert after.config in ({}, before.config)


def test_another_file_is_refused(tmp_path: Path) -> None:
    """Pointing at the wrong file would give an empty record instead of an answer."""
    file = tmp_path / "debug.log"
    file.write_text("2026-01-01 INFO")

    with pytest.raises(wandb_file.WandbFileError, match=r"debug\.log: not a W&B run file"):
        wandb_file.read(file)


def test_typed_history_values_are_read(tmp_path: Path) -> None:
    """W&B's coming typed form of logged values would make every metric disappear."""
    played = play(
        tmp_path,
        """
        import struct, zlib
        from wandb.proto import wandb_internal_pb2 as pb
        def item(key, **value):
            return pb.HistoryItem(nested_key=key.split("/"), **value)
        record = pb.Record(history=pb.HistoryRecord(step=pb.HistoryStep(num=7), item=[
            item("a/int", integer=-3), item("float", number=0.25), item("nan", number=math.nan), item("text", text="1"),
            item("yes", boolean=True), item("wide", json="1" + "0" * 30), item("both", integer=1, value_json="1"),
            item("k" * 130, number=2.0), item("image/_type", text="image-file"), item("image/size", integer=30),
        ])).SerializeToString()
        crc = zlib.crc32(record, zlib.crc32(bytes([1])))
        start = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
        Path("run-typed.wandb").write_bytes(start + struct.pack("<IHB", crc, len(record), 1) + record)
        """,
    )

    history = wandb_file.read(played.folder / "run-typed.wandb").history

    assert history["nan"].non_finite == 1
    assert {name: metric.value for name, metric in history.items() if name != "nan"} == {
        "a/int": -3.0,
        "float": 0.25,
        "wide": 1e30,
        "both": 1.0,
        "k" * 130: 2.0,
    }
    assert {metric.step for metric in history.values()} == {7}


@given(count=st.integers(0, 3000), limit=st.integers(3, 70))
def test_a_long_series_is_thinned_evenly(count: int, limit: int) -> None:
    """A plot of the history would miss its start or end, or show one part of it in more detail than another."""
    thinned = Thinned(limit)
    for index in range(count):
        thinned.add(index, index * 0.5)
    points = thinned.points()

    assert len(points) <= limit
    assert len(points) >= min(count, limit // 2)
    assert all(y == x * 0.5 for x, y in points)
    if count:
        assert (points[0][0], points[-1][0]) == (0, count - 1)
    gaps = [after[0] - before[0] for before, after in itertools.pairwise(points)]
    assert len(set(gaps[:-1])) <= 1
    assert all(0 < gap <= gaps[0] for gap in gaps)


# Finding runs of other processes


def test_runs_of_other_processes_are_found_on_disk(finished_run: WandbRun, tmp_path: Path) -> None:
    """A recorded command that is no Python of ours would have no link."""
    copied = tmp_path / "wandb" / Path(finished_run.path).name
    shutil.copytree(finished_run.path, copied, symlinks=True)
    killed = tmp_path / "wandb" / copied.name.replace("known", "killed")
    shutil.copytree(finished_run.path, killed, symlinks=True)
    (killed / "run-known.wandb").unlink()
    (killed / "run-killed.wandb").write_bytes(file_of(finished_run).read_bytes()[:7])
    old = tmp_path / "wandb" / "offline-run-20200101_000000-old"
    old.mkdir()
    (old / "run-old.wandb").write_bytes(file_of(finished_run).read_bytes())
    (tmp_path / "wandb" / copied.name.replace("known", "empty")).mkdir()
    Path(f"{copied / 'run-known.wandb'}.synced").touch()

    runs = {run.id: run for run in scan(tmp_path, since=time.time() - 600)}

    assert set(runs) == {"known", "killed"}
    assert runs["known"] == WandbRun(
        id="known",
        project="p",
        entity="team",
        name="nice",
        url=Unknown("offline run; not synced yet"),
        mode="offline",
        path=str(copied),
        synced=True,
        finished=True,
        exit_code=5,
    )
    assert (runs["killed"].finished, runs["killed"].exit_code) == (False, None)
    assert scan(tmp_path / "nowhere", since=0) == ()


def test_the_file_completes_what_the_hook_saw(finished_run: WandbRun) -> None:
    """A run that was open when the step returned would stay unfinished for ever."""
    file = wandb_file.read(file_of(finished_run))
    unknown = Unknown("not seen")
    seen = WandbRun(
        id="known", project="p", entity=unknown, name=unknown, url=unknown, mode="offline", path="", synced=False
    )

    done = wandb_file.completed(seen, file)

    assert (done.entity, done.name, done.finished, done.exit_code) == ("team", "nice", True, 5)

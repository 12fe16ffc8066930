"""A comparison lists every reason why it may be unfair, and never calls fair what it cannot see."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.codec import dump
from marin_research.compare import (
    Difference,
    baseline_before,
    compare,
    differences,
    find_baseline,
    flat_config,
    made_by,
)
from marin_research.compare import tested_axis as axis_of  # pytest would take the name for a test
from marin_research.record import Blob, Command, Devices, End, Git, Status, Unknown
from marin_research.replicates import replicates


def names(found: tuple[Difference, ...]) -> list[str]:
    return [difference.name for difference in found]


def test_runs_that_differ_in_nothing_are_apples_to_apples(a_run):
    """Where the run writes its output always differs, and is no difference."""
    first = a_run(
        "LR-001", config={"lr": 0.1, "path": "/marin/train/LR-001/dev/x", "paths": ["/marin/train/LR-001/dev"]}
    )
    second = a_run(
        "LR-002", config={"lr": 0.1, "path": "/marin/train/LR-002/dev/x", "paths": ["/marin/train/LR-002/dev"]}
    )

    assert compare(first, second).differences == ()


@pytest.mark.parametrize(
    ("changed", "listed"),
    [
        ({"config": {"lr": 0.1}}, ["config lr"]),
        ({"config": {"lr": 0.003, "seed": 1}}, ["config seed"]),
        ({"config": {}}, ["config lr"]),
        ({"config": {"lr": "0.003"}}, ["config lr"]),
        ({"line": "python train.py --fast"}, ["command"]),
        ({"environment": {"XLA_FLAGS": "--a"}}, ["environment XLA_FLAGS"]),
        ({"commit": "b" * 40}, ["commit"]),
        ({"commit": Unknown("git is not installed")}, ["commit"]),
        ({"python": "CPython 3.13.0"}, ["python"]),
        ({"packages": {"jax": "0.12"}}, ["package jax"]),
        ({"packages": {}}, ["package jax"]),
    ],
)
def test_each_respect_in_which_runs_differ_is_listed(a_run, changed, listed):
    """A better loss after an update of JAX is not a better learning rate."""
    assert names(compare(a_run(), a_run(**changed)).differences) == listed
    assert names(compare(a_run(**changed), a_run()).differences) == listed


@pytest.mark.parametrize(
    ("before", "after", "listed"),
    [
        ("train.py --lr 0.1", "train.py --lr 3e-1", ["config lr"]),
        ("train.py --lr=0.1 --fused", "train.py --lr=0.3 --fused", ["config lr"]),
        ("sh -c 'LR=0.1 train.sh'", "sh -c 'LR=0.3 train.sh'", ["config lr"]),
        ("train.py --lr 0.1", "train.py --lr 0.3 --fast", ["config lr", "command"]),
        ("train.py --lr 0.1", "train.py --lr 0.4", ["config lr", "command"]),
        ("train.py --lr 0.1 --decay 0.1", "train.py --lr 0.3 --decay 0.3", ["config lr", "command"]),
        ("train.py --lr 0.1", "other.py --lr 0.3", ["config lr", "command"]),
        ("train.py --lr 0.1", "train.py '--lr 0.3'", ["config lr", "command"]),
    ],
)
def test_a_command_that_names_the_setting_it_varies_is_the_same_command(a_run, before, after, listed):
    """A sweep by flags would never be apples to apples, and two seeds by flag never a replication."""
    found = differences(a_run(line=before, config={"lr": 0.1}), a_run(line=after, config={"lr": 0.3}))

    assert names(found) == listed


def test_a_commit_of_nothing_but_notes_is_no_difference(a_run, an_attempt):
    """The logbook is committed between a baseline and its variant: the same code ran."""
    before = replace(an_attempt().git, code="1" * 64)
    noted, edited = replace(before, commit="b" * 40), replace(before, commit="b" * 40, code="2" * 64)

    assert differences(a_run(git=before), a_run(git=noted)) == ()
    assert names(differences(a_run(git=before), a_run(git=edited))) == ["commit"]


def test_another_command_is_no_repetition_unless_both_ran_the_same_step(a_run):
    """Two kernels that happen to be as fast as each other would pass for one result that was replicated."""
    lines = ("bench.py --block 128", "bench.py --block 256", "bench.py --block 256")
    steps = [a_run(f"KER-00{n}", line=line) for n, line in enumerate(lines)]
    commands = [replace(run, step=Unknown("a command, not a Marin step")) for run in steps]

    assert [run.id for run in replicates(commands[1], commands)] == ["KER-001", "KER-002"]
    assert replicates(steps[1], steps) == steps


def test_uncommitted_changes_are_a_difference(a_run, an_attempt):
    """Two runs of one commit with different edits ran different code."""
    git = an_attempt().git

    def edited(sha256: str) -> Git:
        return Git(commit=git.commit, branch="main", remote="x", tree="1", dirty=True, diff=Blob(sha256=sha256, size=9))

    assert names(differences(a_run(), a_run(git=edited("a")))) == ["uncommitted changes"]
    assert names(differences(a_run(git=edited("a")), a_run(git=edited("b")))) == ["uncommitted changes"]
    assert differences(a_run(git=edited("a")), a_run(git=edited("a"))) == ()


@pytest.mark.parametrize(
    ("theirs", "ours", "listed"),
    [
        (("TPU v4", 8), ("TPU v4", 8), []),
        (("TPU v4", 8), ("TPU v4", 16), ["device count"]),
        (("TPU v4", 8), ("TPU v5", 8), ["device kind"]),
        (("TPU v4", 8), None, ["device kind", "device count"]),
        (None, None, []),
    ],
)
def test_devices_are_compared_as_far_as_they_are_known(a_run, theirs, ours, listed):
    """Throughput on other devices is another quantity; devices that nobody saw may be other devices."""

    def run(devices):
        known = Devices(kind=devices[0], count=devices[1], source="declared") if devices else Unknown("nobody looked")
        return a_run(declared_devices=known)

    assert names(differences(run(theirs), run(ours))) == listed


def test_the_tested_axis_is_not_held_against_a_run(a_run):
    """The learning rate is what a sweep over learning rates varies; everything else still counts."""
    baseline = a_run("LR-001", config={"optimizer": {"lr": 0.1}, "seed": 0})
    run = a_run("LR-002", config={"optimizer": {"lr": 0.2}, "seed": 1})

    found = compare(baseline, run, axis=("optimizer.lr",))

    assert found.axis == ("optimizer.lr",)
    assert names(found.differences) == ["config seed"]


def test_the_axis_of_a_sweep_is_what_its_configs_vary(a_run):
    """Nested values and values that only some of the runs have belong to it."""
    runs = [
        a_run("LR-001", config={"optimizer": {"lr": 0.1}, "betas": [0.9, 0.95], "layers": [{"n": 1}], "fixed": 1}),
        a_run(
            "LR-002",
            config={"optimizer": {"lr": 0.2}, "betas": [0.9, 0.99], "layers": [{"n": 2}], "fixed": 1, "warm": 5},
        ),
        a_run("LR-003", attempts=()),
    ]

    assert axis_of(runs) == ("optimizer.lr", "betas", "layers.0.n", "warm")
    assert axis_of(runs[:1]) == ()
    assert axis_of([]) == ()


def test_a_config_of_nan_is_equal_to_itself(a_run):
    """NaN equals nothing in Python; as a config value it is a value like any other."""
    first, second = (a_run(config={"clip": math.nan, "limit": math.inf}) for _ in range(2))

    assert axis_of([first, second]) == ()
    assert differences(first, second) == ()


@pytest.mark.parametrize("config", [{}, {"optimizer": {}}, {"layers": []}])
def test_an_empty_config_has_no_nameless_value(a_run, config):
    """`show` and drafts list the keys."""
    assert flat_config(a_run(config=config)) == config


@pytest.mark.parametrize("status", [Status.CACHED, Status.CANCELLED, Status.RUNNING])
def test_a_run_that_was_never_tried_is_not_called_the_same(a_run, status):
    """Of a run without an attempt nothing is known to be equal."""
    untried = a_run("LR-002", attempts=(), status=status)

    assert names(compare(a_run(), untried).differences) == ["record"]
    assert names(compare(untried, a_run()).differences) == ["record"]
    assert compare(a_run(), untried).differences[0].run == {"unknown": "it never ran"}


# Deltas


@pytest.mark.parametrize(
    ("reference", "value", "percent"),
    [
        (2.0, 3.0, 50.0),
        (2.0, 1.0, -50.0),
        (-2.0, -1.0, 50.0),
        (-2.0, -3.0, -50.0),
        (2.0, 2.0, 0.0),
        (0.0, 1.0, None),
        (1.0, math.nan, None),
        (math.nan, 1.0, None),
        (1.0, math.inf, None),
        (math.inf, 1.0, None),
        (math.inf, math.inf, None),
        (5e-324, 1.0, None),
        (1e308, -1e308, None),
    ],
)
def test_a_delta_is_relative_to_the_magnitude_of_the_baseline(a_run, reference, value, percent):
    """A rise is positive also below zero, and where there is no percentage none is made up."""
    found = compare(a_run("LR-001", metrics={"loss": reference}), a_run("LR-002", metrics={"loss": value}))

    (delta,) = found.deltas
    assert (delta.baseline, delta.run) == pytest.approx((reference, value), nan_ok=True)
    assert delta.difference == pytest.approx(value - reference, nan_ok=True)
    assert (None if isinstance(delta.percent, Unknown) else delta.percent) == percent


@given(reference=st.floats(), value=st.floats())
def test_any_two_values_can_be_compared_and_written(reference, value):
    """`compare --json` must print something for every pair of numbers."""
    from marin_research.compare import _delta
    from marin_research.record import Metric, Run

    def run(number):
        return Run(
            id="LR-001", thread="t", launch="l", status=Status.SUCCEEDED, why="", label="", declared=None,  # type: ignore[arg-type]
            metrics={"loss": Metric(name="loss", value=number, source="report")},
        )  # fmt: skip

    assert json.loads(dump(_delta("loss", run(reference), run(value))), parse_constant=pytest.fail)


def test_only_what_both_measured_is_compared(a_run):
    """A delta against nothing would be a made-up number."""
    found = compare(a_run(metrics={"a": 1, "b": 2}), a_run(metrics={"b": 3, "c": 4}))

    assert [delta.metric for delta in found.deltas] == ["b"]


# Finding the baseline


def test_the_baseline_is_the_newest_that_succeeded_in_the_same_launch_if_there_is_one(a_run):
    """A sweep that brings its own baseline along is compared with that one, else with the last one of the thread."""
    failed = End(status=Status.FAILED, time=a_run().declared, why="it raised")
    old = a_run("LR-001", baseline=True, launch="a")
    newer = a_run("LR-002", baseline=True, launch="b")
    broken = a_run("LR-003", baseline=True, launch="c", end=failed)
    foreign = a_run("LR-004", baseline=True, launch="c", thread="other")
    alone = a_run("LR-005", launch="c")
    beside_old = a_run("LR-006", launch="a")
    runs = [old, newer, broken, foreign, alone, beside_old]

    assert find_baseline([alone], runs) == newer
    assert find_baseline([beside_old], runs) == old
    assert find_baseline([newer], runs) == newer
    assert find_baseline([alone], [alone, broken]) is None
    assert find_baseline([], runs) is None


def test_runs_of_several_launches_are_measured_against_the_newest_baseline_also_together(a_run):
    """What a run says beside others must not be measured against another run than what it says alone."""
    old = a_run("LR-001", baseline=True, launch="a")
    newer = a_run("LR-003", baseline=True, launch="c")
    runs = [old, a_run("LR-002", launch="b"), newer, a_run("LR-004", launch="d")]

    assert find_baseline(runs, runs) == newer
    assert [find_baseline([run], runs) for run in (runs[1], runs[3])] == [newer, newer]


def test_two_kinds_of_steps_in_one_launch_keep_their_own_baselines(a_run):
    """An evaluation is no reference for a training run."""
    train, evaluate = a_run("LR-001", baseline=True), a_run("LR-003", baseline=True)
    runs = [train, a_run("LR-002"), evaluate, a_run("LR-004")]

    assert find_baseline(runs[:2], runs) == train
    assert find_baseline(runs[2:], runs) == evaluate


def test_a_baseline_is_followed_by_the_one_of_a_later_launch(a_run):
    """Two marked runs of one launch were declared together: none of them is what was moved from."""
    first = a_run("LR-001", baseline=True, launch="a")
    pair = [a_run("LR-002", baseline=True, launch="b"), a_run("LR-003", baseline=True, launch="b")]
    runs = [first, *pair]

    assert baseline_before(pair[1], runs) == first
    assert baseline_before(pair[0], runs) == first
    assert baseline_before(first, runs) is None


def test_a_cached_baseline_stands_for_the_run_that_made_it(a_run, keep, store):
    """The second launch of a sweep takes its baseline from Marin's cache."""
    made = keep(a_run("LR-001", baseline=True, launch="a"))
    cached = keep(a_run("LR-002", baseline=True, launch="b", attempts=(), status=Status.CACHED, cached_from="LR-001"))
    new = keep(a_run("LR-003", launch="b"))
    runs = list(store.runs())

    assert find_baseline([new], runs, store) == made
    assert find_baseline([new], [cached, new]) is None
    assert baseline_before(made, runs, store) is None
    assert made_by(cached, store) == made
    assert made_by(new, store) == new


@pytest.mark.parametrize("source", ["LR-404", Unknown("no recorded run made this output")])
def test_a_cached_run_whose_maker_is_gone_has_no_result(a_run, keep, store, source):
    """Its record was deleted, or it ran before recording began; nothing may be claimed of it, and nothing may crash."""
    cached = keep(a_run("LR-002", baseline=True, attempts=(), status=Status.CACHED, cached_from=source))
    new = keep(a_run("LR-003"))

    assert made_by(cached, store) is None
    assert find_baseline([new], [cached, new], store) is None


def test_the_command_compared_is_the_line_that_was_typed(a_run):
    """Variables in front of the command are a part of it."""

    def command(line: str) -> Command:
        return Command(argv=("python",), line=line, cwd="/", cwd_in_repository=".")

    assert names(differences(a_run(command=command("python")), a_run(command=command("XLA_FLAGS=-a python")))) == [
        "command"
    ]

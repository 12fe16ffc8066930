"""The checklist finds what a reader of the post would ask about, and nothing that would teach people to ignore it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest

from marin_research.check import Checklist, check, newest_launch
from marin_research.record import Blob, Command, Devices, End, Gap, Git, Output, Status, Unknown
from marin_research.thread import PrimaryMetric, Thread

THREAD = Thread(
    topic="lr-sweep", prefix="LR", metrics=[PrimaryMetric(name="eval/loss", direction="lower", unit="nats/byte")]
)


def declared(kind: str, count: int) -> Devices:
    return Devices(kind=kind, count=count, source=f"declared: {kind}")


def seen(kind: str, count: int) -> Devices:
    return Devices(kind=kind, count=count, source="jax")


@pytest.fixture
def look(keep, store, a_run):
    """Check one new run (LR-002, then LR-003, ...) of a thread that has a good baseline."""
    numbers = itertools.count(2)
    keep(a_run("LR-001", baseline=True, metrics={"eval/loss": 2.5}, launch="a", declared_devices=declared("cpu", 1)))

    def look(**said) -> Checklist:
        usual = {"metrics": {"eval/loss": 2.4}, "launch": "b", "declared_devices": declared("cpu", 1)}
        run = keep(a_run(f"LR-{next(numbers):03d}", **(usual | said)))
        (found,) = check([run], THREAD, store)
        return found

    return look


def wrong(found: Checklist) -> dict[str, str]:
    assert found.ok == all(item.ok for item in found.checks)
    return {item.name: item.why for item in found.checks if not item.ok}


def why(found: Checklist, name: str) -> str:
    return next(item.why for item in found.checks if item.name == name)


def test_a_run_of_which_everything_is_known_passes(look):
    """A checklist that a good run cannot pass is switched off."""
    found = look()

    assert wrong(found) == {}
    assert [item.name for item in found.checks] == [
        "command", "config", "commit", "attempts", "devices", "end", "metrics", "baseline", "W&B", "gaps", "output",
    ]  # fmt: skip
    assert why(found, "metrics") == "eval/loss 2.400 nats/byte"
    assert why(found, "baseline") == "apples to apples with LR-001"


def test_a_command_with_a_masked_secret_says_what_to_fill_in(look):
    """It is recorded as it should be, but whoever pastes it must know."""
    line = "python train.py --token '[REDACTED:github]'"
    found = look(line=line)

    assert why(found, "command") == "recorded; fill in [REDACTED:github] before it is pasted"
    assert "command" not in {name for name in wrong(found) if name != "baseline"}


@pytest.mark.parametrize(
    ("said", "item"),
    [
        ({"command": Command(argv=(), line="", cwd="/", cwd_in_repository=".")}, "command"),
        ({"config": {}}, "config"),
        ({"commit": Unknown("the checkout has no commits yet")}, "commit"),
        ({"end": None}, "end"),
        ({"metrics": {}}, "metrics"),
        ({"metrics": {"train/loss": 1.0}}, "metrics"),
        ({"metrics": {"eval/loss": math.nan}}, "metrics"),
        ({"metrics": {"eval/loss": math.inf}}, "metrics"),
        ({"gaps": (Gap(what="the output", why="the pipe broke"),)}, "gaps"),
        ({"declared_devices": Unknown("the step declares no resources")}, "devices"),
    ],
)
def test_what_is_missing_is_found(look, said, item):
    """Each of these is a question that a reviewer would ask under the post."""
    assert item in wrong(look(**said))


def test_the_state_of_the_tree_must_be_kept(look, store, an_attempt):
    """A commit with lost changes cannot be gone back to."""
    clean = an_attempt().git
    kept, lost = store.put_blob(b"diff"), Blob(sha256="0" * 64, size=4)

    def with_diff(diff: Blob | Unknown) -> Git:
        changed: Git = replace(clean, dirty=True, diff=diff)
        return changed

    assert "commit" in wrong(look(git=replace(clean, dirty=Unknown("git did not answer"))))
    assert "commit" in wrong(look(git=with_diff(Unknown("the diff has 24000116 bytes"))))
    assert "are lost" in wrong(look(git=with_diff(lost)))["commit"]
    found = look(git=with_diff(kept))
    assert f"kept as {kept.sha256[:12]}" in why(found, "commit")
    assert "commit" not in {name for name in wrong(found) if name != "baseline"}


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (declared("TPU v4-16", 8), seen("TPU v4", 8)),
        (declared("TPU v5litepod-16", 16), seen("TPU v5 lite", 16)),
        (declared("TPU v5p-8", 4), seen("TPU v5", 4)),
        (declared("TPU v6e-8", 8), seen("TPU v6 lite", 8)),
        (declared("TPU v3-8", 4), seen("TPU v3", 8)),
        (declared("GPU H100", 8), seen("NVIDIA H100 80GB HBM3", 8)),
        (declared("GPU A100-40G", 8), seen("NVIDIA A100-SXM4-40GB", 8)),
        (declared("GPU auto", 1), seen("NVIDIA H200", 1)),
        (declared("cpu", 1), seen("cpu", 4)),
        (Unknown("the step declares no resources"), seen("cpu", 1)),
        (declared("TPU v4-16", 8), Unknown("the process never initialised JAX")),
    ],
)
def test_devices_that_agree_under_different_names_agree(look, a_host, asked, used):
    """Fray and JAX name the same chip differently; a false alarm on every TPU run would make the item useless."""
    found = look(declared_devices=asked, hosts=(a_host(devices=used),))

    assert "devices" not in wrong(found)


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (declared("TPU v4-16", 8), seen("TPU v4", 4)),
        (declared("TPU v4-8", 4), seen("TPU v5", 4)),
        (declared("TPU v5p-8", 4), seen("TPU v5 lite", 4)),
        (declared("TPU v4-8", 4), seen("cpu", 1)),
        (declared("cpu", 1), seen("TPU v4", 4)),
        (declared("GPU H100", 8), seen("NVIDIA A100-SXM4-40GB", 8)),
        (declared("GPU A100-80G", 8), seen("NVIDIA A100-SXM4-40GB", 8)),
        (declared("GPU H100", 8), seen("NVIDIA H100 80GB HBM3", 1)),
    ],
)
def test_devices_other_than_declared_are_found(look, a_host, asked, used):
    """A job that fell back to the CPU, or saw one of eight GPUs, measured something else."""
    found = look(declared_devices=asked, hosts=(a_host(devices=used),))

    assert wrong(found)["devices"] == f"{asked.count} x {asked.kind} declared, but JAX saw {used.count} x {used.kind}"


def test_hosts_that_saw_different_devices_are_found(look, a_host):
    """One host of a pod that fell back to its CPU without a word."""
    pod = seen("TPU v4", 8)
    found = look(
        declared_devices=declared("TPU v4-16", 8), hosts=(a_host(devices=pod), a_host(1, devices=seen("cpu", 1)))
    )

    assert wrong(found)["devices"] == "JAX saw 8 x TPU v4, but on host 1 1 x cpu"


def test_a_retry_with_another_commit_is_found(look, an_attempt):
    """Which code made the number is what a reader will ask first."""
    lost = End(status=Status.LOST, time=an_attempt().started, why="silence")
    found = look(attempts=(an_attempt(1, end=lost, commit="1" * 40), an_attempt(2, commit="2" * 40)))

    assert wrong(found)["attempts"] == "1 and 2 differ in commit; say which of them the result is of"


def test_a_retry_that_repeats_is_no_reason_to_hold_back(preempted_pod, keep, store):
    """Pods are preempted every day."""
    run = keep(preempted_pod("LR-007"))
    (found,) = check([run], THREAD, store)

    assert why(found, "attempts") == "2, the same in config, commit and devices: preempted, succeeded"
    assert why(found, "devices") == "8 x TPU v4-16, as declared"


def test_a_failed_run_may_be_posted_as_a_failure(look, a_run):
    """Negative results are results: nothing is claimed of their metrics, and the reason is there."""
    failed = End(status=Status.FAILED, time=a_run().declared, why="the step raised FloatingPointError")

    found = look(end=failed, metrics={})

    assert wrong(found) == {}
    assert why(found, "end") == "failed: the step raised FloatingPointError"


@pytest.mark.parametrize(
    "said",
    [
        {"attempts": (), "status": Status.CANCELLED, "why": "not run: data failed"},
        {"attempts": (), "status": Status.CACHED, "cached_from": Unknown("nobody"), "why": "cached"},
    ],
)
def test_a_run_with_nothing_in_it_has_nothing_to_post(look, said):
    """Ten items about a run that never ran would hide the one that matters."""
    found = look(**said)

    assert wrong(found) == {"record": f"there is nothing to post of it: {said['why']}"}


def test_a_cached_run_is_checked_by_the_run_that_made_its_output(look):
    """Its numbers are that run's."""
    found = look(attempts=(), status=Status.CACHED, cached_from="LR-001", why="served from Marin's cache")

    assert found.run == "LR-002"
    assert wrong(found) == {}
    assert why(found, "baseline") == "this is the baseline"


def test_an_unfair_comparison_is_found_with_its_reasons(look):
    """The post must name them, or not compare."""
    found = look(
        commit="b" * 40, packages={"jax": "0.12"}, environment={"XLA_FLAGS": "-a"}, python="PyPy 3.12", line="python x"
    )

    assert wrong(found) == {
        "baseline": "not apples to apples with LR-001: command, environment XLA_FLAGS, commit, python and 1 more; "
        "name them in the text"
    }


def test_the_one_value_that_a_run_changed_is_what_it_tests(look):
    """A single run against an older baseline is an experiment on that value."""
    assert why(look(config={"lr": 0.1}), "baseline") == "apples to apples with LR-001, which varies lr"


def test_two_values_changed_at_once_are_not_one_experiment(look):
    """Nobody could say which of them it was."""
    assert "config lr, config seed" in wrong(look(config={"lr": 0.1, "seed": 5}))["baseline"]


def test_what_a_sweep_varies_is_what_it_tests(keep, store, a_run):
    """Runs of one launch that differ in two values sweep over both."""
    usual = {"metrics": {"eval/loss": 2.0}, "declared_devices": declared("cpu", 1)}
    configs = [{"lr": 1, "batch": 1}, {"lr": 2, "batch": 0}, {"lr": 3, "batch": 1}]
    runs = [
        keep(a_run(f"LR-00{number}", baseline=number == 1, config=config, **usual))
        for number, config in enumerate(configs, 1)
    ]

    found = check(runs, THREAD, store)

    assert [wrong(each) for each in found] == [{}, {}, {}]
    assert why(found[1], "baseline") == "apples to apples with LR-001, which varies lr, batch"


def test_a_thread_without_a_baseline_is_found(keep, store, a_run):
    """A number by itself is no finding."""
    run = keep(a_run(metrics={"eval/loss": 2.0}))

    (found,) = check([run], THREAD, store)

    assert "run one with baseline=True" in wrong(found)["baseline"]


def test_wandb_runs_must_be_somewhere_that_readers_can_see(look, a_wandb_run):
    """A link that only exists on the researcher's laptop is no link."""
    assert wrong(look(wandb=(a_wandb_run(),))) == {}
    assert "wandb sync /tmp/wandb/run-3fa2c1" in wrong(look(wandb=(a_wandb_run(synced=False),)))["W&B"]
    assert "wandb sync" in wrong(look(wandb=(a_wandb_run(url=Unknown("offline")),)))["W&B"]
    assert "another step's" in wrong(look(wandb=(a_wandb_run(attribution="ambiguous"),)))["W&B"]


def test_output_must_really_be_there(look, store, a_host):
    """That bytes were counted does not mean that anybody can read them."""
    host = a_host(output=Output(size=1000, lines=10))

    assert wrong(look(hosts=(host,)))["output"] == "host 0: the 1.0 kB that it printed are no longer in the store"
    store.objects.put_new(f"{store.output_folder('LR-003', 1, host.writer)}/000000000000-000000001000.gz", b"")
    assert "output" not in wrong(look(hosts=(host,)))
    assert "was captured" in wrong(look(hosts=(a_host(output=Unknown("no output was captured")),)))["output"]


def test_the_newest_launch_is_the_one_that_was_declared_last(a_run, an_attempt):
    """`check lr-sweep` is asked after a launch, about that launch."""
    early, late = an_attempt().started, an_attempt().started.replace(hour=23)
    runs = [
        a_run("LR-001", launch="b", declared=late),
        a_run("LR-002", launch="a", declared=early),
        a_run("LR-003", launch="b", declared=early),
    ]

    assert [run.id for run in newest_launch(runs)] == ["LR-001", "LR-003"]
    assert newest_launch([]) == []


def test_a_damaged_blob_is_found(look, store, an_attempt):
    """The record says that the diff is kept; the store no longer has it whole."""
    blob = store.put_blob(b"diff")
    (Path(store.root) / "blobs" / f"{blob.sha256}.gz").write_bytes(b"damaged")

    found = look(git=replace(an_attempt().git, dirty=True, diff=blob))

    assert "missing or damaged" in wrong(found)["commit"]

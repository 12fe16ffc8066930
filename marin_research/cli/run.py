"""``marin-research run``: record any command."""

from __future__ import annotations

import gc
import json
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from marin_research.cli.lazy import root_option
from marin_research.errors import StoreError, UsageError

if TYPE_CHECKING:
    from marin_research.output_metrics import MetricPattern
    from marin_research.record import Devices, Run, Unknown
    from marin_research.store import RecordStore


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    help="Record any command: it runs as it would without us, and its exit code is ours.\n\n"
    "Metrics come from lines of its output (--metric), from its W&B runs, and from the JSON file that "
    "$MARIN_RESEARCH_METRICS names. A pipeline in quotes is run by the shell.\n\n\b\nExamples:\n"
    "  marin-research run --thread kernels -- python bench.py --block 256\n"
    "  marin-research run --thread kernels --timeout 30m -- 'make;./bench'\n"
    "  marin-research run --thread kernels --set block=256 --metric 'tok/s=([0-9.e+]+)' -- ./bench.sh\n"
    "  marin-research run --thread kernels --devices 'TPU v4:8' -- python bench.py\n"
    "  marin-research run --resume KER-004 -- python train.py",
)
@click.option("--thread", "topic", help="Whose experiment ID it gets; not needed with --resume.")
@click.option("--id", "wanted_id", metavar="ID", help="This experiment ID, if nobody has it, instead of the next.")
@click.option("--resume", metavar="ID", help="Make this the next attempt of that run, with its config.")
@click.option("--label", default="", help="A few words that tell this run from its siblings.")
@click.option("--hypothesis", help="What is expected, before it runs.")
@click.option("--baseline", is_flag=True, help="The thread's other runs are compared with this one.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A config value to record; repeatable.")
@click.option("--metric", "metrics", multiple=True, metavar="PATTERN", help="Finds a metric in the output; repeatable.")
@click.option(
    "--devices", metavar="KIND:COUNT", help="What it runs on, over all hosts: 'TPU v4:8', 'GPU H100:8', cpu:1."
)
@click.option("--timeout", metavar="DURATION", help="End it after so long: 90s, 30m, 12h. Its exit code is 124 then.")
@click.option("--heartbeat", type=click.FloatRange(min=0.1), help="Seconds between two signs of life.")
@root_option
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD ...")
def command(
    *, topic: str | None, wanted_id: str | None, resume: str | None, label: str, settings: tuple[str, ...],
    metrics: tuple[str, ...], devices: str | None, timeout: str | None, heartbeat: float | None, root: str | None,
    argv: tuple[str, ...], **said: Any,
) -> int:  # fmt: skip
    gc.disable()  # what is loaded now is no garbage
    from marin_research.checkout import Checkout

    checkout = Checkout()  # git works while we load the rest
    from marin_research.reproduction import asked as reproduction

    repeats = reproduction.take()
    from marin_research.command import CommandRun, as_argv, run_command
    from marin_research.launch import new_launch
    from marin_research.store import recording_store

    config = dict(_setting(text) for text in settings)
    patterns = _patterns(metrics)
    timeout_s = _seconds(timeout)
    declared = _devices(devices)
    given, argv = argv, as_argv(argv)
    launch = new_launch(root, heartbeat_s=heartbeat, argv=argv, checkout=checkout)
    store = recording_store(launch.root)
    if resume is not None:
        # A retry is the same run: what is not said anew is as it was.
        earlier = store.run(resume)
        topic, config = _topic_of(earlier, topic), earlier.config | config
        declared = declared or (earlier.attempt.declared_devices if earlier.attempt else declared)
    topic, prefix = _thread(store, topic)
    store.own_prefix(prefix, topic)
    run_id = _run_id(store, prefix, wanted_id, resume, launch.id)
    if repeats is not None:
        repeats.under(run_id)
    asked = CommandRun(
        argv=argv,
        topic=topic,
        run_id=run_id,
        reproduces=repeats.run if repeats else None,
        label=label or " ".join(shlex.join(given).split())[:60],
        config=config,
        patterns=patterns,
        devices=declared,
        timeout_s=timeout_s,
        **said,
    )
    gc.freeze()  # nor will it be at the end, where Python would look through all of it again
    gc.enable()
    code = run_command(asked, launch)
    attempt = ""
    with suppress(StoreError):  # a store that is far away may not answer any more
        attempt = _attempt(store.run(resume)) if resume is not None else ""
    click.echo(
        f"marin-research: recorded as {asked.run_id}{attempt}; see `marin-research show {asked.run_id}`", err=True
    )
    return code


def _attempt(run: Run) -> str:
    """Which attempt it was, and whether it can be called a repetition."""
    from marin_research.compare import changes_between_attempts

    number = run.attempts[-1].number
    changed = {
        each.name for change in changes_between_attempts(run) if change.after == number for each in change.differences
    }
    return f", attempt {number}{f', NOT THE SAME in {", ".join(sorted(changed))}' if changed else ''}"


def _patterns(texts: tuple[str, ...]) -> tuple[MetricPattern, ...]:
    if not texts:
        return ()
    from marin_research.output_metrics import parse_pattern

    return tuple(parse_pattern(text) for text in texts)


def _seconds(duration: str | None) -> float | None:
    if duration is None:
        return None
    from marin_research.units import parse_duration

    return parse_duration(duration)


def _devices(text: str | None) -> Devices | Unknown:
    if text is None:
        from marin_research.record import Unknown

        return Unknown("nobody named any with --devices")
    from marin_research.devices import parse_devices

    return parse_devices(text)


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {text!r} is not KEY=VALUE; for example --set block=256")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _topic_of(earlier: Run, said: str | None) -> str:
    if said is not None and said != earlier.thread:
        raise UsageError(f"{earlier.id} belongs to thread {earlier.thread!r}, not {said!r}; leave --thread out")
    return earlier.thread


def _thread(store: RecordStore, topic: str | None) -> tuple[str, str]:
    """The topic and the prefix of the thread that the run belongs to."""
    if topic is None:
        raise UsageError("say whose run this is with --thread TOPIC, or which run it continues with --resume ID")
    from marin_research.thread_file import topic_and_prefix

    return topic_and_prefix(topic, store)


def _run_id(store: RecordStore, prefix: str, wanted: str | None, resume: str | None, launch: str) -> str:
    if resume is not None:
        return resume
    if wanted is not None:
        store.claim_exact_id(wanted, prefix, launch=launch)
        return wanted
    return store.claim_id(prefix, launch=launch)

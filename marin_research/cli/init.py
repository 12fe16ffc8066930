"""``marin-research init``: declare a thread and start its logbook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from marin_research.checkout import checkout_top
from marin_research.errors import ThreadError, UsageError
from marin_research.logbook.template import new_logbook
from marin_research.thread import (
    Direction,
    Logbook,
    LogbookStyle,
    PrimaryMetric,
    Thread,
    Wandb,
    check_thread,
    dump_thread,
    prefix_owner,
)
from marin_research.thread_file import thread_path


@click.command(
    help="Declare a thread in .agents/research/TOPIC.yaml and start its logbook. Never overwrites either.\n\n"
    "\b\nExamples:\n"
    "  marin-research init lr-sweep --prefix LR --metric eval/loss:lower:nats/byte\n"
    "  marin-research init moe-capacity --prefix MOE-CAP --title 'MoE capacity factor' \\\n"
    "      --goal 'find the smallest factor that drops no tokens' \\\n"
    "      --metric tokens_per_second:higher:tok/s --metric eval/loss:lower \\\n"
    "      --logbook-style separate --logbook-repository ../marin-logbooks \\\n"
    "      --logbook-path marin/7123-moe-capacity.md --issue https://github.com/marin-community/marin/issues/7123"
)
@click.argument("topic")
@click.option("--prefix", required=True, help="Of the experiment IDs: LR gives LR-001.")
@click.option("--title", default="", help="What people call it (default: from the topic).")
@click.option("--goal", default="", help="What the thread is to find out.")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME:higher|lower[:UNIT]", help="A primary metric; repeatable."
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="KEY=VALUE,VALUE...",
    help="What a result must hold across to be called stable: a config key, or devices; repeatable.",
)
@click.option("--constraint", "constraints", multiple=True, help="What must stay fixed; repeatable.")
@click.option("--stop", "stop_criteria", multiple=True, help="What evidence ends the thread; repeatable.")
@click.option("--tag", "tags", multiple=True, help="Repeatable.")
@click.option("--agent-marker", default="🤖", show_default=True, help="Opens what a drafter writes for the issue.")
@click.option("--issue", default="", help="URL of the experiment issue.")
@click.option("--wandb", default="", metavar="[ENTITY/]PROJECT", help="Where the W&B runs go.")
@click.option("--branch", default="", help="The research branch.")
@click.option("--private-name", "private_names", multiple=True, help="A name to keep out of public places; repeatable.")
@click.option("--logbook-path", default="", help="Relative to its repository's top.")
@click.option("--logbook-repository", default="", help="A checkout of a separate repository of logbooks.")
@click.option(
    "--logbook-style",
    type=click.Choice([style.value for style in LogbookStyle]),
    default=LogbookStyle.SEED.value,
    show_default=True,
    help="Which template a new logbook follows.",
)
def command(*, topic: str, metrics: tuple[str, ...], variants: tuple[str, ...], wandb: str, **said: object) -> None:
    top = checkout_top() or Path.cwd()
    thread = replace(_thread(topic, metrics, wandb, said), variants=dict(_variant(text) for text in variants))
    check_thread(thread, "init")
    declaration = thread_path(topic, top)
    _refuse_conflicts(thread, declaration)
    repository = top / thread.logbook.repository
    if not repository.is_dir():
        raise ThreadError(f"there is no folder {repository}; clone the logbooks' repository there, or name another one")
    logbook = (repository / thread.logbook_path).resolve()
    declaration.parent.mkdir(parents=True, exist_ok=True)
    with declaration.open("x", encoding="utf-8") as file:
        file.write(dump_thread(thread))
    click.echo(f"declared {_relative(declaration, top)}")
    _start_logbook(thread, logbook, top)
    click.echo(
        f"next: in an experiment script, thread = Thread.load({topic!r}) and recorded(step, thread);\n"
        f"      run it, then `curator review {topic}`"
    )


def _thread(topic: str, metrics: tuple[str, ...], wandb: str, said: dict[str, object]) -> Thread:
    entity, _, project = wandb.rpartition("/")
    logbook = Logbook(
        path=str(said.pop("logbook_path")),
        repository=str(said.pop("logbook_repository")),
        style=str(said.pop("logbook_style")),
    )
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    values["title"] = values["title"] or topic.replace("-", " ").capitalize()
    return Thread(
        topic=topic,
        metrics=[_metric(text) for text in metrics],
        wandb=Wandb(entity=entity, project=project),
        logbook=logbook,
        **values,  # type: ignore[arg-type]
    )


def _metric(text: str) -> PrimaryMetric:
    name, _, rest = text.partition(":")
    direction, _, unit = rest.partition(":")
    if not name or direction not in set(Direction):
        raise UsageError(f"--metric {text!r} is not NAME:higher|lower[:UNIT]; for example eval/loss:lower:nats/byte")
    return PrimaryMetric(name=name, direction=direction, unit=unit)


def _variant(text: str) -> tuple[str, list[str]]:
    key, equals, values = text.partition("=")
    found = [value.strip() for value in values.split(",") if value.strip()]
    if not key or not equals or not found:
        raise UsageError(f"--variant {text!r} is not KEY=VALUE,VALUE...; for example model.seq_len=1024,4096")
    return key.strip(), found


def _refuse_conflicts(thread: Thread, declaration: Path) -> None:
    if declaration.exists():
        raise ThreadError(f"{declaration} exists already; edit it, or choose another topic")
    other = prefix_owner(thread.prefix, declaration)
    if other is not None:
        raise ThreadError(f"{other.name} already uses the prefix {thread.prefix}; choose another --prefix")


def _start_logbook(thread: Thread, path: Path, top: Path) -> None:
    if path.exists():
        click.echo(f"kept    {_relative(path, top)}, which is there already: entries will be appended to it")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    text = new_logbook(
        thread.logbook.style,
        topic=thread.topic,
        title=thread.title,
        prefix=thread.prefix,
        goal=thread.goal,
        metrics=[f"{m.name} ({m.direction} is better{f', {m.unit}' if m.unit else ''})" for m in thread.metrics],
        constraints=thread.constraints,
        stop_criteria=thread.stop_criteria,
        issue=thread.issue,
    )
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    click.echo(f"started {_relative(path, top)}")


def _relative(path: Path, top: Path) -> str:
    return str(path.relative_to(top)) if path.is_relative_to(top) else str(path)

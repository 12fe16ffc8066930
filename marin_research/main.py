"""``research_main``: Marin's experiment command line, with recording around it and drafts after it."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

import click
from marin.execution import lazy  # noqa: TID253 - this module is about Marin
from marin.experiment.cli import build_options_with_runner  # noqa: TID253

from marin_research.clusters import backend, chosen
from marin_research.errors import ClusterError
from marin_research.hooks import LaunchDetails, call_hooks
from marin_research.steps import LaunchReport, reporting
from marin_research.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marin.execution.lazy import ArtifactStep

    from marin_research.thread import Thread

logger = logging.getLogger(__name__)

_SETTINGS = "marin_research"


def research_main(build: Callable[..., Any], thread: Thread) -> Callable[..., None]:
    """Turn ``build()`` into the experiment's command, as ``marin.experiment.cli.experiment_main`` does.

    The command has Marin's options (``--version``, ``--override``, ``--run``, ``--max-concurrent``) and ours. After a
    run, also one in which steps failed, it prints what was recorded and has the drafts made.

    Args:
        build: gives the handles of the experiment; it may take options declared with click.
        thread: whose logbook the drafts are for.
    """

    def run_and_curate(handles: list[ArtifactStep[Any]], max_concurrent: int) -> None:
        settings = click.get_current_context().meta[_SETTINGS]
        with (
            _reachable(settings["cluster"]),
            reporting(root=settings["root"], heartbeat_s=settings["heartbeat"]) as report,
        ):
            try:
                lazy.run(*handles, max_concurrent=max_concurrent)
            finally:
                _after_launch(report, thread, settings)

    command = build_options_with_runner(build, run_and_curate)
    for option in reversed(_OPTIONS):
        command = option(command)
    return click.command(help=(build.__doc__ or thread.title or thread.topic))(command)


def _setting(*names: str, **options: Any) -> Callable[..., Any]:
    """An option of ours: remembered beside the command, whose own function never sees it."""

    def remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        context.meta.setdefault(_SETTINGS, {})[parameter.name] = value

    return click.option(*names, expose_value=False, callback=remember, **options)


def _known_cluster(value: str) -> str:
    try:
        backend(value.partition(":")[0])
    except ClusterError as error:
        raise click.BadParameter(f"{error}; leave it out to run where Marin itself would run") from error
    return value


@contextlib.contextmanager
def _reachable(cluster: str | None) -> Iterator[None]:
    """``chosen``, whose refusal is one line on the terminal."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(chosen(cluster))
        except ClusterError as error:
            raise click.ClickException(str(error)) from error
        yield


_OPTIONS = (
    _setting(
        "--cluster",
        type=_known_cluster,
        metavar="local|iris:NAME|iris:URL|ray:auto|ray:HOST:PORT|ray://HOST:PORT",
        help="Where steps run. Without it Marin decides: Iris inside an Iris job, else this machine.",
    ),
    _setting("--curate/--no-curate", default=True, show_default=True, help="Draft the write-up after the run."),
    _setting(
        "--drafter",
        type=click.Choice(["template", "claude"]),
        default="template",
        show_default=True,
        help="What writes the drafts; the template needs no key and no network.",
    ),
    _setting("--root", help="The record store: a folder or any fsspec URL (MARIN_RESEARCH_ROOT)."),
    _setting(
        "--heartbeat",
        type=click.FloatRange(min=0.1),
        help="Seconds between two signs of life (MARIN_RESEARCH_HEARTBEAT_S; 30).",
    ),
)


def _after_launch(report: LaunchReport, thread: Thread, settings: dict[str, Any]) -> None:
    """Say what was recorded and let the hooks work on it; whatever goes wrong here, the experiment's outcome stands."""
    if not report.runs:
        return
    root = report.launches[-1].root
    try:
        click.echo(summarize(root, report.runs, thread), err=True)
    except Exception:
        logger.warning("the summary of this launch could not be made", exc_info=True)
    if not settings["curate"]:
        return
    details = LaunchDetails(root=root, topic=thread.topic, runs=tuple(report.runs), drafter=settings["drafter"])
    again = f"curator draft {thread.topic} --runs {' '.join(report.runs)}"
    call_hooks("marin_research.after_launch", details, again=again)

"""What both command lines share: commands that load on use, one line for an error, JSON on stdout."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, override

import click

from marin_research.codec import encode
from marin_research.errors import MarinResearchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from marin_research.store import RecordStore

EXIT_REFUSED = 1
EXIT_USAGE = 2


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when the command is used, not to print its name."""

    def __init__(self, *, homes: Mapping[str, tuple[str, str]], **options: Any) -> None:
        """``homes`` maps a command's name to where it is (``module``, or ``module:name``), and to its line of help."""
        super().__init__(**options)
        self._homes = homes

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._homes)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._homes:
            return None
        module, _, name = self._homes[cmd_name][0].partition(":")
        command = getattr(import_module(module), name or "command")
        assert isinstance(command, click.Command)  # noqa: S101 - the table above and the modules are ours
        return command

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self._homes, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(error.message + hint, ctx) from None

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._homes.items()])


def run(program: str, command: click.Command) -> int:
    """Run a command line and give its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A record may hold bytes that are no text, such as a path; they are shown as \\udc.., which is also JSON.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = command.main(prog_name=program, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        click.echo(f"{program}: interrupted; nothing more was done", err=True)
        return EXIT_REFUSED
    except MarinResearchError as error:
        click.echo(f"{program}: {' '.join(str(error).split())}", err=True)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_REFUSED
    except FileNotFoundError:
        if _has_working_directory():
            raise
        click.echo(f"{program}: the folder you are in was removed; change to one that exists", err=True)
        return EXIT_REFUSED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _has_working_directory() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - the same, without loading pathlib
    except FileNotFoundError:
        return False
    return True


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(encode(value), ensure_ascii=False, indent=2, allow_nan=False))


def root_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--root", metavar="URL", help="The record store: a folder or any fsspec URL (default: MARIN_RESEARCH_ROOT)."
    )(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def say_what_waits(store: RecordStore) -> None:
    """Say what this machine could not send to a store that is far away, and how it can be tried again."""
    from marin_research.objects import is_distant

    if is_distant(store.objects.url):
        from marin_research.spool.folder import SpoolFolder

        spool = SpoolFolder(store.objects.url)
        if (why := spool.problem) and not spool.is_empty():
            click.echo(f"records wait on this machine ({why}); `marin-research sync` sends them", err=True)


@contextlib.contextmanager
def show_progress(store: RecordStore) -> Iterator[None]:
    """Say on a terminal how far the index is, where bringing it up to date takes a while."""
    if not sys.stderr.isatty():
        yield
        return
    shown = False

    def on_progress(done: int, total: int) -> None:
        nonlocal shown
        shown = True
        if done % 50 == 0 or done == total:
            click.echo(f"\rindexing {store.root}: {done:,} of {total:,} runs", nl=False, err=True)

    store.index.on_progress = on_progress
    try:
        yield
    finally:
        if shown:
            click.echo("\r\033[K", nl=False, err=True)

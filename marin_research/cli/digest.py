"""``marin-research digest``: what a log of any size says."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from marin_research.capture.live_output import note
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.cli.show import find_run
from marin_research.digest.stored import StoredLog
from marin_research.digest.text import FEWEST_BYTES, MOST_BYTES, render
from marin_research.errors import MarinResearchError, RunNotFoundError, UsageError
from marin_research.store import RecordStore
from marin_research.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from marin_research.digest.blocks import Place
    from marin_research.digest.index import Index

_BLOCK = 1 << 20
_REPORT_S = 1.0


@click.command(
    help="Condense a log of any size: what went wrong and on which hosts, how training went, how it ended.\n\n"
    "LOG is a file (also gz, bz2, xz, zst), a folder of files, a URL, - for standard input, or a recorded run. Several "
    "files are the hosts of one job. The text is bounded; --json is the complete index: every kind of line with its "
    "count, every severe line word for word with hosts and positions.\n\n"
    "\b\nExamples:\n"
    "  marin-research digest train.log\n"
    "  marin-research digest host-*.log.gz --max-bytes 8000\n"
    "  uv run iris job logs /ada/train | marin-research digest -\n"
    "  marin-research digest LR-003 --attempt 1 --json | jq '.severe[].text'"
)
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option("--attempt", type=click.IntRange(min=1), help="Which try at a run (default: the last).")
@click.option(
    "--max-bytes",
    type=click.IntRange(min=FEWEST_BYTES),
    default=MOST_BYTES,
    show_default=True,
    help="How long the text may be.",
)
@click.option(
    "--overflow",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file for severe lines of more kinds than the index has room for (thousands).",
)
@root_option
@json_option
def command(
    *,
    logs: tuple[str, ...],
    attempt: int | None,
    max_bytes: int,
    overflow: Path | None,
    root: str | None,
    as_json: bool,
) -> None:
    stored = _stored(logs, attempt, root)
    if attempt is not None and stored is None:
        raise UsageError("--attempt is of a recorded run; a file has none")
    index = _of_files(_files(logs), overflow) if stored is None else stored.index()
    if as_json:
        print_json(index)
    else:
        click.echo(render(index, max_bytes=max_bytes), nl=False)


def _stored(logs: tuple[str, ...], attempt: int | None, root: str | None) -> StoredLog | None:
    """The output of a recorded run, if that is what is meant.

    Raises:
        MarinResearchError: there is neither such a file nor such a run.
    """
    if len(logs) > 1 or logs[0] == "-" or Path(logs[0]).exists():
        return None
    store = RecordStore(root)
    try:
        run = find_run(store, logs[0])
    except RunNotFoundError as error:
        if "://" in logs[0]:
            return None
        raise MarinResearchError(f"there is no file {logs[0]!r}, and as a run: {error}") from None
    return StoredLog(store, run, attempt)


def _files(logs: Iterable[str]) -> list[str]:
    """The logs, each folder as the files in it.

    Raises:
        MarinResearchError: there are none in one.
    """
    files: list[str] = []
    for log in logs:
        if log == "-" or not Path(log).is_dir():
            files.append(log)
            continue
        found = sorted(str(path) for path in Path(log).rglob("[!.]*") if path.is_file())
        if not found:
            raise MarinResearchError(f"there are no files in the folder {log}")
        files += found
    return files


def _of_files(logs: Sequence[str], overflow: Path | None) -> Index:
    from marin_research.digest.build import index_of  # loads numpy

    sources = ((_name(log), _read(log)) for log in logs)
    if overflow is None:
        return index_of(sources, several=len(logs) > 1)
    with overflow.open("w", encoding="utf-8", errors="backslashreplace") as file:
        seen: set[int] = set()

        def keep(place: Place, text: str) -> None:
            if hash(text) not in seen:
                seen.add(hash(text))
                file.write(f"{_name(logs[place.stream])}:{place.line}: {text}\n")

        return index_of(sources, several=len(logs) > 1, overflow=keep)


def _name(log: str) -> str:
    return "standard input" if log == "-" else log


def _read(log: str) -> Iterator[bytes]:
    """The bytes of a log, decompressed. What is damaged is said where it would stand, and does not hide the rest.

    Raises:
        MarinResearchError: nothing of it can be read.
    """
    read, reported = 0, time.monotonic()
    try:
        with _open(log) as file:
            # What is decompressed before damaged bytes is only given by reads that take what there is.
            while block := getattr(file, "read1", file.read)(_BLOCK):
                yield block
                read += len(block)
                if sys.stderr.isatty() and time.monotonic() - reported > _REPORT_S:
                    reported = time.monotonic()
                    click.echo(f"\r{_name(log)}: {format_size(read)} read ", nl=False, err=True)
    except Exception as error:  # each kind of archive and of storage has errors of its own
        missing = isinstance(error, FileNotFoundError)
        why = "it does not exist or cannot be reached" if missing else str(error) or type(error).__name__
        if read == 0:
            raise MarinResearchError(f"cannot read {log}: {why}") from error
        yield note(f"{log} cannot be read after byte {read}: {why}")
    if read and sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)


def _open(log: str) -> AbstractContextManager[IO[bytes]]:
    if log == "-":
        return nullcontext(sys.stdin.buffer)
    import fsspec

    opened: AbstractContextManager[IO[bytes]] = fsspec.open(log, "rb", compression="infer")
    return opened

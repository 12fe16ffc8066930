"""Repeats a run: in a worktree, by the command as it was, recorded under an ID of its own; then compares."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.codec import encode
from marin_research.errors import ReproductionError, RunNotFoundError
from marin_research.record import Devices
from marin_research.reproduction.asked import answered, ask, hypothesis_of
from marin_research.reproduction.recipe import placed
from marin_research.reproduction.verdict import Judgement, Verdict, judge
from marin_research.reproduction.worktree import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.git import WorkTree
    from marin_research.record import Run
    from marin_research.reproduction.recipe import Recipe
    from marin_research.store import RecordStore
    from marin_research.thread import Thread

_STDERR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """What came of repeating a run."""

    original: str
    repeated: str | None
    """The experiment ID of the repetition; None where it did not begin."""
    judgement: Judgement
    worktree: str | None
    """Where it is, if it was kept."""
    left: tuple[str, ...]
    """What the run wrote into the worktree."""
    notes: tuple[str, ...]


def reproduce(
    made: Recipe, tree: WorkTree, thread: Thread, store: RecordStore, *, keep: bool = False,
    tolerance: float | None = None, quiet: bool = False,
) -> Reproduction:  # fmt: skip
    """Repeat a run and compare.

    Args:
        made: what it takes.
        tree: the checkout that has its commit.
        thread: the run's.
        store: where the repetition is recorded.
        keep: leave the worktree where it is in any case.
        tolerance: in percent; see `judge`.
        quiet: what it prints goes to stderr.

    Raises:
        GitError: there can be no worktree.
        ReproductionError: the program is not here; the worktree is removed.
    """
    place = Place(made, tree)
    try:
        argv = placed(made, place.path, tree)
        run_id, code = _run(made, argv, place.path, tree, store, quiet=quiet)
    except ReproductionError:
        place.remove()
        raise
    repeated = _recorded(run_id, store)
    if repeated is None:
        what = f"step {made.run.step.address}" if made.is_step else "the command"  # type: ignore[union-attr]
        why = f"{what} was not recorded: the program ended with exit code {code} before it came to it"
        judgement = Judgement(verdict=Verdict.COULD_NOT, why=why)
    else:
        of_thread = [run for run in store.runs(thread.prefix) if run.thread == thread.topic and run.id != repeated.id]
        judgement = judge(made.run, repeated, thread, of_thread, tolerance=tolerance)
    left = place.left()
    kept = keep or bool(left)
    if not kept:
        place.remove()
    return Reproduction(
        original=made.run.id,
        repeated=repeated.id if repeated else None,
        judgement=judgement,
        worktree=str(place.path) if kept else None,
        left=tuple(left),
        notes=made.notes,
    )


def _run(
    made: Recipe, argv: tuple[str, ...], worktree: Path, tree: WorkTree, store: RecordStore, *, quiet: bool
) -> tuple[str | None, int]:
    """Run the command; the ID that it was recorded under, and its exit code."""
    with tempfile.TemporaryDirectory(prefix="marin-research-") as folder:
        answer = Path(folder) / "id"
        environment = {
            **made.environment,
            **ask(made.run.id, answer),
            "MARIN_RESEARCH_ROOT": store.objects.url,
            "PWD": str(worktree / made.folder),
        }
        if searched := made.environment.get("PYTHONPATH"):
            environment["PYTHONPATH"] = _in_worktree(searched, worktree, tree)
        command = argv if made.is_step else (*_recorder(made), *argv)
        output = _STDERR if quiet else None
        at = worktree / made.folder
        with subprocess.Popen(command, cwd=at, env=environment, stdout=output) as running, _passing_on(running):
            code = running.wait()
        return answered(answer), code


def _recorder(made: Recipe) -> Iterator[str]:
    """What stands in front of a command that is recorded: all that its record says of it, and no more."""
    yield from (sys.executable, "-m", "marin_research.cli.main", "run", "--thread", made.run.thread)
    yield from ("--label", made.run.label, "--hypothesis", hypothesis_of(made.run.id))
    for key, value in made.attempt.config.items():
        yield from ("--set", f"{key}={json.dumps(encode(value))}")
    for pattern in made.run.metric_patterns:
        yield from ("--metric", pattern)
    if isinstance(named := made.attempt.declared_devices, Devices):
        yield from ("--devices", f"{named.kind}:{named.count}")
    yield "--"


def _in_worktree(searched: str, worktree: Path, tree: WorkTree) -> str:
    """A search path for modules that leads into the worktree where it led into the checkout."""
    folders = [Path(each) for each in searched.split(os.pathsep)]
    moved = [worktree / each.relative_to(tree.top) if each.is_relative_to(tree.top) else each for each in folders]
    return os.pathsep.join(map(str, moved))


@contextlib.contextmanager
def _passing_on(running: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let the run end by itself when somebody stops us: a terminal tells both, others tell us alone."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: running.terminate()),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _recorded(run_id: str | None, store: RecordStore) -> Run | None:
    try:
        return store.run(run_id) if run_id else None
    except RunNotFoundError:
        return None

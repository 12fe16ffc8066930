"""What it takes to repeat a run, from its record and this checkout, or why it cannot be repeated here.

Nothing is guessed: what the record lacks, and what only its author has (secrets, a commit that was never pushed), is
named together with what to do about it.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marin_research.errors import GitError, ReproductionError
from marin_research.provenance import is_ambient, matters
from marin_research.record import Devices, Status, Step
from marin_research.recorded_diff import RecordedDiff, read_diff

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from marin_research.git import WorkTree
    from marin_research.record import Attempt, Run
    from marin_research.store import RecordStore

_MASK = re.compile(r"\[REDACTED:[a-z0-9-]+\]")
_ASSIGNED = re.compile(r"-*(?P<name>[A-Za-z][\w.-]+)=.*", re.DOTALL)
_NAMED = re.compile(r"--(?P<option>[a-z][\w-]+)|(?P<variable>[A-Z][A-Z0-9_]+)")
_IDENTITIES = frozenset({"RUN_ID", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_RUN_NAME", "WANDB_NAME"})
"""Set again, they would have the repetition write into the W&B run of the original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to repeat a run."""

    run: Run
    attempt: Attempt
    commit: str
    diff: RecordedDiff
    folder: str
    """Where the command runs, relative to the top of the checkout."""
    argv: tuple[str, ...]
    """As it was typed, with the secrets of whoever repeats it: never printed."""
    environment: dict[str, str]
    """All variables, likewise."""
    set: dict[str, str]
    """Variables as they are recorded."""
    unset: tuple[str, ...]
    """Variables that are set here and were not."""
    notes: tuple[str, ...]

    @property
    def is_step(self) -> bool:
        return isinstance(self.run.step, Step)


def recipe(
    run: Run, tree: WorkTree, store: RecordStore, *, environ: Mapping[str, str] = os.environ, anyway: bool = False
) -> Recipe:
    """Find out what repeating a run takes.

    Args:
        run: the one that holds the result.
        tree: a checkout of the same repository.
        store: where its changes are kept.
        environ: the variables of whoever repeats it.
        anyway: go on without changes that the record does not hold.

    Raises:
        ReproductionError: it cannot be repeated here; says what is missing and what to do.
    """
    attempt = run.attempt
    if attempt is None:
        raise ReproductionError(f"{run.id} never ran ({run.why}), so there is nothing to repeat")
    if run.status is Status.RUNNING:
        raise ReproductionError(f"{run.id} is still running; repeat it when it has ended")
    folder = attempt.command.cwd_in_repository
    notes: list[str] = []
    if not isinstance(folder, str) or not isinstance(attempt.git.commit, str):
        raise ReproductionError(f"{run.id} did not run in a git checkout, so its code is not on record; run it by hand")
    commit = _present(attempt, tree)
    diff = _changes(attempt, store, notes, run.id, anyway=anyway)
    try:
        tree.tree_with(commit, diff.patch)
    except GitError as error:
        raise ReproductionError(f"the recorded changes of {run.id} do not apply to {commit}: {error}") from error
    argv = _with_secrets(attempt.command.argv, environ)
    said, unset = _variables(attempt, environ, notes)
    kept = {name: value for name, value in environ.items() if name not in unset}
    if tree.blob_in(commit, ".gitmodules"):
        notes.append("the commit has submodules, which a worktree does not check out")
    named = attempt.declared_devices
    if isinstance(named, Devices) and not isinstance(run.step, Step):
        notes.append(f"its devices are taken to be those that {run.id} names, {named.count} x {named.kind}")
    return Recipe(
        run=run,
        attempt=attempt,
        commit=commit,
        diff=diff,
        folder=folder,
        argv=argv,
        environment={**kept, **said},
        set=said,
        unset=unset,
        notes=tuple(notes),
    )


def placed(made: Recipe, worktree: Path, tree: WorkTree) -> tuple[str, ...]:
    """The command for a worktree: what it names by the path of the old checkout is what the worktree has.

    Raises:
        ReproductionError: the program is not here.
    """
    inside = made.folder.removeprefix(".")
    old_top = made.attempt.command.cwd.removesuffix(inside).rstrip("/")
    words = []
    for word in made.argv:
        there = worktree / word.removeprefix(f"{old_top}/") if word.startswith(f"{old_top}/") else None
        words.append(str(there) if there is not None and there.exists() else word)
    own = worktree / made.folder / words[0]
    if "/" in words[0] and not own.exists():
        # An environment inside the checkout, as .venv/bin/python, is in no commit.
        words[0] = str(tree.top / made.folder / words[0])
    if shutil.which(words[0], path=made.environment.get("PATH")) is None and not own.exists():
        raise ReproductionError(f"there is no program {made.argv[0]} here; install it, or put it on the PATH")
    return tuple(words)


def _present(attempt: Attempt, tree: WorkTree) -> str:
    commit = str(attempt.git.commit)
    if tree.commit_of(commit) is None:
        remote = attempt.git.remote if isinstance(attempt.git.remote, str) else "REMOTE"
        raise ReproductionError(
            f"commit {commit} is not in {tree.top}; fetch it with git fetch {remote} {commit} "
            f"(it was on branch {attempt.git.branch if isinstance(attempt.git.branch, str) else 'unknown'})"
        )
    return commit


def _changes(attempt: Attempt, store: RecordStore, notes: list[str], run_id: str, *, anyway: bool) -> RecordedDiff:
    try:
        diff = read_diff(attempt.git, store)
    except ReproductionError as error:
        if not anyway:
            raise ReproductionError(f"{run_id}: {error}; --anyway repeats it on the bare commit") from error
        notes.append(str(error))
        return RecordedDiff(patch=b"")
    if diff.missing:
        if not anyway:
            raise ReproductionError(f"{run_id}: {diff.missing}; --anyway repeats it without")
        notes.append(diff.missing)
    return diff


def _with_secrets(argv: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command with the secrets that were masked in it, each out of the variable that is named like it."""
    words, missing = [], []
    for index, word in enumerate(argv):
        if _MASK.search(word) is None:
            words.append(word)
            continue
        name = _name_of(word, argv[index - 1] if index else "", index)
        if name not in environ:
            missing.append(f"{name} (argument {index}, {word})")
        words.append(_MASK.sub(lambda _: environ.get(name, ""), word))  # noqa: B023 - called at once
    if missing:
        raise ReproductionError(
            f"secrets were masked in the command; set {', '.join(missing)} in the environment and try again"
        )
    return tuple(words)


def _name_of(word: str, before: str, index: int) -> str:
    """What a masked secret is called: ``API_KEY`` in ``--api-key [...]``, ``--api-key=[...]``, ``-e API_KEY [...]``."""
    assigned, named = _ASSIGNED.fullmatch(word), _NAMED.fullmatch(before)
    said = assigned["name"] if assigned else (named["option"] or named["variable"]) if named else ""
    return re.sub(r"\W", "_", said).upper() or f"MARIN_RESEARCH_SECRET_{index}"


def _variables(
    attempt: Attempt, environ: Mapping[str, str], notes: list[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The recorded variables that are set again, and those that matter, are set here and were not."""
    said = {}
    for name, value in attempt.environment.items():
        if is_ambient(name):
            continue
        if name in _IDENTITIES:
            notes.append(f"{name} is not set again: it names the W&B run of {value!r}")
        elif _MASK.search(value) is None:
            said[name] = value
        elif name in environ:
            said[name] = environ[name]
        else:
            raise ReproductionError(f"the value of {name} was masked; set it in the environment and try again")
    unset = tuple(
        name
        for name in environ
        if matters(name) and not is_ambient(name) and (name not in attempt.environment or name in _IDENTITIES)
    )
    return said, unset

"""Which files of a checkout belong to a snapshot: the thread's own, the code that its commands name, what is asked for.

Everything else that is changed in the checkout is somebody's work in progress and is left alone.
"""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from marin_research.checkout import is_work_memory
from marin_research.errors import GitError, ReproductionError, StoreError, UsageError
from marin_research.recorded_diff import read_diff
from marin_research.thread import LogbookStyle, files_folder
from marin_research.thread_file import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marin_research.git import WorkTree
    from marin_research.record import Command, Run
    from marin_research.store import RecordStore
    from marin_research.thread import Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Files of a checkout, by what a snapshot does with them."""

    files: tuple[str, ...]
    """All that belong to it and are worth a link."""
    committed: tuple[str, ...]
    """Those of them that are not in the last commit as they are now."""
    left: tuple[str, ...]
    """Changed files that do not belong to it."""
    notes: tuple[str, ...]
    """Why a file of it is left out after all."""


def choose(
    tree: WorkTree, thread: Thread, runs: Sequence[Run], store: RecordStore, *, include: Sequence[Path] = ()
) -> Chosen:
    """Find the files of a snapshot.

    Args:
        tree: the research repository.
        thread: whose declaration, logbook and plots belong to it.
        runs: what was run: the scripts that it names belong to it as long as they are what ran.
        store: where recorded changes are.
        include: files and folders that somebody asks for.

    Raises:
        UsageError: what is asked for is not in the checkout, or git ignores it.
    """
    changed = {path for path in (*tree.changed(), *tree.untracked()) if not is_work_memory(path)}
    asked = [path for given in include for path in _asked(tree, given, changed)]
    ran = _newest_by_script(tree, runs)
    scripts = list(ran)
    notes = {
        path: why for path in ran if path in changed - set(asked) and (why := _stale(tree, path, ran[path], store))
    }
    files = dict.fromkeys([*_own(tree, thread, changed), *scripts, *asked])
    whole = [path for path in files if path not in notes]
    return Chosen(
        files=tuple(whole),
        committed=tuple(path for path in whole if path in changed),
        left=tuple(sorted(changed - set(whole))),
        notes=tuple(f"{path} is left out: {why}" for path, why in notes.items()),
    )


def _own(tree: WorkTree, thread: Thread, changed: set[str]) -> Iterator[str]:
    declared = (FOLDER / f"{thread.topic}.yaml").as_posix()
    kept_here = not thread.logbook.repository and thread.logbook.style != LogbookStyle.ISSUE
    for path in (thread.logbook_path, declared) if kept_here else (declared,):
        if _is_file(tree, path) and not tree.ignores(path):
            yield path
    plots = PurePosixPath(thread.logbook_path).parent / files_folder(thread.topic)
    yield from sorted(path for path in changed if kept_here and PurePosixPath(path).parent == plots)


def _asked(tree: WorkTree, given: Path, changed: set[str]) -> list[str]:
    """The files that a path stands for: itself, or what is changed in a folder."""
    try:
        path = given.absolute().resolve().relative_to(tree.top).as_posix()
    except ValueError:
        raise UsageError(f"{given} is not in {tree.top}; --include takes files of the checkout") from None
    if given.is_dir():
        return sorted(name for name in changed if path == "." or name.startswith(f"{path}/"))
    if not given.is_file():
        raise UsageError(f"there is no file {given}; --include takes files that are there")
    if is_work_memory(path):
        raise UsageError(f"{path} is work memory, which stays on this machine; draft a post from it instead")
    if tree.ignores(path):
        raise UsageError(f"git ignores {path}; take it out of .gitignore, or leave --include {given} out")
    return [path]


def _newest_by_script(tree: WorkTree, runs: Sequence[Run]) -> dict[str, Run]:
    """The scripts of some runs, each with the run that used it last."""
    commands: dict[Command, Run] = {}  # the runs of a sweep share one
    for run in sorted(runs, key=lambda run: run.declared):
        if run.attempt:
            commands[run.attempt.command] = run
    return {path: run for command, run in commands.items() for path in _scripts(tree, command)}


def _scripts(tree: WorkTree, command: Command) -> Iterator[str]:
    """The files of the checkout that a command names: paths, and modules after ``-m``."""
    folder = command.cwd_in_repository
    if not isinstance(folder, str):
        return
    words = list(_words(command.argv))
    for before, word in zip(["", *words], words, strict=False):
        named = [word]
        if before == "-m":
            module = word.replace(".", "/")
            named = [f"{module}.py", f"{module}/__main__.py"]
        for name in named:
            path = posixpath.normpath(posixpath.join(folder, name))
            if not name.startswith(("/", "-")) and not path.startswith("..") and _is_file(tree, path):
                if not tree.ignores(path):
                    yield path
                break


def _words(argv: Sequence[str]) -> Iterator[str]:
    """The words of a command; a line for the shell is taken apart."""
    for argument in argv:
        try:
            yield from shlex.split(argument) if " " in argument else [argument]
        except ValueError:  # a quotation without end
            yield argument


def _stale(tree: WorkTree, path: str, run: Run, store: RecordStore) -> str | None:
    """Why a changed script cannot stand for what a run ran; None if it is exactly that."""
    assert run.attempt is not None  # noqa: S101 - it names a script
    git = run.attempt.git
    try:
        ran = tree.tree_with(git.commit, read_diff(git, store).patch) if isinstance(git.commit, str) else None
    except (GitError, ReproductionError, StoreError) as error:
        return f"whether it is what {run.id} ran cannot be told ({error})"
    if ran is None or tree.blob_in(ran, path) != tree.blob_of(path):
        return f"it is not what {run.id} ran; --include {path} commits it as it is now"
    return None


def _is_file(tree: WorkTree, path: str) -> bool:
    file = tree.top / path
    return file.is_file() and not file.is_symlink()

"""A text in the person's own editor. Knows nothing of drafts or of where the text is kept afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import CuratorError
from marin_research.errors import MarinResearchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_USUAL = ("sensible-editor", "nano", "vi")


class EditorError(CuratorError):
    """The editor could not be used, or what it left is no text; nothing was changed."""


@contextmanager
def edited(
    text: str, *, name: str, say: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> Iterator[str | None]:
    """Have a person edit ``text``; gives what they saved, or None when that is what it was.

    What was written is never lost: the file stays where it is unless the block is left without an error.

    Args:
        text: what they find in the editor.
        name: of the file, before its random part.
        say: is told where the file is before the editor opens, so that a crash cannot hide it.
        environ: where VISUAL and EDITOR are looked up.

    Raises:
        EditorError: there is no editor, it failed, or the file is no longer text.
    """
    command = editor_command(environ)
    handle, place = tempfile.mkstemp(prefix=f"{name}-", suffix=".md")
    file = Path(place)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
        opened.write(text)
    say(f"editing {file}")
    try:
        _run(command, file)
        saved = _read(file, text)
        yield saved if saved != text else None
    except MarinResearchError as error:
        if file.exists() and file.read_bytes() != text.encode("utf-8", "surrogateescape"):
            raise EditorError(f"{error}; what was written is in {file}") from error
        file.unlink(missing_ok=True)
        raise
    file.unlink(missing_ok=True)


def editor_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The editor as words of a command line.

    Raises:
        EditorError: neither VISUAL nor EDITOR is set to a program that exists, and none of the usual ones does.
    """
    for variable in ("VISUAL", "EDITOR"):
        said = environ.get(variable, "").strip()
        if not said:
            continue
        try:
            command = shlex.split(said)
        except ValueError as error:
            raise EditorError(f"{variable} is {said!r} ({error}); set it to a command such as EDITOR=nano") from error
        if shutil.which(command[0], path=environ.get("PATH")) is None:
            raise EditorError(f"{variable} is {said!r}, which is not found; set it to an editor such as EDITOR=nano")
        return command
    found = next((name for name in _USUAL if shutil.which(name, path=environ.get("PATH"))), None)
    if found is None:
        raise EditorError("no editor found; set EDITOR to one, for example EDITOR=nano")
    return [found]


def _run(command: list[str], file: Path) -> None:
    # Ctrl-C is the editor's business while it is open; a handler, unlike SIG_IGN, is not passed on to it.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run([*command, str(file)], check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    if code != 0:
        raise EditorError(f"{command[0]} ended with {code}, so nothing was changed; edit again")


def _read(file: Path, before: str) -> str:
    """What was saved."""
    try:
        saved = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EditorError(f"what the editor saved cannot be read ({error}); save it as UTF-8") from error
    return as_saved(saved, before)


def as_saved(saved: str, before: str) -> str:
    """What a person typed, with the line ends and the end of ``before``: whatever they typed it in changes both.

    Raises:
        EditorError: nothing is left.
    """
    if "\r" not in before:
        saved = saved.replace("\r\n", "\n")
    if not saved.strip():
        raise EditorError("the text is empty, so nothing was changed; a draft that should not go out is rejected")
    end = before[len(before.rstrip("\n")) :]
    return saved.rstrip("\n") + end

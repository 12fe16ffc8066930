"""Ties the places where a run leaves traces to its record: from a number in W&B, or an output, to what made it.

W&B runs get the key ``marin_research`` in their config, outputs a dot-file beside Marin's own; both name the run, its
fingerprint, the tree it was made from and its output path.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from marin_research.codec import dump, encode
from marin_research.objects import is_local
from marin_research.record import Step

if TYPE_CHECKING:
    from marin_research.recorder import Recorder

KEY = "marin_research"
"""In the config of a W&B run."""
POINTER = ".marin_research.json"
"""In the folder of an output."""
_PATIENCE_S = 5.0
"""A step does not wait longer until the pointer to its record is where its output will be."""


def identity(recorder: Recorder) -> dict[str, Any]:
    """What tells which run made something, with secrets masked."""
    run, git = recorder.run, recorder.launch.git
    said: dict[str, Any] = {"run": run.id, "thread": run.thread, "attempt": recorder.attempt}
    said |= {name: value for name, value in (("tree", git.tree), ("commit", git.commit)) if isinstance(value, str)}
    if isinstance(run.step, Step):
        said |= {"step": run.step.address, "fingerprint": run.step.fingerprint, "output_path": run.step.output_path}
    masked: dict[str, Any] = recorder.redactor.json(encode(said))
    return masked


class Pointer(NamedTuple):
    """Where the record of an output is."""

    run_id: str
    root: str
    """Of the record store."""


def pointer_in(folder: str) -> Pointer | None:
    """What was left in a folder of this machine, which may be a copy of the output."""
    try:
        left = json.loads((Path(folder) / POINTER).read_bytes())
        return Pointer(str(left["run"]), str(left["record"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None


def leave_pointer(recorder: Recorder, output_path: str) -> None:
    """Leave a file in an output's folder that says where its record is.

    Raises:
        OSError, StoreError: the folder cannot be written.
    """
    pointer = dump(recorder.identity | {"record": recorder.launch.root})
    if not is_local(output_path):
        from marin_research.object_storage import FsspecObjects

        FsspecObjects(output_path).within(_PATIENCE_S).put(POINTER, pointer)
        return
    # Not synced, as it only repeats what the record says: syncing would cost the step more than all of its record.
    folder = Path(output_path.removeprefix("file://"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / POINTER).write_bytes(pointer)

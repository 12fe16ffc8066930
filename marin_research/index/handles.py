"""The names that a run goes by elsewhere: the paths of its outputs, its W&B runs, the jobs of its clusters."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.record import Run, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.record import WandbRun

_WANDB_URL = re.compile(r"https?://[^/]+/(?:.*/)?([^/]+)/([^/]+)/runs/([^/?#]+)")
_WANDB_PATH = re.compile(r"([^/:]+)/([^/:]+)/(?:runs/)?([^/:]+)")
_TASK = re.compile(r"(/.+)/\d+(?::\d+)?")
"""What Iris calls a task of a job, or a try at it."""
_UNKNOWN = "*"


def handles_of(run: Run) -> Iterator[str]:
    """Everything that ``candidates`` may look for; may repeat itself."""
    if isinstance(run.step, Step):
        yield _path(run.step.output_path)
    for linked in run.wandb:
        yield _wandb_handle(linked)
    for attempt in run.attempts:
        yield from (_job(job.id) for job in attempt.jobs)
        yield from (_job(host.task.job) for host in attempt.hosts if host.task is not None)
        yield from (_job(attempt.retry.job),) if attempt.retry is not None else ()


def candidates(text: str) -> list[str]:
    """What a name that somebody typed or pasted may stand for, likeliest first."""
    found = []
    for wandb in filter(None, (_WANDB_URL.fullmatch(text), _WANDB_URL.match(text), _WANDB_PATH.fullmatch(text))):
        entity, project, run = wandb.groups()
        # A run that was offline did not know its entity, or its project, when it was recorded.
        found += [_wandb(entity, project, run), _wandb(_UNKNOWN, project, run), _wandb(_UNKNOWN, _UNKNOWN, run)]
    found += [_path(text), _job(text)]
    if task := _TASK.fullmatch(text):
        found.append(_job(task[1]))
    if "://" not in text:
        found.append(_path(str(Path(text).absolute())))
    return list(dict.fromkeys(found))


def _wandb_handle(linked: WandbRun) -> str:
    if isinstance(linked.url, str) and (parts := _WANDB_URL.match(linked.url)):
        return _wandb(*parts.groups())
    entity = linked.entity if isinstance(linked.entity, str) else _UNKNOWN
    project = linked.project if isinstance(linked.project, str) else _UNKNOWN
    return _wandb(entity, project, linked.id)


def _wandb(entity: str, project: str, run: str) -> str:
    return f"wandb:{entity}/{project}/{run}"


def _path(path: str) -> str:
    return f"path:{path.removeprefix('file://').rstrip('/')}"


def is_path(handle: str) -> bool:
    return handle.startswith("path:")


def _job(job: str) -> str:
    return f"job:{job}"

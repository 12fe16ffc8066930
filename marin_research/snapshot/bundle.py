"""What is in a repro bundle, out of the records alone: two bundles of the same records are the same, byte by byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marin_research.codec import encode
from marin_research.compare import flat_config
from marin_research.errors import GitError, ReproductionError, StoreError
from marin_research.markdown import fenced
from marin_research.record import Devices, Unknown
from marin_research.recorded_diff import RecordedDiff, read_diff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from marin_research.git import WorkTree
    from marin_research.record import Attempt, Git, Run
    from marin_research.snapshot.table import PrimaryTable
    from marin_research.store import RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """The uncommitted changes of a launch, in a bundle."""

    name: str | None
    """Its file; None for a clean tree, or where nothing could be kept."""
    problem: str = ""
    """Why it does not restore what ran, or not all of it."""


def bundle_files(
    tag: str, commit: str, table: PrimaryTable, *, thread: str, tree: WorkTree, store: RecordStore
) -> dict[str, bytes]:
    """The files of a bundle by name, their checksums left out."""
    launched = [run for run in table.runs if run.attempt is not None]
    files = {f"configs/{run.id}.json": _json(run.config) for run in launched}
    files |= {f"records/{run.id}.json": _json(run) for run in table.runs}
    files |= {"table.md": table.markdown().encode(), "table.csv": table.csv().encode()}
    states = {run.attempt.git: None for run in launched if run.attempt}  # the runs of a sweep share one
    made = {git: _patch(git, tree, store, files) for git in states}
    patches = {run.id: made[run.attempt.git] for run in launched if run.attempt}
    lines = [
        *_head(tag, commit, table, thread),
        *(line for group in _groups(launched) for line in _group(group, patches)),
    ]
    files["README.md"] = ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")
    return files


def _json(value: Any) -> bytes:
    text = json.dumps(encode(value), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _patch(git: Git, tree: WorkTree, store: RecordStore, files: dict[str, bytes]) -> Patch:
    try:
        diff = read_diff(git, store)
    except (ReproductionError, StoreError) as error:
        return Patch(name=None, problem=str(error))
    if not diff.patch:
        return Patch(name=None, problem=diff.missing)
    name = f"patches/{getattr(git.diff, 'sha256', '')[:12]}.diff"
    files[name] = diff.patch
    return Patch(name=name, problem="; ".join(filter(None, [diff.missing, _refusal(git.commit, diff, tree)])))


def _refusal(commit: str | Unknown, diff: RecordedDiff, tree: WorkTree) -> str:
    """Why the patch does not apply, if it was tried and does not."""
    if isinstance(commit, Unknown) or tree.commit_of(commit) is None:
        return "whether the patch applies was not tried: its commit is not in this checkout"
    try:
        tree.tree_with(commit, diff.patch)
    except GitError as error:
        return f"the patch does not apply ({error})"
    return ""


def _head(tag: str, commit: str, table: PrimaryTable, thread: str) -> Iterator[str]:
    yield from (f"# Repro bundle of {tag}", "")
    yield f"Thread `{thread}`, sealed by the annotated tag `{tag}` on commit `{commit}`."
    yield "Made by `marin-research snapshot` from the records of the runs; secrets were masked when they were recorded."
    yield ""
    yield "This folder is whole if `snapshot.json` is there and `sha256sum --check SHA256SUMS` finds nothing wrong."
    yield from ("", "## Results", "")
    if table.baseline is not None and len(table.runs) > 1:
        yield from (f"In brackets: the change against the baseline {table.baseline.id}.", "")
    yield from table.markdown().splitlines()
    yield from ("", "The same with every digit: `table.csv`. Whole records: `records/`, configs: `configs/`.", "")
    yield from ("## How to reproduce", "")
    yield "In a checkout of the repository, with the record store at hand (all runs are listed below):"
    yield ""
    yield from fenced([f"marin-research reproduce {run.id}" for run in table.runs if run.attempt][:3], "sh")
    yield ""
    yield "By hand: check out the commit of a run, apply its patch if it has one (BUNDLE is this folder), run the"
    yield "command. `[REDACTED:...]` stands for a secret of yours."


def _groups(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs that share all that this README says of how they were launched."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        assert run.attempt is not None  # noqa: S101 - only those that were launched are asked for
        a = run.attempt
        same = (a.command, a.git, a.environment, a.python, a.platform, a.packages, a.asked_devices, a.seen_devices)
        found.setdefault(json.dumps(encode(same)), []).append(run)
    return list(found.values())


def _group(runs: Sequence[Run], patches: Mapping[str, Patch]) -> Iterator[str]:
    first = runs[0]
    attempt = first.attempt
    assert attempt is not None  # noqa: S101 - see `_groups`
    patch = patches[first.id]
    yield from ("", f"## {', '.join(run.id for run in runs)}", "")
    yield from (*fenced(list(_recipe(attempt, patch)), "sh"), "")
    if patch.problem:
        yield f"- **Not all of it can be restored**: {patch.problem}"
    git = attempt.git
    yield f"- Commit: {_said(git.commit)} on branch {_said(git.branch)} of {_said(git.remote)}" + (
        " with uncommitted changes" if git.dirty else ""
    )
    yield f"- Hardware: {_hardware(attempt)}"
    yield f"- Software: {attempt.python} on {attempt.platform}"
    if attempt.packages:
        yield f"- Packages: {', '.join(f'{name} {version}' for name, version in attempt.packages.items())}"
    if attempt.environment:
        yield "- Environment:"
        yield from (f"  - `{name}={value}`" for name, value in attempt.environment.items())
    yield "- Runs:"
    for run in runs:
        links = [linked.url if isinstance(linked.url, str) else f"W&B {linked.id}, offline" for linked in run.wandb]
        told = "; ".join([f"{run.status}: {run.why}", *links])
        yield f"  - {run.id} {' '.join(run.label.split())}: {' '.join(told.split())}"
    varied = dict.fromkeys(key for run in runs for key in flat_config(run))
    same = {key: values[0] for key in varied if len(set(values := [_value(run, key) for run in runs])) == 1}
    if same:
        yield f"- Config, the same in all of them: {', '.join(f'`{key}={value}`' for key, value in same.items())}"


def _recipe(attempt: Attempt, patch: Patch) -> Iterator[str]:
    """What one would type."""
    commit, where = attempt.git.commit, attempt.command.cwd_in_repository
    if isinstance(commit, str):
        yield f"git worktree add --detach ../reproduced {commit} && cd ../reproduced"
    if patch.name is not None:
        yield f"git apply BUNDLE/{patch.name}"
    if isinstance(where, str) and where != ".":
        yield f"cd {where}"
    yield attempt.command.line


def _hardware(attempt: Attempt) -> str:
    seen, asked = attempt.seen_devices, attempt.asked_devices
    parts = []
    if isinstance(seen, Devices):
        parts.append(f"{seen.count} x {seen.kind} as JAX saw them")
    if isinstance(asked, Devices):
        parts.append(f"{asked.count} x {asked.kind} declared")
    if not parts:
        parts.append(f"unknown ({_said(attempt.devices)})")
    workers = len({host.name for host in attempt.workers})
    jobs = ", ".join(f"{job.id} on {job.cluster or job.backend}" for job in attempt.jobs)
    return "; ".join([*parts, f"{workers} machine{'' if workers == 1 else 's'}", *([jobs] if jobs else [])])


def _said(value: object) -> str:
    return value.why if isinstance(value, Unknown) else str(value)


def _value(run: Run, key: str) -> str:
    value = flat_config(run).get(key)
    return json.dumps(encode(value)) if isinstance(value, list | dict) else str(value)

"""The comment that tells of a snapshot: an update, with links to what is sealed and what is needed to run it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.drafters.entry import table_lines, table_note
from curator.drafters.update import update_text
from curator.facts import Fact, FactKind
from marin_research.markdown import fenced
from marin_research.objects import is_local
from marin_research.provenance import is_ambient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.confidence import Label
    from curator.drafters.reading import Reading
    from curator.evidence import Evidence
    from marin_research.record import Run
    from marin_research.snapshot.record import Snapshot

_SHOWN = 3
"""Commands that differ in nothing but the run."""


def snapshot_text(evidence: Evidence, label: Label, reading: Reading, snapshot: Snapshot) -> str:
    """The comment, as Markdown.

    Args:
        evidence: the runs and their facts.
        label: the confidence label of the result.
        reading: what it says beyond the bare facts.
        snapshot: what was sealed. Its links are open: they are closed when the tag is where others see it.
    """
    # A plot stands in the logbook, which is linked.
    beside = replace(evidence, plot=None)
    title = f"snapshot {snapshot.tag}"
    update = update_text(beside, label, reading, title=title, is_whole=False).splitlines()
    at = update.index("- Links:") + 1
    lines = [*update[:at], *_links(snapshot), *update[at:], "", "### Repro bundle", "", *_bundle(snapshot)]
    for note in table_note(evidence):
        lines += [note, ""]
    lines += [*table_lines(evidence), ""]
    for runs in _alike(evidence):
        lines += [*_recipe(runs), ""]
    return "\n".join(lines).rstrip() + "\n"


def snapshot_facts(evidence: Evidence, snapshot: Snapshot) -> list[Fact]:
    """What a text may state of a snapshot, and of the circumstances that its runs need."""

    def fact(kind: FactKind, path: str, value: str, **more: str) -> Fact:
        return Fact(id=f"snapshot/{path}", kind=kind, value=value, source=f"the snapshot {snapshot.tag}", **more)  # type: ignore[arg-type]

    facts = [
        fact(FactKind.NAME, "tag", snapshot.tag, name="tag"),
        fact(FactKind.COMMIT, "commit", snapshot.commit),
        fact(FactKind.COMMIT, "sha256", snapshot.sha256),
        fact(FactKind.LINK, "bundle", snapshot.bundle),
        fact(FactKind.LINK, "link/tag", _tag_address(snapshot)),
        fact(FactKind.LINK, "link/commit", _commit_address(snapshot)),
        *(fact(FactKind.PATH, f"file/{path}", path) for path in snapshot.files),
        *(fact(FactKind.LINK, f"link/{path}", _commit_address(snapshot, path)) for path in snapshot.files),
    ]
    for run in _launched(evidence):
        assert run.attempt is not None  # noqa: S101 - it was launched
        facts.append(replace(fact(FactKind.COMMAND, f"reproduce/{run.id}", _reproduce(run)), subject=run.id))
        for name, value in run.attempt.environment.items():
            source = f"{run.id}#/attempts/{run.attempt.number - 1}/environment/{name}"
            said = fact(FactKind.COMMAND, f"environment/{run.id}/{name}", f"{name}={value}")
            facts.append(replace(said, subject=run.id, source=source))
    return facts


def _links(snapshot: Snapshot) -> Iterator[str]:
    files = [f"[{path}]({_commit_address(snapshot, path)})" for path in snapshot.files]
    yield f"  - Tag: [{snapshot.tag}]({_tag_address(snapshot)})"
    yield f"  - Tagged commit: [{snapshot.commit}]({_commit_address(snapshot)})"
    if files:
        yield f"  - Files: {', '.join(files)}"


def _bundle(snapshot: Snapshot) -> Iterator[str]:
    where = "is kept with the records of the runs" if is_local(snapshot.bundle) else f"is in {snapshot.bundle}"
    yield f"The bundle {where}; the hash of its checksums is `{snapshot.sha256}`."
    yield ""


def _alike(evidence: Evidence) -> list[list[Run]]:
    """The runs, those together that were launched in the same way."""
    found: dict[object, list[Run]] = {}
    for run in _launched(evidence):
        attempt = run.attempt
        assert attempt is not None  # noqa: S101 - it was launched
        same = (attempt.command, attempt.git, attempt.devices, tuple(attempt.environment.items()))
        found.setdefault(same, []).append(run)
    return list(found.values())


def _launched(evidence: Evidence) -> list[Run]:
    shown = [*([evidence.baseline] if evidence.baseline else []), *(each.result for each in evidence.subjects)]
    return list({run.id: run for run in shown if run.attempt is not None}.values())


def _recipe(runs: list[Run]) -> Iterator[str]:
    first = runs[0]
    assert first.attempt is not None  # noqa: S101 - it was launched
    yield f"{wording.id_range([run.id for run in runs])}:"
    yield ""
    yield from fenced([first.attempt.command.line], "sh")
    yield ""
    yield f"- Commit: {wording.commit(first)}"
    yield f"- Devices: {wording.devices(first)}"
    # What clusters and environments set by themselves is in the bundle; here it would tell of somebody's machine.
    said = {name: value for name, value in first.attempt.environment.items() if not is_ambient(name)}
    variables = [wording.code(f"{name}={value}") for name, value in said.items()]
    yield f"- Environment: {', '.join(variables) or 'nothing that matters was set'}"
    more = ", and so on" if len(runs) > _SHOWN else ""
    yield f"- Again: {', '.join(wording.code(_reproduce(run)) for run in runs[:_SHOWN])}{more}"


def _reproduce(run: Run) -> str:
    return f"marin-research reproduce {run.id}"


def _tag_address(snapshot: Snapshot) -> str:
    return f"tag:{snapshot.tag}"


def _commit_address(snapshot: Snapshot, path: str = "") -> str:
    from urllib.parse import quote

    return f"commit:{snapshot.commit}{f':{quote(path)}' if path else ''}"

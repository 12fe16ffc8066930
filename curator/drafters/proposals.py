"""Notes that the records suggest: a run that failed, a result that is clearly better or worse. A person keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.drafters.findings import clear_losses, clear_win, explained_failure
from curator.facts import render
from curator.skillevolve.memory import Note
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from curator.evidence import Evidence, Subject
    from curator.facts import Fact


def proposals(evidence: Evidence, known: Iterable[Note]) -> list[Note]:
    """What is worth noting of some runs and was not noted yet: one note a run and type."""
    noted = {(note.more.get("run"), note.type) for note in known}
    return [note for note in _all(evidence) if (note.more["run"], note.type) not in noted]


def _all(evidence: Evidence) -> Iterator[Note]:
    for subject in evidence.subjects:
        if subject.run.status is not Status.FAILED:
            continue
        what = wording.axis_value(subject, evidence.axis)
        if explained_failure(subject, evidence):
            text = f"With {what} the run failed ({wording.failure(subject)}); its neighbours succeeded."
            yield _note("gotcha", text, subject)
        else:
            yield _note("struggle", f"{what} failed: {wording.failure(subject)}", subject)
    won = clear_win(evidence)
    if won is not None:
        yield _note("technique", _change(*won, evidence), won[0])
    for subject, change in clear_losses(evidence):
        yield _note("gotcha", _change(subject, change, evidence), subject)


def _change(subject: Subject, change: Fact, evidence: Evidence) -> str:
    against = f"the baseline {evidence.baseline.id}" if evidence.baseline else "the baseline"
    repeated = evidence.repeated_of(subject.result.id)
    mean = f", on average over {len(repeated.runs)} runs," if repeated and repeated.change is change else ""
    return f"{wording.axis_value(subject, evidence.axis)}: {change.name} {render(change)}{mean} against {against}."


def _note(kind: str, text: str, subject: Subject) -> Note:
    attempt = subject.result.attempt
    ended = attempt.end.time if attempt and attempt.end else subject.run.declared
    return Note(type=kind, text=text, time=ended, more={"run": subject.run.id})

"""Why runs failed, as far as the records tell: the line that says it, a likely cause, and where it was met before.

A cause is a hypothesis with its line. Two failures are alike when their errors are, numbers and names of files aside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.causes import CAUSES, Cause, likely_cause
from curator.facts import Fact, FactKind
from curator.suspicion import reads_like_an_instruction
from marin_research.digest.mask import WILD, mask
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from marin_research.record import Run

_FAILED = frozenset({Status.FAILED, Status.LOST, Status.PREEMPTED})
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{3,}")
_LEAST_COMMON = 2
"""So many telling words must an index item share with an error to be about it."""
_ORDINARY = re.compile(
    r"error|with|from|that|this|have|been|were|when|then|than|after|before|step|line|file|loss", re.IGNORECASE
)
"""Words that tell no error from another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRead:
    """What somebody else wrote about such an error."""

    title: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is known of one failed run beyond that it failed."""

    run: str
    error: str
    """``FloatingPointError: loss is nan at step 19``; the reason of the end where no exception was seen."""
    line: str | None
    """The decisive line that speaks for the cause; None where none does."""
    cause: Cause | None
    similar: tuple[str, ...] = ()
    """Earlier runs of the thread that ended with the same error, oldest first."""
    known: tuple[str, ...] = ()
    """Items of the thread's negative-results index about such an error."""
    posts: tuple[ToRead, ...] = ()
    """Posts of the community about it: links for a person to follow; no model is shown them."""

    @property
    def says_itself(self) -> bool:
        """Whether the decisive line is the error itself, so that it need not be quoted beside it."""
        return self.line is not None and _message(self.error) in self.line


def analyse(run: Run, quotes: Sequence[str], of_thread: Iterable[Run], negative: Sequence[str]) -> Failure | None:
    """What is known of a run's failure; None when it did not fail.

    Args:
        run: the run.
        quotes: the decisive lines of its output.
        of_thread: the thread's runs, among which earlier failures are looked for.
        negative: items of the thread's negative-results index.
    """
    if run.status not in _FAILED:
        return None
    error = error_of(run)
    line, cause = _telling(quotes, error)
    alike = [
        other.id
        for other in of_thread
        if other.id != run.id
        and other.declared < run.declared
        and other.status in _FAILED
        and error_template(error_of(other)) == error_template(error)
    ]
    known = tuple(item for item in negative if _about(item, error))
    return Failure(run=run.id, error=error, line=line, cause=cause, similar=tuple(alike), known=known)


def error_of(run: Run) -> str:
    """The error a run ended with, on one line."""
    end = run.attempt.end if run.attempt else None
    if end is None or end.exception is None:
        return " ".join(run.why.split())
    first = end.exception.message.strip().partition("\n")[0]
    return f"{end.exception.type}: {first}" if first else end.exception.type


def error_template(error: str) -> str:
    """An error without what differs from one occurrence to the next: numbers, addresses, paths, quoted names."""
    return mask(_QUOTED.sub(WILD, error))


def similar_facts(failures: Iterable[Failure], of_thread: Sequence[Run]) -> list[Fact]:
    """What a text needs in order to name the earlier runs."""
    wanted = {run_id for failure in failures for run_id in failure.similar}
    facts = []
    for run in (run for run in of_thread if run.id in wanted):
        for kind, path, value in (
            (FactKind.RUN, "run", run.id),
            (FactKind.STATUS, "status", run.status.value),
            (FactKind.TEXT, "end", error_of(run)),
        ):
            facts.append(
                Fact(id=f"{run.id}/{path}", kind=kind, value=value, subject=run.id, source=f"{run.id}#/{path}")
            )
    return facts


def with_posts(failures: Iterable[Failure], search: Callable[[str], Iterable[ToRead]]) -> tuple[Failure, ...]:
    """The failures with what the community wrote about their errors.

    Args:
        failures: as they were analysed.
        search: finds posts by an error's template; asked once for each.
    """
    found: dict[str, tuple[ToRead, ...]] = {}
    read = []
    for failure in failures:
        template = error_template(failure.error)
        if template not in found:
            found[template] = tuple(search(template))
        read.append(replace(failure, posts=found[template]))
    return tuple(read)


def post_facts(failures: Iterable[Failure]) -> list[Fact]:
    """What a text needs in order to link to posts."""
    posts = dict.fromkeys(post for failure in failures for post in failure.posts)
    source = "found in the community by the error"
    return [
        fact
        for number, post in enumerate(posts, start=1)
        for fact in (
            Fact(id=f"community/{number}", kind=FactKind.LINK, value=post.link, source=source),
            Fact(id=f"community/{number}/title", kind=FactKind.QUOTE, value=post.title, source=source),
        )
    ]


def known_facts(failures: Iterable[Failure], logbook_path: str) -> list[Fact]:
    """The quoted items of the negative-results index."""
    items = dict.fromkeys(item for failure in failures for item in failure.known)
    return [
        Fact(
            id=f"negative-results/{number}", kind=FactKind.QUOTE, value=item, source=f"{logbook_path}: negative results"
        )
        for number, item in enumerate(items, start=1)
    ]


def _telling(quotes: Sequence[str], error: str) -> tuple[str | None, Cause | None]:
    """The line that speaks for the most telling cause: of equals the error itself, else the one nearest to the end."""
    shown = [line.strip() for line in quotes if is_telling(line)]
    message = _message(error)
    for cause in CAUSES:
        found = [line for line in shown if cause.lines.search(line)]
        if found:
            return next((line for line in found if message in line), found[-1]), cause
    return None, likely_cause(error)


def _message(error: str) -> str:
    """An error without the name of its type."""
    return error.partition(": ")[2] or error


def is_telling(line: str) -> bool:
    """Whether a line may be quoted as evidence: no source in a traceback, no link, nothing that addresses a reader."""
    start = line.strip()
    source = start.startswith(("File ", "^", "raise "))
    return bool(start) and not source and "://" not in line and not reads_like_an_instruction(line)


def _about(item: str, error: str) -> bool:
    telling = {word.lower() for word in _WORD.findall(error) if not _ORDINARY.fullmatch(word)}
    return len(telling & {word.lower() for word in _WORD.findall(item)}) >= min(_LEAST_COMMON, len(telling) or 99)

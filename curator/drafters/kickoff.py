"""The experiment issue that opens a thread, from the thread's file and what its author says. Knows no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.drafters.sections import scope_fields
from curator.facts import Fact, FactKind
from curator.front_matter import join
from curator.thread_facts import declared_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.github.address import Repository
    from curator.github.model import Issue
    from marin_research.thread import Thread

LABELS = ("experiment", "agent-generated")
_OPEN = "not decided yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the author of a thread says when it begins; whatever is empty is left out."""

    description: str = ""
    """Context for somebody from another lab."""
    hypotheses: Sequence[str] = ()
    matrix: Sequence[str] = ()
    """The first experiments."""
    code: Sequence[str] = ()
    """Paths and links of the code it is about."""
    references: Sequence[str] = ()
    baseline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KickoffText:
    title: str
    text: str
    """With its fields at the head."""
    facts: tuple[Fact, ...]


def kickoff_text(
    thread: Thread, said: Said, *, repository: Repository, logbook_url: str, alike: Sequence[Issue]
) -> KickoffText:
    """The issue as it would be opened.

    Args:
        thread: what is declared.
        said: what else its author says.
        repository: where the issue is opened.
        logbook_url: of the logbook on its branch; empty where it has no page.
        alike: issues with such a title that exist; the author has to say that they are something else.
    """
    facts = [*declared_facts(thread), *_said_facts(said), *_own_facts(thread, repository, logbook_url, alike)]
    title = f"Experiment: {thread.title or thread.topic}"
    fields: dict[str, Any] = {"title": title, "repository": str(repository), "labels": list(LABELS), "looked_at": []}
    body = "\n".join(_lines(thread, said, facts, logbook_url))
    return KickoffText(title=title, text=join(fields, body + "\n"), facts=tuple(facts))


def _lines(thread: Thread, said: Said, facts: list[Fact], logbook_url: str) -> Iterator[str]:
    yield from ("## Description", "", said.description or thread.goal, "")
    goal = [f"Goal: {thread.goal}"] if thread.goal and (said.description or not said.hypotheses) else []
    hypotheses = [f"- {text}" for text in said.hypotheses]
    blank = [""] if goal and hypotheses else []
    yield from ("## Hypothesis or Goal", "", *(goal + blank + hypotheses or [f"- {_OPEN}"]), "")
    yield from ("### Links", "", *(f"* {name}: {value}" for name, value in _links(thread, said, logbook_url)), "")
    yield from ("## Results", "", "None yet.", "")
    yield from ("## TL;DR", "", f"- {_OPEN}", "")
    scope = [f"- {name}: {value}" for name, value in scope_fields(facts)]
    yield from ("## Scope", "", *(scope or [f"- {_OPEN}"]), f"- Experiment IDs: `{thread.prefix}-001`, ...", "")
    if said.matrix:
        yield from ("## First experiments", "", *(f"- {text}" for text in said.matrix), "")
    yield from ("## Current baseline", "", f"- {said.baseline or _OPEN}", "")
    yield from ("## Decision log", "", f"- {_OPEN}", "")
    yield from ("## Negative results index", "", "- none yet", "")
    yield from ("## Conclusion", "", f"- {_OPEN}")


def _links(thread: Thread, said: Said, logbook_url: str) -> Iterator[tuple[str, str]]:
    if thread.wandb.project:
        yield "W&B", _wandb_url(thread) or f"`{thread.wandb.project}`"
    path = f"`{thread.logbook_path}`"
    yield "Research logbook", f"[{path}]({logbook_url})" if logbook_url else path
    if thread.branch:
        yield "Branch", f"`{thread.branch}`"
    yield from (("Code", text) for text in said.code)
    yield from (("Reference", text) for text in said.references)


def _wandb_url(thread: Thread) -> str:
    entity, project = thread.wandb.entity, thread.wandb.project
    return f"https://wandb.ai/{entity}/{project}" if entity and project else ""


def _said_facts(said: Said) -> Iterator[Fact]:
    source = "said when the thread was begun"
    texts = [said.description, said.baseline, *said.hypotheses, *said.matrix, *said.code, *said.references]
    for number, text in enumerate(filter(None, texts)):
        yield Fact(id=f"said/{number}", kind=FactKind.TEXT, value=text, source=source)
        yield from (
            Fact(id=f"said/{number}/link/{n}", kind=FactKind.LINK, value=word.strip("()<>,."), source=source)
            for n, word in enumerate(text.split())
            if "://" in word
        )


def _own_facts(thread: Thread, repository: Repository, logbook_url: str, alike: Sequence[Issue]) -> Iterator[Fact]:
    named = [
        ("title", FactKind.TEXT, f"Experiment: {thread.title or thread.topic}", "title"),
        ("ids", FactKind.NAME, f"{thread.prefix}-001", "prefix"),
        ("logbook", FactKind.PATH, thread.logbook_path, "logbook.path"),
        ("branch", FactKind.NAME, thread.branch, "branch"),
        ("project", FactKind.NAME, thread.wandb.project, "wandb.project"),
        ("wandb", FactKind.LINK, _wandb_url(thread), "wandb"),
    ]
    for name, kind, value, where in named:
        if value:
            yield Fact(id=f"thread/{name}", kind=kind, value=value, source=f"thread file: {where}")
    if logbook_url:
        yield Fact(id="logbook/url", kind=FactKind.LINK, value=logbook_url, source="the remote of the checkout")
    yield Fact(id="repository", kind=FactKind.NAME, value=str(repository), source="the remote of the checkout")
    for issue in alike:
        yield Fact(id=f"issue/{issue.number}", kind=FactKind.COUNT, value=issue.number, source=issue.url, name="issue")

"""A draft's text as what is to be sent: its fields, checked, and its body. The text alone decides the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.errors import CuratorError
from curator.front_matter import FrontMatterError, read_head
from curator.skillevolve import limits

if TYPE_CHECKING:
    from curator.draft import DraftKind
    from curator.front_matter import Head, Path
    from curator.skillevolve.fields import Fields

MARKER_ROOM = 100
"""Characters that are kept free for the hidden comment by which a post is found again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A place in a text that keeps it from being sent."""

    start: int
    end: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    fields: Fields
    body: str
    """Without the blank lines around it."""
    head: Head
    """Says where each field stands."""


class SubmissionError(CuratorError):
    """A text cannot be sent as it is."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(f"{problems[0].why}; mend the text with `curator edit`")


def read(kind: DraftKind, text: str) -> Submission:
    """What a text asks to be sent.

    Raises:
        SubmissionError: its fields cannot be read, or the API would refuse them; lists every place.
    """
    from pydantic import ValidationError

    from curator.skillevolve.fields import MODELS

    try:
        head = read_head(text)
    except FrontMatterError as error:
        raise SubmissionError([Problem(error.start, error.end, error.why)]) from error
    if head is None:
        why = "the text must begin with its fields, between two lines of ---"
        raise SubmissionError([Problem(0, len(text.partition("\n")[0]), why)])
    model, body = MODELS[kind], text[head.end :].strip("\r\n")
    problems = _body_problems(body, text, model.longest_body)
    try:
        fields = model.model_validate(head.fields)
    except ValidationError as error:
        raise SubmissionError([*(_problem(e, head, text) for e in _plain_errors(error)), *problems]) from error
    if problems:
        raise SubmissionError(problems)
    return Submission(fields=fields, body=body, head=head)


def _plain_errors(error: object) -> list[tuple[Path, str, str]]:
    """Where each error is, what kind it is, and what it says."""
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)  # noqa: S101 - for the type checker; pydantic is not known outside
    return [(tuple(e["loc"]), e["type"], e["msg"]) for e in error.errors(include_url=False, include_context=False)]


def _problem(error: tuple[Path, str, str], head: Head, text: str) -> Problem:
    path, kind, message = error
    name = ".".join(str(part) for part in path)
    match kind:
        case "missing":
            why = f"{name} is missing"
        case "extra_forbidden":
            why = f"{name} is no field that can be sent; take it out, or check its spelling"
        case _:
            said = message.removeprefix("Value error, ")
            why = f"{name}: {said[0].lower()}{said[1:]}" if name else said
    start, end = head.span(path)
    line_end = text.find("\n", start)
    return Problem(start, min(end, line_end) if line_end > start else end, why)


def _body_problems(body: str, text: str, limit: int) -> list[Problem]:
    start = text.rfind(body)
    if limit == 0:
        why = "nothing but the fields is sent; take the text under them out"
        return [Problem(start, len(text), why)] if body else []
    if not body.strip():
        return [Problem(start, len(text), "there is no text under the fields")]
    control = limits.unsendable(body)
    if control is not None:
        return [Problem(start + control, start + control + 1, "a control character cannot be sent")]
    long = limits.length(body)
    if long > limit - MARKER_ROOM:
        return [Problem(start, len(text), f"{long} characters are too many, {limit - MARKER_ROOM} are allowed")]
    return []

"""What a model answers: claims in order of importance, opinions, next steps; read, judged and put into words."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field  # noqa: TID253

from curator.claims.actions import Adopt, Between, Beyond, Repeat, Suggestion
from curator.claims.base import Claim, Grounds, RefusedError, Statement
from curator.claims.comparison import Best, Comparison
from curator.claims.failure import FailureCause
from curator.claims.observations import Agreement, Anomaly, Cost, SinceLast
from curator.claims.outcome import Outcome
from curator.claims.trend import Trend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.claims.prose import Prose

AnyClaim = Annotated[
    Comparison | Best | Trend | Outcome | FailureCause | Anomaly | Cost | Agreement | SinceLast,
    Field(discriminator="kind"),
]
AnyAction = Annotated[Repeat | Between | Beyond | Adopt | Suggestion, Field(discriminator="action")]


class Reply(BaseModel):
    """A reading of the record."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    claims: list[AnyClaim] = Field(max_length=12, description="what the record shows, the most important first")
    opinions: list[str] = Field(
        max_length=4, description="prose, a sentence or two each: what it means, why it may be so"
    )
    next_actions: list[AnyAction] = Field(max_length=4, description="what to try next, the most useful first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of the answer that stands, in words."""

    place: str
    """``claims[0]``, ``opinions[1]``, ``next_actions[0].why``."""
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A part of the answer that does not stand."""

    place: str
    said: str
    """What the model said, in short."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer after judgement."""

    passages: tuple[Passage, ...]
    violations: tuple[Violation, ...]

    def of(self, part: str) -> list[Passage]:
        return [passage for passage in self.passages if passage.place.startswith(part)]


def schema() -> dict[str, Any]:
    """The JSON Schema of a reply, as a model is given it."""
    return Reply.model_json_schema()


def judge(reply: Reply, grounds: Grounds, prose: Prose) -> Judged:
    """Put into words what the facts bear out, and list what they do not."""
    passages: dict[str, Passage] = {}
    violations = []
    for place, part in _parts(reply):
        try:
            statement = _statement(part, grounds, prose)
        except RefusedError as error:
            violations.append(Violation(place=place, said=_short(part), why=str(error)))
            continue
        if statement.text in passages:
            violations.append(Violation(place=place, said=_short(part), why="it is said already"))
        elif statement.text:
            passages[statement.text] = Passage(place=place, statement=statement)
    return Judged(passages=tuple(passages.values()), violations=tuple(violations))


def is_prose(passage: Passage) -> bool:
    """Whether the words of a passage are the model's own."""
    return passage.place.startswith("opinions") or passage.place.endswith(".why")


def _parts(reply: Reply) -> Iterator[tuple[str, Claim | str]]:
    for index, claim in enumerate(reply.claims):
        yield f"claims[{index}]", claim
    for index, opinion in enumerate(reply.opinions):
        yield f"opinions[{index}]", opinion
    for index, action in enumerate(reply.next_actions):
        yield f"next_actions[{index}]", action
        if action.why.strip():
            yield f"next_actions[{index}].why", action.why


def _statement(part: Claim | str, grounds: Grounds, prose: Prose) -> Statement:
    if isinstance(part, Claim):
        return part.state(grounds)
    text, uses = prose.render(part)
    return Statement(text=text, uses=uses)


def _short(part: Claim | str) -> str:
    said = part if isinstance(part, str) else _compact(part.model_dump())
    return said if len(said) <= 200 else f"{said[:199]}…"


def _compact(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in fields.items() if value not in ("", [], None))

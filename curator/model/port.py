"""The seam to a language model: a request, an answer, what it used, and how it can fail. Knows no API and no draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from curator.errors import CuratorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class ModelError(CuratorError):
    """A model gave no usable answer; the message says why in a few words that fit behind "because"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, as the API counts them."""

    input_tokens: int = 0
    """Neither written to the prompt cache nor read from it."""
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_written_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_written_tokens=self.cache_written_tokens + other.cache_written_tokens,
        )

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_written_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One side's words in a conversation."""

    role: str
    """``user`` or ``assistant``."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A conversation whose next turn is the model's."""

    system: tuple[str, ...]
    """Stable text, most stable first; each block ends a stretch that is worth caching."""
    turns: tuple[Turn, ...]
    schema: Mapping[str, Any]
    """JSON Schema that the answer must have."""
    max_output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    text: str
    usage: Usage
    stop_reason: str
    """``end_turn``, or ``max_tokens`` when it was cut short."""
    model: str
    """As the API names it, which may say more than what was asked for."""


class LanguageModel(Protocol):
    """Answers one request. May take time and cost money."""

    name: str

    def count(self, request: Request) -> int | None:
        """Input tokens of a request; None where nobody can count them.

        Raises:
            ModelError: the model cannot be used at all: no access, no time left.
        """

    def ask(self, request: Request, on_text: Callable[[str], None]) -> Answer:
        """The model's next turn.

        Args:
            request: what is asked.
            on_text: called with each piece of the answer as it arrives.

        Raises:
            ModelError: there is no answer, or only a part of one.
        """
